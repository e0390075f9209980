# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in the wrong place are masked. How modules fail and exit is shown through Ansible, in tests/integration."""

from __future__ import annotations

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._module import MASK, mask

TOKEN = "eyJ0eXAi.eyJzdWIi.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("https://ece:12443", "https://ece:12443"),
        ("https://admin:fake@ece:12443", f"https://{MASK}@ece:12443"),
        ("https://admin:fa@ke/x@ece", f"https://{MASK}@ece"),
        (TOKEN, MASK),
        (f"no match for: {TOKEN}", f"no match for: {MASK}"),
        ([TOKEN, "id"], [MASK, "id"]),
        ({"a": {"b": (TOKEN,)}}, {"a": {"b": [MASK]}}),
        (None, None),
        (5, 5),
        (True, True),
    ],
)
def test_mask(value, masked):
    assert mask(value) == masked
