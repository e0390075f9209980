# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a token says of itself, the tokens that Elastic's documentation prints among them, and what is none."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._token import (
    Claims,
    ListedToken,
    NotARolesToken,
    iso_time,
    read_claims,
    select_tokens,
)

MANAGING = frozenset({"coordinator", "director", "proxy"})

# Printed in Elastic's documentation ("Manage roles tokens", and the page about the emergency token): not secrets.
DOCUMENTED = {
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0Njk3N2I3ZC1hM2U2LTQ2MDUtYjcwZC0xNzIzMTI5YWY4ZTQiLCJyb2xlcyI6WyJwcm9"
    "4eSIsImFsbG9jYXRvciJdLCJpc3MiOiJib290c3RyYXAtaW5pdGlhbCIsImV4cCI6MTQ5MzY0NjIxM30.xsaRb72CsNMuXKy6Y-PJgqLc0qmjCljlB4Sm"
    "cx_MRxg": Claims(
        "46977b7d-a3e6-4605-b70d-1723129af8e4", frozenset({"proxy", "allocator"}), "bootstrap-initial", 1493646213
    ),
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0Yzg5OTBkZi0xZmI3LTQ4MjAtYjg2OC02YmM5ZTg4NjA4MTQiLCJyb2xlcyI6WyJwcm9"
    "4eSIsImFsbG9jYXRvciJdLCJpc3MiOiJib290c3RyYXAtaW5pdGlhbCJ9.mfTkO4j8uZJ-qwB2jmBuMScyYfLmcJpvKgSTLx2WV24": Claims(
        "4c8990df-1fb7-4820-b868-6bc9e8860814", frozenset({"proxy", "allocator"}), "bootstrap-initial", None
    ),
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyZGVlYjlkZS01MDkzLTQxNGItYmI5NS0zNmJhZTQxMWI0YzgiLCJyb2xlcyI6WyJjb29"
    "yZGluYXRvciIsInByb3h5IiwiZGlyZWN0b3IiXSwiaXNzIjoiY3VycmVudCIsInBlcnNpc3RlbnQiOnRydWV9.5tIVQxEluSjtJ7qiwE8OWzy5O4l1GJ0"
    "urTFs_l1x5bU": Claims(
        "2deeb9de-5093-414b-bb95-36bae411b4c8", frozenset({"coordinator", "director", "proxy"}), "current", None
    ),
}


def jwt(claims, header=None):
    def part(value):
        text = value if isinstance(value, str) else json.dumps(value)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    return ".".join([part(header or {"typ": "JWT", "alg": "HS256"}), part(claims), part("fake signature")])


@pytest.mark.parametrize(("token", "claims"), DOCUMENTED.items(), ids=["ephemeral", "persistent", "emergency"])
def test_documented_tokens(token, claims):
    assert read_claims(token) == claims
    assert read_claims(token).persistent == (claims.expires_at is None)


GOOD = {"sub": "id", "roles": ["proxy"], "exp": 1}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "token",
        "a.b.c",
        "a.b",
        "..",
        jwt(GOOD) + ".x",
        jwt(GOOD).rpartition(".")[0] + ".",
        jwt(GOOD).replace("e", "+"),
        jwt(GOOD) + "=",
        jwt(GOOD) + "\n",
        jwt([]),
        jwt("[" * 100_000),
        jwt("1" * 10_000),
        jwt(GOOD, header={"typ": "JWT"}),
        jwt(GOOD, header=["HS256"]),
        jwt({"roles": []}),
        jwt({**GOOD, "sub": ""}),
        jwt({**GOOD, "sub": 1}),
        jwt({**GOOD, "sub": "a\nb"}),
        jwt({**GOOD, "sub": "\ud800"}),
        jwt({"sub": "id"}),
        jwt({**GOOD, "roles": "proxy"}),
        jwt({**GOOD, "roles": [1]}),
        jwt({**GOOD, "iss": 1}),
        jwt({**GOOD, "exp": "1"}),
        jwt({**GOOD, "exp": True}),
        jwt({**GOOD, "exp": None}),
        jwt({**GOOD, "exp": 10**30}),
        jwt('{"sub": "id", "roles": [], "exp": NaN}'),
        jwt('{"sub": "id", "roles": [], "exp": 1e999}'),
        "é.é.é",
    ],
)
def test_anything_else_is_no_roles_token(token):
    with pytest.raises(NotARolesToken) as error:
        read_claims(token)
    assert len(token) < 10 or token not in str(error.value)


def test_the_signature_is_not_looked_into():
    unsigned = jwt(GOOD).rpartition(".")[0]
    assert read_claims(f"{unsigned}.not-a-signature-by-its-length_").token_id == "id"


def test_expiry_may_have_a_fraction():
    assert read_claims(jwt({**GOOD, "exp": 1.9})).expires_at == 1


def test_times_are_utc():
    assert iso_time(1493646213) == "2017-05-01T13:43:33Z"
    assert iso_time(None) is None


ONE, TWO = ListedToken("one", frozenset({"proxy"})), ListedToken("two", frozenset({"proxy"}))
OTHER = ListedToken("other", frozenset({"allocator"}))


def test_select_tokens():
    listed = [TWO, OTHER, ONE]
    assert select_tokens(listed) == [ONE, OTHER, TWO]
    assert select_tokens(listed, roles=["proxy", "proxy"]) == [ONE, TWO]
    assert select_tokens(listed, roles=[]) == []
    assert select_tokens(listed, token_ids=["two", "other"], roles=["proxy"]) == [TWO]
