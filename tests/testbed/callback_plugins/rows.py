# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run each task of a play on an installation of its own: as if each were a play, without what starting Ansible costs.

``TESTBED_ROWS`` names a JSON file: ``control_url``; ``orders``, by a task's name the calls of the simulator's control
interface that are to be made before it, each ``[method, path, body]``; ``tokens``, where it is set, the ids of the
persistent tokens that are left before it, all others being taken away; ``outcomes``, a file to which a line of JSON is
added after each task: ``task``, ``seconds``, ``failed``, ``result``, and the simulator's ``journal``, ``state`` and
``violations``.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: rows
type: notification
short_description: Prepare the simulator before each task, and look at it afterwards
description:
  - Runs each task of a play on an installation of its own.
author:
  - the eceops.platform authors
requirements:
  - environment variable E(TESTBED_ROWS)
"""
TIMEOUT_SECONDS = 30


class CallbackModule(CallbackBase):
    """For a play on one host, whose tasks have names of their own."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "rows"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: Any) -> None:
        # Here, as each run reads this file, whether it is enabled or not.
        import requests

        with open(os.environ["TESTBED_ROWS"], encoding="utf-8") as file:
            self._plan = json.load(file)
        self._session = requests.Session()
        self._session.trust_env = False

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if "tokens" in self._plan:
            for token in self._call("GET", "/state")["tokens"]:
                if token["token_id"] not in self._plan["tokens"]:
                    self._call("DELETE", f"/tokens/{token['token_id']}")
        for method, path, body in self._plan["orders"][task.get_name()]:
            self._call(method, path, body)
        self._begin = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._note(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._note(result, failed=True)

    def _note(self, result: Any, failed: bool) -> None:
        outcome = {
            "task": result._task.get_name(),
            "seconds": time.monotonic() - self._begin,
            "failed": failed,
            "result": result._result,
            "journal": self._call("GET", "/journal")["requests"],
            "state": self._call("GET", "/state"),
            "violations": self._call("GET", "/violations"),
        }
        with open(self._plan["outcomes"], "a", encoding="utf-8") as file:
            file.write(json.dumps(outcome, default=str) + "\n")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._session.request(method, self._plan["control_url"] + path, json=body, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return response.json()
