# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory: the peak of the controller in a second run, and of a module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from testbed.play import Result

from . import steady_state
from .figures import Memory
from .operations import HELD, INFO, PING, URI_LIST, operations
from .world import Scale, World, expect

PRELOADED = Path(__file__).with_name("preloaded")


def measure(world: World, scale: Scale) -> list[Memory]:
    world.reset()
    controller = f"controller, add_hosts over {scale.memory_hosts} connected hosts"
    fleet = steady_state.connect(world, scale.memory_hosts)
    made = operations(world)
    chosen = {name: made[name] for name in (PING, HELD, INFO, URI_LIST)}
    runners = f"ece_runner_info, {scale.memory_hosts} runners"
    chosen[runners] = {"eceops.platform.ece_runner_info": {}}
    peaks: dict[str, list[float]] = {name: [] for name in (controller, *chosen)}
    for _run in range(scale.runs):
        result, programs = run(world, steady_state.ADD_HOSTS, inventory=fleet)
        steady_state.check(result, scale.memory_hosts)
        peaks[controller].append(max(peak for _program, peak in programs))
        _result, programs = run(world, list(chosen.values()))
        modules = [peak for program, peak in programs if program != "ansible-playbook"]
        expect(len(modules) == len(chosen), f"{len(modules)} modules ran for {len(chosen)} tasks")
        for name, peak in zip(chosen, modules, strict=True):
            peaks[name].append(peak)
    return [Memory(name, mib) for name, mib in peaks.items()]


def run(world: World, plays: Any, **kwargs: Any) -> tuple[Result, list[tuple[str, float]]]:
    """Run it: the name of each Python program, and its peak in MiB."""
    written = world.directory / "memory.jsonl"
    written.write_text("")
    env = {"PYTHONPATH": str(PRELOADED), "BENCH_MEMORY": str(written)}
    result = (world.tasks if isinstance(plays, list) else world.play)(plays, env=env, **kwargs)
    lines = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    return result, [(line["program"], line["kib"] / 1024) for line in lines]
