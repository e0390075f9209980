# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches of one: a token serves later ones as long as it is good for an installation, then another one does."""

from __future__ import annotations

JOINED = ("allocator-1", "allocator-2", "allocator-3")
testinfra_hosts = [f"ansible://{name}" for name in JOINED]
VERSION, MINT = "get-platform", "create-enrollment-token"


def test_all_have_joined_in_order(simulator, addresses):
    joined = [runner["host_ip"] for runner in simulator.state()["runners"] if runner["host_ip"] in addresses.values()]
    assert joined == [addresses[name] for name in JOINED]


def test_the_token_that_has_too_little_life_left_is_replaced_and_its_successor_used_again(simulator):
    # Each batch asks for the version once: the first two mint, the third does not.
    asked = [entry["operation"] for entry in simulator.journal() if entry["operation"] in (VERSION, MINT)]
    assert asked == [VERSION, MINT, VERSION, MINT, VERSION]
    assert simulator.state()["minted"] == {"ephemeral": 2, "persistent": 0}


def test_the_clock_is_warned_about(log):
    assert "Check NTP on both" in " ".join(log.split())


def test_ece_runs_on_the_host(host, runs, running):
    assert len(runs(host)) == 1
    assert "frc-runners-runner" in running(host)
