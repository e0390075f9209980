# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All coordinators are lost: hosts join with the emergency token, and the API is asked nothing."""

from __future__ import annotations

JOINED = ("manager-1", "manager-2")
testinfra_hosts = [f"ansible://{name}" for name in JOINED]


def test_all_have_joined_one_after_the_other(simulator, addresses):
    runners = [runner for runner in simulator.state()["runners"] if runner["host_ip"] in addresses.values()]
    assert [runner["host_ip"] for runner in runners] == [addresses[name] for name in JOINED]
    assert all(sorted(runner["roles"]) == ["coordinator", "director", "proxy"] for runner in runners)


def test_the_api_was_asked_nothing(played, simulator):
    for name in ("recovered", "again"):
        assert played(name).operations == []
    assert simulator.state()["minted"] == {"ephemeral": 0, "persistent": 0}


def test_the_second_run_changed_nothing(played):
    again = played("again")
    assert again.failures == {}
    assert "NOTHING WAS STARTED. ECE ran already, and nothing was done, on manager-1, manager-2." in again.said
    assert sum(recap["changed"] for recap in again.stats.values()) == 0


def test_the_installer_ran_once(host, runs):
    (run,) = runs(host)
    assert run["env"]["RUNNER_ROLES"] == "coordinator,director,proxy"
    assert "RUNNER_ROLES_TOKEN" in run["names"]


def test_ece_runs_on_the_host(host, running):
    assert "frc-runners-runner" in running(host)


def test_what_to_know_before_and_to_verify_after_is_said(played):
    said = played("recovered").said
    assert "More than half of its directors must be alive" in said
    assert "Whether the installation is saved, only you can tell now" in said
