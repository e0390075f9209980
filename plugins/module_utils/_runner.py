# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: what the API lists about a runner, which is ECE's word for a host; when one may be deleted, or is ready."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._roles import MANAGER_ROLES, ROLES
from ansible_collections.eceops.platform.plugins.module_utils._token import JWT_IN_TEXT

# A failure names no more runners than these: a thousand hosts would make a message that nobody reads.
MAX_NAMED = 20

FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 10.0
PAUSE_GROWTH = 1.5


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


def check_runner_id(option: str, runner_id: str) -> None:
    """Raise `WrongInput` for what no runner's id can be: it would lead a request to another path than a runner's.

    `.` and `..` are such, too: they cannot be quoted, and whatever sends a request takes them out of its path. The
    value of a token may neither stand in a path nor be repeated.
    """
    if not runner_id.strip():
        raise WrongInput(f"{option} holds an empty id. Was a variable empty?")
    if runner_id.strip() in (".", ".."):
        raise WrongInput(f"{option} holds {runner_id.strip()}, which is not the id of a runner.")
    if re.search(JWT_IN_TEXT, runner_id):
        raise WrongInput(f"{option} holds the value of a token, which is not the id of a runner.")


def check_deletable(runner: Runner, instances: int) -> None:
    """Raise `Refused` unless the runner may be deleted: it is disconnected, neither director nor coordinator, and holds
    no instances (how many its allocator has, 0 where it is none).

    That is where Elastic's procedure, "Delete ECE hosts", has come to before its last step. ECE itself refuses to
    delete a runner that is connected.
    """
    managing = " and ".join(role for role in runner.roles if role in MANAGER_ROLES)
    are, next_steps = [], []
    if runner.connected:
        are.append("connected")
    if managing:
        are.append(f"{managing} of the installation")
        next_steps.append(
            f"Demote it: take {managing} from its roles, in the Cloud UI or through the API, while enough other hosts "
            "hold them."
        )
    if instances:
        are.append(f"the allocator of {instances} instance{'' if instances == 1 else 's'}")
        next_steps.append("Move its instances away, in the Cloud UI or through the API.")
    if runner.connected:
        next_steps.append(
            "Take its host out: move an allocator's instances away, remove all of the runner's roles, then its "
            "containers, frc-runners-runner first, and wait until it is listed as disconnected."
        )
    if are:
        raise Refused(f"Runner {runner.runner_id} was not deleted: it is {' and '.join(are)}. {' '.join(next_steps)}")


@dataclass(frozen=True)
class Missing:
    """What a runner that is waited for lacks (`not listed`, for one), and what to do about it."""

    what: str
    next_step: str


NOT_LISTED = Missing(
    "not listed",
    "Where a host is not listed, see on it how its installation ended; the list is a search index, and can lag behind.",
)
NOT_CONNECTED = Missing(
    "not connected",
    "Where a runner is not connected, see whether the container frc-runners-runner runs on its host, and reaches the "
    "coordinators.",
)
NOT_HEALTHY = Missing("not healthy", "Where a runner is not healthy, the Cloud UI shows what ails it.")


def find_missing(
    runner_ids: Iterable[str], runners: Iterable[Runner], roles: Collection[str] | None = None
) -> dict[str, Missing]:
    """What those of the given ids lack that are not listed, connected and healthy with all of `roles`, by id."""
    listed = {runner.runner_id: runner for runner in runners}
    found = {runner_id: _missing(listed.get(runner_id), roles or ()) for runner_id in runner_ids}
    return {runner_id: missing for runner_id, missing in found.items() if missing}


def _missing(runner: Runner | None, roles: Collection[str]) -> Missing | None:
    if runner is None:
        return NOT_LISTED
    if not runner.connected:
        return NOT_CONNECTED
    if not runner.healthy:
        return NOT_HEALTHY
    lacking = [role for role in roles if role not in runner.roles]
    if not lacking:
        return None
    return Missing(
        f"without {', '.join(lacking)}",
        "Where a runner lacks roles, give it those in the Cloud UI or through the API.",
    )


def waited_in_vain(missing: Mapping[str, Missing], wanted: int, seconds: int) -> str:
    """What to say when runners are still missing after so many seconds; `wanted` is how many were waited for."""
    named = [f"{runner_id} ({lack.what})" for runner_id, lack in list(missing.items())[:MAX_NAMED]]
    more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
    next_steps = dict.fromkeys(lack.next_step for lack in missing.values())
    are = "is" if len(missing) == 1 else "are"
    return (
        f"{len(missing)} of {wanted} runners {are} not ready after {seconds} seconds: {', '.join(named)}{more}. "
        f"{' '.join(next_steps)} A longer wait_timeout gives them more time."
    )


def growing_pauses() -> Iterator[float]:
    """The pauses between one look at the list and the next, in seconds: from 1 up to 10, without an end."""
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
