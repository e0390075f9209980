# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: what the API lists about a runner, which is ECE's word for a host."""

from __future__ import annotations

import typing as t
from collections.abc import Collection
from dataclasses import dataclass

# The roles that a person can give. The API lists more (`beats-runner`, `services-forwarder`), which nobody assigns.
ROLES = ("allocator", "coordinator", "director", "proxy")


@dataclass(frozen=True)
class Runner:
    """One host of the installation, as the API lists it. `version` is that of its runner artifact."""

    runner_id: str
    host_ip: str
    public_hostname: str
    availability_zone: str | None
    roles: tuple[str, ...]
    connected: bool
    healthy: bool
    version: str | None


def read_runner(listed: dict[str, t.Any]) -> Runner:
    """Read an element of the API's `runners`. Raises KeyError or TypeError when it has another shape."""
    for name, kind in (
        ("runner_id", str),
        ("host_ip", str),
        ("public_hostname", str),
        ("connected", bool),
        ("healthy", bool),
    ):
        if not isinstance(listed[name], kind):
            raise TypeError(name)
    return Runner(
        runner_id=listed["runner_id"],
        host_ip=listed["host_ip"],
        public_hostname=listed["public_hostname"],
        availability_zone=listed.get("zone"),
        roles=tuple(role for role in ROLES if role in {given["role_name"] for given in listed["roles"]}),
        connected=listed["connected"],
        healthy=listed["healthy"],
        version=(listed.get("build_info") or {}).get("version"),
    )


def select_runners(
    runners: Collection[Runner],
    *,
    runner_ids: Collection[str] | None = None,
    roles: Collection[str] | None = None,
    availability_zones: Collection[str] | None = None,
    connected: bool | None = None,
) -> list[Runner]:
    """Those that meet every filter that is not None, in order of their ids. `roles`: it holds all of these."""
    return [
        runner
        for runner in sorted(runners, key=lambda runner: runner.runner_id)
        if (runner_ids is None or runner.runner_id in runner_ids)
        and (roles is None or set(roles) <= set(runner.roles))
        and (availability_zones is None or runner.availability_zone in availability_zones)
        and (connected is None or runner.connected is connected)
    ]
