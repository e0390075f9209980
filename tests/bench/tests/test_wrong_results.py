# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wrong result ends the benchmark: what it measures is really done. Small runs, against the simulator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import cleanup, joining, operations, steady_state
from bench.world import QUICK, World, WrongResult
from testbed.play import Result

pytestmark = pytest.mark.oldest


@pytest.fixture
def world() -> Iterator[World]:
    with World.up(shortcuts=True) as world:
        yield world


def test_a_token_that_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the task had been given one less
    monkeypatch.setattr(world, "tasks", lambda tasks, tasks_of=world.tasks: tasks_of(without_one_id(tasks)))
    with pytest.raises(WrongResult, match="1 of 3 tokens are left"):
        cleanup.revoke_by_one_task(world, 3)


def without_one_id(tasks: list[dict[str, dict[str, object]]]) -> list[dict[str, dict[str, object]]]:
    options = tasks[0]["eceops.platform.ece_roles_token"]
    ids = options["token_ids"]
    assert isinstance(ids, list)
    return [{"eceops.platform.ece_roles_token": {**options, "token_ids": ids[1:]}}]


def test_a_host_that_has_not_joined(world: World) -> None:
    def forget(world: World, fleet: list[joining.DirectoryHost]) -> joining.Result:
        result = joining.by_the_role(world, fleet)
        world.simulator.remove_runner(fleet[0].ip)
        return result

    with world.hosts(1) as fleet, pytest.raises(WrongResult, match=r"not joined: \['host-1'\]"):
        joining.join(world, fleet, forget, tokens=1)


def test_another_number_of_tokens_than_is_said(world: World) -> None:
    with world.hosts(2) as fleet, pytest.raises(WrongResult, match="'ephemeral': 2.* instead of 1 tokens"):
        joining.join(world, fleet, joining.by_single_tasks, tokens=1)


def test_a_host_that_is_not_connected(world: World) -> None:
    fleet = steady_state.connect(world, 2)
    world.simulator.put_runner("10.0.0.1", connected=False)
    with pytest.raises(WrongResult, match="the play failed"):
        world.play(steady_state.ADD_HOSTS, inventory=fleet)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"stats": {"host-1": {"changed": 1, "failures": 0}}}, "changed something on ..host-1"),
        ({"results": [{"on": "host-2", "result": {}}]}, "did something on ..host-2"),
        ({"journal": [{"operation": "get-runners"}] * 3}, "3 requests for 50 hosts"),
        ({"journal": []}, "0 requests for 50 hosts"),
    ],
)
def test_a_second_run_that_does_something(wrong: dict[str, object], says: str) -> None:
    right = Result(0, "", "", journal=[{"operation": "get-runners"}])
    assert steady_state.check(right, 50) == 1
    with pytest.raises(WrongResult, match=says):
        steady_state.check(replace(right, **wrong), 50)


def test_a_request_that_is_not_meant(world: World) -> None:
    results = [world.tasks([{"eceops.platform.ece_roles_token_info": {}}])]
    with pytest.raises(WrongResult, match="requests instead of"):
        operations.check(world, results, 1)


def test_the_command_says_it_and_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def wrong(scale: object) -> None:
        assert scale is QUICK
        raise WrongResult("3 of 5 tokens are left")

    monkeypatch.setattr(command, "measure", wrong)
    monkeypatch.setattr(sys, "argv", ["bench", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="3 of 5 tokens are left"):
        command.main()
    assert not (tmp_path / "out").exists()
