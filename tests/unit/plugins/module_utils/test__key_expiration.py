# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ECE's replies say of an API key's end is a date, of either kind, or ignored."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._key_expiration import key_expires_soon

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("header", "expires"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("1801011231234", None),
        ("2026-13-45", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-12-08T12:00:00Z", None),
        ("2026-12-08T11:59:59Z", NOW + timedelta(days=14, seconds=-1)),
        ("2026-12-01T12:00:00.123456789Z", NOW + timedelta(days=7)),
        ("2026-12-01T14:00:00+02:00", NOW + timedelta(days=7)),
        ("2026-12-01T12:00:00", NOW + timedelta(days=7)),
        ("Tue, 01 Dec 2026 12:00:00 GMT", NOW + timedelta(days=7)),
        ("2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_key_expiration(header, expires):
    assert key_expires_soon(header, NOW.timestamp()) == expires


@given(st.text())
def test_any_key_expiration_is_a_date_or_ignored(header):
    assert key_expires_soon(header, NOW.timestamp()) is None or header
