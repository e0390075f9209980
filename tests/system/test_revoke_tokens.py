# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook revoke_tokens: what it revokes, what it refuses, and what it says."""

from __future__ import annotations

import re
import sys

import pytest

pytestmark = pytest.mark.oldest

LIST, REVOKE = "get-enrollment-tokens", "delete-enrollment-token"
REVOKE_TOKENS = "eceops.platform.revoke_tokens"


@pytest.mark.parametrize(
    ("variables", "revoked"),
    [
        ({"ece_revoke_token_ids": ["{proxy}", "{allocator}", "unknown"]}, ["proxy", "allocator"]),
        ({"ece_revoke_token_ids": "{proxy}, {allocator}"}, ["proxy", "allocator"]),
        ({"ece_revoke_token_ids": "[{proxy}, {allocator}]"}, ["proxy", "allocator"]),
        ({"ece_revoke_token_ids": []}, []),
        ({"ece_revoke_token_ids": "[]"}, []),
        ({"ece_revoke_roles": "coordinator, proxy"}, []),
        ({"ece_revoke_roles": ["allocator"]}, ["allocator"]),
        ({"ece_revoke_roles": []}, ["none"]),
        (
            {"ece_revoke_roles": ["coordinator", "director", "proxy"], "ece_emergency_token_id": "{emergency}"},
            ["management"],
        ),
        ({"ece_revoke_all_except": ["{proxy}", "{none}"]}, ["allocator"]),
        ({"ece_revoke_all_except": "{proxy}, {none}"}, ["allocator"]),
        ({"ece_revoke_all_except": []}, ["allocator", "none", "proxy"]),
        (
            {"ece_revoke_all_except": ["{proxy}"], "ece_emergency_token_id": "{emergency}"},
            ["allocator", "none", "management"],
        ),
    ],
)
def test_tokens_are_revoked(run, simulator, ids, variables, revoked):
    before = simulator.token_ids()
    result = run.play(REVOKE_TOKENS, extra_vars=fill(variables, ids))
    assert result.returncode == 0, result.stdout
    gone = {ids[name] for name in revoked}
    assert before - simulator.token_ids() == gone
    assert result.operations.count(REVOKE) == len(revoked)
    assert result.last["msg"].startswith("Revoked: ")
    assert all(token_id in result.last["msg"] for token_id in gone)


@pytest.mark.parametrize(
    ("variables", "revoked"),
    [
        ({"ece_revoke_roles": ["allocator"]}, ["allocator"]),
        ({"ece_revoke_all_except": []}, ["allocator", "none", "proxy"]),
    ],
)
def test_check_mode_says_what_would_be_revoked(run, simulator, ids, variables, revoked):
    before = simulator.state()
    result = run.play(REVOKE_TOKENS, "--diff", extra_vars=variables, check=True)
    assert result.returncode == 0, result.stdout
    assert simulator.state() == before
    assert result.last["msg"].startswith("Would be revoked: ")
    assert all(ids[name] in result.last["msg"] for name in revoked)


def fill(value, words):
    if isinstance(value, dict):
        return {name: fill(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    return value.format(**words) if isinstance(value, str) else value


@pytest.mark.parametrize(
    "variables",
    [
        {"ece_revoke_token_ids": ["Bearer {token}"]},
        {"ece_revoke_all_except": ["{token}"]},
        {"ece_revoke_roles": ["{token}"]},
    ],
)
def test_the_value_of_a_token_in_the_place_of_its_id_is_not_shown(run, simulator, variables):
    (seeded,) = simulator.seed_tokens(["proxy"])
    before = simulator.state()
    result = run.play(REVOKE_TOKENS, extra_vars=fill(variables, seeded), watch=True)
    assert result.returncode == 2
    assert "value of a token instead of its id" in result.said
    assert result.find([seeded["token"]]) == []
    assert simulator.state() == before


def test_an_id_that_is_not_listed_is_said(run, ids):
    result = run.play(REVOKE_TOKENS, extra_vars={"ece_revoke_token_ids": [ids["proxy"], "mistyped"]})
    assert result.last["msg"] == f"Revoked: {ids['proxy']}. Not listed: mistyped."


def test_what_is_kept_for_an_emergency_is_said(run, ids):
    result = run.play(REVOKE_TOKENS, extra_vars={"ece_revoke_all_except": []})
    (kept,) = [entry["result"]["msg"] for entry in result.results if "Kept" in str(entry["result"].get("msg"))]
    assert ids["emergency"] in kept
    assert ids["management"] in kept


@pytest.mark.parametrize(
    ("variables", "says", "requests"),
    [
        ({}, "set just one of", []),
        ({"ece_revoke_roles": ["proxy"], "ece_revoke_token_ids": []}, "ece_revoke_roles and ece_revoke_token_ids", []),
        ({"ece_revoke_all_except": ["{proxy}", "mistyped"]}, "names mistyped, which is not listed", [LIST]),
        ({"ece_revoke_all_except": None}, "ece_revoke_all_except is empty or no list", []),
        ({"ece_revoke_all_except": ""}, "ece_revoke_all_except is empty or no list", []),
        ({"ece_revoke_all_except": {"proxy": "{proxy}"}}, "ece_revoke_all_except is empty or no list", []),
        ({"ece_revoke_token_ids": None}, "ece_revoke_token_ids is empty or no list", []),
        ({"ece_revoke_roles": ["proxy"], "ece_api": "https://ece:12443"}, "ece_api is no dictionary", []),
        ({"ece_revoke_roles": ["proxy", "master"]}, "Got no match for: master", []),
        ({"ece_revoke_token_ids": ["{proxy}", "{emergency}"]}, "Nothing was revoked.*emergency_token_id", [LIST]),
        ({"ece_revoke_roles": ["proxy"], "ece_api": {"url": "https://127.0.0.1:1"}}, "No credentials", []),
    ],
)
def test_revoke_tokens_stops_before_anything_is_revoked(run, simulator, ids, variables, says, requests):
    before = simulator.token_ids()
    result = run.play(REVOKE_TOKENS, extra_vars=fill(variables, ids) if "ece_api" not in variables else variables)
    assert result.returncode == 2
    assert re.search(says, result.said), result.stdout
    assert result.operations == requests
    assert simulator.token_ids() == before


def test_a_failure_of_the_api_is_shown(run, simulator):
    api = {**simulator.ece_api, "password": "fake-wrong-password"}
    for variables in ({"ece_revoke_roles": ["proxy"]}, {"ece_revoke_all_except": []}):
        result = run.play(REVOKE_TOKENS, extra_vars={**variables, "ece_api": api})
        assert result.returncode == 2
        assert "HTTP 401" in result.said
        assert result.find(["fake-wrong-password"]) == []


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ("List all tokens", "Nothing was revoked: "),
        ("Revoke the tokens", "Whether the tokens were revoked is not known: "),
    ],
)
def test_an_api_delegate_that_is_lost_is_said(run, ids, tmp_path, task, says):
    loss = {"task": task, "after": True, "note": str(tmp_path / "note")}
    bastion = {"ansible_connection": "dropping", "ansible_python_interpreter": sys.executable, "testbed_loss": loss}
    inventory = {"all": {"hosts": {"bastion": bastion}}}
    variables = {"ece_revoke_all_except": [], "ece_host_api_delegate": "bastion"}
    result = run.play(REVOKE_TOKENS, extra_vars=variables, inventory=inventory)
    assert result.returncode == 2, result.stdout
    (said,) = result.failures.values()
    assert said.startswith(f"{says}the API delegate bastion (ece_host_api_delegate) is out of reach ("), said
    assert "Run this again when it is within reach" in said
    again = run.play(REVOKE_TOKENS, extra_vars={**variables, "testbed_loss": {}}, inventory=inventory)
    assert again.returncode == 0, again.stdout
