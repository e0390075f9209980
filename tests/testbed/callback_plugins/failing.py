# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fail in every hook, as a callback with a defect does, with what it was given in the message, which Ansible prints."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: failing
type: notification
short_description: Fail in every hook
description:
  - Fails at each event of a playbook, and says what it was given.
author:
  - the eceops.platform authors
"""


class CallbackModule(CallbackBase):
    """See above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "failing"
    CALLBACK_NEEDS_ENABLED = True


def _fail(self: CallbackModule, *given: Any, **named: Any) -> None:
    # Of a task's result, what Ansible lets a callback see; of the rest, such as the playbook, what it prints as.
    seen = [getattr(item, "_result", item) for item in [*given, *named.values()]]
    raise RuntimeError(f"this callback always fails, and was given {seen}")


for _hook in [name for name in dir(CallbackBase) if name.startswith("v2_")]:
    setattr(CallbackModule, _hook, _fail)
