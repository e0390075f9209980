# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong, and what comes of it: modules and role through Ansible, over HTTPS, against the simulator."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testbed.play import Runner
from testbed.rows import Outcome
from testbed.rows import run_rows as run_tasks
from testbed.simulator import Simulator

from . import api_table

pytest_plugins = ["testbed.fixtures"]

# Dozens of rows, some of which wait for a reply in vain
PLAY_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Rows:
    """All rows of one request, which ran as the tasks of one play."""

    outcomes: dict[str, Outcome]
    output: str
    leaks: list[str]


@pytest.fixture(scope="session")
def silent_port() -> Iterator[int]:
    """A port of loopback whose queue is full: what asks for a connection there gets no answer, as behind a firewall
    that drops packets."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _place in range(2):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def run_rows(
    running_simulator: Simulator, closed_port: int, silent_port: int, tmp_path: Path
) -> Callable[[api_table.Request], Rows]:
    """Runs all rows of a request."""
    words = {
        "closed_port": closed_port,
        "silent_port": silent_port,
        "control_address": running_simulator.control_url.removeprefix("http://"),
    }

    def run(request: api_table.Request) -> Rows:
        rows = api_table.rows(request)
        runner = Runner(Path(os.environ["TESTBED_COLLECTIONS_PATH"]), running_simulator, PLAY_TIMEOUT_SECONDS)
        tasks = [_task(row, words) for row in rows]
        outcomes, result = run_tasks(runner, tmp_path, tasks, {row.name: row.orders for row in rows})
        # So begins every token.
        beginning = running_simulator.mint_ephemeral([], 60).partition(".")[0]
        leaks = result.find([running_simulator.password, beginning])
        return Rows(outcomes, result.stdout + result.stderr, leaks)

    return run


def _task(row: api_table.Row, words: dict[str, Any]) -> dict[str, Any]:
    connection = {name: value.format(**words) for name, value in row.fault.options.items()}
    return {
        "name": row.name,
        f"eceops.platform.{row.request.module}": {**row.options, **connection},
        "environment": {name: value.format(**words) for name, value in row.fault.environment.items()},
    }
