# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that were wiped, and are listed still: they join anew when that is wanted, and when nothing is lost by it."""

from __future__ import annotations

import json

REBUILT, BUSY, DIRECTOR = "allocator-1", "allocator-2", "allocator-3"
testinfra_hosts = [f"ansible://{name}" for name in (REBUILT, BUSY, DIRECTOR)]
MINT, DELETE = "create-enrollment-token", "delete-runner"


def test_without_the_variable_nothing_happens_and_the_way_out_is_said(played):
    refused = played("refused")
    assert set(refused.failures) == {REBUILT, BUSY, DIRECTOR}
    assert "set ece_host_replace_disconnected: true" in refused.failures[REBUILT]
    assert MINT not in refused.operations
    assert DELETE not in refused.operations


def test_with_it_the_old_runner_is_deleted_before_a_token_is_minted(played):
    replaced = played("replaced")
    assert replaced.operations.count(MINT) == 1
    assert replaced.operations.count(DELETE) == 1
    assert replaced.operations.index(DELETE) < replaced.operations.index(MINT)


def test_a_runner_that_is_still_needed_is_not_deleted(played, simulator, addresses):
    failures = played("replaced").failures
    assert set(failures) == {BUSY, DIRECTOR}
    assert "3 instances" in failures[BUSY]
    assert "the role director" in failures[DIRECTOR]
    runners = {runner["host_ip"]: runner for runner in simulator.state()["runners"]}
    assert runners[addresses[REBUILT]]["connected"]
    for name in (BUSY, DIRECTOR):
        assert not runners[addresses[name]]["connected"]


def test_only_the_host_that_was_replaced_has_been_installed(host, name, runs):
    # What was on them before went when they were wiped.
    assert len(runs(host)) == (name == REBUILT)
    containers = host.check_output("docker ps --all --format '{{.Names}}'").split()
    assert ("frc-runners-runner" in containers) == (name == REBUILT)
    outcome = host.file("/var/lib/eceops/install/outcome.json")
    assert outcome.exists == (name == REBUILT)
    assert not outcome.exists or json.loads(outcome.content_string)["exit_code"] == 0
