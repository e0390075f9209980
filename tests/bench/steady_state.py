# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steady state: ``add_hosts`` over hosts that are all connected, against a play that runs the role on each of them."""

from __future__ import annotations

from typing import Any

from testbed.play import Result

from .figures import Growth
from .world import Scale, World, expect

MOST_REQUESTS = 2
MOST_MILLISECONDS_A_HOST = 5
ADD_HOSTS = "eceops.platform.add_hosts"
ROLES_PLAY = [
    {
        "hosts": "ece_hosts",
        "gather_facts": False,
        "roles": ["eceops.platform.ece_host"],
    }
]


def measure(world: World, scale: Scale) -> list[Growth]:
    return [
        grow(world, scale, "add_hosts", ADD_HOSTS, scale.fleets, MOST_MILLISECONDS_A_HOST),
        grow(world, scale, "a play with the role on every host", ROLES_PLAY, scale.whole_role_fleets),
    ]


def grow(
    world: World, scale: Scale, name: str, plays: Any, fleets: tuple[int, ...], aim: float | None = None
) -> Growth:
    """Run it on fleets of these sizes. All send as many requests."""
    world.reset()
    seconds: dict[int, list[float]] = {}
    requests = set()
    for count in fleets:
        fleet = connect(world, count)
        for _run in range(scale.runs):
            result = world.play(plays, inventory=fleet)
            requests.add(check(result, count))
            seconds.setdefault(count, []).append(result.seconds)
    expect(len(requests) == 1, f"the number of requests grows with the hosts: {sorted(requests)}")
    return Growth(name, seconds, requests.pop(), aim)


def connect(world: World, count: int) -> dict[str, Any]:
    """Let the installation have so many connected hosts: an inventory of them. There are no machines behind it."""
    there = {runner["runner_id"] for runner in world.simulator.state()["runners"]}
    addresses = {f"host-{number}": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(count)}
    for address in addresses.values():
        if address not in there:
            world.simulator.put_runner(address, roles=["allocator"], zone="ece-zone-1")
    variables = {
        "ece_host_coordinator_host": world.simulator.coordinator_host,
        "ece_host_roles": ["allocator"],
        # Who tries to do something on them fails at once.
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
    }
    hosts = {name: {"ece_host_ip": address} for name, address in addresses.items()}
    return {"ece_hosts": {"hosts": hosts, "vars": variables}}


def check(result: Result, count: int) -> int:
    """Nothing is changed, nothing runs on a host; how many requests were sent."""
    changed = {host for host, stats in result.stats.items() if stats["changed"] or stats["failures"]}
    expect(not changed, f"a second run changed something on {sorted(changed)[:5]}")
    on_hosts = {entry["on"] for entry in result.results} - {None, "localhost"}
    expect(not on_hosts, f"a second run did something on {sorted(on_hosts)[:5]}")
    sent = len(result.journal)
    expect(1 <= sent <= MOST_REQUESTS, f"{sent} requests for {count} hosts: {result.operations}")
    return sent
