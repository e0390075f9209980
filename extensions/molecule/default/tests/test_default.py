# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hosts look like when they have joined, and what the installation lists."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from testbed.simulator import Simulator

# Over SSH, as root by sudo
testinfra_hosts = ["ansible://all"]

# How every token that is signed with HS256 begins, the rest of its header left out
BEGINNING = "eyJ"
WORLD = Path(os.environ["MOLECULE_WORLD"])


@pytest.fixture
def simulator():
    return Simulator.attach(WORLD)


@pytest.fixture
def variables(host):
    return host.ansible.get_variables()


def test_the_installation_lists_all_hosts_the_manager_first(simulator):
    hosts = json.loads((WORLD / "hosts.yml").read_text(encoding="utf-8").removeprefix("---"))["all"]["hosts"]
    state = simulator.state()
    joined = [runner["host_ip"] for runner in state["runners"] if runner["host_ip"].startswith("127.")]
    assert sorted(joined) == sorted(variables["ece_host_ip"] for variables in hosts.values())
    assert joined[0] == hosts["manager-1"]["ece_host_ip"]
    assert joined[-1] == hosts["allocator-4"]["ece_host_ip"]
    # Two sets of roles, and the one of the host that was added later
    assert state["minted"] == {"ephemeral": 3, "persistent": 0}


def test_ece_runs_on_the_host(host, variables):
    engine = f"{os.path.dirname(variables['ansible_python_interpreter'])}/docker"
    names = host.check_output(
        f"{engine} -H unix://%s ps --format '{{{{.Names}}}}'", variables["ece_host_engine_socket"]
    )
    assert "frc-runners-runner" in names.split()
    assert "elastic-cloud-enterprise-installer" not in names.split()


def test_the_installer_is_for_all_and_what_it_said_is_not(host, variables):
    state = variables["ece_host_state_path"]
    script = host.file(f"{state}/elastic-cloud-enterprise.sh")
    assert (script.user, script.mode) == ("root", 0o755)
    assert host.file(f"{state}/install").mode == 0o700
    for name in ("arguments.json", "lock", "log", "outcome.json"):
        assert host.file(f"{state}/install/{name}").mode == 0o600, name
    outcome = json.loads(host.file(f"{state}/install/outcome.json").content_string)
    arguments = json.loads(host.file(f"{state}/install/arguments.json").content_string)
    assert outcome["exit_code"] == 0
    assert arguments["ip"] == variables["ece_host_ip"]


def test_the_install_user_has_the_login_of_the_registry(host, variables):
    user = host.user(variables["ece_host_install_user"])
    folder, login = host.file(f"{user.home}/.docker"), host.file(f"{user.home}/.docker/config.json")
    given = variables["inventory_hostname"] in ("allocator-1", "allocator-2", "allocator-3")
    assert login.exists == given
    if not given:
        return
    assert (folder.user, folder.group, folder.mode) == (user.name, user.group, 0o700)
    assert (login.user, login.group, login.mode) == (user.name, user.group, 0o600)
    assert list(json.loads(login.content_string)["auths"]) == ["registry.example.com"]


def test_no_token_is_in_a_file_of_the_host(host):
    # All that a run can write to; the hosts' own folders are in /tmp
    command = (
        "grep --recursive --binary-files=text --files-with-matches --devices=skip %s /etc /home /root /run /tmp /var"
    )
    assert host.run(command, BEGINNING).stdout == ""


def test_ansible_leaves_nothing_behind(host, variables):
    assert host.file(f"/home/{variables['ansible_user']}/.ansible/tmp").listdir() == []


def test_the_installer_ran_once_as_a_user_without_rights(host, variables):
    runs = host.file(f"{Path(variables['ece_host_state_path']).parent}/engine/runs.jsonl").content_string
    (run,) = [json.loads(line) for line in runs.splitlines()]
    assert run["uid"] >= 1000
    assert run["env"]["HOST_IP"] == variables["ece_host_ip"]
