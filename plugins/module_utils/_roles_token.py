# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: what is wanted of `ece_roles_token`, and the plan of an ephemeral token, which needs no list of tokens.

What is decided of those that the API lists stands in `_listed_tokens.py`, so that a task that asks nothing of the API
does not load it. The module `ece_roles_token` carries a plan out; what is to be done when that fails half-way stands in
`_persistent_token.py`.
Time is an argument, in seconds since the epoch.
"""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._token import (
    MAX_VALIDITY_SECONDS,
    ListedToken,
    NotARolesToken,
    check_ids,
    claims_or_none,
    iso_time,
    read_claims,
)

DEFAULT_VALIDITY_SECONDS = 60 * 60
LONG_VALIDITY_SECONDS = 24 * 60 * 60
CLOCK_TOLERANCE_SECONDS = 60


class Wanted(t.NamedTuple):
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


class Plan(t.NamedTuple):
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
    return bool(wanted.roles is not None or named_ids(wanted, now))


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


def named_ids(wanted: Wanted, now: float) -> list[str]:
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
