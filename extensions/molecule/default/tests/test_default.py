# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hosts look like when they have joined, and what the installation lists."""

from __future__ import annotations

import json

import pytest

JOINED = ("manager-1", "allocator-1", "allocator-2", "allocator-3", "allocator-4")
# Over SSH, as root by sudo
testinfra_hosts = [f"ansible://{name}" for name in JOINED]

STATE = "/var/lib/eceops"


@pytest.fixture
def variables(host):
    return host.ansible.get_variables()


def test_the_installation_lists_all_hosts_the_manager_first(simulator, addresses):
    state = simulator.state()
    joined = [runner["host_ip"] for runner in state["runners"] if runner["host_ip"] in addresses.values()]
    assert sorted(joined) == sorted(addresses[name] for name in JOINED)
    assert joined[0] == addresses["manager-1"]
    assert joined[-1] == addresses["allocator-4"]
    # Two sets of roles, and the one of the host that was added later
    assert state["minted"] == {"ephemeral": 3, "persistent": 0}


def test_ece_runs_on_the_host(host, running):
    names = running(host)
    assert "frc-runners-runner" in names
    assert "elastic-cloud-enterprise-installer" not in names


def test_the_installer_is_for_all_and_what_it_said_is_not(host, variables):
    script = host.file(f"{STATE}/elastic-cloud-enterprise.sh")
    assert (script.user, script.mode) == ("root", 0o755)
    assert host.file(f"{STATE}/install").mode == 0o700
    for name in ("arguments.json", "lock", "log", "outcome.json"):
        assert host.file(f"{STATE}/install/{name}").mode == 0o600, name
    outcome = json.loads(host.file(f"{STATE}/install/outcome.json").content_string)
    arguments = json.loads(host.file(f"{STATE}/install/arguments.json").content_string)
    assert outcome["exit_code"] == 0
    assert arguments["ip"] == variables["ece_host_ip"]


def test_ansible_leaves_nothing_behind(host, variables):
    assert host.file(f"/home/{variables['ansible_user']}/.ansible/tmp").listdir() == []


def test_the_installer_ran_once_as_its_user_with_all_groups(host, variables, runs):
    (run,) = runs(host)
    user = host.user("elastic")
    assert (run["uid"], run["gid"]) == (user.uid, user.gid)
    assert host.group("docker").gid in run["groups"]
    assert run["env"]["HOST_IP"] == variables["ece_host_ip"]
    assert run["env"]["RUNNER_ID"] == variables["ece_host_ip"]
    assert run["env"]["HOST_STORAGE_PATH"] == "/mnt/data/elastic"
    assert run["socket"] == "/var/run/docker.sock"


def test_syslog_and_fact_cache_are_written_to_and_searched(host, name, searches):
    # What each module logs of its arguments
    assert "Invoked with" in host.file("/var/log/syslog").content_string
    files = [file for search in searches for file in search["files"]]
    assert f"{name}:/var/log/syslog" in files
    # allocator-4 is asked for its facts.
    assert [file for file in files if file.startswith("localhost:") and "/controller/facts/" in file]
