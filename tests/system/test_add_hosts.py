# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook add_hosts over a fleet of directories: who joins, in which order, with which requests."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.oldest

PLAYBOOK = "eceops.platform.add_hosts"
LIST, VERSION, MINT = "get-runners", "get-platform", "create-enrollment-token"
FIRST = "192.0.2.1"  # the installation's first host
OUT_OF_REACH = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
MANAGER = {"ece_host_roles": ["coordinator", "director", "proxy"]}
ALLOCATOR = {"ece_host_roles": ["allocator"]}


@pytest.fixture
def fleet(make_hosts):
    """Hosts by name, with roles, and the inventory of them: `fleet({"a": ALLOCATOR})`."""

    def fleet(variables, **common):
        hosts = {host.name: host for host in make_hosts(*variables)}
        entries = {name: {**host.variables, **variables[name]} for name, host in hosts.items()}
        return hosts, {"ece_hosts": {"hosts": entries, "vars": common}}

    return fleet


def joined(simulator):
    """The addresses of those that joined, in this order."""
    return [runner["host_ip"] for runner in simulator.state()["runners"] if runner["host_ip"] != FIRST]


def once_a_poll(operations):
    """The operations, those that follow each other as polls of one list counted as one."""
    return [name for number, name in enumerate(operations) if operations[number - 1 : number] != [name]]


SMALL = {"allocator-1": ALLOCATOR, "manager-1": MANAGER, "allocator-2": ALLOCATOR}


def test_a_fleet_joins_managers_first_and_a_second_run_changes_nothing(run, simulator, fleet):
    hosts, inventory = fleet(SMALL)
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 0, result.stdout
    order = joined(simulator)
    assert order[0] == hosts["manager-1"].ip
    assert sorted(order) == sorted(host.ip for host in hosts.values())
    runners = {runner["host_ip"]: runner for runner in simulator.state()["runners"]}
    for name, host in hosts.items():
        assert sorted(runners[host.ip]["roles"]) == sorted(SMALL[name]["ece_host_roles"])
    # The fleet's plan, then for each of the two batches: list, version, one mint for its one set of roles, and polls.
    assert once_a_poll(result.operations) == [LIST, VERSION, MINT, LIST, VERSION, MINT, LIST]
    assert simulator.state()["minted"] == {"ephemeral": 2, "persistent": 0}
    assert "2 of 2 hosts joined" in result.said

    executed = {name: host.executed() for name, host in hosts.items()}
    again = run.play(PLAYBOOK, inventory=inventory)
    assert again.returncode == 0, again.stdout
    assert again.operations == [LIST]
    assert sum(recap["changed"] for recap in again.stats.values()) == 0
    assert {name: host.executed() for name, host in hosts.items()} == executed
    assert "3 of 3 hosts are connected already: allocator-1, manager-1, allocator-2" in again.said
    assert "WARNING" not in again.stdout + again.stderr
    assert simulator.state()["minted"]["ephemeral"] == 2


def test_a_host_that_is_added_later_joins_alone(run, simulator, fleet):
    hosts, inventory = fleet({"old": ALLOCATOR, "new": ALLOCATOR})
    simulator.put_runner(hosts["old"].ip, roles=["allocator"])
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert hosts["old"].executed() == []
    assert len(hosts["new"].runs()) == 1
    assert once_a_poll(result.operations) == [LIST, VERSION, MINT, LIST]
    assert "1 of 2 hosts are connected already" in result.said


@pytest.mark.parametrize("chosen", ["m2", "a1"])
def test_limit_lets_just_that_host_join(run, simulator, fleet, chosen):
    hosts, inventory = fleet({"m1": MANAGER, "m2": MANAGER, "a1": ALLOCATOR, "a2": ALLOCATOR})
    result = run.play(PLAYBOOK, "--limit", chosen, inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert joined(simulator) == [hosts[chosen].ip]
    assert [name for name, host in hosts.items() if host.executed()] == [chosen]


def test_the_number_of_requests_grows_with_that_of_sets_of_roles_and_not_of_hosts(run, simulator, fleet):
    _hosts, inventory = fleet({"a1": ALLOCATOR, "a2": ALLOCATOR, "p1": {"ece_host_roles": ["proxy"]}})
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert once_a_poll(result.operations) == [LIST, VERSION, MINT, LIST]
    assert result.operations.count(MINT) == 2
    assert len(joined(simulator)) == 3


def test_check_mode_says_which_would_join_and_touches_nothing(run, simulator, fleet):
    hosts, inventory = fleet(SMALL)
    before = {name: host.files() for name, host in hosts.items()}
    result = run.play(PLAYBOOK, "--diff", check=True, inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert "1 of 1 hosts would join" in result.said
    assert "2 of 2 hosts would join" in result.said
    assert joined(simulator) == []
    assert simulator.state()["minted"] == {"ephemeral": 0, "persistent": 0}
    assert {name: host.files() for name, host in hosts.items()} == before


def test_batches_use_a_token_again_and_tell_of_their_own_hosts(run, simulator, fleet):
    wrong = {**ALLOCATOR, "ece_host_container_engine": "other"}
    _hosts, inventory = fleet({"wrong": wrong, "allocator-1": ALLOCATOR, "allocator-2": ALLOCATOR})
    result = run.play(PLAYBOOK, inventory=inventory, extra_vars={"ece_serial": [2, 1]})
    assert result.returncode == 2
    assert simulator.state()["minted"]["ephemeral"] == 1
    assert len(joined(simulator)) == 2
    assert "1 of 2 hosts joined, 0 were there already, 0 are unhealthy, 1 failed" in result.said
    assert "1 of 1 hosts joined, 0 were there already, 0 are unhealthy, 0 failed" in result.said


# By variable: a value that breaks the rules
BAD_VALUES = {
    "ece_host_availability_zone": "zone';touch /tmp/evil;'",
    "ece_host_capacity": 4096,
    "ece_host_extra_args": ["--roles-token", "fake"],
    "ece_host_roles": ["allocators"],
    "ece_host_memory_settings": "1G",
    "ece_host_storage_path": "relative",
}


def test_a_host_that_cannot_join_fails_alone(run, simulator, fleet):
    others = {
        "gone": OUT_OF_REACH,
        "gone-too": {**OUT_OF_REACH, "ece_host_ip": ""},  # it has to be asked for its address
        "null": {"ece_host_roles": None},
        "number": {"ece_host_roles": 5},
        "undefined": {"ece_host_runner_id": "{{ missing_id }}"},
        "undefined-too": {"ece_host_roles": "{{ missing_roles }}"},
        "good": {},
    }
    hosts, inventory = fleet(dict.fromkeys([*BAD_VALUES, *others], ALLOCATOR))
    for name, entry in inventory["ece_hosts"]["hosts"].items():
        entry.update(others[name] if name in others else {name: BAD_VALUES[name]})
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 2
    assert joined(simulator) == [hosts["good"].ip]
    failures = {entry["host"]: entry["result"]["msg"] for entry in result.results if entry["status"] == "failed"}
    assert sorted(failures) == sorted(hosts.keys() - {"good"})
    assert [name for name in BAD_VALUES if name not in failures[name]] == []
    assert "missing_id" in failures["undefined"]
    assert "missing_roles" in failures["undefined-too"]
    assert "ece_host_roles" in failures["null"]
    assert "ece_host_roles" in failures["number"]
    for name in ("gone", "gone-too"):
        assert "Nothing was done, as the host is out of reach" in failures[name]
    assert [name for name in failures if hosts[name].executed()] == []
    assert (
        f"1 of {len(hosts)} hosts joined, 0 were there already, 0 are unhealthy, {len(failures)} failed" in result.said
    )


@pytest.mark.parametrize(
    ("connection", "says"), [({"password": "fake-wrong"}, "HTTP 401"), ({"user": "admin"}, "Unsupported parameters")]
)
def test_an_api_that_gives_no_list_stops_the_run(run, simulator, fleet, connection, says):
    hosts, inventory = fleet({"a1": ALLOCATOR})
    result = run.play(PLAYBOOK, inventory=inventory, extra_vars={"ece_api": {**simulator.ece_api, **connection}})
    assert result.returncode == 2
    assert "Nothing was done, as the runners could not be listed" in result.said
    assert says in result.said
    assert result.find([simulator.password, "fake-wrong"]) == []
    assert hosts["a1"].executed() == []


@pytest.mark.parametrize("same", ["ece_host_ip", "ece_host_runner_id"])
def test_a_host_that_stands_twice_in_the_fleet_stops_the_run(run, simulator, fleet, same):
    hosts, inventory = fleet({"one": ALLOCATOR, "two": ALLOCATOR, "three": ALLOCATOR})
    entries = inventory["ece_hosts"]["hosts"]
    entries["one"][same] = entries["two"][same] = hosts["one"].ip
    simulator.put_runner(hosts["one"].ip, roles=["allocator"])  # the new one may not hide behind it
    result = run.play(PLAYBOOK, "--limit", "two,three", inventory=inventory)
    assert result.returncode == 2
    assert "of one is also that of two" in result.said
    assert joined(simulator) == [hosts["one"].ip]
    assert all(host.executed() == [] for host in hosts.values())


def test_a_manager_that_fails_ends_the_run_and_a_run_after_mending_finishes(run, simulator, fleet):
    hosts, inventory = fleet({"m1": MANAGER, "m2": MANAGER, "m3": MANAGER, "a1": ALLOCATOR})
    simulator.put_runner(hosts["m1"].ip, roles=MANAGER["ece_host_roles"])
    hosts["m2"].behave(exit_code=1)
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 2
    assert joined(simulator) == [hosts["m1"].ip]
    assert hosts["m3"].executed() == []
    assert hosts["a1"].executed() == []
    (said,) = [
        entry["result"]["msg"] for entry in result.results if entry["task"] == "Stop, as a manager has not joined"
    ]
    assert said.startswith("m2 has not joined")
    assert "(exit code 1)" in said
    assert "It said at last" not in said
    assert "nothing further is started" in result.said
    hosts["m2"].rebuild()
    again = run.play(PLAYBOOK, inventory=inventory)
    assert again.returncode == 0, again.stdout
    assert joined(simulator) == [hosts[name].ip for name in ("m1", "m2", "m3", "a1")]
    assert hosts["m1"].executed() == []
    assert "The installation has 4 directors, an even number" in again.said


def test_each_host_says_why_its_token_was_not_minted(run, simulator, fleet):
    hosts, inventory = fleet({"a1": ALLOCATOR, "a2": ALLOCATOR, "p1": {"ece_host_roles": ["proxy"]}})
    simulator.fault("reply", MINT, status=403)
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 2
    # The loop's first set of roles is refused, the second is minted.
    failed = {entry["host"]: entry["result"]["msg"] for entry in result.results if entry["status"] == "failed"}
    assert set(failed) == {"a1", "a2"}
    assert all("HTTP 403" in message for message in failed.values())
    assert joined(simulator) == [hosts["p1"].ip]


def test_without_a_url_the_first_coordinator_that_can_be_one_is_asked(run, simulator, fleet):
    # On this machine nothing listens at the API's own port, so what is asked is seen from the failure.
    hosts, inventory = fleet({"a1": ALLOCATOR, "a2": ALLOCATOR})
    entries = inventory["ece_hosts"]["hosts"]
    entries["a1"]["ece_host_coordinator_host"] = "a b"
    entries["a2"]["ece_host_coordinator_host"] = hosts["a2"].ip
    connection = {"ece_api": {"username": "admin", "password": "fake", "retries": 0}}
    result = run.play(PLAYBOOK, inventory=inventory, extra_vars=connection)
    assert result.returncode == 2
    assert f"https://{hosts['a2'].ip}:12443" in result.said
    del entries["a2"]["ece_host_coordinator_host"]
    result = run.play(PLAYBOOK, inventory=inventory, extra_vars=connection)
    assert "no host an ece_host_coordinator_host that can be one" in result.said
    assert result.operations == []


@pytest.mark.parametrize("arguments", [(), ("--limit", "elsewhere")])
def test_a_pattern_without_hosts_is_a_failure(run, simulator, arguments):
    result = run.play(PLAYBOOK, *arguments, inventory={"others": {"hosts": {"elsewhere": {}}}})
    assert result.returncode == 2
    assert "ece_hosts matches no host" in result.said
    assert result.operations == []


def test_a_token_is_not_used_for_another_installation(run, simulator, fleet):
    hosts, inventory = fleet({"a1": ALLOCATOR, "a2": ALLOCATOR})
    other = {**simulator.ece_api, "url": simulator.url.replace("127.0.0.1", "localhost")}
    plays = [
        {"hosts": name, "gather_facts": False, "roles": ["eceops.platform.ece_host"], "vars": {"ece_host_api": api}}
        for name, api in (("a1", simulator.ece_api), ("a2", other))
    ]
    result = run.play(plays, inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert simulator.state()["minted"]["ephemeral"] == len(hosts)


def test_a_manager_that_is_out_of_reach_ends_the_run(run, simulator, fleet):
    hosts, inventory = fleet({"m1": MANAGER, "a1": ALLOCATOR})
    inventory["ece_hosts"]["hosts"]["m1"].update(OUT_OF_REACH)
    result = run.play(PLAYBOOK, inventory=inventory)
    assert result.returncode == 2
    assert joined(simulator) == []
    assert hosts["a1"].executed() == []
    assert "m1 has not joined" in result.said
    assert "nothing further is started" in result.said


def test_each_host_runs_on_its_own_python(run, fleet):
    # One after the other, so that the second could take what was found on the first: with ansible-core 2.21, hosts that
    # get facts from a task with run_once share all later ones.
    hosts, inventory = fleet({"a1": ALLOCATOR, "a2": ALLOCATOR})
    for entry in inventory["ece_hosts"]["hosts"].values():
        entry["ansible_interpreter_python_fallback"] = [entry.pop("ansible_python_interpreter")]
    result = run.play(PLAYBOOK, "--forks", "1", inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert [run["env"]["HOST_IP"] for host in hosts.values() for run in host.runs()] == [
        host.ip for host in hosts.values()
    ]


def after(*plays):
    """A playbook of one's own that goes on with add_hosts."""
    return [*plays, {"import_playbook": PLAYBOOK}]


def test_a_host_that_an_earlier_play_has_lost_takes_no_other_with_it(run, simulator, fleet):
    hosts, inventory = fleet({"a1": ALLOCATOR, "a2": ALLOCATOR})
    failing = {"name": "Prepare", "ansible.builtin.fail": {"msg": "no disk"}, "when": "inventory_hostname == 'a1'"}
    result = run.play(after({"hosts": "ece_hosts", "gather_facts": False, "tasks": [failing]}), inventory=inventory)
    assert result.returncode == 2, result.stdout
    assert joined(simulator) == [hosts["a2"].ip]


def test_where_earlier_plays_have_lost_all_hosts_that_is_said(run, fleet):
    _hosts, inventory = fleet({"a1": ALLOCATOR})
    # The play goes on where another host is left.
    inventory["others"] = {"hosts": {"other": {"ansible_connection": "local"}}}
    failing = {"name": "Prepare", "ansible.builtin.fail": {"msg": "no disk"}, "when": "inventory_hostname == 'a1'"}
    result = run.play(after({"hosts": "all", "gather_facts": False, "tasks": [failing]}), inventory=inventory)
    assert result.returncode == 2, result.stdout
    assert "have failed, or were out of reach, earlier in this run" in result.said


@pytest.mark.parametrize(
    "broken",
    [
        # One that is connected, and one that is asked for its address
        {"ansible_host": "{{ not_defined_anywhere }}"},
        {"ansible_host": "{{ not_defined_anywhere }}", "ece_host_ip": ""},
        {"ansible_become": True, "ansible_become_method": "there.is.none", "ece_host_ip": ""},
    ],
)
def test_what_is_wrong_with_the_connection_to_the_first_host_keeps_no_other_from_joining(run, simulator, fleet, broken):
    hosts, inventory = fleet({"a1": {**ALLOCATOR, **broken}, "a2": ALLOCATOR})
    simulator.put_runner(hosts["a1"].ip, roles=["allocator"])
    run.play(PLAYBOOK, inventory=inventory)
    assert hosts["a2"].ip in joined(simulator)
