# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of the rest when the API refuses in the middle. The client is scripted."""

from __future__ import annotations

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._client import MintedToken
from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError, RequestFailed
from ansible_collections.eceops.platform.plugins.module_utils._persistent_token import mint, revoke
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken

PROXY = frozenset({"proxy"})


def failed(**kwargs):
    return RequestFailed("what happened.", reason="what happened", **kwargs)


class ScriptedClient:
    def __init__(self, *, tokens=(), errors=None, mint_error=None):
        self.listed = tokens
        self.errors = errors or {}
        self.mint_error = mint_error
        self.asked = []

    def tokens(self):
        if isinstance(self.listed, Exception):
            raise self.listed
        return [ListedToken(token_id, roles) for token_id, roles in self.listed]

    def revoke_token(self, token_id):
        self.asked.append(token_id)
        if token_id in self.errors:
            raise self.errors[token_id]

    def mint_persistent_token(self, roles):
        if self.mint_error:
            raise self.mint_error
        return MintedToken("fake-token", "new")


def tokens(*ids):
    return [ListedToken(token_id, PROXY) for token_id in ids]


def test_all_are_revoked():
    client = ScriptedClient()
    revoke(client, tokens("a", "b"))
    assert client.asked == ["a", "b"]


def test_the_rest_is_revoked_when_some_are_refused():
    client = ScriptedClient(errors={"a": failed(status=403, code="c"), "c": failed(status=500)})
    with pytest.raises(EceError, match="2 of 4 tokens were not revoked") as error:
        revoke(client, tokens("a", "b", "c", "d"))
    assert error.value.details["revoked"] == ["b", "d"]
    assert error.value.details["changed"]
    assert error.value.details["not_revoked"] == [
        {"token_id": "a", "reason": "what happened."},
        {"token_id": "c", "reason": "what happened."},
    ]
    assert error.value.details["failure"]["code"] == "c"


def test_nothing_more_is_tried_when_the_api_is_out_of_reach():
    client = ScriptedClient(errors={"b": failed(gives_up=True)})
    with pytest.raises(EceError) as error:
        revoke(client, tokens("a", "b", "c"))
    assert client.asked == ["a", "b"]
    assert error.value.details["not_revoked"][1] == {"token_id": "c", "reason": "not tried"}


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [
        ({"a": 503, "b": 503}, ["a", "b"]),
        ({"a": 503, "c": 503}, ["a", "b", "c", "d"]),
        ({"a": 429, "b": 504}, ["a", "b"]),
        ({"a": 503, "b": 403, "c": 503}, ["a", "b", "c", "d"]),
    ],
)
def test_an_api_that_stays_busy_is_not_asked_for_ever(statuses, asked):
    client = ScriptedClient(errors={token_id: failed(status=status) for token_id, status in statuses.items()})
    with pytest.raises(EceError):
        revoke(client, tokens("a", "b", "c", "d"))
    assert client.asked == asked


def test_nothing_changed_when_nothing_was_revoked():
    with pytest.raises(EceError) as error:
        revoke(ScriptedClient(errors={"a": failed()}), tokens("a"))
    assert not error.value.details["changed"]


@pytest.mark.parametrize(
    ("listed_then", "orphans", "says"),
    [
        ([("old", PROXY), ("new", PROXY), ("other", frozenset())], ["new"], "before: new.*revoke it"),
        ([("old", PROXY)], [], "No new token with these roles"),
        (failed(), None, "could not be listed either"),
    ],
)
def test_an_unknown_outcome_names_what_may_be_orphaned(listed_then, orphans, says):
    client = ScriptedClient(tokens=listed_then, mint_error=failed(outcome_unknown=True, status=502))
    with pytest.raises(EceError, match=says) as error:
        mint(client, PROXY, tokens("old"))
    assert error.value.details["possible_orphans"] == orphans
    assert error.value.details["failure"]["status"] == 502


def test_a_known_refusal_names_no_orphans():
    with pytest.raises(RequestFailed) as error:
        mint(ScriptedClient(mint_error=failed(status=403)), PROXY, [])
    assert "possible_orphans" not in error.value.details
