# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bulk clean-up: the time for each token of one task that revokes a thousand, against a loop of ``uri``."""

from __future__ import annotations

from testbed.play import Result

from .figures import Comparison
from .operations import TOKENS, uri
from .world import Scale, World, expect

MOST = 0.01


def measure(world: World, scale: Scale) -> list[Comparison]:
    ratios = [
        revoke_by_one_task(world, scale.tokens) / revoke_by_uri(world, scale.single_tokens)
        for _run in range(scale.runs)
    ]
    ours = f"{scale.tokens} tokens by one task"
    return [Comparison("bulk clean-up", ours, f"a loop of uri, for each of {scale.single_tokens}", ratios, MOST)]


def revoke_by_one_task(world: World, count: int) -> float:
    """The seconds that each token takes."""
    ids = seed(world, count)
    task = {"eceops.platform.ece_roles_token": {"state": "absent", "token_ids": ids}}
    result = world.tasks([task])
    check(world, result, ids)
    expect(len({entry["connection"] for entry in result.journal}) == 1, "not all over one connection")
    return result.durations[0][1] / count


def revoke_by_uri(world: World, count: int) -> float:
    """The seconds that each token takes."""
    ids = seed(world, count)
    url = "{{ ece_api.url }}" + TOKENS + "/{{ item }}"
    result = world.tasks([{**uri(url=url, method="DELETE"), "loop": ids}])
    check(world, result, ids)
    return result.durations[0][1] / count


def seed(world: World, count: int) -> list[str]:
    world.reset()
    return [token["token_id"] for token in world.simulator.seed_tokens(["proxy"], count)]


def check(world: World, result: Result, ids: list[str]) -> None:
    left = world.simulator.token_ids() & set(ids)
    expect(not left, f"{len(left)} of {len(ids)} tokens are left")
    deletions = [entry for entry in result.journal if entry["operation"] == "delete-enrollment-token"]
    expect(len(deletions) == len(ids), f"{len(deletions)} requests for {len(ids)} tokens")
