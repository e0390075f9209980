# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for runners: when the list is asked for again, and what ends it. Client and clock are scripted."""

from __future__ import annotations

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError, RequestFailed, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._http import Repeat
from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner
from ansible_collections.eceops.platform.plugins.modules.ece_runner_info import check_options, wait_for_runners

READY = [Runner("a", "192.0.2.1", "host", "zone", ("allocator",), True, True, "4.2.0")]
BUSY = RequestFailed("HTTP 503.", reason="busy", status=503, passing=True)
DENIED = RequestFailed("HTTP 401.", reason="denied", status=401)


class World:
    """A client that gives the outcomes of a list, the last one for ever, and a clock that moves while it is waited."""

    def __init__(self, *outcomes, request_seconds=0.0):
        self.outcomes = list(outcomes)
        self.request_seconds = request_seconds
        self.now = 1000.0
        self.asked = []
        self.pauses = []

    def runners(self, *, repeat):
        assert repeat is Repeat.NEVER
        self.asked.append(self.now - 1000)
        self.now += self.request_seconds
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def wait(self, *runner_ids, roles=None, wait_timeout=60):
        return wait_for_runners(self, runner_ids, roles, wait_timeout, clock=lambda: self.now, pause=self.pause)


@pytest.mark.parametrize("runner_ids", [["a"], []])
def test_what_is_there_is_not_waited_for(runner_ids):
    world = World(READY)
    assert world.wait(*runner_ids) == (READY, {})
    assert (len(world.asked), world.pauses) == (1, [])


def test_the_list_is_asked_for_until_all_are_there():
    world = World([], [], READY)
    assert world.wait("a") == (READY, {})
    assert world.pauses == [1, 1.5]


def test_the_last_look_is_when_the_time_is_over():
    world = World(READY)
    found, missing = world.wait("a", "b", wait_timeout=20)
    assert found == READY
    assert [(runner_id, lack.what) for runner_id, lack in missing.items()] == [("b", "not listed")]
    assert world.asked == [0, 1, 2.5, 4.75, 8.125, 13.1875, 20]


def test_slow_requests_take_of_the_time():
    world = World([], request_seconds=8)
    assert world.wait("a", wait_timeout=20)[1]
    assert world.asked == [0, 9, 18.5]


def test_roles_are_waited_for():
    assert World(READY).wait("a", roles=["allocator"]) == (READY, {})
    assert World(READY).wait("a", roles=["proxy"])[1]["a"].what == "without proxy"


def test_a_failure_that_passes_is_waited_for():
    world = World(BUSY, [], BUSY, READY)
    assert world.wait("a") == (READY, {})
    assert len(world.asked) == 4


def test_an_api_that_asks_for_a_longer_pause_gets_it():
    world = World(RequestFailed("HTTP 429.", reason="busy", status=429, passing=True, retry_after=7.0), [], READY)
    world.wait("a")
    assert world.pauses == [7, 1.5]


@pytest.mark.parametrize("before", [[], [[]], [BUSY]])
def test_a_failure_that_stays_ends_it_at_once(before):
    world = World(*before, DENIED)
    with pytest.raises(RequestFailed, match="HTTP 401"):
        world.wait("a")
    assert len(world.asked) == len(before) + 1


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        ([BUSY], "could not be had in all of 5 seconds: HTTP 503."),
        ([[], BUSY], "could not be had when the time was over, after 5 seconds: HTTP 503."),
    ],
)
def test_a_list_that_cannot_be_had_is_said_as_that(outcomes, says):
    world = World(*outcomes)
    with pytest.raises(EceError, match=says) as error:
        world.wait("a", wait_timeout=5)
    assert error.value.details["failure"]["status"] == 503
    assert "runners" not in error.value.details
    assert world.asked[-1] == 5


def test_the_last_list_counts_when_requests_failed_before():
    found, missing = World(BUSY, BUSY, READY).wait("b", wait_timeout=60)
    assert (found, list(missing)) == (READY, ["b"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"wait": True}, "wait needs runner_ids"),
        ({"wait": True, "runner_ids": ["a", " "]}, "runner_ids holds an empty id"),
        ({"wait_timeout": 0}, "wait_timeout must be more than 0 seconds, not 0"),
        ({"wait_timeout": -1, "wait": True, "runner_ids": []}, "wait_timeout must be more than 0 seconds, not -1"),
    ],
)
def test_wrong_input(options, says):
    with pytest.raises(WrongInput, match=says):
        check_options({"runner_ids": None, "wait": False, "wait_timeout": 600, **options})


@pytest.mark.parametrize("options", [{}, {"runner_ids": [""]}, {"wait": True, "runner_ids": []}])
def test_right_input(options):
    check_options({"runner_ids": None, "wait": False, "wait_timeout": 600, **options})
