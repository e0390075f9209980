# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write each result of a task as JSON, as it comes, to the file that ``TESTBED_DUMP`` names: one event a line.

As a JSON callback does, or one that sends results to a service. ``record`` is the tests' own and writes where nobody
searches; this one writes where it is searched, and all events: those of items, of retries and of diffs, too.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: dump
type: notification
short_description: Write all results as JSON
description:
  - Writes what each event of a playbook hands to a callback as JSON lines.
author:
  - the eceops.platform authors
requirements:
  - environment variable E(TESTBED_DUMP)
"""


class CallbackModule(CallbackBase):
    """See above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "dump"
    CALLBACK_NEEDS_ENABLED = True

    def v2_on_any(self, *given: Any, **named: Any) -> None:
        seen = [getattr(item, "_result", item) for item in [*given, *named.values()]]
        with open(os.path.expandvars(os.environ["TESTBED_DUMP"]), "a", encoding="utf-8") as file:
            file.write(json.dumps(seen, default=str) + "\n")
