# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""While a playbook runs, search for secrets in the test world of the folder ``MOLECULE_WORLD``; see ``testbed.search``.

A process of its own searches, which ends when this one does, killed or not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: search
type: notification
short_description: Search for secrets while a playbook runs
description:
  - Searches the hosts of the project's test world, and the controller, for secrets.
author:
  - the eceops.platform authors
requirements:
  - environment variable E(MOLECULE_WORLD)
"""
# The world itself is made and unmade by these.
NOT_SEARCHED = ("create.yml", "destroy.yml", "prepare.yml")
END_TIMEOUT_SECONDS = 60


class CallbackModule(CallbackBase):
    """One search for each playbook."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "search"
    CALLBACK_NEEDS_ENABLED = True

    _process: subprocess.Popen[bytes] | None = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        if Path(playbook._file_name).name not in NOT_SEARCHED:
            world = os.environ["MOLECULE_WORLD"]
            # A search that fails is one that was begun and has told nothing.
            with open(f"{world}/searched.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps({"begun": playbook._file_name}) + "\n")
            command = [sys.executable, "-m", "testbed.search", "--dir", world]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._process:
            self._process.communicate(timeout=END_TIMEOUT_SECONDS)
