# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any string gives claims or the one error, which never repeats it. Whatever is wanted and listed, the plans keep their
hands off suspects, revoke what was asked for only, are a fixed point, and do not depend on the order of the list."""

from __future__ import annotations

import base64
import json
import traceback

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._emergency_token import EMERGENCY_ROLES
from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused
from ansible_collections.eceops.platform.plugins.module_utils._listed_tokens import plan_absent, plan_persistent
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES
from ansible_collections.eceops.platform.plugins.module_utils._roles_token import Wanted, plan_ephemeral
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken, NotARolesToken, read_claims

NOW = 1_800_000_000
PART = 8

cases = settings(max_examples=500, deadline=None)


def part(content):
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def jwt(claims, header=None, signature="fake-signature"):
    return ".".join([*(part(json.dumps(value).encode()) for value in (header or {"alg": "HS256"}, claims)), signature])


def ephemeral(roles, seconds_left):
    return jwt({"sub": "ephemeral", "roles": sorted(roles), "exp": NOW + seconds_left})


def persistent(token_id, roles):
    return jwt({"sub": token_id, "roles": sorted(roles)})


# The claims reader

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
CLAIMS = st.dictionaries(st.sampled_from(["sub", "roles", "iss", "exp", "persistent"]), JSON)
LIKELY_CLAIMS = st.fixed_dictionaries(
    {"sub": st.just("fake-id") | st.text(), "roles": st.lists(st.sampled_from(ROLES)) | st.lists(st.text())},
    optional={"iss": JSON, "exp": st.none() | st.booleans() | st.integers() | st.floats(), "persistent": JSON},
)
# From any text to what is a token but for one thing
STRINGS = st.one_of(
    st.text(),
    st.text(min_size=30),
    st.lists(st.text(alphabet="eyJhbG0-_.=", min_size=1), min_size=3, max_size=3).map(".".join),
    st.lists(st.binary(min_size=1).map(part), min_size=3, max_size=3).map(".".join),
    st.builds(jwt, CLAIMS, JSON, st.text()),
    st.builds(jwt, LIKELY_CLAIMS, st.just(None), st.sampled_from(["fake-signature-of-nobody", "", "="])),
    st.builds("{}{}".format, st.builds(persistent, st.just("fake-id"), st.just(["proxy"])), st.text()),
)


def outcome(token):
    """The claims, or the error."""
    try:
        return read_claims(token), None
    except NotARolesToken as error:
        return None, error


def said(error):
    """All that may be shown of an error but the lines of its traceback."""
    led_to_it = error.__cause__ if error.__suppress_context__ else error.__context__
    return str(error), repr(error), repr(error.details), repr(led_to_it)


@cases
@given(STRINGS)
def test_any_string_gives_claims_or_the_one_error_and_never_the_string_back(token):
    _claims, error = outcome(token)
    assert error is None or said(error) == said(NotARolesToken())


@cases
@given(st.text(alphabet="QXZ0123456789", min_size=PART), st.sampled_from(["{}", "{0}.{0}.{0}", "eyJ{}.e30.e30"]))
def test_no_part_of_a_string_is_in_the_traceback(text, form):
    token = form.format(text)
    _claims, error = outcome(token)
    shown = "".join(traceback.format_exception(error))
    assert [token[at : at + PART] for at in range(len(token) - PART) if token[at : at + PART] in shown] == []


@cases
@given(CLAIMS | LIKELY_CLAIMS)
def test_what_is_read_is_what_the_claims_say(claims):
    read, _error = outcome(jwt(claims))
    if read:
        assert (read.token_id, read.roles) == (claims["sub"], frozenset(claims["roles"]))
        assert read.persistent == ("exp" not in claims)


# The plans

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
ROLE_SETS = st.frozensets(st.sampled_from(ROLES)) | st.just(EMERGENCY_ROLES)
LISTS = st.dictionaries(IDS, ROLE_SETS).map(lambda listed: [ListedToken(*item) for item in listed.items()])
EMERGENCY_IDS = st.none() | IDS
HELD = st.none() | st.builds(persistent, IDS, ROLE_SETS) | st.builds(ephemeral, ROLE_SETS, st.sampled_from([-9, 9000]))


def suspects(listed, emergency):
    """The ids of those that are, or could be, the emergency token: told without the code that is tested."""
    candidates = {token.token_id for token in listed if token.roles == EMERGENCY_ROLES}
    return {emergency} if emergency in candidates else candidates


def planned(plan, *arguments):
    try:
        return plan(*arguments)
    except Refused as error:
        return str(error)


@cases
@given(
    listed=LISTS,
    roles=ROLE_SETS,
    emergency=EMERGENCY_IDS,
    mint=st.sampled_from(["if_missing", "always"]),
    held=HELD,
    shuffle=st.randoms(),
)
def test_persistent_plans_keep_their_hands_off_suspects_and_are_a_fixed_point(
    listed, roles, emergency, mint, held, shuffle
):
    wanted = Wanted(roles=roles, persistent=True, mint=mint, emergency_token_id=emergency, token=held)
    plan = planned(plan_persistent, wanted, listed)
    assert planned(plan_persistent, wanted, shuffle.sample(listed, len(listed))) == plan
    if isinstance(plan, str):
        assert (roles, mint) == (EMERGENCY_ROLES, "if_missing")
        assert suspects(listed, emergency)
        return
    assert not plan.revoke
    taken = {plan.token_id, *plan.matching_token_ids, plan.keep and read_claims(plan.keep).token_id}
    assert not taken & suspects(listed, emergency)
    if plan.mint:
        listed, held = [*listed, ListedToken("new", roles)], persistent("new", roles)
    again = planned(plan_persistent, wanted._replace(mint="if_missing", token=held), listed)
    if isinstance(again, str):
        # Alone with these roles, the new one could be the emergency token: refused, which is no mint.
        assert roles == EMERGENCY_ROLES
    else:
        assert not again.changed
        assert again.keep == held


@cases
@given(
    roles=ROLE_SETS,
    mint=st.sampled_from(["if_missing", "always"]),
    left=st.integers(-100, 10_000),
    minimum=st.integers(0, 10_000),
    validity=st.none() | st.integers(1, 10_000),
)
def test_ephemeral_plans_keep_what_lives_long_enough_and_are_a_fixed_point(roles, mint, left, minimum, validity):
    held = ephemeral(roles, left)
    wanted = Wanted(roles=roles, mint=mint, token=held, min_remaining_seconds=minimum, validity_seconds=validity)
    plan = plan_ephemeral(wanted, NOW)
    assert plan.mint == (mint == "always" or left < minimum)
    assert plan.keep == (None if plan.mint else held)
    assert not plan.revoke
    lives = (validity or 3600) if plan.mint else left
    returned = wanted._replace(mint="if_missing", token=ephemeral(roles, lives))
    if lives >= minimum:
        assert plan_ephemeral(returned, NOW).keep == returned.token


@cases
@given(
    listed=LISTS,
    named=st.lists(IDS),
    held=st.none() | st.builds(persistent, IDS, ROLE_SETS) | st.builds(ephemeral, ROLE_SETS, st.just(-9)),
    roles=st.none() | ROLE_SETS,
    emergency=EMERGENCY_IDS,
    allowed=st.booleans(),
    shuffle=st.randoms(),
)
def test_absent_plans_revoke_only_what_was_asked_for(listed, named, held, roles, emergency, allowed, shuffle):
    if roles is None:
        wanted = Wanted(
            state="absent", token_ids=named, token=held, emergency_token_id=emergency, allow_emergency=allowed
        )
    else:
        wanted = Wanted(state="absent", roles=roles, emergency_token_id=emergency)
    plan = planned(plan_absent, wanted, listed, NOW)
    shuffled = planned(plan_absent, wanted, shuffle.sample(listed, len(listed)), NOW)
    if isinstance(plan, str):
        assert shuffled == plan
        assert suspects(listed, emergency)
        return
    assert set(shuffled.revoke) == set(plan.revoke)
    assert shuffled._replace(revoke=plan.revoke) == plan
    assert not plan.mint
    if roles is None:
        asked_for = {*named, held and read_claims(held).token_id}
        assert {token.token_id for token in plan.revoke} == asked_for & {token.token_id for token in listed}
    else:
        assert all(token.roles == roles for token in plan.revoke)
    assert wanted.allow_emergency or not {token.token_id for token in plan.revoke} & suspects(listed, emergency)
    left = [token for token in listed if token not in plan.revoke]
    assert not planned(plan_absent, wanted, left, NOW).changed
