# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the action plugin waits: how often it asks, what it takes for an end, when it gives up. The clock is a fake."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.eceops.platform.plugins.action import ece_installer

RUNNING = {"finished": False, "exit_code": None}
ENDED = {"finished": True, "exit_code": 0}
FAILED = {"finished": True, "exit_code": 1, "failed": True, "msg": "The installer failed."}
DROPPED = AnsibleConnectionFailure("dropped")


@pytest.fixture
def act(monkeypatch):
    """Runs the plugin against these answers of the module, one a poll; the last one stays."""

    def act(*answers, check_mode=False, **args):
        clock = SimpleNamespace(now=0.0, pauses=[], asked=0, resets=0)

        def sleep(seconds):
            clock.pauses.append(seconds)
            clock.now += seconds

        def execute(self, module_name, task_vars):
            assert module_name == "eceops.platform.ece_installer"
            answer = answers[min(clock.asked, len(answers) - 1)]
            clock.asked += 1
            if isinstance(answer, Exception):
                raise answer
            return answer

        def reset():
            clock.resets += 1

        monkeypatch.setattr(ece_installer.time, "monotonic", lambda: clock.now)
        monkeypatch.setattr(ece_installer.time, "sleep", sleep)
        monkeypatch.setattr(ece_installer.ActionModule, "_execute_module", execute)
        monkeypatch.setattr(ece_installer.ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
        plugin = ece_installer.ActionModule.__new__(ece_installer.ActionModule)
        plugin._task = SimpleNamespace(args={"state": "finished", **args}, check_mode=check_mode)
        plugin._connection = SimpleNamespace(reset=reset)
        plugin._play_context = SimpleNamespace(remote_addr="host")
        return plugin.run(), clock

    return act


def test_it_asks_until_the_installer_has_ended(act):
    result, clock = act(RUNNING, RUNNING, RUNNING, ENDED)
    assert result == ENDED
    assert clock.asked == 4
    assert clock.pauses == [1, 1.5, 2.25]


def test_pauses_grow_to_ten_seconds(act):
    _result, clock = act(RUNNING)
    assert max(clock.pauses) == 10
    assert clock.pauses == sorted(clock.pauses)
    assert 1790 < clock.now <= 1800


def test_an_installer_that_failed_is_a_failure_at_once(act):
    result, clock = act(FAILED)
    assert result == FAILED
    assert clock.asked == 1


def test_a_module_that_failed_otherwise_is_not_asked_again(act):
    result, clock = act({"failed": True, "msg": "No installer was started on this host."})
    assert result["failed"]
    assert clock.asked == 1


@pytest.mark.parametrize("dropped", [DROPPED, {"unreachable": True, "msg": "dropped"}])
def test_a_dropped_connection_is_asked_over_again(act, dropped):
    result, clock = act(RUNNING, dropped, dropped, ENDED)
    assert result == ENDED
    assert clock.asked == 4
    assert clock.resets == 2


def test_an_installer_that_takes_too_long_is_left_running(act):
    result, clock = act(RUNNING, wait_timeout=5)
    assert result["failed"]
    assert "has not ended in time. It is left running" in result["msg"]
    assert clock.now <= 5


def test_a_host_that_stays_out_of_reach_is_said_to_be(act):
    result, _clock = act(RUNNING, DROPPED, wait_timeout="5")
    assert result["unreachable"]
    assert result["failed"]
    assert "out of reach" in result["msg"]
    assert "dropped" in result["msg"]


def test_a_start_is_tried_once(act):
    result, clock = act(RUNNING, state="started")
    assert result == RUNNING
    assert clock.asked == 1


def test_a_connection_that_drops_at_the_start_is_a_failure_that_says_what_is_known(act):
    result, clock = act(DROPPED, state="started")
    assert clock.asked == 1
    assert result["failed"]
    assert "unreachable" not in result
    assert "whether it was is not known" in result["msg"]
    assert "dropped" in result["msg"]


@pytest.mark.parametrize("state", ["started", "finished"])
def test_a_host_that_is_out_of_reach_in_check_mode_is_a_failure_that_says_so(act, state):
    result, clock = act(DROPPED, state=state, check_mode=True)
    assert clock.asked == 1
    assert result["failed"]
    assert "Nothing was done, as the host is out of reach" in result["msg"]
    assert "dropped" in result["msg"]


def test_check_mode_does_not_wait(act):
    result, clock = act(RUNNING, check_mode=True)
    assert result == RUNNING
    assert clock.asked == 1


@pytest.mark.parametrize("wrong", ["soon", ["1"], {"a": 1}])
def test_a_wait_that_is_no_number_is_refused(act, wrong):
    with pytest.raises(AnsibleActionFail, match="wait_timeout must be"):
        act(ENDED, wait_timeout=wrong)
