# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts with Podman join, with a docker command and without."""

from __future__ import annotations

import json

JOINED = ("allocator-1", "allocator-2")
testinfra_hosts = [f"ansible://{name}" for name in JOINED]
SOCKETS = {"allocator-1": "/var/run/docker.sock", "allocator-2": "/run/podman/podman.sock"}


def test_all_have_joined(simulator, addresses):
    runners = {runner["host_ip"]: runner for runner in simulator.state()["runners"]}
    for name in JOINED:
        assert runners[addresses[name]]["connected"]


def test_the_installer_used_podman_on_its_socket(host, name, runs):
    (run,) = runs(host)
    assert run["engine"] == "podman-remote"
    assert run["socket"] == SOCKETS[name]
    assert run["env"]["HOST_DOCKER_HOST"] == SOCKETS[name]


def test_force_is_passed_on_where_it_is_asked_for(host, name, runs):
    (run,) = runs(host)
    assert run["env"]["FORCE_INSTALL"] == str(name == "allocator-2").lower()
    command = json.loads(host.file("/var/lib/eceops/install/arguments.json").content_string)["command"]
    assert "--podman" in command


def test_a_missing_docker_command_is_a_warning_with_force(log):
    lines = [line for line in log.splitlines() if "cannot run plain `docker ps`" in line]
    assert lines
    assert all("it goes on because of --force" in line for line in lines)
