# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the token plans: a table of what is wanted, given and listed against what is to be done."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._emergency_token import EMERGENCY_ROLES, suspect_ids
from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._listed_tokens import plan_absent, plan_persistent
from ansible_collections.eceops.platform.plugins.module_utils._roles_token import (
    Wanted,
    check_wanted,
    clock_warning,
    needs_list,
    plan_ephemeral,
)
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken

NOW = 1_800_000_000
ALLOCATOR = frozenset({"allocator"})
PROXY = frozenset({"proxy"})


def jwt(claims, header=None):
    def part(value):
        text = value if isinstance(value, str) else json.dumps(value)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    return ".".join([part(header or {"typ": "JWT", "alg": "HS256"}), part(claims), part("fake signature")])


def ephemeral(roles, seconds_left):
    return jwt({"sub": "ephemeral", "roles": sorted(roles), "iss": "current", "exp": NOW + seconds_left})


def persistent(token_id, roles):
    return jwt({"sub": token_id, "roles": sorted(roles), "iss": "current", "persistent": True})


# What cannot be meant

PRESENT = Wanted(roles=PROXY)
ABSENT = Wanted(state="absent")
A_TOKEN = persistent("id", PROXY)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(), "needs roles"),
        (PRESENT._replace(token_ids=[]), "token_ids goes with state: absent only"),
        (PRESENT._replace(token_ids=["id"]), "token_ids goes with state: absent only"),
        (PRESENT._replace(persistent=True, validity_seconds=60), "validity_seconds goes with ephemeral"),
        (PRESENT._replace(validity_seconds=0), "validity_seconds must be from 1"),
        (PRESENT._replace(validity_seconds=2**31), "validity_seconds must be from 1"),
        (PRESENT._replace(min_remaining_seconds=-1), "min_remaining_seconds must be 0 or more"),
        (PRESENT._replace(allow_emergency=True), "allow_emergency goes with token_ids or token only"),
        (ABSENT, "needs token_ids or token, or roles"),
        (ABSENT._replace(roles=PROXY, token_ids=[]), "roles does not go with"),
        (ABSENT._replace(roles=PROXY, token=A_TOKEN), "roles does not go with"),
        (ABSENT._replace(roles=frozenset(), token_ids=["id"]), "roles does not go with"),
        (ABSENT._replace(roles=PROXY, allow_emergency=True), "allow_emergency goes with"),
        (ABSENT._replace(token_ids=["id", ""]), "empty id"),
        (ABSENT._replace(token_ids=[A_TOKEN]), "token_ids holds the value of a token"),
        (ABSENT._replace(token_ids=[f" {A_TOKEN}\n"]), "token_ids holds the value of a token"),
        (ABSENT._replace(token_ids=[f"Bearer {A_TOKEN}"]), "token_ids holds the value of a token"),
        (PRESENT._replace(emergency_token_id=A_TOKEN), "emergency_token_id holds the value of a token"),
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
        PRESENT._replace(validity_seconds=1),
        PRESENT._replace(validity_seconds=2**31 - 1),
        PRESENT._replace(persistent=True, mint="always"),
        ABSENT._replace(token_ids=[]),
        ABSENT._replace(token=A_TOKEN, token_ids=["id"], allow_emergency=True),
        ABSENT._replace(roles=frozenset()),
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
    wanted = PRESENT._replace(**options)
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
PERSISTENT = PRESENT._replace(persistent=True)
MANAGING = PERSISTENT._replace(roles=EMERGENCY_ROLES)


@pytest.mark.parametrize(
    ("wanted", "listed", "minted", "token_id", "matching", "warns"),
    [
        (PERSISTENT, [], True, None, (), []),
        (PERSISTENT, [OTHER, EMERGENCY], True, None, (), []),
        (PERSISTENT, [OTHER, ONE], False, "one", ("one",), ["mint: always"]),
        (PERSISTENT, [TWO, ONE], False, None, ("one", "two"), ["2 tokens with exactly these roles are there"]),
        (PERSISTENT._replace(token=persistent("two", PROXY)), [ONE, TWO], False, "two", ("one", "two"), []),
        (PERSISTENT._replace(token=persistent("gone", PROXY)), [ONE], True, None, ("one",), ["store the new value"]),
        (PERSISTENT._replace(token=persistent("one", ALLOCATOR)), [ONE], True, None, ("one",), ["store the new value"]),
        (PERSISTENT._replace(token=persistent("other", PROXY)), [OTHER], True, None, (), ["store the new value"]),
        (PERSISTENT._replace(token=ephemeral(PROXY, 3600)), [ONE], True, None, ("one",), ["store the new value"]),
        (PERSISTENT._replace(token="nonsense"), [ONE], True, None, ("one",), ["none by its shape"]),
        (PERSISTENT._replace(mint="always"), [ONE], True, None, ("one",), []),
        (PERSISTENT._replace(mint="always", token=persistent("one", PROXY)), [ONE], True, None, ("one",), []),
        (MANAGING, [ONE], True, None, (), []),
        (MANAGING._replace(mint="always"), [EMERGENCY], True, None, (), []),
        (MANAGING._replace(emergency_token_id="emergency"), [EMERGENCY], True, None, (), []),
        (
            MANAGING._replace(emergency_token_id="emergency"),
            [EMERGENCY, MANAGEMENT],
            False,
            "management",
            ("management",),
            ["mint: always"],
        ),
        (
            MANAGING._replace(emergency_token_id="emergency", token=persistent("emergency", EMERGENCY_ROLES)),
            [EMERGENCY],
            True,
            None,
            (),
            ["may be, the emergency token"],
        ),
        (
            PERSISTENT._replace(emergency_token_id="mistyped"),
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
@pytest.mark.parametrize("wanted", [MANAGING, MANAGING._replace(token=persistent("management", EMERGENCY_ROLES))])
def test_the_emergency_token_is_never_guessed(wanted, emergency_token_id):
    with pytest.raises(Refused, match="emergency_token_id.*bootstrap-secrets.json.*emergency, management"):
        plan_persistent(wanted._replace(emergency_token_id=emergency_token_id), [EMERGENCY, MANAGEMENT, ONE])


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
    wanted = ABSENT._replace(**options)
    assert needs_list(wanted, NOW)
    plan = plan_absent(wanted, listed, NOW)
    assert [token.token_id for token in plan.revoke] == revoked
    assert plan.changed == bool(revoked)
    assert not plan.mint


@pytest.mark.parametrize(
    "options", [{"token_ids": []}, {"token": ephemeral(PROXY, 0)}, {"token": ephemeral(PROXY, -9)}]
)
def test_plan_absent_without_a_request(options):
    wanted = ABSENT._replace(**options)
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
        plan_absent(ABSENT._replace(**options), [ONE, EMERGENCY, MANAGEMENT], NOW)


def test_a_living_ephemeral_token_cannot_be_revoked():
    wanted = ABSENT._replace(token=ephemeral(PROXY, 90), token_ids=["one"])
    with pytest.raises(Refused, match="2027-01-15T08:01:30Z, in 90 seconds"):
        needs_list(wanted, NOW)


def test_what_is_no_token_cannot_be_revoked():
    with pytest.raises(WrongInput, match="Nothing was revoked, token cannot be read") as error:
        needs_list(ABSENT._replace(token="fake-nonsense"), NOW)
    assert "fake-nonsense" not in str(error.value)


# The rest


def test_suspects():
    listed = [ONE, EMERGENCY, MANAGEMENT]
    assert suspect_ids(listed, None) == {"emergency", "management"}
    assert suspect_ids(listed, "emergency") == {"emergency"}
    assert suspect_ids(listed, "one") == {"emergency", "management"}
    assert suspect_ids([ONE], "one") == frozenset()


@pytest.mark.parametrize(
    ("off", "says"), [(0, None), (60, None), (-60, None), (61, "61 seconds later"), (-7200, "earlier")]
)
def test_clock_warning(off, says):
    warning = clock_warning(NOW + 600 + off, 600, NOW)
    assert says in warning if says else warning is None


def test_clocks_are_not_compared_without_a_known_validity():
    assert clock_warning(NOW, None, NOW) is None
    assert clock_warning(None, 600, NOW) is None
