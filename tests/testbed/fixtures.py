# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world as pytest fixtures: ``pytest_plugins = ["testbed.fixtures"]``.

``TESTBED_COLLECTIONS_PATH`` names the folder that holds ``ansible_collections`` with the installed artifact.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from . import hosts, platforms
from .play import Result, Runner
from .simulator import Simulator


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """A port of loopback on which nothing listens, and nobody else will."""
    with closing(socket.socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture(scope="session")
def running_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One for the whole session (and worker); tests use ``simulator``."""
    with Simulator.start(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Simulator]:
    """A fresh installation. The test fails if it, or what it ran, broke the OpenAPI description."""
    running_simulator.reset()
    yield running_simulator
    assert running_simulator.violations() == []


@pytest.fixture
def run(simulator: Simulator) -> Runner:
    """Runs Ansible from the built artifact against the fresh installation."""
    return Runner(Path(os.environ["TESTBED_COLLECTIONS_PATH"]), simulator)


@pytest.fixture
def make_hosts(simulator: Simulator) -> Iterator[Callable[..., list[hosts.DirectoryHost]]]:
    """Makes hosts that are folders: ``make_hosts(3)``, or by name ``make_hosts("a", "b")``; ``python``: what Ansible's
    modules run on there. They are removed, with all that still runs for them."""
    platforms.follow_installer(simulator)
    with ExitStack() as end:
        place = hosts.find_place()
        end.callback(shutil.rmtree, place)
        numbers = itertools.count(1)

        def make(*wanted: str | int, **options: str) -> list[hosts.DirectoryHost]:
            names = [f"host-{next(numbers)}" for _host in range(wanted[0])] if isinstance(wanted[0], int) else wanted
            made = hosts.make_hosts(place, map(str, names), simulator, **options)
            for host in made:
                end.callback(host.close)
            return made

        yield make


@pytest.fixture
def join(run: Runner, make_hosts: Callable[..., list[hosts.DirectoryHost]]) -> Callable[..., Any]:
    """Hosts by name, with variables: `hosts, join = join({"a": ALLOCATOR})`; `join()` runs the role on them."""

    def prepare(
        variables: dict[str, dict[str, Any]], **options: str
    ) -> tuple[dict[str, hosts.DirectoryHost], Callable[..., Result]]:
        made = {host.name: host for host in make_hosts(*variables, **options)}

        def play(*args: str, serial: int | None = None, **kwargs: Any) -> Result:
            entries = {name: {**host.variables, **variables[name]} for name, host in made.items()}
            play: dict[str, Any] = {"hosts": "all", "gather_facts": False, "roles": ["eceops.platform.ece_host"]}
            if serial:
                play["serial"] = serial
            return run.play([play], *args, inventory={"all": {"hosts": entries}}, **kwargs)

        return made, play

    return prepare
