# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: the arguments of hosts, as the role's variables give them, and what is wrong with them.

What goes into the installer's command line is checked in `_installer.py`, here is what the controller uses, and what
concerns several hosts.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from ansible_collections.eceops.platform.plugins.module_utils._installer import FLAGS, argument_problems, is_true
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES
from ansible_collections.eceops.platform.plugins.module_utils._token import (
    MAX_VALIDITY_SECONDS,
    NotARolesToken,
    read_claims,
)

PREFIX = "ece_host_"
# All of the role's variables, for what is nearly one of them. A unit test holds it against the role.
KNOWN = {name for name, _flag in FLAGS} | {
    *("api", "api_delegate", "container_engine", "docker_config", "extra_args", "install_timeout", "install_user"),
    *("installer_checksum", "installer_src", "installer_url", "join_timeout", "replace_disconnected", "roles_token"),
    *("selinux", "state_path", "token_validity_seconds", "use_api"),
}
# Used once for a whole batch: another value on another host would be ignored in silence.
USED_ONCE = ("api", "use_api", "api_delegate", "install_timeout", "join_timeout", "token_validity_seconds")
# What `Arguments` are read from
PLANNED = (
    *("roles", "ip", "runner_id", "availability_zone", "container_engine", "storage_path", "roles_token"),
    *("replace_disconnected", *USED_ONCE),
)
DEFAULT_INSTALL_TIMEOUT = 1800
DEFAULT_JOIN_TIMEOUT = 600
# What both Ansible's get_url, on a host, and its filter hash, on the controller, compute
ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
# By how much a token outlives ece_host_install_timeout, as the role mints it
TOKEN_MARGIN_SECONDS = 600
# A host that gives what is the default anyway is not unlike one that gives nothing.
DEFAULTS = {
    "use_api": True,
    "api_delegate": "localhost",
    "install_timeout": DEFAULT_INSTALL_TIMEOUT,
    "join_timeout": DEFAULT_JOIN_TIMEOUT,
}

Given = Mapping[str, t.Any]


@dataclass(frozen=True)
class Arguments:
    """What the plan of a host needs of its variables. `used_once` holds what must be equal on all hosts, as given."""

    roles: tuple[str, ...]
    ip: str | None
    runner_id: str | None
    availability_zone: str | None
    container_engine: str
    storage_path: str
    roles_token: str | None
    replace_disconnected: bool
    install_timeout: int
    join_timeout: int
    used_once: Mapping[str, t.Any]


def read_arguments(given: Given) -> Arguments:
    """Read the variables of a host, with or without their `ece_host_`. Never fails: `find_problems` says what is wrong.

    Variables that are missing, null or empty count as not given. `runner_id` defaults to `ip`.
    """
    ip = _text(_value(given, "ip"))
    return Arguments(
        roles=tuple(role for role in _list(_value(given, "roles")) if role in ROLES),
        ip=ip,
        runner_id=_text(_value(given, "runner_id")) or ip,
        availability_zone=_text(_value(given, "availability_zone")),
        container_engine=_text(_value(given, "container_engine")) or "docker",
        storage_path=_text(_value(given, "storage_path")) or "/mnt/data/elastic",
        roles_token=_text(_value(given, "roles_token")),
        replace_disconnected=is_true(_value(given, "replace_disconnected")),
        install_timeout=_number(_value(given, "install_timeout")) or DEFAULT_INSTALL_TIMEOUT,
        join_timeout=_number(_value(given, "join_timeout")) or DEFAULT_JOIN_TIMEOUT,
        used_once={name: _used_once(given, name) for name in USED_ONCE},
    )


def find_problems(given: Mapping[str, Given]) -> dict[str, list[str]]:
    """What is wrong with the variables of each host, in sentences that name the variable. Nothing: an empty list."""
    shared = shared_problems({host: read_arguments(variables) for host, variables in given.items()})
    return {
        host: [*argument_problems(plain(variables), PREFIX), *_controller_problems(variables), *shared[host]]
        for host, variables in given.items()
    }


def plain(given: Given) -> dict[str, t.Any]:
    """The variables of a host by their names without `ece_host_`."""
    return {name.removeprefix(PREFIX): _value(given, name.removeprefix(PREFIX)) for name in given}


def shared_problems(arguments: Mapping[str, Arguments]) -> dict[str, list[str]]:
    """What is wrong with hosts together: the same runner or address twice, or what is used once not the same on all."""
    problems: dict[str, list[str]] = {host: [] for host in arguments}
    same_address = _same(arguments, lambda given: given.ip)
    for host, other in same_address.items():
        problems[host].append(f"ece_host_ip ({arguments[host].ip}) of {host} is also that of {other}.")
    for host, other in _same(arguments, lambda given: given.runner_id).items():
        if same_address.get(host) != other:
            problems[host].append(
                f"ece_host_runner_id ({arguments[host].runner_id}) of {host} is also that of {other}."
            )
    for name in USED_ONCE:
        first, *others = arguments or [""]
        differs = [host for host in others if arguments[host].used_once[name] != arguments[first].used_once[name]]
        if differs:
            for sentences in problems.values():
                sentences.append(
                    f"ece_host_{name} is used once for all hosts and must be the same on all, but differs between "
                    f"{first} and {differs[0]}."
                )
    return problems


def _same(arguments: Mapping[str, Arguments], key: Callable[[Arguments], str | None]) -> dict[str, str]:
    """Each host whose key another one has, too, with the name of one of these."""
    holders: dict[str, list[str]] = {}
    for host, given in arguments.items():
        value = key(given)
        if value is not None:
            holders.setdefault(value, []).append(host)
    return {
        host: next(other for other in hosts if other != host)
        for hosts in holders.values()
        if len(hosts) > 1
        for host in hosts
    }


def _controller_problems(given: Given) -> list[str]:
    """What is wrong with the variables that the controller uses."""
    problems = [*_misspelt(given)]
    if _value(given, "coordinator_host") is None:
        problems.append("ece_host_coordinator_host is required: a coordinator of the installation, any one will do.")
    if _value(given, "roles") is None:
        problems.append("ece_host_roles is required: the roles that the host gets, may be [].")
    if not isinstance(_value(given, "api") or {}, Mapping):
        problems.append("ece_host_api must be a dictionary of connection options, such as {url: ..., username: ...}.")
    # A token lives a while longer than an installer may take.
    most = MAX_VALIDITY_SECONDS - TOKEN_MARGIN_SECONDS
    for name, limit in (
        ("install_timeout", most),
        ("join_timeout", MAX_VALIDITY_SECONDS),
        ("token_validity_seconds", MAX_VALIDITY_SECONDS),
    ):
        number = _number(_value(given, name))
        if _value(given, name) is not None and not 1 <= (number or 0) <= limit:
            problems.append(f"ece_host_{name} must be a number of seconds from 1 to {limit}.")
    problems += _checksum_problems(given)
    problems += _token_problems(given)
    use_api = _value(given, "use_api")
    if use_api is not None and not is_true(use_api):
        problems += [
            f"ece_host_{name} is required with ece_host_use_api: false."
            for name in ("roles_token", "version")
            if _value(given, name) is None
        ]
    return problems


def _misspelt(given: Given) -> Iterator[str]:
    """What is nearly the name of a variable. It would be ignored, and a host's zone, say, is for good."""
    for name in given:
        meant = get_close_matches(name.removeprefix(PREFIX), KNOWN, 1, cutoff=0.8)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in KNOWN and meant:
            yield f"{name} is no variable of the role: is {PREFIX}{meant[0]} meant?"


def _checksum_problems(given: Given) -> list[str]:
    checksum = _value(given, "installer_checksum")
    if checksum is None:
        return []
    algorithm, _colon, digest = str(checksum).partition(":")
    if algorithm not in ALGORITHMS or not digest.strip():
        return [f"ece_host_installer_checksum must name its algorithm ({', '.join(ALGORITHMS)}), as in sha256:1a2b..."]
    try:
        # The host computes that of what it downloads.
        if _value(given, "installer_src") is not None:
            hashlib.new(algorithm)
    except ValueError:
        # As with md5 in FIPS mode
        return [f"ece_host_installer_checksum: this controller cannot compute {algorithm}, give one of sha256."]
    return []


def _token_problems(given: Given) -> list[str]:
    token = _value(given, "roles_token")
    if token is None:
        return []
    try:
        claims = read_claims(str(token).strip())
    except NotARolesToken as error:
        return [f"ece_host_roles_token cannot be read: {error}"]
    missing = sorted(set(read_arguments(given).roles) - claims.roles)
    if missing:
        # ECE does not refuse a token that is too narrow: the host would be listed, and get no work.
        return [f"ece_host_roles_token does not permit {', '.join(missing)}, which ece_host_roles asks for."]
    return []


def _value(given: Given, name: str) -> t.Any:
    """A variable; None where it is missing, null or empty (on ansible-core 2.16, null may have become empty)."""
    for key in (PREFIX + name, name):
        if key in given:
            value = given[key]
            return None if value == "" else value
    return None


def _text(value: t.Any) -> str | None:
    return None if value is None or isinstance(value, (Mapping, list, tuple, bool)) else str(value).strip() or None


def _list(value: t.Any) -> list[t.Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _number(value: t.Any) -> int | None:
    try:
        return None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError):
        return None


def _used_once(given: Given, name: str) -> t.Any:
    """A value to compare: the same number, or true, may have been given as text."""
    value = _value(given, name)
    if value is None:
        value = given.get("ece_api") if name == "api" else DEFAULTS.get(name)
    if name == "use_api":
        return is_true(value)
    return dict(value) if isinstance(value, Mapping) else str(value).strip().lower()
