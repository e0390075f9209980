# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local connection of a host that is lost during one task, as its variable ``testbed_loss`` tells:

``task``   the name of the task
``after``  whether what was to be run there is run before the connection drops
``skip``   how many times the connection holds in that task
``times``  how often it drops then; null: to the end of the task
``until``  a file: it drops until that is there
``dies``   whether it is not the connection that ends, but what was run there: killed when it had done all, unheard
``note``   a file on this machine that gets a line each time

Nothing is lost where the variable is not set, or empty. Which task is running is read from what ``record`` has written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: dropping
short_description: A local connection that drops
description: For tests.
version_added: 0.1.0
author: The eceops.platform authors
options:
  loss:
    description: When it drops.
    type: dict
    default: {}
    vars:
      - name: testbed_loss
extends_documentation_fragment: [connection_pipelining]
"""

KILLED = 137  # a shell's word for an end by SIGKILL


class Connection(LocalConnection):
    transport = "dropping"
    _used = 0

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        loss: Any = self.get_option("loss")
        if not loss or not _running_task().endswith(loss["task"]):
            return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        # One of these objects serves a task, with all of its polls.
        self._used += 1
        number = self._used - loss.get("skip", 0)
        drops = number > 0 and (loss.get("times") is None or number <= loss["times"])
        drops = drops and not ("until" in loss and os.path.exists(loss["until"]))
        runs = not drops or loss.get("after") or loss.get("dies")
        outcome = super().exec_command(cmd, in_data, sudoable) if runs else None
        if not drops:
            return outcome
        with open(loss["note"], "a", encoding="utf-8") as note:
            note.write("dropped\n")
        if loss.get("dies"):
            return KILLED, b"", b"Killed\n"
        raise AnsibleConnectionFailure("the connection was dropped")

    def reset(self) -> None:
        self._connected = False


def _running_task() -> str:
    entries = map(json.loads, Path(os.environ["TESTBED_RECORD"]).read_text(encoding="utf-8").splitlines())
    return str([entry["begins"] for entry in entries if "begins" in entry][-1])
