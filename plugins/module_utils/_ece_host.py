# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: what is to be done with each host of a batch or a fleet. Time is an argument, in seconds since the epoch.

`plan_hosts` is asked three times: before hosts are looked at, with what was found on them, and, with a fresh list of
runners, to verify. Hosts come together, as a dictionary by their names, because some rules concern several: managers
join one at a time, and no two may be the same runner.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.eceops.platform.plugins.module_utils._ece_host_arguments import Arguments, shared_problems
from ansible_collections.eceops.platform.plugins.module_utils._roles import MANAGER_ROLES
from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner
from ansible_collections.eceops.platform.plugins.module_utils._token import claims_or_none, iso_time

# It runs on every host that has joined.
RUNNER_CONTAINER = "frc-runners-runner"
MAX_NAMED = 10


@dataclass(frozen=True)
class Findings:
    """What `ece_installer_info` found on a host. `installer` is an earlier run's, None where there was none. Containers
    are None where the engine does not tell."""

    installer: Mapping[str, t.Any] | None = None
    running_containers: Sequence[str] | None = ()
    containers: Sequence[str] | None = ()
    storage: Sequence[str] = ()
    problems: Sequence[str] = ()

    @property
    def engine_tells(self) -> bool:
        return self.running_containers is not None and self.containers is not None

    @property
    def clean(self) -> bool:
        # The two are asked for one after the other.
        return self.engine_tells and not self.running_containers and not self.containers and not self.storage

    @property
    def runs_runner(self) -> bool:
        return RUNNER_CONTAINER in (self.running_containers or ())

    @property
    def installer_runs(self) -> bool:
        return bool(self.installer and self.installer["running"])

    def has_just_joined(self, join_timeout: int) -> bool:
        """Whether the installer ended well so lately that the list need not show it yet."""
        return bool(
            self.installer
            and self.installer["exit_code"] == 0
            and self.installer["ended_seconds_ago"] is not None
            and self.installer["ended_seconds_ago"] < join_timeout
            and self.runs_runner
        )


def read_findings(found: Mapping[str, t.Any]) -> Findings:
    """The return value `findings` of `ece_installer_info`. Raises KeyError where it has another shape."""
    return Findings(**{name: found[name] for name in Findings.__dataclass_fields__})


@dataclass(frozen=True)
class Plan:
    """What is to be done with a host, and why.

    `action`: skip, look, wait, verify, join, replace or fail. `mint`: the roles of the token that it needs, None where
    it needs none. `runner`: how it is listed.
    """

    action: str
    reason: str
    warnings: tuple[str, ...] = ()
    runner: Runner | None = None
    mint: tuple[str, ...] | None = None


def plan_hosts(
    arguments: Mapping[str, Arguments],
    runners: Sequence[Runner] | None,
    findings: Mapping[str, Findings],
    now: float,
) -> dict[str, Plan]:
    """The plan of each host. `runners` is None where the API is not asked; without findings, none was looked at."""
    shared = shared_problems(arguments)
    listed = None if runners is None else _index(runners)
    plans = {
        host: Plan("fail", " ".join(shared[host]))
        if shared[host]
        else _plan_host(given, listed, findings.get(host), now)
        for host, given in arguments.items()
    }
    stop = _why_none_may_join(runners)
    plans = {
        host: replace(plan, action="fail", reason=stop[plan.action], mint=None) if plan.action in stop else plan
        for host, plan in plans.items()
    }
    return _one_manager_at_a_time(arguments, plans)


def is_manager(given: Arguments) -> bool:
    """Whether the host gets a role of which an installation needs most to live."""
    return bool(MANAGER_ROLES & set(given.roles))


@dataclass(frozen=True)
class _Listed:
    """The listed runners, as a host looks for its own. A fleet of thousands would search a list for long."""

    by_id: Mapping[str, Runner]
    by_address: Mapping[str, Runner]
    zones: Sequence[str]


def _index(runners: Sequence[Runner]) -> _Listed:
    # A host that was rebuilt under another id is listed twice for a while. The connected one is the one that lives.
    by_worth = sorted(runners, key=lambda runner: (not runner.connected, runner.runner_id))
    # Of several under one key a dictionary keeps the last, and here the first is wanted.
    return _Listed(
        by_id={runner.runner_id: runner for runner in reversed(runners)},
        by_address={runner.host_ip: runner for runner in reversed(by_worth)},
        zones=sorted({runner.availability_zone for runner in runners if runner.availability_zone}),
    )


def _plan_host(given: Arguments, listed: _Listed | None, found: Findings | None, now: float) -> Plan:
    if listed is None:
        return _without_api(given, found, now)
    runner, warnings = _match(given, listed)
    if runner and runner.connected:
        return Plan(
            "skip", f"It is connected as runner {runner.runner_id}.", (*warnings, *_differences(given, runner)), runner
        )
    plan = _not_connected(given, runner, found, now)
    if plan.action in ("look", "join", "replace"):
        warnings += _zone_warnings(given, listed.zones)
    return replace(plan, warnings=(*warnings, *plan.warnings), runner=runner)


def _match(given: Arguments, listed: _Listed) -> tuple[Runner | None, tuple[str, ...]]:
    """The listed runner of a host: by its id, else by its address."""
    runner = None if given.runner_id is None else listed.by_id.get(given.runner_id)
    if runner:
        return runner, _another_address(given, runner)
    runner = None if given.ip is None else listed.by_address.get(given.ip)
    if not runner:
        return None, ()
    other = f"It is listed as runner {runner.runner_id}, found by its address {given.ip}: set ece_host_runner_id"
    return runner, (f"{other} to that id.",)


def _another_address(given: Arguments, runner: Runner) -> tuple[str, ...]:
    """A runner of the same id and another address may be another machine."""
    if given.ip is None or runner.host_ip == given.ip:
        return ()
    warning = (
        f"Runner {runner.runner_id} is listed with the address {runner.host_ip}, not {given.ip}: is it another host?"
    )
    return (f"{warning} ece_host_runner_id and ece_host_ip have to be this one's.",)


def _differences(given: Arguments, runner: Runner) -> tuple[str, ...]:
    warnings = []
    if set(given.roles) != set(runner.roles):
        warnings.append(
            f"Runner {runner.runner_id} has {_roles(runner.roles)}, not {_roles(given.roles)}: it is left as it is, as "
            "roles are changed in the Cloud UI or through the API."
        )
    if not runner.healthy:
        warnings.append(f"Runner {runner.runner_id} is connected, but not healthy: look at it in the Cloud UI.")
    return tuple(warnings)


def _roles(roles: Iterable[str]) -> str:
    listed = sorted(set(roles))
    return f"the role{'s' if len(listed) > 1 else ''} {', '.join(listed)}" if listed else "no role"


def _zone_warnings(given: Arguments, zones: Sequence[str]) -> tuple[str, ...]:
    if given.availability_zone is None or given.availability_zone in zones:
        return ()
    new = f"No listed runner is in the availability zone {given.availability_zone}; there are: {', '.join(zones)}."
    return (f"{new} Only a re-installation changes a host's zone.",)


def _not_connected(given: Arguments, runner: Runner | None, found: Findings | None, now: float) -> Plan:
    """The plan of a host that the API's list shows as disconnected (`runner`), or not at all."""
    state = f"It is listed as runner {runner.runner_id}, but not connected" if runner else "It is not listed"
    if found is None:
        return Plan("look", f"{state}.")
    if found.installer_runs:
        return Plan("wait", "The installer that an earlier run started is still running.")
    if found.has_just_joined(given.join_timeout):
        return Plan("verify", f"{state}, and its installer has ended well just now.")
    if runner and found.clean:
        return _replace(given, runner, found, now)
    if runner and (found.containers or found.storage):
        return Plan(
            "fail",
            f"{state}: this host has joined and is down ({_left(given, found)}). Start its container engine and "
            "look at its containers; it is not installed again.",
        )
    if not found.engine_tells:
        return _unknown(found)
    if found.clean:
        return _join("join", f"{state}, and there is nothing of ECE on it.", given, found, now)
    if found.running_containers:
        return Plan(
            "fail",
            f"ECE's containers run on it ({_named(found.running_containers)}), but the installation does not list it: "
            "it serves another one (does the url of ece_host_api point at the right one?), it does not reach the "
            "coordinators (ports 22191 to 22195), or the list is stale (POST "
            "/api/v1/platform/infrastructure/runners/_resync makes it anew). Nothing is to be cleaned up.",
        )
    return Plan("fail", _left_overs(given, found))


def _without_api(given: Arguments, found: Findings | None, now: float) -> Plan:
    """The plan of a host when the API is not asked: what runs on it tells whether it has joined."""
    if found is None:
        return Plan("look", "The API is not asked, the host itself tells.")
    if found.installer_runs:
        return Plan("wait", "The installer that an earlier run started is still running.")
    if not found.engine_tells:
        return _unknown(found)
    if found.runs_runner:
        return Plan("skip", f"{RUNNER_CONTAINER} runs on it: it has joined.")
    if found.clean:
        return _join("join", "There is nothing of ECE on it.", given, found, now)
    if found.running_containers:
        return Plan(
            "fail",
            f"ECE's containers run on it ({_named(found.running_containers)}), but {RUNNER_CONTAINER} does not: look "
            "at why that container does not start.",
        )
    # That it has not joined, only the list could tell. A director that was lost so may be the one that was needed.
    return Plan(
        "fail",
        f"There is something of ECE on it, and {RUNNER_CONTAINER} does not run: {_left(given, found)}. Without the "
        "API, it is not known whether the host is one of the installation's. If it is, or was, start its container "
        "engine and its containers, and remove nothing. Only if it never joined: "
        f"{_how_to_clean_up(given, found)}, then run this again.",
    )


def _unknown(found: Findings) -> Plan:
    """The plan of a host whose engine does not tell what runs: what lies there may be in use."""
    why = " ".join(found.problems) or "The container engine does not tell which containers there are."
    return Plan("fail", f"{why} Until then it is not known whether ECE runs on it, and nothing is to be cleaned up.")


def _replace(given: Arguments, runner: Runner, found: Findings, now: float) -> Plan:
    """The plan of a host that was rebuilt while the list still shows it."""
    state = f"It is listed as runner {runner.runner_id}, not connected, and there is nothing of ECE on the host"
    other = _another_address(given, runner)
    if other:
        return Plan("fail", f"{state}. {other[0]} Its runner is not deleted.")
    managing = sorted(MANAGER_ROLES & set(runner.roles))
    if managing:
        return Plan(
            "fail",
            f"{state}. As it has {_roles(managing)}, take these from it and delete the runner by hand (Elastic's "
            "documentation, Delete hosts), then run this again.",
        )
    if not given.replace_disconnected:
        return Plan(
            "fail",
            f"{state}. If it was rebuilt, set ece_host_replace_disconnected: true to delete the old runner and "
            "join the host anew, or delete the runner by hand (Elastic's documentation, Delete hosts). Else look at "
            "why it is down.",
        )
    return _join("replace", f"{state}: the old runner is deleted, then it joins.", given, found, now)


def _join(action: str, reason: str, given: Arguments, found: Findings, now: float) -> Plan:
    """What stands in the way decides only for a host that is to join: a running installer holds the ports."""
    problems = [*found.problems]
    warnings: tuple[str, ...] = ()
    claims = claims_or_none(given.roles_token)
    if claims and claims.expires_at is not None:
        expired = f"ece_host_roles_token expired at {iso_time(claims.expires_at)}"
        if claims.expires_at <= now:
            or_none = "leave it out and one is minted, or " if given.used_once["use_api"] else ""
            problems.append(f"{expired}: {or_none}give another.")
        elif claims.expires_at - now < given.install_timeout:
            warnings = (f"ece_host_roles_token expires within ece_host_install_timeout ({given.install_timeout} s).",)
    if problems:
        return Plan("fail", " ".join(problems))
    mint = None if given.roles_token else tuple(sorted(set(given.roles)))
    return Plan(action, reason, warnings, mint=mint)


def _left_overs(given: Arguments, found: Findings) -> str:
    return (
        f"It has not joined, but there are left-overs of ECE on it: {_left(given, found)}. If nothing of it is needed, "
        f"{_how_to_clean_up(given, found)}, then run this again."
    )


def _how_to_clean_up(given: Arguments, found: Findings) -> str:
    steps = []
    if found.containers:
        steps.append(f"remove the containers ({given.container_engine} rm --force NAME)")
    if found.storage:
        steps.append(f"empty {given.storage_path}")
    return " and ".join(steps)


def _left(given: Arguments, found: Findings) -> str:
    parts = []
    if found.containers:
        parts.append(f"containers {_named(found.containers)}")
    if found.storage:
        parts.append(f"in {given.storage_path}: {_named(found.storage)}")
    return "; ".join(parts)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


def _why_none_may_join(runners: Sequence[Runner] | None) -> dict[str, str]:
    """For each action that may not be taken now, why. Empty where all may be."""
    if runners is None:
        return {}
    if not any("coordinator" in runner.roles for runner in runners):
        why = (
            "The installation lists no coordinator: its list of runners is stale (POST "
            "/api/v1/platform/infrastructure/runners/_resync makes it anew), or the url of ece_host_api is that of "
            "another one."
        )
        return dict.fromkeys(("look", "join", "replace"), why)
    versions = sorted({runner.version for runner in runners if runner.connected and runner.version})
    if len(versions) > 1:
        why = (
            f"An upgrade is under way, connected runners run {' and '.join(versions)}: let it end, then run this again."
        )
        return dict.fromkeys(("join", "replace"), why)
    return {}


def _one_manager_at_a_time(arguments: Mapping[str, Arguments], plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """Refuse the managers that would join while another one joins: our judgement from Elastic's procedures."""
    managers = {host: plan.action for host, plan in plans.items() if is_manager(arguments[host])}
    would_join = [host for host, action in managers.items() if action in ("join", "replace")]
    joining = [host for host, action in managers.items() if action in ("wait", "verify")]
    if len(would_join) + len(joining) < 2:
        return dict(plans)
    why = (
        f"Hosts with the role director or coordinator join one at a time, and here are several: "
        f"{_named(joining + would_join)}. Set serial: 1 on the play, or use the playbook eceops.platform.add_hosts."
    )
    return {
        host: replace(plan, action="fail", reason=why, mint=None) if host in would_join else plan
        for host, plan in plans.items()
    }
