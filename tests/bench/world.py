# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured on: the simulator, hosts that are folders of this machine, and Ansible as its users run it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed import hosts, platforms
from testbed.hosts import DirectoryHost
from testbed.play import Result, Runner
from testbed.simulator import Simulator

TIMEOUT_SECONDS = 1800


class WrongResult(Exception):
    """What was measured did not do what it should: its time is worth nothing."""


@dataclass(frozen=True)
class Scale:
    """How much is measured: the number of paired ``runs``, and of what is in each."""

    runs: int
    rounds: int
    tokens: int
    single_tokens: int
    hosts: int
    fleets: tuple[int, ...]
    whole_role_fleets: tuple[int, ...]
    memory_hosts: int
    # Each operation as the first task of a run: that takes a run of Ansible for each.
    first_tasks: bool


FULL = Scale(5, 15, 1000, 20, 50, (50, 200, 1000, 5000), (20, 50, 100), 1000, first_tasks=True)
QUICK = Scale(1, 1, 200, 4, 2, (10, 500), (3, 8), 100, first_tasks=False)


class World:
    """A simulator, and the runs of Ansible against it: without the tests' shortcuts, unless it is tested itself."""

    def __init__(self, directory: Path, simulator: Simulator, collections_path: Path, shortcuts: bool) -> None:
        self.directory = directory
        self.simulator = simulator
        self.runner = Runner(collections_path, simulator, TIMEOUT_SECONDS, shortcuts)

    @classmethod
    @contextmanager
    def up(cls, shortcuts: bool = False) -> Iterator[World]:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            directory = Path(name)
            with Simulator.start(directory / "simulator") as simulator:
                world = cls(directory, simulator, Path(os.environ["TESTBED_COLLECTIONS_PATH"]), shortcuts)
                world.reset()
                yield world

    def reset(self) -> None:
        """A fresh installation."""
        self.simulator.reset()
        # An installation does not take that long to reply. That all keep to the description, the tests show.
        self.simulator.settings(checked=False)
        platforms.follow_installer(self.simulator)

    @contextmanager
    def hosts(self, count: int) -> Iterator[list[DirectoryHost]]:
        """So many hosts that are folders; they are removed, with all that still runs for them."""
        with ExitStack() as end:
            place = hosts.find_place()
            end.callback(place.rmdir)
            made = hosts.make_hosts(place, [f"host-{number}" for number in range(1, count + 1)], self.simulator)
            for host in made:
                end.callback(host.close)
            yield made

    def play(self, plays: Any, **kwargs: Any) -> Result:
        """Run a playbook that has to end well.

        Raises:
            WrongResult: where it does not.
        """
        result = self.runner.play(plays, **kwargs)
        expect(result.returncode == 0, f"the play failed:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
        return result

    def tasks(self, tasks: list[dict[str, Any]], **kwargs: Any) -> Result:
        """Run tasks on localhost, with the connection's options as module defaults; else as ``play``."""
        result = self.runner.tasks(tasks, **kwargs)
        expect(result.returncode == 0, f"the tasks failed:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
        return result


def expect(right: bool, otherwise: str) -> None:
    """Raise ``WrongResult``, with what is said otherwise, where something is not right."""
    if not right:
        raise WrongResult(otherwise)
