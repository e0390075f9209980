# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task shows of the tokens before and after it."""

from __future__ import annotations

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._client import MintedToken
from ansible_collections.eceops.platform.plugins.module_utils._roles_token import Plan, Wanted
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken
from ansible_collections.eceops.platform.plugins.modules.ece_roles_token import diff

PROXY = frozenset({"proxy"})
WANTED = Wanted(roles=PROXY, persistent=True)
NEW, OLD = {"token_id": "new", "roles": ["proxy"]}, {"token_id": "old", "roles": ["proxy"]}
NAMELESS = {"token_id": None, "roles": ["proxy"]}


@pytest.mark.parametrize(
    ("wanted", "plan", "minted", "before", "after"),
    [
        (WANTED, Plan(mint=True, matching_token_ids=("old",)), MintedToken("T", "new"), [OLD], [OLD, NEW]),
        (WANTED, Plan(mint=True), None, [], [NAMELESS]),
        (WANTED, Plan(matching_token_ids=("old",)), None, [OLD], [OLD]),
        (Wanted(roles=PROXY), Plan(mint=True), MintedToken("T", None), [], [NAMELESS]),
        (Wanted(roles=PROXY), Plan(keep="T"), None, [NAMELESS], [NAMELESS]),
        (Wanted(state="absent", token_ids=["old"]), Plan(revoke=(ListedToken("old", PROXY),)), None, [OLD], []),
    ],
)
def test_diff(wanted, plan, minted, before, after):
    assert diff(wanted, plan, minted) == {"before": {"tokens": before}, "after": {"tokens": after}}
