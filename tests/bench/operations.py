# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One operation: the time of a task, against ``uri`` with the same request, and ``ping`` as the floor."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from testbed.play import Result

from .figures import FIRST_TASKS, Comparison
from .world import Scale, World, expect

TOKENS = "/api/v1/platform/configuration/security/enrollment-tokens"
PING, URI_MINT, URI_LIST = "ping", "uri, mint", "uri, list"
REQUESTS_ALONE = "a module that loads requests, no more"
HELD, MINT, STORED, INFO = (
    "ece_roles_token, a token held",
    "ece_roles_token, mint",
    "ece_roles_token, persistent and stored",
    "ece_roles_token_info",
)
# From Python 3.13 on, uri cannot check a certificate of ECE's own CA, whose basicConstraints are not critical.
URI_CAN_CHECK = sys.version_info < (3, 13)
LIBRARY = {"ANSIBLE_LIBRARY": str(Path(__file__).with_name("library"))}
ANOTHER = {"name": "another", "ansible.builtin.stat": {"path": "/"}}
MOST_WITHOUT_REQUEST = 1.05
MOST_WITH_REQUEST = 1.35
# What is compared with what, and how much of that it may take
AIMS = {
    (HELD, PING): MOST_WITHOUT_REQUEST,
    (MINT, PING): MOST_WITH_REQUEST,
    (MINT, URI_MINT): 1.0,
    (STORED, PING): MOST_WITH_REQUEST,
    (STORED, URI_LIST): 1.0,
    (INFO, PING): MOST_WITH_REQUEST,
    (INFO, URI_LIST): 1.0,
    (URI_MINT, PING): None,
    (URI_LIST, PING): None,
    (REQUESTS_ALONE, PING): None,
}
REQUESTS = {MINT: "mint", URI_MINT: "mint", STORED: "list", INFO: "list", URI_LIST: "list"}


def uri(**options: Any) -> dict[str, Any]:
    """What one writes to ask the API without a module for it."""
    return {
        "ansible.builtin.uri": {
            "url": "{{ ece_api.url }}" + TOKENS,
            "user": "{{ ece_api.username }}",
            "password": "{{ ece_api.password }}",
            "force_basic_auth": True,
            "ca_path": "{{ ece_api.ca_path }}",
            "validate_certs": URI_CAN_CHECK,
            **options,
        },
        "no_log": True,
    }


def operations(world: World) -> dict[str, dict[str, Any]]:
    """The task of each, with an ephemeral and a persistent token that the installation knows."""
    held = world.simulator.mint_ephemeral(["allocator"], 3600)
    (stored,) = world.simulator.seed_tokens(["proxy"])
    token = {"roles": ["allocator"]}
    persistent = {"roles": ["proxy"], "persistent": True, "token": stored["token"]}
    body = {"persistent": False, "roles": ["allocator"]}
    return {
        PING: {"ansible.builtin.ping": {}},
        HELD: {"eceops.platform.ece_roles_token": {**token, "token": held}, "no_log": True},
        MINT: {"eceops.platform.ece_roles_token": token, "no_log": True},
        URI_MINT: uri(method="POST", body_format="json", body=body, return_content=True),
        STORED: {"eceops.platform.ece_roles_token": persistent, "no_log": True},
        INFO: {"eceops.platform.ece_roles_token_info": {}},
        URI_LIST: uri(return_content=True),
        REQUESTS_ALONE: {"requests_alone": {}},
    }


def measure(world: World, scale: Scale) -> list[Comparison]:
    """In turn, ``rounds`` times in each of ``runs``; and with ``first_tasks`` each once in a run of its own."""
    again: dict[tuple[str, str], list[float]] = {}
    first: dict[tuple[str, str], list[float]] = {}
    for _run in range(scale.runs):
        by_turns = in_turn(world, scale.rounds)
        alone = each_alone(world) if scale.first_tasks else None
        for ours, theirs in AIMS:
            ratios = [a / b for a, b in zip(by_turns[ours], by_turns[theirs], strict=True)]
            again.setdefault((ours, theirs), []).append(median(ratios))
            if alone:
                first.setdefault((ours, theirs), []).append(alone[ours] / alone[theirs])
    return [
        *(Comparison("one operation", *pair, ratios, AIMS[pair]) for pair, ratios in again.items()),
        *(Comparison(FIRST_TASKS, *pair, ratios) for pair, ratios in first.items()),
    ]


def in_turn(world: World, rounds: int) -> dict[str, list[float]]:
    """The seconds of each operation, round by round; what Ansible does once in a run is done by a round before."""
    world.reset()
    made = operations(world)
    tasks = [{"name": name, **task} for _round in range(rounds + 1) for name, task in made.items()]
    result = world.tasks(tasks, env=LIBRARY)
    check(world, [result], rounds + 1)
    return {name: [seconds for task, seconds in result.durations if task == name][1:] for name in made}


def each_alone(world: World) -> dict[str, float]:
    """The seconds of each operation in a run of its own, which has to pack it, after another module's task."""
    world.reset()
    made = operations(world)
    results = {name: world.tasks([ANOTHER, {"name": name, **task}], env=LIBRARY) for name, task in made.items()}
    check(world, list(results.values()), 1)
    return {name: result.durations[-1][1] for name, result in results.items()}


def check(world: World, results: list[Result], times: int) -> None:
    """Each has sent the one request that it is about, as often as it ran, and no other."""
    names = {"get-enrollment-tokens": "list", "create-enrollment-token": "mint"}
    sent = Counter(names.get(operation or "", operation) for result in results for operation in result.operations)
    wanted = {name: count * times for name, count in Counter(REQUESTS.values()).items()}
    expect(sent == wanted, f"{dict(sent)} requests instead of {wanted}")
    minted = world.simulator.state()["minted"]
    expect(
        minted == {"ephemeral": wanted["mint"], "persistent": 0}, f"minted were {minted} instead of {wanted['mint']}"
    )
