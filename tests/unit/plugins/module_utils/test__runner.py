# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runners as the API lists them, and the filters of ece_runner_info."""

from __future__ import annotations

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner, read_runner, select_runners

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
