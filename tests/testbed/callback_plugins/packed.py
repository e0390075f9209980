# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the modules that Ansible has packed in the folder ``TESTBED_PACKED``, where that is set.

Ansible packs each module, with all that it imports, once a run, and keeps it as long as that lasts; this is as if the
runs before were part of it. No options of a task are in there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: packed
type: notification
short_description: Use packed modules again in the next run
description:
  - Keeps the modules that Ansible has packed.
author:
  - the eceops.platform authors
"""
UNFINISHED = (".lock", "-part")


class CallbackModule(CallbackBase):
    """See above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "packed"
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        self.disabled = "TESTBED_PACKED" not in os.environ

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._kept = Path(os.environ["TESTBED_PACKED"])
        self._own = Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")
        # A run may have several playbooks.
        self._own.mkdir(exist_ok=True)
        for module in self._kept.iterdir():
            if not module.name.endswith(UNFINISHED) and not (self._own / module.name).exists():
                (self._own / module.name).symlink_to(module)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        for module in self._own.iterdir():
            if not module.is_symlink() and not module.name.endswith(UNFINISHED):
                # Whole, at once: another run may look at any time.
                part = self._kept / f"{module.name}.{os.getpid()}-part"
                shutil.copy(module, part)
                part.rename(self._kept / module.name)
