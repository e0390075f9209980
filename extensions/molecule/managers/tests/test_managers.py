# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second of three managers fails: nothing further is started, and a run after mending goes on there."""

from __future__ import annotations

import json

from testbed.scenario import CONTROLLER, WORLD

MANAGERS, ALLOCATORS = ("manager-1", "manager-2", "manager-3"), ("allocator-1", "allocator-2")
testinfra_hosts = [f"ansible://{name}" for name in MANAGERS + ALLOCATORS]


def test_nothing_further_was_started(played):
    started = json.loads((WORLD / CONTROLLER / "started.json").read_text(encoding="utf-8"))
    assert started == ["manager-1", "manager-2"]
    failed = played("failed")
    assert [name for name in ("manager-3", *ALLOCATORS) if failed.executed_on(name)] == []


def test_the_output_says_so(played):
    failed = played("failed")
    assert set(failed.failures) == {"manager-2"}
    assert "manager-2 has not joined" in failed.failures["manager-2"]
    assert "nothing further is started" in failed.failures["manager-2"]
    assert "(exit code 1)" in failed.failures["manager-2"]
    assert "nothing further is started" in " ".join(failed.stdout.split())


def test_the_run_after_mending_left_the_first_alone(played):
    mended = played("mended")
    assert mended.failures == {}
    assert mended.executed_on("manager-1") == []


def test_all_have_joined_the_managers_in_order(simulator, addresses):
    joined = [runner["host_ip"] for runner in simulator.state()["runners"] if runner["host_ip"] in addresses.values()]
    assert joined[:3] == [addresses[name] for name in MANAGERS]
    assert sorted(joined[3:]) == sorted(addresses[name] for name in ALLOCATORS)


def test_ece_runs_on_the_host(host, name, runs, running):
    assert "frc-runners-runner" in running(host)
    assert len(runs(host)) == (2 if name == "manager-2" else 1)
