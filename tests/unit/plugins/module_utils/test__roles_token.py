# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Claims, and every row of the token plans: a table of what is wanted, given and listed against what is to be done."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._roles_token import (
    EMERGENCY_ROLES,
    Claims,
    ListedToken,
    NotARolesToken,
    Wanted,
    check_wanted,
    clock_warning,
    iso_time,
    needs_list,
    plan_absent,
    plan_ephemeral,
    plan_persistent,
    read_claims,
    select_tokens,
    suspect_ids,
)

NOW = 1_800_000_000
ALLOCATOR = frozenset({"allocator"})
PROXY = frozenset({"proxy"})

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
    "urTFs_l1x5bU": Claims("2deeb9de-5093-414b-bb95-36bae411b4c8", EMERGENCY_ROLES, "current", None),
}


def jwt(claims, header=None):
    def part(value):
        text = value if isinstance(value, str) else json.dumps(value)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    return ".".join([part(header or {"typ": "JWT", "alg": "HS256"}), part(claims), part("fake signature")])


def ephemeral(roles, seconds_left):
    return jwt({"sub": "ephemeral", "roles": sorted(roles), "iss": "current", "exp": NOW + seconds_left})


def persistent(token_id, roles):
    return jwt({"sub": token_id, "roles": sorted(roles), "iss": "current", "persistent": True})


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


# What cannot be meant

PRESENT = Wanted(roles=PROXY)
ABSENT = Wanted(state="absent")
A_TOKEN = persistent("id", PROXY)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(), "needs roles"),
        (replace(PRESENT, token_ids=[]), "token_ids goes with state: absent only"),
        (replace(PRESENT, token_ids=["id"]), "token_ids goes with state: absent only"),
        (replace(PRESENT, persistent=True, validity_seconds=60), "validity_seconds goes with ephemeral"),
        (replace(PRESENT, validity_seconds=0), "validity_seconds must be from 1"),
        (replace(PRESENT, validity_seconds=2**31), "validity_seconds must be from 1"),
        (replace(PRESENT, min_remaining_seconds=-1), "min_remaining_seconds must be 0 or more"),
        (replace(PRESENT, allow_emergency=True), "allow_emergency goes with token_ids or token only"),
        (ABSENT, "needs token_ids or token, or roles"),
        (replace(ABSENT, roles=PROXY, token_ids=[]), "roles does not go with"),
        (replace(ABSENT, roles=PROXY, token=A_TOKEN), "roles does not go with"),
        (replace(ABSENT, roles=frozenset(), token_ids=["id"]), "roles does not go with"),
        (replace(ABSENT, roles=PROXY, allow_emergency=True), "allow_emergency goes with"),
        (replace(ABSENT, token_ids=["id", ""]), "empty id"),
        (replace(ABSENT, token_ids=[A_TOKEN]), "token_ids holds the value of a token"),
        (replace(ABSENT, token_ids=[f" {A_TOKEN}\n"]), "token_ids holds the value of a token"),
        (replace(ABSENT, token_ids=[f"Bearer {A_TOKEN}"]), "token_ids holds the value of a token"),
        (replace(PRESENT, emergency_token_id=A_TOKEN), "emergency_token_id holds the value of a token"),
    ],
)
def test_wrong_input(wanted, says):
    with pytest.raises(WrongInput, match=says) as error:
        check_wanted(wanted)
    assert A_TOKEN not in str(error.value)


@pytest.mark.parametrize(
    "wanted",
    [
        PRESENT,
        Wanted(roles=frozenset()),
        replace(PRESENT, validity_seconds=1),
        replace(PRESENT, validity_seconds=2**31 - 1),
        replace(PRESENT, persistent=True, mint="always"),
        replace(ABSENT, token_ids=[]),
        replace(ABSENT, token=A_TOKEN, token_ids=["id"], allow_emergency=True),
        replace(ABSENT, roles=frozenset()),
    ],
)
def test_good_input(wanted):
    check_wanted(wanted)


# present, ephemeral


@pytest.mark.parametrize(
    ("options", "minted", "warns"),
    [
        ({}, True, None),
        ({"token": ephemeral(PROXY, 300)}, False, None),
        ({"token": ephemeral(PROXY, 299)}, True, None),
        ({"token": ephemeral(PROXY, 600), "min_remaining_seconds": 601}, True, None),
        ({"token": ephemeral(PROXY, 0), "min_remaining_seconds": 0}, False, None),
        ({"token": ephemeral(ALLOCATOR, 3600)}, True, None),
        ({"token": ephemeral(PROXY | ALLOCATOR, 3600)}, True, None),
        ({"token": persistent("id", PROXY)}, True, None),
        ({"token": "nonsense"}, True, "none by its shape"),
        ({"token": ephemeral(PROXY, 3600), "mint": "always"}, True, None),
        ({"validity_seconds": 86400}, True, None),
        ({"validity_seconds": 86401}, True, "more than a day"),
        ({"validity_seconds": 300, "token": ephemeral(PROXY, 300)}, False, "every run mints a token"),
        ({"min_remaining_seconds": 3600, "token": ephemeral(PROXY, 3599)}, True, "every run mints a token"),
    ],
)
def test_plan_ephemeral(options, minted, warns):
    wanted = replace(PRESENT, **options)
    assert not needs_list(wanted, NOW)
    plan = plan_ephemeral(wanted, NOW)
    assert (plan.mint, plan.changed) == (minted, minted)
    assert plan.keep == (None if minted else wanted.token)
    assert plan.token_id is None
    assert [warns in warning for warning in plan.warnings] == ([True] if warns else [])


# present, persistent

ONE = ListedToken("one", PROXY)
TWO = ListedToken("two", PROXY)
OTHER = ListedToken("other", ALLOCATOR)
EMERGENCY = ListedToken("emergency", EMERGENCY_ROLES)
MANAGEMENT = ListedToken("management", EMERGENCY_ROLES)
PERSISTENT = replace(PRESENT, persistent=True)
MANAGING = replace(PERSISTENT, roles=EMERGENCY_ROLES)


@pytest.mark.parametrize(
    ("wanted", "listed", "minted", "token_id", "matching", "warns"),
    [
        (PERSISTENT, [], True, None, (), []),
        (PERSISTENT, [OTHER, EMERGENCY], True, None, (), []),
        (PERSISTENT, [OTHER, ONE], False, "one", ("one",), ["mint: always"]),
        (PERSISTENT, [TWO, ONE], False, None, ("one", "two"), ["2 tokens with exactly these roles are there"]),
        (replace(PERSISTENT, token=persistent("two", PROXY)), [ONE, TWO], False, "two", ("one", "two"), []),
        (replace(PERSISTENT, token=persistent("gone", PROXY)), [ONE], True, None, ("one",), ["store the new value"]),
        (replace(PERSISTENT, token=persistent("one", ALLOCATOR)), [ONE], True, None, ("one",), ["store the new value"]),
        (replace(PERSISTENT, token=persistent("other", PROXY)), [OTHER], True, None, (), ["store the new value"]),
        (replace(PERSISTENT, token=ephemeral(PROXY, 3600)), [ONE], True, None, ("one",), ["store the new value"]),
        (replace(PERSISTENT, token="nonsense"), [ONE], True, None, ("one",), ["none by its shape"]),
        (replace(PERSISTENT, mint="always"), [ONE], True, None, ("one",), []),
        (replace(PERSISTENT, mint="always", token=persistent("one", PROXY)), [ONE], True, None, ("one",), []),
        (MANAGING, [ONE], True, None, (), []),
        (replace(MANAGING, mint="always"), [EMERGENCY], True, None, (), []),
        (replace(MANAGING, emergency_token_id="emergency"), [EMERGENCY], True, None, (), []),
        (
            replace(MANAGING, emergency_token_id="emergency"),
            [EMERGENCY, MANAGEMENT],
            False,
            "management",
            ("management",),
            ["mint: always"],
        ),
        (
            replace(MANAGING, emergency_token_id="emergency", token=persistent("emergency", EMERGENCY_ROLES)),
            [EMERGENCY],
            True,
            None,
            (),
            ["may be, the emergency token"],
        ),
        (
            replace(PERSISTENT, emergency_token_id="mistyped"),
            [EMERGENCY],
            True,
            None,
            (),
            ["mistyped"],
        ),
    ],
)
def test_plan_persistent(wanted, listed, minted, token_id, matching, warns):
    assert needs_list(wanted, NOW)
    plan = plan_persistent(wanted, listed)
    assert (plan.mint, plan.changed, plan.token_id, plan.matching_token_ids) == (minted, minted, token_id, matching)
    assert plan.keep == (wanted.token if not minted else None)
    assert [says in warning for says, warning in zip(warns, plan.warnings, strict=True)] == [True] * len(warns)


@pytest.mark.parametrize("emergency_token_id", [None, "mistyped", "one"])
@pytest.mark.parametrize("wanted", [MANAGING, replace(MANAGING, token=persistent("management", EMERGENCY_ROLES))])
def test_the_emergency_token_is_never_guessed(wanted, emergency_token_id):
    with pytest.raises(Refused, match="emergency_token_id.*bootstrap-secrets.json.*emergency, management"):
        plan_persistent(replace(wanted, emergency_token_id=emergency_token_id), [EMERGENCY, MANAGEMENT, ONE])


# absent


@pytest.mark.parametrize(
    ("options", "listed", "revoked"),
    [
        ({"token_ids": ["one"]}, [ONE, TWO], ["one"]),
        ({"token_ids": ["two", "one", "two", "gone"]}, [ONE, TWO], ["two", "one"]),
        ({"token_ids": [" one\n"]}, [ONE], ["one"]),
        ({"token_ids": ["gone"]}, [ONE], []),
        ({"token": persistent("one", PROXY)}, [ONE, TWO], ["one"]),
        ({"token": persistent("one", PROXY), "token_ids": ["two", "one"]}, [ONE, TWO], ["two", "one"]),
        ({"token": persistent("gone", PROXY)}, [ONE], []),
        ({"token": ephemeral(PROXY, 0), "token_ids": ["one"]}, [ONE], ["one"]),
        ({"roles": PROXY}, [TWO, OTHER, ONE], ["two", "one"]),
        ({"roles": ALLOCATOR | PROXY}, [ONE, OTHER], []),
        ({"roles": frozenset()}, [ONE, ListedToken("none", frozenset())], ["none"]),
        ({"roles": EMERGENCY_ROLES}, [ONE], []),
        ({"roles": EMERGENCY_ROLES, "emergency_token_id": "emergency"}, [EMERGENCY, MANAGEMENT], ["management"]),
        ({"token_ids": ["management"], "emergency_token_id": "emergency"}, [EMERGENCY, MANAGEMENT], ["management"]),
        ({"token_ids": ["emergency"], "allow_emergency": True}, [EMERGENCY], ["emergency"]),
        ({"token": persistent("emergency", EMERGENCY_ROLES), "allow_emergency": True}, [EMERGENCY], ["emergency"]),
    ],
)
def test_plan_absent(options, listed, revoked):
    wanted = replace(ABSENT, **options)
    assert needs_list(wanted, NOW)
    plan = plan_absent(wanted, listed, NOW)
    assert [token.token_id for token in plan.revoke] == revoked
    assert plan.changed == bool(revoked)
    assert not plan.mint


@pytest.mark.parametrize(
    "options", [{"token_ids": []}, {"token": ephemeral(PROXY, 0)}, {"token": ephemeral(PROXY, -9)}]
)
def test_plan_absent_without_a_request(options):
    wanted = replace(ABSENT, **options)
    assert not needs_list(wanted, NOW)
    assert not plan_absent(wanted, [], NOW).changed


@pytest.mark.parametrize(
    "options",
    [
        {"token_ids": ["emergency"]},
        {"token_ids": ["one", "emergency"]},
        {"token_ids": ["management"]},
        {"token_ids": ["emergency"], "emergency_token_id": "emergency"},
        {"token_ids": ["management"], "emergency_token_id": "mistyped"},
        {"token_ids": ["management"], "emergency_token_id": "one"},
        {"token": persistent("emergency", EMERGENCY_ROLES)},
        {"token": persistent("emergency", PROXY)},
        {"roles": EMERGENCY_ROLES},
        {"roles": EMERGENCY_ROLES, "emergency_token_id": "mistyped"},
    ],
)
def test_a_suspect_is_refused_before_anything_is_revoked(options):
    with pytest.raises(Refused, match="Nothing was (revoked|written).*emergency_token_id.*bootstrap-secrets.json"):
        plan_absent(replace(ABSENT, **options), [ONE, EMERGENCY, MANAGEMENT], NOW)


def test_a_living_ephemeral_token_cannot_be_revoked():
    wanted = replace(ABSENT, token=ephemeral(PROXY, 90), token_ids=["one"])
    with pytest.raises(Refused, match="2027-01-15T08:01:30Z, in 90 seconds"):
        needs_list(wanted, NOW)


def test_what_is_no_token_cannot_be_revoked():
    with pytest.raises(WrongInput, match="Nothing was revoked, token cannot be read") as error:
        needs_list(replace(ABSENT, token="fake-nonsense"), NOW)
    assert "fake-nonsense" not in str(error.value)


# The rest


def test_suspects():
    listed = [ONE, EMERGENCY, MANAGEMENT]
    assert suspect_ids(listed, None) == {"emergency", "management"}
    assert suspect_ids(listed, "emergency") == {"emergency"}
    assert suspect_ids(listed, "one") == {"emergency", "management"}
    assert suspect_ids([ONE], "one") == frozenset()


def test_select_tokens():
    listed = [TWO, OTHER, ONE]
    assert select_tokens(listed) == [ONE, OTHER, TWO]
    assert select_tokens(listed, roles=["proxy", "proxy"]) == [ONE, TWO]
    assert select_tokens(listed, roles=[]) == []
    assert select_tokens(listed, token_ids=["two", "other"], roles=["proxy"]) == [TWO]


@pytest.mark.parametrize(
    ("off", "says"), [(0, None), (60, None), (-60, None), (61, "61 seconds later"), (-7200, "earlier")]
)
def test_clock_warning(off, says):
    warning = clock_warning(NOW + 600 + off, 600, NOW)
    assert says in warning if says else warning is None


def test_clocks_are_not_compared_without_a_known_validity():
    assert clock_warning(NOW, None, NOW) is None
    assert clock_warning(None, 600, NOW) is None
