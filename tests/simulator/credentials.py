# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's fixed credentials, and who a request comes from.

All are visibly fake and unlike anything else, so that finding one in a file or in output means that it leaked.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

USERNAME = "admin"
PASSWORD = "fake-Passw0rd-of-the-simulator"
READONLY_USERNAME = "readonly"
READONLY_PASSWORD = "fake-Readonly-Passw0rd-of-the-simulator"
API_KEY = "fake-ApiKey-of-the-simulator"


@dataclass(frozen=True)
class Caller:
    """Who asks. ``scheme``: ``basic``, ``apikey`` or none of both; ``user``: the name that Basic sent, true or not."""

    scheme: str | None = None
    user: str | None = None
    authenticated: bool = False
    may_write: bool = False


def identify(authorization: str | None) -> Caller:
    """The caller behind an ``Authorization`` header; one that is missing, odd or wrong is an unknown caller."""
    scheme, _blank, value = (authorization or "").partition(" ")
    if scheme.lower() == "apikey":
        known = value.strip() == API_KEY
        return Caller("apikey", None, known, known)
    if scheme.lower() == "basic":
        try:
            user, _colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return Caller("basic")
        admin = (user, password) == (USERNAME, PASSWORD)
        return Caller("basic", user, admin or (user, password) == (READONLY_USERNAME, READONLY_PASSWORD), admin)
    return Caller()
