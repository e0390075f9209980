# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role ece_host in a play of its own, over hosts that are directories: each step, and where it stops."""

from __future__ import annotations

import pwd
import threading
import time
from hashlib import sha256

import pytest

from testbed import platforms

pytestmark = pytest.mark.oldest

LIST, VERSION, MINT = "get-runners", "get-platform", "create-enrollment-token"
MANAGER = {"ece_host_roles": ["coordinator", "director"]}
ALLOCATOR = {"ece_host_roles": ["allocator"]}
PATIENCE_SECONDS = 240


def meanwhile(condition, action=lambda: None):
    """When the condition holds, act; a thread that has to be joined, which tells whether it came to that."""
    outcome = []

    def watch():
        end = time.monotonic() + PATIENCE_SECONDS
        while not (held := condition()) and time.monotonic() < end:
            time.sleep(0.1)
        action()
        outcome.append(held)

    thread = threading.Thread(target=watch)
    thread.start()

    def result():
        thread.join()
        return outcome[0]

    return result


def test_all_installers_are_started_before_any_is_waited_for(join):
    hosts, play = join({f"a{number}": ALLOCATOR for number in range(4)})
    for host in hosts.values():
        host.behave(hold=True)

    def release():
        for host in hosts.values():
            host.release()

    all_started = meanwhile(lambda: all(host.runs() for host in hosts.values()), release)
    result = play("--forks", "2")
    assert all_started()
    assert result.returncode == 0, result.stdout
    assert "4 of 4 hosts joined" in result.said
    # A line for each host, however often it was asked
    waited = [entry["host"] for entry in result.results if entry["task"].endswith("Wait until the installer has ended")]
    assert sorted(waited) == sorted(hosts)
    assert result.stdout.count("ok: [a1]") == result.stdout.count("ok: [a3]")


def test_an_installer_that_takes_too_long_is_left_running_and_the_next_run_waits_for_it(join, simulator):
    hosts, play = join({"a1": ALLOCATOR})
    hosts["a1"].behave(hold=True)
    result = play(extra_vars={"ece_host_install_timeout": 3})
    assert result.returncode == 2
    assert "left running" in result.failures["a1"]
    assert [entry["body"]["validity_in_seconds"] for entry in result.journal if entry["operation"] == MINT] == [603]
    simulator.clear_journal()
    released = meanwhile(
        lambda: [entry["operation"] for entry in simulator.journal()][:1] == [LIST], hosts["a1"].release
    )
    again = play()
    assert released()
    assert again.returncode == 0, again.stdout
    assert MINT not in again.operations
    assert len(hosts["a1"].runs()) == 1


def test_an_installer_that_ended_while_the_controller_was_dead_counts_as_joining(join, run, simulator):
    hosts, play = join({"late": ALLOCATOR, "unheard": ALLOCATOR})
    hosts["late"].behave(hold=True, connected=False)
    hosts["unheard"].behave(hold=True, join=False)  # not even listed
    killed = meanwhile(lambda: all(host.runs() for host in hosts.values()), run.kill)
    assert play().returncode == -9
    assert killed()

    for host in hosts.values():
        host.release()
    outcomes = [host.state / "install" / "outcome.json" for host in hosts.values()]
    assert meanwhile(lambda: all(path.read_bytes().strip(b"\0 ") for path in outcomes))()
    simulator.clear_journal()

    def connect():
        for host in hosts.values():
            simulator.put_runner(host.ip, roles=["allocator"], connected=True)

    # The plan's list, and one that the run waited for
    connected = meanwhile(lambda: [entry["operation"] for entry in simulator.journal()].count(LIST) > 1, connect)
    again = play()
    assert connected()
    assert again.returncode == 0, again.stdout
    assert set(again.operations) == {LIST, VERSION}
    assert sum(recap["changed"] for recap in again.stats.values()) == 0
    assert [len(host.runs()) for host in hosts.values()] == [1, 1]
    assert "2 of 2 hosts joined" in again.said


def test_two_managers_are_refused_and_join_one_at_a_time(join, simulator):
    hosts, play = join({"m1": MANAGER, "m2": MANAGER})
    result = play()
    assert result.returncode == 2
    assert set(result.failures) == {"m1", "m2"}
    assert "serial: 1" in result.failures["m1"]
    assert "eceops.platform.add_hosts" in result.failures["m2"]
    again = play(serial=1)
    assert again.returncode == 0, again.stdout
    assert len(simulator.state()["runners"]) == 1 + len(hosts)


def test_a_rebuilt_host_is_replaced_when_that_is_wanted(join, simulator):
    hosts, play = join({"a1": ALLOCATOR})
    simulator.put_runner(hosts["a1"].ip, roles=["allocator"], connected=False)
    refused = play()
    assert "ece_host_replace_disconnected: true" in refused.failures["a1"]
    assert MINT not in refused.operations
    result = play(extra_vars={"ece_host_replace_disconnected": True})
    assert result.returncode == 0, result.stdout
    assert "delete-runner" in result.operations
    assert result.operations.index("delete-runner") < result.operations.index(MINT)


def test_a_host_that_is_down_or_serves_another_installation_is_left_alone(join, simulator):
    hosts, play = join({"down": ALLOCATOR, "foreign": ALLOCATOR})
    assert play().returncode == 0
    simulator.put_runner(hosts["down"].ip, connected=False)
    simulator.remove_runner(hosts["foreign"].ip)
    simulator.clear_journal()
    for host in hosts.values():
        host.forget_installer()
    result = play()
    assert "has joined and is down" in result.failures["down"]
    assert "Nothing is to be cleaned up" in result.failures["foreign"]
    assert MINT not in result.operations
    assert {len(host.runs()) for host in hosts.values()} == {1}


def test_all_that_stands_in_the_way_is_said_at_once_and_no_token_is_minted(join):
    hosts, play = join({"a1": {**ALLOCATOR, "ece_host_install_user": "nobody-knows"}})
    hosts["a1"].behave(podman=True)
    result = play()
    message = result.failures["a1"]
    assert "nobody-knows" in message
    assert MINT not in result.operations
    assert hosts["a1"].runs() == []


def test_the_installer_runs_as_the_configured_user_and_never_as_one_of_the_system(join):
    users = {"root": "root", "daemon": "daemon"}
    wrong = {name: {**ALLOCATOR, "ece_host_install_user": user} for name, user in users.items()}
    hosts, play = join({**wrong, "own": ALLOCATOR})
    refused = play("--limit", "root,daemon")
    assert "ece_host_install_user may not be root" in refused.failures["root"]
    assert (
        "and ECE's installer wants at least 1000: name another one (ece_host_install_user)"
        in refused.failures["daemon"]
    )
    assert refused.executed_on("root") == []
    assert MINT not in refused.operations
    result = play()
    assert set(result.failures) == set(users)
    user = pwd.getpwnam(hosts["own"].variables["ece_host_install_user"])
    assert {name: [(run["uid"], run["gid"]) for run in host.runs()] for name, host in hosts.items()} == {
        "root": [],
        "daemon": [],
        "own": [(user.pw_uid, user.pw_gid)],
    }


def test_an_installation_that_is_not_fit_is_left_alone(join, simulator):
    hosts, play = join({"a1": ALLOCATOR})
    simulator.put_runner("192.0.2.9", version="4.3.0", roles=["proxy"])
    result = play()
    assert "4.2.0 and 4.3.0" in result.failures["a1"]
    assert MINT not in result.operations
    simulator.remove_runner("192.0.2.1")
    result = play()
    assert "lists no coordinator" in result.failures["a1"]
    assert result.operations == [LIST]
    assert hosts["a1"].runs() == []


@pytest.fixture
def login(tmp_path):
    """Variables of hosts that get the login of a private registry."""
    file = tmp_path / "config.json"
    file.write_text("{}", encoding="utf-8")
    return {**ALLOCATOR, "ece_host_docker_config": str(file)}


@pytest.mark.parametrize(
    ("check", "as_it_was"),
    [
        (True, "as it was, as its"),
        (False, "as it was but for the installer and the login of the registry that it got, as its"),
    ],
)
def test_how_a_host_is_that_is_not_replaced_is_said(join, simulator, login, check, as_it_was):
    hosts, play = join({"a1": {**login, "ece_host_replace_disconnected": True}})
    simulator.put_runner(hosts["a1"].ip, roles=["allocator"], connected=False)
    simulator.fault("reply", "get-runner", times=None, status=500)
    result = play(check=check)
    assert result.returncode == 2, result.stdout
    assert f"it is {as_it_was} old runner could not be deleted: " in result.failures["a1"]
    assert (hosts["a1"].home / ".docker/config.json").exists() is not check


def test_a_host_that_is_lost_while_it_gets_something_fails_and_gets_no_more(join, simulator, login, tmp_path):
    tasks = {
        "folder": "Make the folder that the installer lies in",
        "copy": "Copy the installer from the controller, ece_host_installer_src",
        "login-folder": "Make the folder of the registry's login",
        "login": "Copy the registry's login, ece_host_docker_config",
    }
    losses = {name: {"task": task, "times": 1, "note": str(tmp_path / name)} for name, task in tasks.items()}
    lost = {name: {**login, "ansible_connection": "dropping", "testbed_loss": loss} for name, loss in losses.items()}
    hosts, play = join(lost)
    # One that has to be mended
    hosts["folder"].state.chmod(0o700)
    result = play()
    assert result.returncode == 2, result.stdout
    assert set(result.failures) == set(tasks)
    for name, said in result.failures.items():
        assert "it was lost while it got the installer, and nothing was started. Run this again when" in said
        assert not (hosts[name].home / ".docker/config.json").exists()
    assert {name: installer(host).exists() for name, host in hosts.items()} == {
        "folder": False,
        "copy": False,
        "login-folder": True,
        "login": True,
    }
    assert simulator.state()["minted"] == {"ephemeral": 0, "persistent": 0}


def test_the_installers_folder_is_for_the_install_user_whatever_it_was(join):
    hosts, play = join(dict.fromkeys(("missing", "closed", "there"), ALLOCATOR))
    hosts["missing"].state.rmdir()
    hosts["closed"].state.chmod(0o700)
    result = play()
    assert result.returncode == 0, result.stdout
    modes = {name: (host.state.stat().st_mode, installer(host).stat().st_mode) for name, host in hosts.items()}
    assert modes == dict.fromkeys(hosts, (0o40755, 0o100755))
    # The copy makes it, where it is not there: a task on each host less.
    made = {name for name in hosts if "Make the folder that the installer lies in" in result.executed_on(name)}
    assert made == {"closed"}


def installer(host):
    return host.state / "elastic-cloud-enterprise.sh"


def test_settings_that_are_used_once_must_be_the_same(join):
    hosts, play = join({"a1": ALLOCATOR, "a2": {**ALLOCATOR, "ece_host_join_timeout": 60}})
    result = play()
    assert set(result.failures) == {"a1", "a2"}
    assert "ece_host_join_timeout" in result.failures["a1"]
    assert result.operations == []
    assert all(host.executed() == [] for host in hosts.values())


def test_a_host_that_has_not_joined_as_it_should_says_why(join):
    hosts, play = join({"denied": ALLOCATOR, "gone": ALLOCATOR, "ill": ALLOCATOR, "well": ALLOCATOR})
    hosts["denied"].behave(exit_code=125, says=["denied: requested access to the resource"])
    hosts["gone"].behave(connected=False)
    hosts["ill"].behave(healthy=False)
    result = play(extra_vars={"ece_host_join_timeout": 3})
    said = result.failures
    assert set(said) == {"denied", "gone", "ill"}
    assert "exit code 125" in said["denied"]
    assert "denied: requested access" in said["denied"]
    assert "not connected" in said["gone"]
    assert "not healthy" in said["ill"]
    assert "1 of 4 hosts joined, 0 were there already, 1 are unhealthy, 2 failed" in result.said


def test_without_the_api_a_token_is_given_and_the_host_tells(join, simulator):
    token = simulator.secrets()["allocator_only_token"]["token"]
    hosts, play = join({"a1": {**ALLOCATOR, "ece_host_use_api": False}})
    missing = play()
    assert "ece_host_roles_token is required" in missing.failures["a1"]
    given = {"ece_host_roles_token": token, "ece_host_version": "4.2.0"}
    result = play(extra_vars=given, watch=True)
    assert result.returncode == 0, result.stdout
    assert result.operations == []
    again = play(extra_vars=given)
    assert again.returncode == 0, again.stdout
    assert sum(recap["changed"] for recap in again.stats.values()) == 0
    assert len(hosts["a1"].runs()) == 1


def test_a_token_that_is_given_is_used(join, simulator):
    hosts, play = join({"a1": ALLOCATOR})
    narrow = simulator.secrets()["bootstrap_runner_roles_token"]["token"]
    assert "does not permit allocator" in play(extra_vars={"ece_host_roles_token": narrow}).failures["a1"]
    given = {"ece_host_roles_token": simulator.secrets()["allocator_only_token"]["token"]}
    result = play(extra_vars=given)
    assert result.returncode == 0, result.stdout
    assert MINT not in result.operations
    assert len(hosts["a1"].runs()) == 1


def test_a_host_that_gives_neither_address_nor_id_has_that_of_its_facts(join, simulator):
    hosts, play = join({"a1": {**ALLOCATOR, "ece_host_ip": ""}})
    result = play()
    assert result.returncode == 0, result.stdout
    assert hosts["a1"].ip in {runner["runner_id"] for runner in simulator.state()["runners"]}
    (started,) = hosts["a1"].runs()
    assert (started["env"]["HOST_IP"], started["env"]["RUNNER_ID"]) == (hosts["a1"].ip, hosts["a1"].ip)


def test_an_installer_of_another_checksum_is_not_run_copied_or_downloaded(join, served):
    digest = sha256(platforms.installer().read_bytes()).hexdigest()
    loaded = {**ALLOCATOR, "ece_host_installer_src": "", "ece_host_installer_url": served}
    right, wrong = ({"ece_host_installer_checksum": f"sha256:{it}"} for it in (digest, digest[::-1]))
    hosts, play = join(
        {
            "copied": {**ALLOCATOR, **right},
            "copied-other": {**ALLOCATOR, **wrong},
            "loaded": {**loaded, **right},
            "loaded-other": {**loaded, **wrong},
        }
    )
    result = play()
    assert set(result.failures) == {"copied-other", "loaded-other"}
    assert f"has the checksum {digest}, not sha256:{digest[::-1]}" in result.failures["copied-other"]
    assert {name: len(host.runs()) for name, host in hosts.items()} == {
        "copied": 1,
        "copied-other": 0,
        "loaded": 1,
        "loaded-other": 0,
    }
    assert result.executed_on("copied-other") == ["Look at each host"]
