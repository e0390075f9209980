# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runners as the API lists them, the filters of ece_runner_info, what it waits for, and what ece_runner may delete."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._runner import (
    Runner,
    check_deletable,
    check_runner_id,
    find_missing,
    growing_pauses,
    read_runner,
    select_runners,
    waited_in_vain,
)

LISTED = {
    "runner_id": "192.0.2.1",
    "host_ip": "192.0.2.1",
    "public_hostname": "host-1",
    "zone": "ece-zone-1",
    "roles": [{"role_name": "proxy"}, {"role_name": "beats-runner"}, {"role_name": "allocator"}],
    "containers": [],
    "connected": True,
    "healthy": False,
    "build_info": {"version": "4.2.0"},
}
RUNNER = Runner("192.0.2.1", "192.0.2.1", "host-1", "ece-zone-1", ("allocator", "proxy"), True, False, "4.2.0")


def test_read_runner():
    assert read_runner(LISTED) == RUNNER


@pytest.mark.parametrize("build_info", [{}, None])
def test_what_the_api_may_leave_out(build_info):
    listed = {name: value for name, value in LISTED.items() if name != "zone"} | {"build_info": build_info}
    runner = read_runner(listed)
    assert (runner.availability_zone, runner.version) == (None, None)


@pytest.mark.parametrize(
    "change",
    [{"runner_id": 1}, {"connected": "yes"}, {"healthy": None}, {"roles": None}, {"roles": ["proxy"]}, {"roles": [{}]}],
)
def test_another_shape_is_an_error(change):
    with pytest.raises((KeyError, TypeError)):
        read_runner({**LISTED, **change})


def runner(runner_id, zone="zone-1", roles=("allocator",), connected=True):
    return Runner(runner_id, "192.0.2.9", "host", zone, roles, connected, True, "4.2.0")


B = runner("b", roles=("allocator", "proxy"))
A = runner("a", zone="zone-2")
C = runner("c", zone=None, roles=(), connected=False)


@pytest.mark.parametrize(
    ("filters", "selected"),
    [
        ({}, [A, B, C]),
        ({"runner_ids": ["c", "b", "gone"]}, [B, C]),
        ({"runner_ids": []}, []),
        ({"roles": ["allocator"]}, [A, B]),
        ({"roles": ["proxy", "allocator"]}, [B]),
        ({"roles": []}, [A, B, C]),
        ({"availability_zones": ["zone-1", "zone-3"]}, [B]),
        ({"connected": True}, [A, B]),
        ({"connected": False}, [C]),
        ({"roles": ["allocator"], "availability_zones": ["zone-2"], "connected": True}, [A]),
    ],
)
def test_select_runners(filters, selected):
    assert select_runners([B, A, C], **filters) == selected


@pytest.mark.parametrize("runner_id", ["", " ", "\n", ".", "..", " .. ", "eyJhbGc.eyJzdWI.c2ln"])
def test_what_no_runner_is_called(runner_id):
    with pytest.raises(WrongInput, match="runner_ids holds"):
        check_runner_id("runner_ids", runner_id)


@pytest.mark.parametrize("runner_id", ["192.0.2.1", "host.example.org", "...", "a/b", "0"])
def test_what_a_runner_may_be_called(runner_id):
    check_runner_id("runner_id", runner_id)


@pytest.mark.parametrize(
    ("roles", "connected", "says"),
    [
        ((), False, None),
        (("allocator", "proxy"), False, None),
        ((), True, "it is connected. Take its host out.*wait until it is listed as disconnected"),
        (("coordinator",), False, "it is coordinator of the installation. Demote it: take coordinator from its roles"),
        (("allocator", "director"), False, "it is director of the installation. Demote it"),
        (("coordinator", "director"), False, "it is coordinator and director of.*take coordinator and director from"),
        (("director",), True, "it is connected and director of the installation. Demote it.*Take its host out"),
    ],
)
def test_which_runner_may_be_deleted(roles, connected, says):
    one = runner("r", roles=roles, connected=connected)
    if says is None:
        check_deletable(one, 0)
        return
    with pytest.raises(Refused, match=f"^Runner r was not deleted: {says}"):
        check_deletable(one, 0)


def test_an_allocator_with_instances_may_not_be_deleted():
    one = runner("r", roles=("allocator",), connected=True)
    with pytest.raises(Refused, match="it is connected and the allocator of 2 instances. Move its instances away"):
        check_deletable(one, 2)


UNHEALTHY = replace(A, runner_id="unhealthy", healthy=False)
UNHEALTHY_C = replace(C, healthy=False)


@pytest.mark.parametrize(
    ("runner_ids", "roles", "missing"),
    [
        ([], None, {}),
        (["a", "b"], None, {}),
        (["a", "a"], [], {}),
        (["gone", "a"], None, {"gone": "not listed"}),
        (["c", "unhealthy"], None, {"c": "not connected", "unhealthy": "not healthy"}),
        (["a", "b"], ["proxy", "allocator"], {"a": "without proxy"}),
        (["a"], ["proxy", "director"], {"a": "without proxy, director"}),
        (["gone", "c"], ["proxy"], {"gone": "not listed", "c": "not connected"}),
    ],
)
def test_what_is_missing(runner_ids, roles, missing):
    found = find_missing(runner_ids, [A, B, UNHEALTHY_C, UNHEALTHY], roles)
    assert {runner_id: lack.what for runner_id, lack in found.items()} == missing


def test_what_is_said_when_runners_are_waited_for_in_vain():
    missing = find_missing(["gone", "c", "unhealthy", "lost", "a"], [A, C, UNHEALTHY])
    message = waited_in_vain(missing, 5, 60)
    assert message.startswith(
        "4 of 5 runners are not ready after 60 seconds: "
        "gone (not listed), c (not connected), unhealthy (not healthy), lost (not listed). "
    )
    # Each next step once, and none for what nobody lacks.
    for words in ("search index", "frc-runners-runner", "Cloud UI shows", "wait_timeout"):
        assert message.count(words) == 1
    assert "lacks roles" not in message
    one = waited_in_vain(find_missing(["a"], [A], ["proxy"]), 1, 60)
    assert one.startswith("1 of 1 runners is not ready after 60 seconds: a (without proxy). Where a runner lacks roles")


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, " and 1 more"), (1000, " and 980 more")])
def test_at_most_twenty_are_named(count, more):
    missing = find_missing([f"r{number}" for number in range(count)], [])
    message = waited_in_vain(missing, count, 60)
    assert message.count("(not listed)") == 20
    assert f"r19 (not listed){more}. " in message


def test_pauses_grow_from_one_second_to_ten():
    pauses = list(itertools.islice(growing_pauses(), 2000))
    assert pauses[:3] == [1, 1.5, 2.25]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10
