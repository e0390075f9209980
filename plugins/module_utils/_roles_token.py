# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: what a roles token says, and what is to be done about tokens. Time is an argument, in seconds since the epoch.

`plan_ephemeral`, `plan_persistent` and `plan_absent` decide what is minted, kept and revoked. To carry a plan out, and
what to do when that fails half-way, is for the module `ece_roles_token`. The facts about tokens are those of Elastic's
documentation, "Manage roles tokens".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError, Refused, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES

# All roles but allocator. Nothing else in the API's list marks the emergency token.
EMERGENCY_ROLES = frozenset(ROLES) - {"allocator"}

# Where a token, or what is left of one, stands in a text: JSON's `{"` becomes eyJ.
JWT_IN_TEXT = r"eyJ[\w-]+\.[\w-]+\.[\w-]*"

MAX_VALIDITY_SECONDS = 2**31 - 1
DEFAULT_VALIDITY_SECONDS = 60 * 60
LONG_VALIDITY_SECONDS = 24 * 60 * 60
CLOCK_TOLERANCE_SECONDS = 60

WHERE_EMERGENCY_ID_STANDS = (
    "It is the sub claim of emergency_all_roles_except_allocator_token in the installation's secrets file "
    "(bootstrap-secrets.json on the first host); the filter eceops.platform.roles_token_claims prints it as token_id."
)


class NotARolesToken(EceError):
    """The given string is no roles token by its shape. The message never repeats it."""

    def __init__(self) -> None:
        super().__init__(
            "This is not a roles token: it must be a JWT whose claims hold sub, roles and, if it is ephemeral, exp."
        )


@dataclass(frozen=True)
class Claims:
    """What a token says about itself. `expires_at` is None for a persistent token.

    The signature cannot be checked: the key is ECE's own.
    """

    token_id: str
    roles: frozenset[str]
    issuer: str | None
    expires_at: int | None

    @property
    def persistent(self) -> bool:
        return self.expires_at is None


@dataclass(frozen=True)
class ListedToken:
    """A persistent token as the API lists it: never with its value, a name or a time."""

    token_id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Wanted:
    """The options of `ece_roles_token`, by their names. None is an option that was not given."""

    state: str = "present"
    roles: frozenset[str] | None = None
    persistent: bool = False
    mint: str = "if_missing"
    validity_seconds: int | None = None
    token: str | None = None
    min_remaining_seconds: int = 300
    token_ids: Sequence[str] | None = None
    emergency_token_id: str | None = None
    allow_emergency: bool = False


@dataclass(frozen=True)
class Plan:
    """What to do, and what to say about what stays.

    `keep` is the held token to hand back. `token_id` and `matching_token_ids` are those that are there already.
    """

    mint: bool = False
    revoke: tuple[ListedToken, ...] = ()
    keep: str | None = None
    token_id: str | None = None
    matching_token_ids: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.mint or bool(self.revoke)


def read_claims(token: str) -> Claims:
    """Read the claims of a roles token, which is a JWT. Raises `NotARolesToken` for every other string."""
    header, claims = _read_jwt(token)
    if not isinstance(header.get("alg"), str):
        raise NotARolesToken
    token_id, roles, issuer, expires_at = (claims.get(name) for name in ("sub", "roles", "iss", "exp"))
    if not _is_word(token_id) or not isinstance(roles, list) or not all(map(_is_word, roles)):
        raise NotARolesToken
    if issuer is not None and not _is_word(issuer):
        raise NotARolesToken
    # A JWT's dates may have fractions. JSON's true is an int to Python.
    if "exp" in claims and (isinstance(expires_at, bool) or not isinstance(expires_at, (int, float))):
        raise NotARolesToken
    try:
        expires_at = None if expires_at is None else int(expires_at)
        iso_time(expires_at)
    except (OverflowError, ValueError, OSError):
        raise NotARolesToken from None
    return Claims(token_id, frozenset(roles), issuer, expires_at)


def _is_word(value: t.Any) -> t.TypeGuard[str]:
    return isinstance(value, str) and value != "" and value.isprintable()


def _read_jwt(token: str) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise NotARolesToken
    # Whether the signature is one cannot be known without ECE's key: that it could stand in a JWT is enough.
    if not re.fullmatch(r"[A-Za-z0-9_-]+", parts[2]):
        raise NotARolesToken
    try:
        header, claims = (json.loads(_base64url(part)) for part in parts[:2])
    except (ValueError, RecursionError):
        raise NotARolesToken from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotARolesToken
    return header, claims


def _base64url(part: str) -> bytes:
    if "+" in part or "/" in part or "=" in part:
        raise binascii.Error
    return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)


def claims_or_none(token: str | None) -> Claims | None:
    """The claims of a token, or None where there is none or it is none by its shape."""
    try:
        return None if token is None else read_claims(token)
    except NotARolesToken:
        return None


def iso_time(seconds: int | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, such as `2026-11-24T18:00:00Z`; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")


def check_wanted(wanted: Wanted) -> None:
    """Raise `WrongInput` where the options contradict each other or are out of range."""
    if wanted.allow_emergency and wanted.roles is not None:
        raise WrongInput(
            "allow_emergency goes with token_ids or token only: whoever means the emergency token names it."
        )
    check_ids("token_ids", wanted.token_ids)
    check_ids("emergency_token_id", wanted.emergency_token_id and [wanted.emergency_token_id])
    if wanted.min_remaining_seconds < 0:
        raise WrongInput(f"min_remaining_seconds must be 0 or more, not {wanted.min_remaining_seconds}.")
    if wanted.state == "present":
        _check_present(wanted)
    else:
        _check_absent(wanted)


def check_ids(option: str, token_ids: Iterable[str] | None) -> None:
    """Raise `WrongInput` where an id is empty, or the value of a token."""
    for token_id in token_ids or ():
        if claims_or_none(token_id.strip()) or re.search(JWT_IN_TEXT, token_id):
            raise WrongInput(f"{option} holds the value of a token instead of its id, which is the sub claim in it.")
        if not token_id.strip():
            raise WrongInput(f"{option} holds an empty id. Was a variable empty?")


def _check_present(wanted: Wanted) -> None:
    if wanted.roles is None:
        raise WrongInput("state present needs roles. For a token without any role permission, write roles: [].")
    if wanted.token_ids is not None:
        raise WrongInput("token_ids goes with state: absent only: the id of a new token is ECE's choice.")
    if wanted.validity_seconds is None:
        return
    if wanted.persistent:
        raise WrongInput(
            "validity_seconds goes with ephemeral tokens only: a persistent one lives until it is revoked."
        )
    if not 1 <= wanted.validity_seconds <= MAX_VALIDITY_SECONDS:
        raise WrongInput(f"validity_seconds must be from 1 to {MAX_VALIDITY_SECONDS}, not {wanted.validity_seconds}.")


def _check_absent(wanted: Wanted) -> None:
    named = wanted.token_ids is not None or wanted.token is not None
    if wanted.roles is not None and named:
        raise WrongInput("roles does not go with token_ids or token: revoke either by roles, or what is named.")
    if wanted.roles is None and not named:
        raise WrongInput(
            "state absent needs token_ids or token, or roles to revoke every token with exactly these roles."
        )


def needs_list(wanted: Wanted, now: float) -> bool:
    """Whether a plan needs the API's list of tokens.

    Raises what `plan_absent` raises for a held token that cannot be revoked or read: that takes no request to know.
    """
    if wanted.state == "present":
        return wanted.persistent
    return bool(wanted.roles is not None or _named_ids(wanted, now))


def plan_ephemeral(wanted: Wanted, now: float) -> Plan:
    """Keep the held token while it is of exactly the wanted roles and lives long enough, else mint one."""
    warnings = []
    if (wanted.validity_seconds or 0) > LONG_VALIDITY_SECONDS:
        warnings.append(
            f"validity_seconds is more than a day ({wanted.validity_seconds}): an ephemeral token cannot be revoked."
        )
    if wanted.mint == "always" or wanted.token is None:
        return Plan(mint=True, warnings=tuple(warnings))
    lives = wanted.validity_seconds or DEFAULT_VALIDITY_SECONDS
    if lives <= wanted.min_remaining_seconds:
        warnings.append(
            f"A new token lives {lives} seconds (validity_seconds), which is not more than min_remaining_seconds "
            f"({wanted.min_remaining_seconds}): every run mints a token."
        )
    claims = claims_or_none(wanted.token)
    if claims is None:
        warnings.append("The given token is none by its shape, a new one is minted.")
    elif (
        claims.expires_at is not None
        and claims.roles == wanted.roles
        and claims.expires_at - now >= wanted.min_remaining_seconds
    ):
        return Plan(keep=wanted.token, warnings=tuple(warnings))
    return Plan(mint=True, warnings=tuple(warnings))


def plan_persistent(wanted: Wanted, listed: Collection[ListedToken]) -> Plan:
    """Keep what the list holds of exactly the wanted roles (the held token where one is given), else mint one.

    Raises `Refused` where the emergency token cannot be told from the wanted one.
    """
    if wanted.mint == "if_missing":
        _refuse_to_guess(wanted, listed)
    suspects = suspect_ids(listed, wanted.emergency_token_id)
    matching = tuple(
        sorted(token.token_id for token in listed if token.roles == wanted.roles and token.token_id not in suspects)
    )
    warnings = _emergency_warnings(wanted, listed)
    if wanted.mint == "always":
        return Plan(mint=True, matching_token_ids=matching, warnings=tuple(warnings))
    if wanted.token is not None:
        claims = claims_or_none(wanted.token)
        if claims and claims.persistent and claims.roles == wanted.roles and claims.token_id in matching:
            return Plan(
                keep=wanted.token, token_id=claims.token_id, matching_token_ids=matching, warnings=tuple(warnings)
            )
        if claims is None:
            why = "is none by its shape"
        elif claims.token_id in suspects:
            why = "is, or may be, the emergency token"
        else:
            why = "is not listed with exactly these roles"
        warnings.append(
            f"The given token {why}, so a new one is minted: "
            "store the new value in its place, or every run mints one more."
        )
        return Plan(mint=True, matching_token_ids=matching, warnings=tuple(warnings))
    if not matching:
        return Plan(mint=True, warnings=tuple(warnings))
    if len(matching) == 1:
        there = "A token with exactly these roles is there, but ECE never shows its value again"
    else:
        there = f"{len(matching)} tokens with exactly these roles are there, but ECE never shows their values again"
    warnings.append(f"{there}: give the value that was stored as token, or mint another with mint: always.")
    return Plan(
        token_id=matching[0] if len(matching) == 1 else None, matching_token_ids=matching, warnings=tuple(warnings)
    )


def plan_absent(wanted: Wanted, listed: Collection[ListedToken], now: float) -> Plan:
    """Revoke what is listed of the tokens that are named, or of those with exactly the wanted roles.

    Raises `Refused` before anything is revoked: where a suspect is named without `allow_emergency`, where the
    emergency token cannot be told from the others, and for an ephemeral token that still lives. Raises `WrongInput` for
    a held token that is none by its shape.
    """
    suspects = suspect_ids(listed, wanted.emergency_token_id)
    if wanted.roles is not None:
        _refuse_to_guess(wanted, listed)
        revoke = tuple(token for token in listed if token.roles == wanted.roles and token.token_id not in suspects)
        return Plan(revoke=revoke, warnings=tuple(_emergency_warnings(wanted, listed)))
    by_id = {token.token_id: token for token in listed}
    revoke = tuple(by_id[token_id] for token_id in _named_ids(wanted, now) if token_id in by_id)
    refused = [token.token_id for token in revoke if token.token_id in suspects]
    if refused and not wanted.allow_emergency:
        raise Refused(
            f"Nothing was revoked: {', '.join(refused)} is, or may be, the emergency token, which saves the "
            "installation when all coordinators are lost. Give emergency_token_id (for a playbook, "
            "ece_emergency_token_id) to tell it from other tokens with the roles coordinator, director and proxy. "
            f"{WHERE_EMERGENCY_ID_STANDS} If it is really to be revoked, set the module's allow_emergency: true."
        )
    return Plan(revoke=revoke, warnings=tuple(_emergency_warnings(wanted, listed)))


def _named_ids(wanted: Wanted, now: float) -> list[str]:
    """The ids to revoke, each once: `token_ids`, and that of a held persistent token."""
    named = [token_id.strip() for token_id in wanted.token_ids or ()]
    if wanted.token is not None:
        try:
            claims = read_claims(wanted.token)
        except NotARolesToken as error:
            raise WrongInput(f"Nothing was revoked, token cannot be read: {error}") from None
        if claims.expires_at is None:
            named.append(claims.token_id)
        elif claims.expires_at > now:
            raise Refused(
                "The given token is ephemeral and cannot be revoked. It dies by itself at "
                f"{iso_time(claims.expires_at)}, in {claims.expires_at - now:.0f} seconds by this machine's clock. "
                "Nothing was revoked."
            )
    return list(dict.fromkeys(named))


def suspect_ids(listed: Iterable[ListedToken], emergency_token_id: str | None) -> frozenset[str]:
    """The ids of the tokens that are, or may be, the emergency token.

    An `emergency_token_id` that names no listed token with exactly the emergency token's roles counts as not given: a
    slip of the pen may not remove the protection.
    """
    candidates = frozenset(token.token_id for token in listed if token.roles == EMERGENCY_ROLES)
    return candidates & {emergency_token_id} or candidates


def _emergency_token_is_known(listed: Iterable[ListedToken], emergency_token_id: str | None) -> bool:
    return emergency_token_id is not None and emergency_token_id in suspect_ids(listed, emergency_token_id)


def _refuse_to_guess(wanted: Wanted, listed: Collection[ListedToken]) -> None:
    suspects = suspect_ids(listed, wanted.emergency_token_id)
    if wanted.roles != EMERGENCY_ROLES or not suspects or _emergency_token_is_known(listed, wanted.emergency_token_id):
        return
    given = "is not given" if wanted.emergency_token_id is None else "names no listed token with these roles"
    raise Refused(
        "Nothing was written: coordinator, director and proxy are also the roles of the emergency token, which must "
        f"survive, and emergency_token_id {given}. Set it (for a playbook, ece_emergency_token_id) to the id of the "
        "emergency token. "
        f"{WHERE_EMERGENCY_ID_STANDS} "
        f"Listed with these roles: {', '.join(sorted(suspects))}."
    )


def _emergency_warnings(wanted: Wanted, listed: Collection[ListedToken]) -> list[str]:
    warning = unknown_emergency_warning(listed, wanted.emergency_token_id)
    return [warning] if warning else []


def unknown_emergency_warning(listed: Collection[ListedToken], emergency_token_id: str | None) -> str | None:
    """What to say when `emergency_token_id` is given and names no token that could be the emergency token."""
    if emergency_token_id is None or _emergency_token_is_known(listed, emergency_token_id):
        return None
    return (
        f"emergency_token_id ({emergency_token_id}) names no listed token with the roles coordinator, director and "
        "proxy. Every token with these roles is protected instead."
    )


def select_tokens(
    listed: Iterable[ListedToken], *, token_ids: Collection[str] | None = None, roles: Collection[str] | None = None
) -> list[ListedToken]:
    """Those that meet every filter that is not None, in order of their ids. `roles`: exactly these."""
    return [
        token
        for token in sorted(listed, key=lambda token: token.token_id)
        if (token_ids is None or token.token_id in token_ids) and (roles is None or token.roles == frozenset(roles))
    ]


def clock_warning(expires_at: int | None, validity_seconds: int | None, now: float) -> str | None:
    """What to say when a token that was minted just now does not expire when this machine's clock would have it."""
    if expires_at is None or validity_seconds is None:
        return None
    off = round(expires_at - now - validity_seconds)
    if abs(off) <= CLOCK_TOLERANCE_SECONDS:
        return None
    return (
        f"The new token expires {abs(off)} seconds {'later' if off > 0 else 'earlier'} than validity_seconds asked for "
        "by this machine's clock: this clock and the installation's differ. Check NTP on both."
    )
