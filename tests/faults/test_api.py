# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the table of the API's faults: requests seen, final state, message, `failure`, and a bound of its time.

A test is a request; its rows are the tasks of one play, each on a fresh installation, and subtests here.
"""

from __future__ import annotations

import re

import pytest

from .api_faults import MINTED_ROLES, TOKEN_ID, TOKEN_ROLES
from .api_table import DELETE, LIST, MINT, ON_NEWEST, REQUESTS, REVOKE, RUNNER_ID, Repeat, rows

MAX_PAUSE_SECONDS = 30
ALLOWANCE_SECONDS = 10
FRESH_TOKENS = 3  # those of every installation


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(it, id=it.name, marks=pytest.mark.newest if it.name in ON_NEWEST else pytest.mark.oldest)
        for it in REQUESTS
    ],
)
def test_all_that_can_go_wrong_with(wanted, run_rows, subtests):
    ran = run_rows(wanted)
    assert list(ran.outcomes) == [row.name for row in rows(wanted)], ran.output
    assert "Traceback" not in ran.output
    assert ran.leaks == []
    for row in rows(wanted):
        with subtests.test(row.name):
            check(row, ran.outcomes[row.name])


def check(row, outcome):
    assert outcome.failed is not row.succeeds, outcome.message
    check_requests(row, outcome)
    check_state(row, outcome)
    if outcome.failed:
        check_message(row, outcome)
    check_tokens(row, outcome)
    check_time(row, outcome)


def check_requests(row, outcome):
    seen = [row.request.operation] * row.seen
    if row.polled:
        # As often as there is time for
        seen = seen[: max(1, len(outcome.journal))]
    after = list(row.request.after) if row.succeeds else [LIST] * row.lists_again
    assert outcome.operations == [*row.request.before, *seen, *after]
    assert outcome.violations == []


def check_state(row, outcome):
    """Nothing is there or gone but what was asked for, here or by somebody else."""
    revoked = REVOKE in row.effects
    minted = MINT in row.effects and row.request.options.get("persistent", False)
    by_somebody_else = row.fault.orders.get("kind") == "mint"
    assert outcome.token_ids(TOKEN_ROLES) == ([] if revoked else [TOKEN_ID])
    assert len(outcome.token_ids(MINTED_ROLES)) == minted + by_somebody_else
    assert len(outcome.state["tokens"]) == FRESH_TOKENS + (not revoked) + minted + by_somebody_else
    runner_ids = {runner["runner_id"] for runner in outcome.state["runners"]}
    assert (RUNNER_ID in runner_ids) is (DELETE not in row.effects)


def check_message(row, outcome):
    assert row.fault.says in outcome.message
    assert row.fault.advises in outcome.message
    assert "Traceback" not in str(outcome.result)
    failure = outcome.result["failure"]
    assert (failure["status"], failure["code"]) == (row.fault.status, row.fault.code)
    assert failure["message"]
    if row.repeated:
        assert "2 tries" in outcome.message


def check_tokens(row, outcome):
    """What became of tokens is told."""
    result = outcome.result
    if row.unknown:
        assert result["possible_orphans"] == (outcome.token_ids(MINTED_ROLES) if row.lists_again else None)
    else:
        assert "possible_orphans" not in result
    if row.request.operation == REVOKE:
        assert result["revoked"] == ([TOKEN_ID] if row.succeeds else [])
        not_revoked = [entry["token_id"] for entry in result.get("not_revoked", [])]
        assert not_revoked == ([] if row.succeeds else [TOKEN_ID])
    if row.request.repeat is Repeat.PERSISTENT and row.succeeds:
        assert result["token_id"] in outcome.token_ids(MINTED_ROLES)
        assert result["token"].startswith("eyJ")
    if row.fault.clock and "validity_seconds" in row.request.options:
        assert re.search(r"7(19|20)\d seconds earlier", result["warnings"][0])


def check_time(row, outcome):
    times = [entry["at"] for entry in outcome.journal if entry["operation"] == row.request.operation]
    if row.repeated and len(times) == 2:
        assert times[1] - times[0] >= row.fault.pause
    bound = max(1, len(outcome.journal)) * (row.fault.timeout + MAX_PAUSE_SECONDS) + ALLOWANCE_SECONDS
    assert outcome.seconds <= bound
