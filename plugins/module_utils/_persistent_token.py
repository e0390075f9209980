# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Effects on persistent tokens, which nobody may lose sight of: minted with an unknown outcome, revoked in part."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError, RequestFailed

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._client import Client, MintedToken
    from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken


def mint(client: Client, roles: frozenset[str], listed: Iterable[ListedToken]) -> MintedToken:
    """Mint a token with these roles; `listed` are the tokens that were there before.

    Raises `EceError` with `possible_orphans` where it is unknown whether it was minted.
    """
    try:
        return client.mint_persistent_token(roles)
    except RequestFailed as error:
        if not error.outcome_unknown:
            raise
        orphans = find_orphans(client, roles, {token.token_id for token in listed})
        raise EceError(
            f"{error.message} Whether the token was minted is unknown. {advise_about(orphans)}",
            **error.details,
            possible_orphans=orphans,
        ) from error


def find_orphans(client: Client, roles: frozenset[str], known: set[str]) -> list[str] | None:
    """The ids that are listed with these roles now and were not known before; None when they cannot be listed."""
    try:
        return sorted(
            token.token_id for token in client.tokens() if token.roles == roles and token.token_id not in known
        )
    except RequestFailed:
        return None


def advise_about(orphans: list[str] | None) -> str:
    if orphans is None:
        return "The tokens could not be listed either: once the API is back, list them and revoke what nobody holds."
    if orphans:
        return (
            f"Listed with these roles, but not before: {', '.join(orphans)}. "
            "Unless somebody else minted it just now, nobody holds its value: revoke it, then run this again."
        )
    return "No new token with these roles is listed so far: list them again before this is run again."


def revoke(client: Client, tokens: Iterable[ListedToken]) -> None:
    """Revoke all; where some are refused, the rest are revoked before the failure says which were and which were not.

    Raises `EceError` with `revoked` and `not_revoked`. It ends early where the API is out of reach or does not accept
    the credentials, and where it was too busy, through all repeats, for two tokens in a row: the pauses of a thousand
    would take hours.
    """
    revoked: list[str] = []
    not_revoked: list[dict[str, str]] = []
    first: RequestFailed | None = None
    last: RequestFailed | None = None
    stopped = False
    for token in tokens:
        if stopped:
            not_revoked.append({"token_id": token.token_id, "reason": "not tried"})
            continue
        try:
            client.revoke_token(token.token_id)
            revoked.append(token.token_id)
            last = None
        except RequestFailed as error:
            stopped = error.gives_up or (error.busy and last is not None and last.busy)
            first, last = first or error, error
            not_revoked.append({"token_id": token.token_id, "reason": error.message})
    if first:
        raise EceError(
            f"{len(not_revoked)} of {len(revoked) + len(not_revoked)} tokens were not revoked "
            f"(not_revoked says which). {first.message}",
            **first.details,
            changed=bool(revoked),
            revoked=revoked,
            not_revoked=not_revoked,
        )
