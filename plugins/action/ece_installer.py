# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for an installer on the controller's side: no line of output for each poll, across dropped connections."""

from __future__ import annotations

import time
import typing as t
from contextlib import suppress

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.eceops.platform.plugins.module_utils._runner import growing_pauses

display = Display()

DEFAULT_WAIT_TIMEOUT = 1800


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        del tmp  # it is no longer used
        try:
            wait_timeout = int(self._task.args.get("wait_timeout", DEFAULT_WAIT_TIMEOUT))
        except (TypeError, ValueError):
            raise AnsibleActionFail("wait_timeout must be a number of seconds.") from None
        waits = self._task.args.get("state") == "finished" and not self._task.check_mode
        deadline = time.monotonic() + wait_timeout
        for pause in growing_pauses():
            answer = self._ask(task_vars)
            if (
                not waits
                or answer.get("finished")
                or (answer.get("failed") and "finished" not in answer and not answer.get("unreachable"))
            ):
                return {**result, **answer}
            if time.monotonic() + pause > deadline:
                return {**result, **answer, "failed": True, "msg": _too_long(answer)}
            time.sleep(pause)
        raise AssertionError("the pauses have no end")

    def _ask(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """What the module says, or that the host cannot be reached now, which is no failure while it is waited for."""
        try:
            answer = self._execute_module(module_name="eceops.platform.ece_installer", task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            # A failure, not Ansible's "unreachable": it says what is known, and a rescue follows it.
            state = self._task.args.get("state")
            if self._task.check_mode:
                return {"failed": True, "msg": _lost_in_check_mode(error)}
            if state == "started":
                return {"failed": True, "msg": _lost_at_start(error)}
            if state != "finished":
                raise
            answer = {"unreachable": True, "msg": str(error)}
        if answer.get("unreachable"):
            display.vvv(f"{self._play_context.remote_addr}: not within reach, asked again later")
            reset = getattr(self._connection, "reset", None)
            if reset:
                with suppress(AnsibleConnectionFailure):  # it is dropped already
                    reset()
        return dict(answer)


def _too_long(answer: dict[str, t.Any]) -> str:
    again = "run this again, with a longer ece_host_install_timeout (wait_timeout of the module) if need be."
    if answer.get("unreachable"):
        return (
            f"The host is out of reach, and was so at the end: {answer.get('msg')} The next run finds "
            f"the installer as it is then: {again}"
        )
    return f"The installer has not ended in time. It is left running, and the next run waits for it: {again}"


def _lost_in_check_mode(error: AnsibleConnectionFailure) -> str:
    return f"Nothing was done, as the host is out of reach. Run this again when it is within reach. The cause: {error}"


def _lost_at_start(error: AnsibleConnectionFailure) -> str:
    return (
        "The connection was lost while the installer was being started, and whether it was is not known. Run this "
        "again when the host is within reach: an installer that runs is waited for, and is not started twice. The "
        f"cause: {error}"
    )
