# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are folders: what Ansible does on them, what tests see of them, and that they go."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed import hosts, platforms
from testbed.hosts import DirectoryHost
from testbed.play import Runner
from testbed.simulator import Simulator

from .test_command import cli

pytest_plugins = ["testbed.fixtures"]

MakeHosts = Callable[..., list[DirectoryHost]]
PATIENCE_SECONDS = 20
COORDINATOR_PORT = 22191


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def as_install_user(host: DirectoryHost, *command: str) -> subprocess.Popen[str]:
    """Start a command on the host as its install user, with the host's commands first, as its Python does."""
    env = {"PATH": f"{host.folder}/bin:{os.defpath}"}
    return subprocess.Popen(command, cwd="/", env=env, stdout=subprocess.PIPE, text=True, **hosts.as_install_user())


def test_ansible_works_on_each_of_them(run: Runner, make_hosts: MakeHosts) -> None:
    made = make_hosts("one", "two")
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.ping": {}},
        {"ansible.builtin.command": "docker --version", "changed_when": False, "become": True},
        {"ansible.builtin.copy": {"content": "here", "dest": "{{ ece_host_state_path }}/file"}},
    ]
    result = run.play([{"hosts": "ece_hosts", "gather_facts": False, "tasks": tasks}], inventory=hosts.inventory(made))
    assert result.returncode == 0, result.stdout
    assert {entry["host"] for entry in result.results} == {"one", "two"}
    # Its own commands come first.
    assert [e["result"]["stdout"][:14] for e in result.results if "command" in e["action"]] == ["Docker version"] * 2
    assert all(host.files()["state/file"] == b"here" for host in made)
    # Nothing of Ansible's stays behind, and each module was noted: copy runs two of them.
    assert not any(path.startswith("tmp/") for host in made for path in host.files())
    assert [len(host.executed()) for host in made] == [4, 4]


def test_a_module_that_is_piped_in_is_noted_and_writes_nothing(run: Runner, make_hosts: MakeHosts) -> None:
    [host] = make_hosts(1)
    before = host.files()
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}
    play["vars"] = {"ansible_pipelining": True}
    assert run.play([play], inventory=hosts.inventory([host])).last["ping"] == "pong"
    [line] = host.executed()
    assert line.endswith(" -")
    assert host.files() == before


def test_modules_run_on_the_python_that_is_wanted(run: Runner, make_hosts: MakeHosts) -> None:
    [host] = make_hosts("host", python="/bin/false")
    assert host.executed() == []
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}
    assert run.play([play], inventory=hosts.inventory([host])).returncode != 0
    assert host.executed() != []


def test_each_has_an_address_of_its_own_beside_the_coordinators(make_hosts: MakeHosts, simulator: Simulator) -> None:
    made = [*make_hosts(2), *make_hosts("named"), *make_hosts(1)]
    assert [host.name for host in made] == ["host-1", "host-2", "named", "host-3"]
    network, _dot, last = simulator.coordinator_host.rpartition(".")
    assert last == "1"
    assert [host.ip for host in made] == [f"{network}.{number}" for number in (2, 3, 4, 5)]
    for host in made:
        with socket.socket() as probe:
            probe.bind((host.ip, 0))
    for _time in range(3):
        socket.create_connection((simulator.coordinator_host, COORDINATOR_PORT), 5).close()


def test_its_address_and_the_install_users_home_are_its_own(run: Runner, make_hosts: MakeHosts) -> None:
    [host] = make_hosts(1)
    facts = {"ansible.builtin.setup": {"gather_subset": ["!all", "!min", "network"]}}
    result = run.play([{"hosts": "all", "gather_facts": False, "tasks": [facts]}], inventory=hosts.inventory([host]))
    assert result.last["ansible_facts"]["ansible_default_ipv4"]["address"] == host.ip
    code = "import pwd, sys; print(pwd.getpwnam(sys.argv[1]).pw_dir)"
    command = [host.variables["ansible_python_interpreter"], "-c", code, host.variables["ece_host_install_user"]]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{host.home}\n"


def test_two_simulators_have_networks_of_their_own(simulator: Simulator, tmp_path: Path) -> None:
    with Simulator.start(tmp_path) as other:
        assert other.coordinator_host != simulator.coordinator_host
        socket.create_connection((other.coordinator_host, COORDINATOR_PORT), 5).close()


def test_the_install_user_can_use_the_host(make_hosts: MakeHosts) -> None:
    [host] = make_hosts(1)
    script = 'docker -H "unix://$1" ps && podman-remote --url "unix://$1" ps && echo x > "$2/file" && id -un'
    arguments = (str(host.folder / "engine.sock"), str(host.storage))
    with as_install_user(host, "sh", "-c", script, "sh", *arguments) as process:
        said, _nothing = process.communicate()
    assert process.returncode == 0
    assert said.splitlines()[-1] == host.variables["ece_host_install_user"]
    assert host.files()["storage/file"] == b"x\n"


def test_a_rebuilt_host_has_nothing(make_hosts: MakeHosts) -> None:
    [host] = make_hosts(1)
    (host.storage / "data").touch()
    (host.state / "install").mkdir()
    host.docker("run", "--name", "x", "busybox")
    host.behave(down=True)
    with as_install_user(host, "sleep", "600") as process:
        host.rebuild()
        assert process.wait(PATIENCE_SECONDS) == -9
    assert (list(host.storage.iterdir()), list(host.state.iterdir()), host.containers()) == ([], [], {})
    assert host.docker("ps").returncode == 0
    # What happened stays known.
    assert len(host.runs()) == 1


def test_forgets_the_installer(make_hosts: MakeHosts) -> None:
    [host] = make_hosts(1)
    (host.state / "install").mkdir()
    (host.state / "kept").touch()
    host.forget_installer()
    assert [path.name for path in host.state.iterdir()] == ["kept"]


def test_what_runs_for_a_host_ends_with_it_and_nothing_else(make_hosts: MakeHosts) -> None:
    mine, other = make_hosts("mine", "other")
    with (
        as_install_user(mine, "sh", "-c", "trap '' TERM; sleep 600 & wait") as first,
        as_install_user(other, "sleep", "600") as second,
        # One that has to do with the host, but was not started on it
        subprocess.Popen(["tail", "-f", str(mine.folder / "variables.json")], stdout=subprocess.DEVNULL) as bystander,
    ):
        mine.end_processes()
        assert first.wait(PATIENCE_SECONDS) == -9
        assert second.poll() is None
        assert bystander.poll() is None
        other.end_processes()
        bystander.kill()


def test_there_are_addresses_for_so_many(make_hosts: MakeHosts, simulator: Simulator, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="253"):
        hosts.make_host(tmp_path / "host", 254, simulator)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "world"
    yield directory
    cli("down", directory)


def test_up_makes_hosts_and_their_inventory_and_down_removes_all(world: Path, run: Runner) -> None:
    started = cli("up", world, "--hosts", "allocator-1,manager-1")
    assert started.returncode == 0, started.stderr
    assert (world / "hosts.yml").stat().st_mode & 0o777 == 0o600
    place = (world / "hosts").resolve()
    host = DirectoryHost(world / "hosts" / "allocator-1")
    # Beside an inventory that has an address and roles for the same names
    own = world / "inventory.yml"
    entry = {"ece_host_ip": "192.0.2.20", "ece_host_roles": ["allocator"], "ansible_become": True}
    own.write_text(json.dumps({"ece_hosts": {"hosts": {"allocator-1": entry, "manager-1": {}}}}), encoding="utf-8")
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.ping": {}, "become": True},
        {"ansible.builtin.debug": {"msg": "{{ ece_host_ip }} {{ ece_host_roles }}"}},
    ]
    play = {"hosts": "ece_hosts", "gather_facts": False, "tasks": tasks}
    result = run.play([play], "-i", str(world / "hosts.yml"), "--limit", "allocator-1", inventory=own)
    assert result.last["msg"].startswith(f"{host.ip} ")
    assert len(host.executed()) > 0
    own.unlink()
    (host.storage / "data").touch()
    # A second one adds what is missing, reset makes all as new.
    assert cli("up", world, "--hosts", "allocator-1,allocator-2").returncode == 0
    assert sorted(json.loads((world / "hosts.yml").read_text(encoding="utf-8")[4:])["all"]["hosts"]) == [
        "allocator-1",
        "allocator-2",
        "manager-1",
    ]
    addresses = {DirectoryHost(folder).ip for folder in place.iterdir()}
    assert len(addresses) == 3
    assert (host.storage / "data").exists()
    assert cli("reset", world).returncode == 0
    assert list(host.storage.iterdir()) == []
    with as_install_user(host, "sleep", "600") as process:
        assert cli("down", world).returncode == 0
        assert process.wait(PATIENCE_SECONDS) == -9
    assert list(world.iterdir()) == []
    assert not place.exists()


def test_up_replaces_hosts_whose_simulator_is_gone(world: Path) -> None:
    assert cli("up", world, "--hosts", "one").returncode == 0
    before = (world / "hosts").resolve()
    Simulator.attach(world).stop()
    assert cli("up", world, "--hosts", "one").returncode == 0
    host = DirectoryHost(world / "hosts" / "one")
    assert host.ip.startswith(Simulator.attach(world).coordinator_host.rpartition(".")[0])
    assert not before.exists() or before == (world / "hosts").resolve()


def test_down_removes_hosts_whose_simulator_is_gone(world: Path) -> None:
    assert cli("up", world, "--hosts", "one").returncode == 0
    place = (world / "hosts").resolve()
    Simulator.attach(world).stop()
    assert cli("down", world).returncode == 0
    assert not place.exists()
    assert not (world / "hosts").is_symlink()


def test_hosts_lie_where_the_install_user_can_go(tmp_path: Path) -> None:
    place = hosts.find_place(tmp_path / "hosts")
    try:
        assert (
            subprocess.run(["test", "-x", str(place)], cwd="/", check=False, **hosts.as_install_user()).returncode == 0
        )
    finally:
        place.rmdir()


def test_elastics_own_installer_sets_the_version(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "elastic.sh"
    script.write_text("#!/bin/bash\n# ECE version\nCLOUD_ENTERPRISE_VERSION=4.0.3\n", encoding="utf-8")
    monkeypatch.setenv("ECE_INSTALLER", str(script))
    platforms.follow_installer(simulator)
    assert {runner["version"] for runner in simulator.state()["runners"]} == {"4.0.3"}
    assert simulator.state()["version"] == "4.0.3"
    monkeypatch.setenv("ECE_INSTALLER_VERSION", "3.8.1")
    platforms.follow_installer(simulator)
    assert simulator.state()["version"] == "3.8.1"
    script.write_text("#!/bin/bash\n", encoding="utf-8")
    monkeypatch.delenv("ECE_INSTALLER_VERSION")
    with pytest.raises(LookupError, match="set ECE_INSTALLER_VERSION"):
        platforms.follow_installer(simulator)
    place = hosts.find_place()
    [host] = hosts.make_hosts(place, ["host"], simulator)
    assert host.variables["ece_host_installer_src"] == str(script)
    host.close()
    place.rmdir()
