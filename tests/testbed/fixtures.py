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
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import hosts, platforms
from .play import Runner
from .simulator import Simulator


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
