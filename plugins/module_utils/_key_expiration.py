# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: whether an API key is about to expire, from what ECE's replies say of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

KEY_EXPIRES_SOON = timedelta(days=14)


def key_expires_soon(header: str | None, now: float) -> datetime | None:
    """The instant of an `X-Elastic-Api-Key-Expiration` header (ISO 8601 or an HTTP date), if it is near or over.

    `now` is in seconds since the epoch. Anything that is neither kind of date gives None.
    """
    expires = _instant(header or "")
    if expires is None or expires - datetime.fromtimestamp(now, timezone.utc) >= KEY_EXPIRES_SOON:
        return None
    return expires


def _instant(text: str) -> datetime | None:
    text = text.strip()
    try:
        if re.match(r"\d{4}-\d\d-\d\d", text):
            # Python 3.10 reads neither the "Z" of ISO 8601 nor fractions of other than 3 or 6 digits.
            instant = datetime.fromisoformat(re.sub(r"\.\d+", "", re.sub(r"[zZ]$", "+00:00", text)))
        else:
            instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
