# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything goes wrong that does: each host says its cause and the next step, the others join, and a run after mending
finishes. The controller is killed while installers run: the next run waits for these, and starts none twice."""

from __future__ import annotations

import pytest

FLEET = [f"allocator-{number}" for number in range(1, 9)]
testinfra_hosts = [f"ansible://{name}" for name in FLEET]
MINT = "create-enrollment-token"
HELD = ("allocator-4", "allocator-5", "allocator-6", "allocator-8")
# Its cause and the next step, of each host
SAID = {
    "allocator-1": ("cannot use the container engine", "is it running, is its socket /var/run/docker.sock"),
    "allocator-2": ("ECE's containers run on it (frc-runners-runner)", "Nothing is to be cleaned up"),
    "allocator-3": ("left-overs of ECE on it: in /mnt/data/elastic: 192.0.2.7", "empty /mnt/data/elastic"),
    "allocator-4": (
        "misses a precondition (exit code 5)",
        "remove what it left (its containers, what is in the storage path)",
    ),
    "allocator-5": ("(exit code 125)", "The end of its log tells which: mend that"),
    "allocator-6": ("the host has not joined as it should within 5 s", "reaches the coordinators"),
    "allocator-7": ("this host has joined and is down", "Start its container engine"),
}


def test_the_run_that_was_killed_had_told_of_the_hosts_that_cannot_join(played):
    killed = played("killed")
    assert set(killed.failures) == {"allocator-1", "allocator-2", "allocator-3", "allocator-7"}
    assert killed.operations.count(MINT) == 1


def test_the_next_run_waits_for_the_installers_and_starts_none(played):
    again = played("again")
    assert MINT not in again.operations
    for name in HELD:
        assert "Wait until the installer has ended" in again.executed_on(name)
        assert "Start the installer" not in again.executed_on(name)


@pytest.mark.parametrize("faulty", SAID)
def test_each_says_its_cause_and_the_next_step(played, faulty):
    cause, next_step = SAID[faulty]
    said = played("again").failures[faulty]
    assert cause in said
    assert next_step in said


def test_the_end_of_the_installer_s_log_is_shown(played):
    assert "denied: requested access to the resource is denied" in played("again").failures["allocator-5"]


def test_the_healthy_one_joined_meanwhile(played):
    assert set(played("again").failures) == set(SAID)
    assert "1 of 8 hosts joined" in " ".join(played("again").stdout.split())


def test_the_search_sees_who_is_given_a_token(searches):
    # Their installers were held for a while.
    commands = [command for search in searches for command in search["commands"]]
    assert [command for command in commands if command.startswith("bash /var/lib/eceops/elastic-cloud-enterprise.sh")]
    assert [command for command in commands if "/usr/local/bin/docker" in command]


def test_the_run_after_mending_finishes(played, simulator, addresses):
    mended = played("mended")
    assert mended.failures == {}
    assert "4 of 4 hosts joined" in " ".join(mended.stdout.split())
    runners = {runner["host_ip"]: runner for runner in simulator.state()["runners"]}
    assert all(runners[addresses[name]]["connected"] for name in FLEET)


def test_the_installer_ran_as_often_as_it_had_to(host, name, runs):
    often = {"allocator-2": 0, "allocator-7": 0, "allocator-4": 2, "allocator-5": 2}
    assert len(runs(host)) == often.get(name, 1)


def test_ece_runs_on_the_host(host, running):
    assert "frc-runners-runner" in running(host)
