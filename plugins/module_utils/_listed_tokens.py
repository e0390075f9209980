# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: the plans for persistent roles tokens, which the API lists: what is minted, kept and revoked.

Time is an argument, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.eceops.platform.plugins.module_utils._emergency_token import (
    WHERE_EMERGENCY_ID_STANDS,
    refuse_to_guess,
    suspect_ids,
    unknown_emergency_warning,
)
from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused
from ansible_collections.eceops.platform.plugins.module_utils._roles_token import Plan, Wanted, named_ids
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken, claims_or_none


def plan_persistent(wanted: Wanted, listed: Collection[ListedToken]) -> Plan:
    """Keep what the list holds of exactly the wanted roles (the held token where one is given), else mint one.

    Raises `Refused` where the emergency token cannot be told from the wanted one.
    """
    if wanted.mint == "if_missing":
        refuse_to_guess(wanted.roles, listed, wanted.emergency_token_id)
    suspects = suspect_ids(listed, wanted.emergency_token_id)
    matching = tuple(
        sorted(token.token_id for token in listed if token.roles == wanted.roles and token.token_id not in suspects)
    )
    warnings = _warnings(wanted, listed)
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
        refuse_to_guess(wanted.roles, listed, wanted.emergency_token_id)
        revoke = tuple(token for token in listed if token.roles == wanted.roles and token.token_id not in suspects)
        return Plan(revoke=revoke, warnings=tuple(_warnings(wanted, listed)))
    by_id = {token.token_id: token for token in listed}
    revoke = tuple(by_id[token_id] for token_id in named_ids(wanted, now) if token_id in by_id)
    refused = [token.token_id for token in revoke if token.token_id in suspects]
    if refused and not wanted.allow_emergency:
        raise Refused(
            f"Nothing was revoked: {', '.join(refused)} is, or may be, the emergency token, which saves the "
            "installation when all coordinators are lost. Give emergency_token_id (for a playbook, "
            "ece_emergency_token_id) to tell it from other tokens with the roles coordinator, director and proxy. "
            f"{WHERE_EMERGENCY_ID_STANDS} If it is really to be revoked, set the module's allow_emergency: true."
        )
    return Plan(revoke=revoke, warnings=tuple(_warnings(wanted, listed)))


def _warnings(wanted: Wanted, listed: Collection[ListedToken]) -> list[str]:
    warning = unknown_emergency_warning(listed, wanted.emergency_token_id)
    return [warning] if warning else []
