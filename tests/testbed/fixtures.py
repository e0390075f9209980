# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world as pytest fixtures: ``pytest_plugins = ["testbed.fixtures"]``.

``TESTBED_COLLECTIONS_PATH`` names the folder that holds ``ansible_collections`` with the installed artifact.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
