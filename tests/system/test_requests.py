# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks of the API: every row of the token table, by the simulator's journal."""

from __future__ import annotations

import pytest

from testbed.rows import run_rows

pytestmark = pytest.mark.oldest

TOKEN = "eceops.platform.ece_roles_token"
LIST, MINT, REVOKE = "get-enrollment-tokens", "create-enrollment-token", "delete-enrollment-token"
EMERGENCY_ROLES = ["coordinator", "director", "proxy"]


@pytest.fixture
def world(simulator):
    """Tokens that a row can name: `{one}` is the id of the first, `{one_token}` its value, and so on."""
    one, two = simulator.seed_tokens(["proxy"], count=2)
    emergency = simulator.secrets()["emergency_all_roles_except_allocator_token"]
    names = {"one": one, "two": two, "emergency": emergency}
    words = {name: token["token_id"] for name, token in names.items()}
    words |= {f"{name}_token": token["token"] for name, token in names.items()}
    words["good"] = simulator.mint_ephemeral(["proxy"], 3600)
    words["short"] = simulator.mint_ephemeral(["proxy"], 60)
    words["expired"] = simulator.mint_ephemeral(["proxy"], -60)
    words["gone_token"] = words["one_token"]
    simulator.clear_journal()
    return words


def fill(value, words):
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    return value.format(**words) if isinstance(value, str) else value


PROXY = {"roles": ["proxy"]}
PERSISTENT = {**PROXY, "persistent": True}
OTHER = {"roles": ["proxy", "allocator", "proxy"], "persistent": True}
ABSENT = {"state": "absent"}

# options, whether something changed (None: it fails), requests
ROWS = [
    (PROXY, True, [MINT]),
    ({"roles": []}, True, [MINT]),
    ({**PROXY, "token": "{good}"}, False, []),
    ({**PROXY, "token": " {good}\n"}, False, []),
    ({**PROXY, "token": "{short}"}, True, [MINT]),
    ({**PROXY, "token": "{short}", "min_remaining_seconds": 30}, False, []),
    ({**PROXY, "token": "{expired}"}, True, [MINT]),
    ({"roles": ["allocator"], "token": "{good}"}, True, [MINT]),
    ({**PROXY, "token": "fake-nonsense"}, True, [MINT]),
    ({**PROXY, "token": "{one_token}"}, True, [MINT]),
    ({**PROXY, "token": "{good}", "mint": "always"}, True, [MINT]),
    (PERSISTENT, False, [LIST]),
    (OTHER, True, [LIST, MINT]),
    ({**PERSISTENT, "token": "{one_token}"}, False, [LIST]),
    ({**OTHER, "token": "{one_token}"}, True, [LIST, MINT]),
    ({**PERSISTENT, "token": "{good}"}, True, [LIST, MINT]),
    ({**PERSISTENT, "mint": "always"}, True, [LIST, MINT]),
    ({**ABSENT, "token_ids": ["{one}", "{two}"]}, True, [LIST, REVOKE, REVOKE]),
    ({**ABSENT, "token_id": "{one}"}, True, [LIST, REVOKE]),
    ({**ABSENT, "token_ids": ["{one}", "{one}", "unknown"]}, True, [LIST, REVOKE]),
    ({**ABSENT, "token_ids": ["unknown"]}, False, [LIST]),
    ({**ABSENT, "token": "{one_token}"}, True, [LIST, REVOKE]),
    ({**ABSENT, "token": "{one_token}", "token_ids": ["{one}", "{two}"]}, True, [LIST, REVOKE, REVOKE]),
    ({**ABSENT, **PROXY}, True, [LIST, REVOKE, REVOKE]),
    ({**ABSENT, "roles": ["director"]}, False, [LIST]),
    ({**ABSENT, "token": "{expired}"}, False, []),
    ({**ABSENT, "token": "{good}"}, None, []),
    ({**ABSENT, "token": "fake-nonsense"}, None, []),
    ({**ABSENT, "token_ids": []}, False, []),
    # The emergency token's rules
    ({"roles": EMERGENCY_ROLES, "persistent": True}, None, [LIST]),
    ({"roles": EMERGENCY_ROLES, "persistent": True, "emergency_token_id": "mistyped"}, None, [LIST]),
    ({"roles": EMERGENCY_ROLES, "persistent": True, "emergency_token_id": "{emergency}"}, True, [LIST, MINT]),
    ({"roles": EMERGENCY_ROLES, "persistent": True, "mint": "always"}, True, [LIST, MINT]),
    ({"roles": EMERGENCY_ROLES}, True, [MINT]),
    ({**ABSENT, "roles": EMERGENCY_ROLES}, None, [LIST]),
    ({**ABSENT, "roles": EMERGENCY_ROLES, "emergency_token_id": "{emergency}"}, False, [LIST]),
    ({**ABSENT, "token_ids": ["{one}", "{emergency}"]}, None, [LIST]),
    ({**ABSENT, "token_ids": ["{one}", "{emergency}"], "emergency_token_id": "{one}"}, None, [LIST]),
    ({**ABSENT, "token": "{emergency_token}"}, None, [LIST]),
    ({**ABSENT, "token_ids": ["{emergency}"], "allow_emergency": True}, True, [LIST, REVOKE]),
]


def test_the_rows_of_the_token_table(run, simulator, world, tmp_path, subtests):
    """Each is a task of one play, and a subtest: before each, the tokens are those of the world again."""
    rows = [({name: fill(value, world) for name, value in row.items()}, *wanted) for row, *wanted in ROWS]
    before = simulator.token_ids()
    again = [
        ["POST", "/tokens", {"roles": PROXY["roles"], "token_ids": [world["one"], world["two"]]}],
        ["POST", "/tokens", {"roles": EMERGENCY_ROLES, "token_ids": [world["emergency"]]}],
        ["DELETE", "/journal", None],
    ]
    names = [f"{number}: {row}" for number, (row, *_wanted) in enumerate(ROWS)]
    tasks = [{"name": name, TOKEN: row} for name, (row, *_wanted) in zip(names, rows, strict=True)]
    outcomes, result = run_rows(run, tmp_path, tasks, dict.fromkeys(names, again), tokens=sorted(before))
    assert list(outcomes) == names, result.stdout
    for name, (options, changed, requests) in zip(names, rows, strict=True):
        with subtests.test(name):
            check(outcomes[name], before, options, changed, requests)


def check(outcome, before, options, changed, requests):
    assert outcome.operations == requests
    assert [entry["status"] for entry in outcome.journal] == [200] * len(requests)
    assert outcome.failed is (changed is None), outcome.message
    after = {token["token_id"] for token in outcome.state["tokens"]}
    if changed is None:
        assert after == before
        return
    assert outcome.result["changed"] is changed
    assert before - after == set(outcome.result["revoked"])
    assert len(after - before) == (MINT in requests and options.get("persistent", False))
    if MINT in requests:
        assert outcome.result["token"].startswith("eyJ")
    elif "token" in options and "state" not in options:
        assert outcome.result["token"] == options["token"].strip()
    else:
        assert outcome.result["token"] is None


def test_a_held_token_is_handed_back_at_every_verbosity(run, world):
    result = run.tasks(
        [
            {TOKEN: {**PROXY, "token": world["good"]}, "register": "held", "no_log": True},
            {"ansible.builtin.assert": {"that": ["held.token == good"], "quiet": True}},
        ],
        extra_vars={"good": world["good"]},
        verbosity=3,
    )
    assert result.returncode == 0, result.stdout
    assert result.find([world["good"]]) == []


def test_fifty_ids_are_revoked_in_one_task_over_one_connection(run, simulator):
    ids = [token["token_id"] for token in simulator.seed_tokens(["allocator"], count=50)]
    result = run.tasks([{TOKEN: {"state": "absent", "token_ids": ids}}])
    assert result.last["revoked"] == ids
    assert [entry["operation"] for entry in result.journal] == [LIST] + [REVOKE] * 50
    assert len({entry["connection"] for entry in result.journal}) == 1


def test_a_token_s_value_never_stands_in_a_url(run, world):
    result = run.tasks([{TOKEN: {**ABSENT, "token": world["one_token"]}}])
    assert result.journal[-1]["path"].endswith(f"/enrollment-tokens/{world['one']}")


def test_the_rest_is_revoked_when_one_is_refused(run, simulator):
    ids = [token["token_id"] for token in simulator.seed_tokens(["allocator"], count=3)]
    simulator.fault(
        "reply", REVOKE, status=403, body='{"errors": [{"code": "root.unauthorized.rbac", "message": "No."}]}'
    )
    result = run.tasks([{TOKEN: {"state": "absent", "token_ids": ids}}])
    assert result.last["revoked"] == ids[1:]
    assert [entry["token_id"] for entry in result.last["not_revoked"]] == ids[:1]
    assert result.last["failure"] == {"status": 403, "code": "root.unauthorized.rbac", "message": "No.", "fields": None}


def test_info_modules_ask_once(run):
    modules = ("ece_platform_info", "ece_runner_info", "ece_roles_token_info")
    result = run.tasks([{f"eceops.platform.{module}": {}} for module in modules])
    assert result.returncode == 0
    assert [entry["method"] for entry in result.journal] == ["GET"] * len(modules)
    assert len(set(result.operations)) == len(modules)


def test_check_mode_decides_the_same_and_writes_nothing(run, simulator, world):
    rows = [(options, requests) for options, changed, requests in ROWS if changed]
    tasks = [{TOKEN: {name: fill(value, world) for name, value in options.items()}} for options, _requests in rows]
    before = simulator.state()
    result = run.tasks(tasks, "--diff", check=True)
    assert [entry["result"]["changed"] for entry in result.results] == [True] * len(rows), result.stdout
    assert [entry["result"]["token"] for entry in result.results] == [None] * len(rows)
    assert all(entry["result"]["diff"]["before"] != entry["result"]["diff"]["after"] for entry in result.results)
    assert {entry["operation"] for entry in result.journal} == {LIST}
    assert simulator.state() == before


def test_a_key_that_expires_soon_is_told(run, simulator):
    simulator.settings(api_key_expiration="2020-01-01T00:00:00Z")
    api = {name: simulator.ece_api[name] for name in ("url", "ca_path")} | {"api_key": f" {simulator.api_key}\n"}
    result = run.tasks([{"eceops.platform.ece_platform_info": {}}], extra_vars={"ece_api": api}, verbosity=3)
    assert "The API key expires at 2020-01-01T00:00:00Z" in result.last["warnings"][0]
    assert result.find([simulator.api_key]) == []
    assert result.journal[0]["scheme"] == "apikey"


def test_unchecked_certificates_are_told_once_and_without_noise(run, simulator, world):
    api = {**simulator.ece_api, "validate_certs": False, "ca_path": None}
    task = {TOKEN: {**ABSENT, "token_ids": [world["one"], world["two"]]}}
    result = run.tasks([task], extra_vars={"ece_api": api})
    assert result.last["changed"], result.stdout
    (warning,) = result.last["warnings"]
    assert "validate_certs" in warning
    assert "InsecureRequestWarning" not in result.stdout + result.stderr
