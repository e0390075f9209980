# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is asked of `ece_roles_token`, whatever is there, and whatever goes wrong: no token is revoked that was not
asked for, none is left behind unreported, and no value of a token is said."""

from __future__ import annotations

import base64
import json
from collections import Counter
from itertools import product

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._client import MintedToken
from ansible_collections.eceops.platform.plugins.module_utils._emergency_token import EMERGENCY_ROLES
from ansible_collections.eceops.platform.plugins.module_utils._errors import (
    EceError,
    Refused,
    RequestFailed,
    WrongInput,
)
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken
from ansible_collections.eceops.platform.plugins.modules.ece_roles_token import OPTIONS, manage_token

# How many cases are generated: options, a list of tokens, and what becomes of each request. 10,000 are wanted at least.
# All that hypothesis generates is played with each of `STEPS` at each of the first requests.
CASES = 18_000
FIRST_REQUESTS = 3

PAST, FUTURE = 1_000_000_000, 4_000_000_000
OPAQUE = "fake opaque value"
DEFAULTS = {name: option.get("default") for name, option in OPTIONS.items()}


def jwt(number, **claims):
    parts = ({"alg": "HS256"}, claims, f"fake signature {number}")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def persistent(token_id, roles):
    return jwt(token_id, sub=token_id, roles=sorted(roles), persistent=True)


IDS = ["a", "b", "c", "d"]
ROLE_SETS = [frozenset(), frozenset({"proxy"}), frozenset({"allocator", "proxy"}), EMERGENCY_ROLES]
# The persistent tokens that are given, with their ids and roles
GIVEN = {persistent(token_id, roles): (token_id, roles) for token_id in IDS for roles in ROLE_SETS}
EPHEMERAL = [jwt(0, sub="old", roles=sorted(roles), exp=exp) for roles in ROLE_SETS for exp in (PAST, FUTURE)]

# What the API, or the way to it, makes of a request: whether it takes effect, and what the client raises.
OUTCOMES = {
    "refused": (False, {"status": 403, "code": "root.unauthorized.rbac"}),
    "not accepted": (False, {"status": 401, "gives_up": True}),
    "out of reach": (False, {"gives_up": True}),
    "busy": (False, {"status": 429}),
    "failed": (False, {"status": 500, "outcome_unknown": True}),
    "failed, but done": (True, {"status": 503, "outcome_unknown": True}),
    "not arrived": (False, {"outcome_unknown": True, "gives_up": True}),
    "reply lost": (True, {"outcome_unknown": True, "gives_up": True}),
    "reply garbled": (True, {"status": 200, "outcome_unknown": True}),
}
# What somebody else does before the request arrives
MEANWHILE = ["one is revoked", "one is minted"]
STEPS = ["done", *OUTCOMES, *MEANWHILE]


class Installation:
    """The tokens of an installation, and the client that asks it. `script` is what becomes of each request."""

    def __init__(self, listed, script, values):
        self.listed = {token_id: roles for token_id, roles in listed.items() if roles is not None}
        self.script = list(script)
        self.values = list(values)
        self.minted = {}
        self.ephemeral = []
        self.revoked = {}
        self.writes = 0
        self.played = []

    def tokens(self):
        self.happens(lambda: None)
        return [ListedToken(token_id, roles) for token_id, roles in self.listed.items()]

    def mint_persistent_token(self, roles):
        self.writes += 1
        token_id = f"new-{len(self.minted)}"

        def mint():
            self.listed[token_id] = frozenset(roles)
            self.minted[token_id] = self.values.pop() if self.values else persistent(token_id, roles)

        self.happens(mint)
        return MintedToken(self.minted[token_id], token_id)

    def mint_ephemeral_token(self, roles, validity_seconds=None):
        self.writes += 1

        def mint():
            value = jwt(len(self.ephemeral), sub="ephemeral", roles=sorted(roles), exp=FUTURE)
            self.ephemeral.append(self.values.pop() if self.values else value)

        self.happens(mint)
        return MintedToken(self.ephemeral[-1], None)

    def revoke_token(self, token_id):
        self.writes += 1

        def revoke():
            if token_id in self.listed:
                self.revoked[token_id] = self.listed.pop(token_id)

        self.happens(revoke)

    def happens(self, effect):
        step = self.script.pop(0) if self.script else "done"
        self.played.append(step)
        if step == "one is revoked" and self.listed:
            del self.listed[min(self.listed)]
        elif step == "one is minted":
            self.listed.setdefault("somebody-else-s", frozenset({"proxy"}))
        done, error = OUTCOMES.get(step, (True, None))
        if done:
            effect()
        if error:
            raise RequestFailed(f"{step}.", reason=step, **error)


class Module:
    def __init__(self, options, check_mode, installation):
        self.client = installation
        self.params = DEFAULTS | options
        self.check_mode = check_mode
        self.no_log_values = {options.get("token")}
        self.warnings = []

    def warn(self, warning):
        self.warnings.append(warning)


ROLES_WANTED = st.sampled_from(ROLE_SETS)
LISTED = st.tuples(*[st.none() | ROLES_WANTED] * len(IDS)).map(lambda roles: dict(zip(IDS, roles, strict=True)))
NO_TOKENS = ["", " ", "fake-nonsense", "fake.nonsense.too"]
HELD = st.none() | st.sampled_from([*GIVEN, f" {next(iter(GIVEN))}\n"]) | st.sampled_from([*EPHEMERAL, *NO_TOKENS * 2])
EMERGENCY_IDS = st.sampled_from([*[None] * 4, *IDS * 2, "", "mistyped", persistent("a", EMERGENCY_ROLES)])
NAMED = st.lists(st.sampled_from([*IDS, " a\n", "gone"]), max_size=3)
MISNAMED = st.sampled_from([None, [], ["a", ""], ["a", persistent("a", EMERGENCY_ROLES)], [f" {EPHEMERAL[0]} "]])
COMMON = {"token": HELD, "emergency_token_id": EMERGENCY_IDS}
PRESENT = {
    "roles": ROLES_WANTED,
    "persistent": st.sampled_from([True, True, True, False]),
    "mint": st.sampled_from(["if_missing", "always"]),
    "min_remaining_seconds": st.sampled_from([0, 300, FUTURE]),
}
BY_NAME = {"state": st.just("absent"), "token_ids": NAMED, "allow_emergency": st.booleans()}
BY_ROLES = {"state": st.just("absent"), "roles": ROLES_WANTED, "emergency_token_id": EMERGENCY_IDS}
ANYTHING = {
    "state": st.sampled_from(["present", "absent"]),
    "roles": st.none() | ROLES_WANTED,
    "persistent": st.booleans(),
    "token_ids": MISNAMED,
    "allow_emergency": st.booleans(),
    "validity_seconds": st.none() | st.integers(),
}
OPTION_SETS = st.sampled_from(
    [*[COMMON | PRESENT] * 6, *[COMMON | BY_NAME] * 3, *[BY_ROLES] * 2, COMMON | ANYTHING],
).flatmap(st.fixed_dictionaries)


def suspects(listed, emergency_token_id):
    """The ids of those that are, or could be, the emergency token: told without the code that is tested."""
    candidates = {token_id for token_id, roles in listed.items() if roles == EMERGENCY_ROLES}
    return {emergency_token_id} if emergency_token_id in candidates else candidates


def was_asked_for(options, token_id, roles):
    if options.get("state") != "absent":
        return False
    if options.get("roles") is not None:
        return roles == options["roles"]
    named = {name.strip() for name in options.get("token_ids") or ()}
    return token_id in named or held_id(options.get("token")) == token_id


def held_id(token):
    return GIVEN.get((token or "").strip(), [None])[0]


def run(installation, options, check_mode=False):
    """The return values, or the error that ended it; and all that was said, but for the one token that is returned."""
    module = Module(options, check_mode, installation)
    try:
        result = manage_token(module)
    except EceError as error:
        return (
            None,
            error,
            repr([str(error), repr(error), error.message, error.details, error.__cause__, module.warnings]),
        )
    return result, None, repr([result | {"token": None}, module.warnings])


def check_revoked(installation, options, result, error):
    assert all(was_asked_for(options, token_id, roles) for token_id, roles in installation.revoked.items())
    if error and "not_revoked" in error.details:
        gone = error.details["revoked"]
        assert error.details["changed"] == bool(gone)
        assert not set(gone) & set(installation.listed)
        assert set(installation.revoked) <= {*gone, *(lost["token_id"] for lost in error.details["not_revoked"])}
    elif error:
        assert not installation.revoked
    else:
        assert set(installation.revoked) <= set(result["revoked"])


def check_minted(installation, result, error):
    """Each persistent token that is new is returned, or reported where its value was lost."""
    new = [token_id for token_id in installation.minted if token_id in installation.listed]
    if result:
        assert new in ([], [result["token_id"]])
        assert not new or result["token"] == installation.minted[result["token_id"]]
        return
    orphans = error.details.get("possible_orphans", [])
    if orphans is None:
        assert "could not be listed" in error.message
        assert installation.played[-1] in OUTCOMES
    else:
        assert set(new) <= set(orphans) <= set(installation.listed)


def check_again(installation, options, result):
    """What was done is not done again, when what it returned is given."""
    if options.get("state") == "absent":
        again = options
    else:
        again = options | {"mint": "if_missing"} | ({"token": result["token"]} if result["token"] else {})
    installation.script = []
    writes = installation.writes
    second, error, _said = run(installation, again)
    assert installation.writes == writes
    if error:
        # A new token may be the only one with these roles: it is not guessed then, which is the emergency token.
        assert isinstance(error, Refused)
        assert options["roles"] == EMERGENCY_ROLES
    else:
        assert not second["changed"]
        assert second["token"] == result["token"]


def check_case(installation, options, check_mode, protected):
    """Play one case; which kinds of case it was."""
    result, error, said = run(installation, options, check_mode)

    check_revoked(installation, options, result, error)
    check_minted(installation, result, error)
    assert options.get("allow_emergency") or not protected & set(installation.revoked)
    assert not check_mode or not installation.writes
    if result:
        assert not protected & {result["token_id"], held_id(result["token"]), *result["matching_token_ids"]}

    given_values = [options.get("token"), options.get("emergency_token_id"), *(options.get("token_ids") or ())]
    secrets = [*installation.minted.values(), *installation.ephemeral, *given_values]
    # Ids are short here. Not even a part of a value is said.
    assert not [secret for secret in secrets if len(secret or "") > 8 and secret.strip()[:8] in said]

    undisturbed = not check_mode and set(installation.played) <= {"done"}
    if result and undisturbed and result["token"] != OPAQUE and options.get("min_remaining_seconds") != FUTURE:
        check_again(installation, options, result)
    if result:
        kept = result["token"] and not installation.writes
        return [
            "cases",
            *["kept"] * bool(kept),
            *["minted"] * bool(installation.minted),
            *["revoked"] * bool(installation.revoked),
        ]
    lost = error.details.get("possible_orphans") and installation.minted
    return ["cases", type(error), *error.details, *["lost"] * bool(lost)]


def test_no_case_loses_or_revokes_or_says_a_token():
    kinds = Counter()

    @settings(
        max_examples=CASES // (FIRST_REQUESTS * len(STEPS)) + 1,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        listed=LISTED,
        options=OPTION_SETS,
        then=st.lists(st.sampled_from(STEPS), max_size=2),
        opaque=st.sampled_from([[], [], [OPAQUE]]),
        check_mode=st.sampled_from([False, False, False, True]),
        fitting=st.none() | st.sampled_from(list(GIVEN)),
    )
    def check(listed, options, then, opaque, check_mode, fitting):
        if fitting and options.get("mint"):
            # A token is held that is listed with the roles that are wanted.
            token_id, roles = GIVEN[fitting]
            listed, options = listed | {token_id: roles}, options | {"roles": roles, "token": fitting}
        protected = suspects(listed, options.get("emergency_token_id"))
        for before, step in product(range(FIRST_REQUESTS), STEPS):
            script = ["done"] * before + [step, *then]
            note(f"what becomes of the requests: {script}")
            kinds.update(check_case(Installation(listed, script, opaque), options, check_mode, protected))

    check()
    assert kinds["cases"] >= CASES
    # There were enough of each kind for this to say something.
    told = (WrongInput, Refused, "possible_orphans", "lost", "not_revoked", "revoked", "minted", "kept")
    assert {kind for kind in told if kinds[kind] < 10} == set()
