# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: a roles token, as it says of itself (it is a JWT) and as the API lists it. Seconds are since the epoch.

The facts about tokens are those of Elastic's documentation, "Manage roles tokens".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t
from collections.abc import Collection, Iterable
from datetime import datetime, timezone

from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError, WrongInput

# Where a token, or what is left of one, stands in a text: JSON's `{"` becomes eyJ.
JWT_IN_TEXT = r"eyJ[\w-]+\.[\w-]+\.[\w-]*"

MAX_VALIDITY_SECONDS = 2**31 - 1


class NotARolesToken(EceError):
    """The given string is no roles token by its shape. The message never repeats it."""

    def __init__(self) -> None:
        super().__init__(
            "This is not a roles token: it must be a JWT whose claims hold sub, roles and, if it is ephemeral, exp."
        )


class Claims(t.NamedTuple):
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


class ListedToken(t.NamedTuple):
    """A persistent token as the API lists it: never with its value, a name or a time."""

    token_id: str
    roles: frozenset[str]


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


def check_ids(option: str, token_ids: Iterable[str] | None) -> None:
    """Raise `WrongInput` where an id is empty, or the value of a token."""
    for token_id in token_ids or ():
        if claims_or_none(token_id.strip()) or re.search(JWT_IN_TEXT, token_id):
            raise WrongInput(f"{option} holds the value of a token instead of its id, which is the sub claim in it.")
        if not token_id.strip():
            raise WrongInput(f"{option} holds an empty id. Was a variable empty?")


def select_tokens(
    listed: Iterable[ListedToken], *, token_ids: Collection[str] | None = None, roles: Collection[str] | None = None
) -> list[ListedToken]:
    """Those that meet every filter that is not None, in order of their ids. `roles`: exactly these."""
    return [
        token
        for token in sorted(listed, key=lambda token: token.token_id)
        if (token_ids is None or token.token_id in token_ids) and (roles is None or token.roles == frozenset(roles))
    ]
