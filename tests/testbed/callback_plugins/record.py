# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write what each task gave, and when, to the file that ``TESTBED_RECORD`` names, one JSON object a line.

A callback is handed what Ansible lets it see: of a ``no_log`` task ``censored`` and ``changed`` only, of options that a
module declares ``no_log`` the masked ``invocation`` (which 2.21 leaves out altogether unless
``ANSIBLE_INJECT_INVOCATION`` is set). So an absence of secrets here says nothing of output and files: ``Result.find``
does. From 2.19 on, for one, the output shows a failed ``no_log`` task's ``msg``.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Record results for the project's tests
description:
  - Writes the result of each task and host, and the recap, as JSON lines.
author:
  - the eceops.platform authors
requirements:
  - environment variable E(TESTBED_RECORD)
"""


# What needs no host
CONTROLLERS_OWN = frozenset(
    f"ansible.builtin.{name}"
    for name in ("assert", "debug", "fail", "include_role", "include_tasks", "set_fact", "validate_argument_spec")
)


class CallbackModule(CallbackBase):
    """Results in the order in which they come; of loops and retries the whole task's only."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._write({"playbook": playbook._file_name})

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._write({"begins": task.get_name()})

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record(result, "skipped")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result, "unreachable")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write({"stats": {host: stats.summarize(host) for host in sorted(stats.processed)}})

    def _record(self, result: Any, status: str) -> None:
        task = result._task
        host = result._host.get_name()
        action = task.resolved_action or task.action
        on = task.delegate_to or host  # of a loop, which may have several, as the task has it
        self._write(
            {
                "host": host,
                "on": None if status == "skipped" or action in CONTROLLERS_OWN else on,
                "task": task.get_name(),
                "action": action,
                "status": status,
                "result": result._result,
            }
        )

    def _write(self, entry: dict[str, Any]) -> None:
        entry["at"] = time.time()
        with open(os.environ["TESTBED_RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(entry, default=str) + "\n")
