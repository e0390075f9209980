# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook recover_with_emergency_token, over hosts that are directories: nothing is ever asked of the API."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.oldest

PLAYBOOK = "eceops.platform.recover_with_emergency_token"
EMERGENCY_ROLES = "coordinator,director,proxy"
# For proxy and allocator, as Elastic's documentation prints it
EXPIRED = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0Njk3N2I3ZC1hM2U2LTQ2MDUtYjcwZC0xNzIzMTI5YWY4ZTQiLCJyb2xlcyI6WyJwc"
    "m94eSIsImFsbG9jYXRvciJdLCJpc3MiOiJib290c3RyYXAtaW5pdGlhbCIsImV4cCI6MTQ5MzY0NjIxM30"
    ".xsaRb72CsNMuXKy6Y-PJgqLc0qmjCljlB4Smcx_MRxg"
)
OUT_OF_REACH = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
# What may stand in an inventory and must not matter: no API to reach, a vault that is not at hand, a bastion of old.
UNUSABLE_API = {
    "ece_host_use_api": True,
    "ece_host_api": {"url": "https://127.0.0.1:1", "password": "{{ vault_password }}"},
    "ece_host_api_delegate": "{{ bastion }}",
}


@pytest.fixture
def token(simulator):
    token = simulator.secrets()["emergency_all_roles_except_allocator_token"]["token"]
    simulator.clear_journal()
    return token


@pytest.fixture
def recover(run, simulator, token, make_hosts):
    """Hosts by name, with variables: `hosts, recover = recover({"m1": {}})`; `recover()` runs the playbook on them."""

    def prepare(variables, **common):
        hosts = {host.name: host for host in make_hosts(*variables)}
        entries = {name: {**host.variables, **variables[name]} for name, host in hosts.items()}
        inventory = {"ece_hosts": {"hosts": entries, "vars": common}, "others": {"hosts": {"other": {}}}}

        def play(*args, **kwargs):
            given = {
                "ece_host_roles_token": token,
                "ece_host_version": simulator.state()["version"],
                "ece_api": {"url": "https://127.0.0.1:1", "password": "{{ vault_password }}"},
                **kwargs.pop("extra_vars", {}),
            }
            result = run.play(PLAYBOOK, *args, inventory=inventory, extra_vars=given, **kwargs)
            assert result.journal == []
            return result

        return hosts, play

    return prepare


def installed(hosts):
    """The hosts on which the installer ran, in the order in which it did."""
    runs = [(run["time"], name) for name, host in hosts.items() for run in host.runs()]
    return [name for _time, name in sorted(runs)]


def why_stopped(result):
    (said,) = [entry["result"]["msg"] for entry in result.results if entry["task"] == "Stop, as a host has not joined"]
    return said


def test_hosts_join_one_after_the_other_and_a_second_run_changes_nothing(recover, token):
    hosts, play = recover({"m2": {}, "m1": {"ece_host_roles": ["coordinator", "director"]}}, **UNUSABLE_API)
    for host in hosts.values():
        host.behave(echo_token=True)
    result = play("--diff", verbosity=3, watch=True)
    assert result.returncode == 0, result.stdout
    assert installed(hosts) == ["m2", "m1"]
    (first,), (second,) = (host.runs() for host in hosts.values())
    assert first["env"]["RUNNER_ROLES"] == EMERGENCY_ROLES
    assert second["env"]["RUNNER_ROLES"] == "coordinator,director"
    done = [(entry["host"], entry["task"].rpartition(" : ")[2]) for entry in result.results]
    assert done.index(("m2", "Stop a host that has not joined as it should")) < done.index(("m1", "Look at each host"))
    assert "Joined now: m2, m1. Whether the installation is saved" in result.said
    assert "None of them gets the role coordinator" not in result.said
    said = [result.said.index(what) for what in ("More than half of its directors", "1 of 1 hosts joined", "is odd")]
    assert said == sorted(said)
    beginning = token.partition(".")[0]
    assert result.find([token, beginning]) == []
    for host in hosts.values():
        assert [path for path, content in host.files().items() if beginning.encode() in content] == []

    again = play()
    assert again.returncode == 0, again.stdout
    assert sum(recap["changed"] for recap in again.stats.values()) == 0
    assert installed(hosts) == ["m2", "m1"]
    assert "NOTHING WAS STARTED. ECE ran already, and nothing was done, on m2, m1." in again.said
    assert "WARNING" not in again.stdout + again.stderr


@pytest.mark.parametrize(
    ("variables", "given", "says"),
    [
        ({}, {}, "(exit code 1)"),
        (OUT_OF_REACH, {}, "the host is out of reach"),
        ({"ece_host_roles": ["allocator", "director"]}, {}, "ece_host_roles_token does not permit allocator"),
        ({"ece_host_roles": "{{ missing_roles }}"}, {}, "missing_roles"),
        ({}, {"ece_host_version": ""}, "ece_host_version is required"),
        ({}, {"ece_host_roles_token": "{{ vault_token }}"}, "vault_token"),
        ({"ece_host_roles": ["proxy"]}, {"ece_host_roles_token": EXPIRED}, "ece_host_roles_token expired at"),
    ],
)
def test_a_host_that_fails_ends_the_run(recover, token, variables, given, says):
    hosts, play = recover({"m1": variables, "m2": {}})
    hosts["m1"].behave(exit_code=1)
    result = play(extra_vars=given, verbosity=3)
    assert result.returncode == 2
    assert why_stopped(result).startswith("m1 has not joined, and the run ends here: nothing further is started")
    assert says in why_stopped(result)
    assert "It said at last" not in why_stopped(result)
    assert hosts["m2"].executed() == []
    assert "is to be verified" not in result.said
    assert result.find([token, EXPIRED]) == []


def test_check_mode_says_which_would_join_and_limit_which_may(recover):
    hosts, play = recover({"m1": {}, "m2": {"ece_host_roles": ["proxy"]}})
    before = hosts["m2"].files()
    result = play("--limit", "m2", check=True)
    assert result.returncode == 0, result.stdout
    assert "Would join, unless ECE runs there already, one at a time and in this order: m2." in result.said
    assert "None of them gets the role coordinator" in result.said
    assert "1 of 1 hosts would join" in result.said
    assert hosts["m2"].files() == before
    result = play("--limit", "m2")
    assert result.returncode == 0, result.stdout
    assert installed(hosts) == ["m2"]
    assert hosts["m1"].executed() == []


TWINS = {"ece_host_ip": "192.0.2.7", "ece_host_runner_id": "seven"}
UNDEFINED = {"ece_host_ip": "{{ missing_ip }}"}


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (["--limit", "other"], {}, ["ece_hosts matches no host within --limit"]),
        (["--limit", "nobody"], {}, ["leaves us with no hosts"]),
        ([], {"ece_target": "ece_managers"}, ["ece_managers matches no host"]),
        # One that is not to join now may be the one that is there already.
        (["--limit", "m2,m3"], {}, ["have the same ece_host_ip", "have the same ece_host_runner_id", ": m1, m3. Take"]),
        (["--limit", "other"], {"ece_target": "other", "ece_host_use_api": True}, ["ece_host_use_api is set with -e"]),
    ],
)
def test_nothing_is_started_where_it_is_not_clear_on_what(recover, arguments, given, says):
    hosts, play = recover({"m1": TWINS, "m2": UNDEFINED, "m3": TWINS})
    result = play(*arguments, extra_vars=given)
    assert result.returncode != 0
    assert [what for what in says if what not in result.said] == []
    assert [name for name, host in hosts.items() if host.executed()] == []
