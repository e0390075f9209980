# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runners are deleted and waited for: what is asked of the API, and what becomes of the installation."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from testbed.simulator import Simulator

pytestmark = pytest.mark.oldest

LIST, RECORD, DELETE = "get-runners", "get-runner", "delete-runner"
ALLOCATOR = "get-allocator"
FIRST = "192.0.2.1"  # the simulator's first host
HOST = "192.0.2.7"
BOUND_SECONDS = 60


def runner_ids(simulator):
    return {runner["runner_id"] for runner in simulator.state()["runners"]}


# ece_runner


def delete(run, runner_id=HOST, *args, **kwargs):
    return run.tasks([{"eceops.platform.ece_runner": {"runner_id": runner_id, "state": "absent"}}], *args, **kwargs)


@pytest.fixture
def gone_down(simulator):
    """An allocator that has been taken out: its host is disconnected."""
    simulator.put_runner(HOST, roles=["proxy", "allocator"], connected=False, healthy=False)


def test_a_disconnected_runner_is_deleted_once(run, simulator, gone_down):
    foreseen = delete(run, HOST, "--diff", check=True)
    assert foreseen.operations == [RECORD, ALLOCATOR]
    assert runner_ids(simulator) == {FIRST, HOST}
    done = delete(run, f" {HOST}\n", "--diff")
    assert done.operations == [RECORD, ALLOCATOR, DELETE]
    assert runner_ids(simulator) == {FIRST}
    assert done.last["runner"] == {
        "runner_id": HOST,
        "host_ip": HOST,
        "public_hostname": HOST,
        "availability_zone": "ece-zone-1",
        "roles": ["allocator", "proxy"],
        "connected": False,
        "healthy": False,
        "version": "4.2.0",
    }
    assert done.last["diff"] == {"before": {"runner": done.last["runner"]}, "after": {"runner": None}}
    for name in ("changed", "runner", "diff"):
        assert foreseen.last[name] == done.last[name]
    again = delete(run)
    assert again.operations == [RECORD]
    assert (again.last["changed"], again.last["runner"]) == (False, None)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"roles": ["proxy"], "connected": True}, "it is connected"),
        ({"roles": ["allocator"], "connected": False, "instances": 1}, "it is the allocator of 1 instance. Move its"),
        ({"roles": ["coordinator"], "connected": False}, "it is coordinator of the installation. Demote it"),
        ({"roles": ["allocator", "director"], "connected": False}, "it is director of the installation. Demote it"),
    ],
)
def test_what_must_survive_is_not_deleted(run, simulator, values, says):
    simulator.put_runner(HOST, **values)
    for check in (True, False):
        result = delete(run, check=check)
        assert says in result.last["msg"]
        assert not result.last.get("changed")
        assert result.operations == [RECORD, *([ALLOCATOR] if "allocator" in values["roles"] else [])]
    assert HOST in runner_ids(simulator)


def test_a_runner_that_connects_meanwhile_is_not_deleted(run, simulator):
    simulator.put_runner(HOST, roles=["allocator"], connected=True)
    record = {"runner_id": HOST, "host_ip": HOST, "public_hostname": HOST, "roles": [], "connected": False}
    simulator.fault("reply", RECORD, status=200, body=json.dumps({**record, "healthy": False}))
    result = delete(run)
    assert result.operations == [RECORD, DELETE]
    assert result.last["failure"]["code"] == "runners.runner_deletion_failed"
    assert "only while it is disconnected" in result.last["msg"]
    assert HOST in runner_ids(simulator)


def test_a_lost_reply_does_not_hide_that_it_was_deleted(run, simulator, gone_down):
    simulator.fault("reset_after", DELETE)
    result = delete(run)
    assert result.last["changed"]
    assert result.operations == [RECORD, ALLOCATOR, DELETE, DELETE]
    assert [entry["status"] for entry in result.journal] == [200, 200, None, 404]
    assert runner_ids(simulator) == {FIRST}


def test_another_404_does_not_pass_for_a_runner_that_is_gone(run, simulator, gone_down):
    simulator.fault(
        "reply", RECORD, status=404, body='{"errors": [{"code": "root.resource_not_found", "message": ""}]}'
    )
    result = delete(run)
    assert "HTTP 404" in result.last["msg"]
    assert result.last["failure"]["code"] == "root.resource_not_found"


@pytest.mark.parametrize("runner_id", ["", " ", ".", ".."])
def test_no_request_leads_to_another_path(run, runner_id):
    result = delete(run, runner_id)
    assert "runner_id holds" in result.last["msg"]
    assert result.journal == []


# ece_runner_info with wait


def wait_for(run, runner_ids, wait_timeout=BOUND_SECONDS, **kwargs):
    options = {"runner_ids": runner_ids, "wait": True, "wait_timeout": wait_timeout, **kwargs.pop("options", {})}
    return run.tasks([{"eceops.platform.ece_runner_info": options}], **kwargs)


@pytest.fixture
def at_first_look(simulator):
    """Do something, on another thread, as soon as the list of runners has been asked for."""
    threads = []

    def arrange(act):
        def run():
            # Of this thread: the session of the test's own is not for two.
            mine = Simulator(Path(simulator.ca_path).parent)
            pause, end = threading.Event(), time.monotonic() + BOUND_SECONDS
            while not any(entry["operation"] == LIST and entry["status"] for entry in mine.journal()):
                if time.monotonic() > end:
                    return
                pause.wait(0.02)
            act(mine)

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield arrange
    for thread in threads:
        thread.join()


def test_hosts_that_join_meanwhile_are_waited_for(run, simulator, at_first_look):
    simulator.put_runner("192.0.2.8", roles=["proxy"], healthy=False)

    def join(simulator):
        simulator.put_runner("192.0.2.8", healthy=True)
        simulator.put_runner(HOST, roles=["allocator"])

    at_first_look(join)
    # The other filters narrow down what is returned, not what is waited for.
    result = wait_for(run, [HOST, "192.0.2.8"], options={"availability_zones": ["elsewhere"]})
    assert result.returncode == 0, result.stdout
    assert result.last["runners"] == []
    # The two changes may come before and after a look.
    assert set(result.operations) == {LIST}
    assert 2 <= len(result.journal) <= 3


def test_what_is_there_takes_one_request(run, simulator):
    for wanted, returned in (([FIRST], [FIRST]), ([], [])):
        result = wait_for(run, wanted)
        assert result.operations == [LIST]
        assert [runner["runner_id"] for runner in result.last["runners"]] == returned


def test_the_time_is_over(run, simulator, gone_down):
    result = wait_for(run, [FIRST, HOST, "192.0.2.9"], wait_timeout=2)
    assert result.returncode == 0, result.stdout
    assert result.last["missing"] == [HOST, "192.0.2.9"]
    said = f"2 of 3 runners are not ready after 2 seconds: {HOST} (not connected), 192.0.2.9 (not listed). "
    assert said in str(result.last["warnings"])
    assert [runner["runner_id"] for runner in result.last["runners"]] == [FIRST, HOST]
    assert "failure" not in result.last
    assert result.operations == [LIST] * 3


def test_check_mode_does_not_wait(run):
    result = wait_for(run, [FIRST, HOST], check=True)
    assert [runner["runner_id"] for runner in result.last["runners"]] == [FIRST]
    assert result.operations == [LIST]


@pytest.mark.parametrize(("kind", "params"), [("reply", {"status": 503}), ("reset_before", {}), ("cut", {})])
def test_an_api_that_is_busy_for_a_while_is_waited_for(run, simulator, kind, params):
    simulator.fault(kind, LIST, times=2, **params)
    result = wait_for(run, [FIRST])
    assert result.returncode == 0, result.stdout
    assert result.operations == [LIST] * 3


def test_an_api_that_stays_busy_is_said_as_that(run, simulator):
    simulator.fault("reply", LIST, times=None, status=503)
    result = wait_for(run, [FIRST], wait_timeout=2)
    assert "The list of runners could not be had in all of 2 seconds: GET " in result.last["msg"]
    assert "HTTP 503" in result.last["msg"]
    assert result.last["failure"]["status"] == 503
    assert "runners" not in result.last
    assert result.operations == [LIST] * 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"password": "fake-wrong-password"}, "HTTP 401"),
        ({"ca_path": "/dev/null"}, "ca_path: no certificate could be read"),
        ({"ca_path": None}, "not trusted"),
    ],
)
def test_what_does_not_pass_by_itself_ends_it_at_once(run, simulator, options, says):
    api = {**simulator.ece_api, **options}
    began = time.monotonic()
    result = wait_for(run, [HOST], wait_timeout=600, extra_vars={"ece_api": api})
    assert says in result.last["msg"]
    assert "runners" not in result.last
    assert len(result.journal) <= 1
    assert time.monotonic() - began < BOUND_SECONDS


def test_a_page_instead_of_the_list_ends_it_at_once(run, simulator):
    simulator.fault("reply", LIST, times=None, status=200, body="<html>", content_type="text/html")
    result = wait_for(run, [HOST], wait_timeout=600)
    assert "an HTML page instead of JSON" in result.last["msg"]
    assert result.operations == [LIST]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"wait": True}, "wait needs runner_ids"),
        ({"wait": True, "runner_ids": ["a", ""]}, "runner_ids holds an empty id"),
        ({"wait_timeout": 0}, "wait_timeout must be more than 0 seconds, not 0"),
    ],
)
def test_wrong_input_is_said_before_any_request(run, options, says):
    result = run.tasks([{"eceops.platform.ece_runner_info": options}])
    assert says in result.last["msg"]
    assert result.journal == []
