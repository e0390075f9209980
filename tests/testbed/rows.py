# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of a table as the tasks of one play, each on an installation that was made ready for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .play import Result, Runner


@dataclass(frozen=True)
class Outcome:
    """What came of a row: ``result`` of the module's task, what the simulator says after it."""

    task: str
    seconds: float
    failed: bool
    result: dict[str, Any]
    journal: list[dict[str, Any]]
    state: dict[str, Any]
    violations: list[dict[str, Any]]

    @property
    def operations(self) -> list[str]:
        return [entry["operation"] for entry in self.journal]

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))

    def token_ids(self, roles: list[str]) -> list[str]:
        """The ids of the persistent tokens with these roles, sorted."""
        return sorted(token["token_id"] for token in self.state["tokens"] if token["roles"] == roles)


def run_rows(
    runner: Runner, folder: Path, tasks: list[dict[str, Any]], orders: dict[str, list[list[Any]]], **plan: Any
) -> tuple[dict[str, Outcome], Result]:
    """Run tasks that have names of their own, and may fail; the outcome of each, and the run.

    ``orders`` and ``plan``: what ``callback_plugins/rows.py`` takes. ``folder``: where its files may lie.
    """
    outcomes = folder / "outcomes.jsonl"
    plan |= {"control_url": runner.simulator.control_url, "orders": orders, "outcomes": str(outcomes)}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    environment = {
        "TESTBED_ROWS": str(folder / "plan.json"),
        "ANSIBLE_CALLBACKS_ENABLED": "record, rows",
        # Where no name server answers, this is known soon.
        "RES_OPTIONS": "timeout:1 attempts:1",
    }
    # A row that fails, as most are to, may not keep the next ones from being run; what it came to is asserted by row.
    result = runner.tasks([{**task, "ignore_errors": True} for task in tasks], env=environment)
    read = [Outcome(**json.loads(line)) for line in outcomes.read_text(encoding="utf-8").splitlines()]
    return {outcome.task: outcome for outcome in read}, result
