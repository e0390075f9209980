# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenarios of Molecule assert with, as a plugin of pytest: the installation, and each playbook that has run.

``MOLECULE_WORLD`` is the folder of the test world.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .play import Result
from .search import CONTROLLER, RESULT
from .simulator import Simulator

WORLD = Path(os.environ["MOLECULE_WORLD"])
ENGINE_RUNS = "/opt/engine/runs.jsonl"
SEARCH_TIMEOUT_SECONDS = 60


@pytest.fixture
def simulator() -> Simulator:
    """The installation, as the scenario has left it."""
    return Simulator.attach(WORLD)


@pytest.fixture
def played() -> Callable[[str], Result]:
    """What a playbook gave that ``playbooks/tasks/play.yml`` ran, by its name: its tasks' results, the API's journal,
    and its output (``stdout``)."""

    def read(name: str) -> Result:
        folder = WORLD / CONTROLLER
        result = Result(-1, (folder / f"{name}.txt").read_text(encoding="utf-8"), "")
        result.read(folder / f"{name}.jsonl")
        result.journal = json.loads((folder / f"{name}.journal.json").read_text(encoding="utf-8"))["requests"]
        return result

    return read


@pytest.fixture
def record() -> Result:
    """The results of all tasks of Molecule's own playbooks, converge among them."""
    result = Result(-1, "", "")
    result.read(WORLD / CONTROLLER / "record.jsonl")
    return result


@pytest.fixture
def addresses() -> dict[str, str]:
    """The addresses of the fleet's hosts, by name."""
    inventory = json.loads((WORLD / "hosts.yml").read_text(encoding="utf-8").removeprefix("---"))
    return {name: variables["ece_host_ip"] for name, variables in inventory["all"]["hosts"].items()}


@pytest.fixture
def name(host: Any) -> str:
    """That of a host of testinfra's, in the inventory."""
    return str(host.check_output("hostname"))


@pytest.fixture
def log() -> str:
    """The controller's log file."""
    return (WORLD / CONTROLLER / "ansible.log").read_text(encoding="utf-8")


@pytest.fixture
def runs() -> Callable[[Any], list[dict[str, Any]]]:
    """Each time that the installation image was started on a host of testinfra's; see ``DirectoryHost.runs``."""

    def read(host: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in host.file(ENGINE_RUNS).content_string.splitlines()]

    return read


@pytest.fixture
def searches() -> list[dict[str, Any]]:
    """What ``testbed.search`` has found, while each of the playbooks ran.

    The one of a playbook that was killed ends a moment later. They are waited for.
    """
    end = time.monotonic() + SEARCH_TIMEOUT_SECONDS
    while True:
        lines = [json.loads(line) for line in (WORLD / RESULT).read_text(encoding="utf-8").splitlines()]
        begun = [line["begun"] for line in lines if "begun" in line]
        results = [line for line in lines if "looks" in line]
        if len(results) == len(begun):
            return results
        assert time.monotonic() < end, f"{len(begun)} searches were begun ({begun}), {len(results)} have ended well"
        time.sleep(0.1)


@pytest.fixture
def running() -> Callable[[Any], list[str]]:
    """The names of the containers that run on a host of testinfra's."""
    return lambda host: str(host.check_output("docker ps --format '{{.Names}}'")).split()
