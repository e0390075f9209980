# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Joining a fleet: ``add_hosts`` against the same work by single tasks, with a token for each host."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from testbed.hosts import DirectoryHost, install_user, inventory
from testbed.play import Result

from .figures import Comparison
from .operations import URI_CAN_CHECK
from .steady_state import ADD_HOSTS
from .world import Scale, World, expect

MOST = 0.5
BY_SINGLE_TASKS = Path(__file__).with_name("plays") / "token_for_each_host.yml"
VARIABLES = {"ece_host_roles": ["allocator"], "ece_host_availability_zone": "ece-zone-1"}


def measure(world: World, scale: Scale) -> list[Comparison]:
    with world.hosts(scale.hosts) as fleet:
        ratios = [
            join(world, fleet, by_the_role, tokens=1) / join(world, fleet, by_single_tasks, tokens=scale.hosts)
            for _run in range(scale.runs)
        ]
    ours = f"{scale.hosts} hosts by add_hosts, 1 token"
    return [Comparison("joining a fleet", ours, f"single tasks, {scale.hosts} tokens", ratios, MOST)]


def join(
    world: World, fleet: list[DirectoryHost], way: Callable[[World, list[DirectoryHost]], Result], tokens: int
) -> float:
    """The seconds that it takes fresh hosts to join."""
    for host in fleet:
        host.rebuild()
    world.reset()
    result = way(world, fleet)
    state = world.simulator.state()
    connected = {runner["runner_id"] for runner in state["runners"] if runner["connected"]}
    missing = [host.name for host in fleet if host.ip not in connected]
    expect(not missing, f"not joined: {missing}")
    expect(state["minted"] == {"ephemeral": tokens, "persistent": 0}, f"{state['minted']} instead of {tokens} tokens")
    expect(all(host.containers().get("frc-runners-runner") == "running" for host in fleet), "not all hosts run ECE")
    return result.seconds


def by_the_role(world: World, fleet: list[DirectoryHost]) -> Result:
    return world.play(ADD_HOSTS, inventory=with_variables(fleet))


def by_single_tasks(world: World, fleet: list[DirectoryHost]) -> Result:
    user = install_user()
    as_user = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    variables = {
        # A host that is a folder has no sudo.
        "as_install_user": ["setpriv", *as_user] if os.geteuid() == 0 else [],
        "uri_can_check": URI_CAN_CHECK,
        "version": world.simulator.state()["version"],
    }
    return world.play(BY_SINGLE_TASKS, inventory=with_variables(fleet), extra_vars=variables)


def with_variables(fleet: list[DirectoryHost]) -> dict[str, object]:
    hosts = inventory(fleet)
    hosts["ece_hosts"]["vars"] = VARIABLES
    return hosts
