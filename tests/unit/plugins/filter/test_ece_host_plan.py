# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filter takes and gives; what it decides is test__ece_host's."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.eceops.platform.plugins.filter.ece_host_plan import ece_host_plan

FLEET = {
    "a": {"roles": ["proxy"], "ip": "192.0.2.5"},
    "b": {"ece_host_roles": ["allocator"], "ece_host_ip": "192.0.2.6"},
}
LISTED = {
    "runner_id": "192.0.2.5",
    "host_ip": "192.0.2.5",
    "public_hostname": "a",
    "availability_zone": "zone-1",
    "roles": ["coordinator", "proxy"],
    "connected": True,
    "healthy": True,
    "version": "4.2.0",
}
CLEAN = {
    "installer": None,
    "running_containers": [],
    "containers": [],
    "storage": [],
    "install_user": None,
    "problems": [],
}


def test_a_plan_is_plain_data():
    plans = ece_host_plan(FLEET, [LISTED], {"b": CLEAN})
    assert plans["a"].pop("warnings")[0].startswith("Runner 192.0.2.5 has the roles coordinator, proxy")
    assert plans["a"] == {
        "action": "skip",
        "reason": "It is connected as runner 192.0.2.5.",
        "runner": LISTED,
        "mint": None,
    }
    assert plans["b"] == {
        "action": "join",
        "reason": "It is not listed, and there is nothing of ECE on it.",
        "warnings": [],
        "runner": None,
        "mint": ["allocator"],
    }


@pytest.mark.parametrize("mark", [{"inventory_hostname": "a"}, {"ece_host_roles": ["allocator"]}])
def test_of_a_host_s_variables_only_the_role_s_count(mark):
    runners = [{**LISTED, "runner_id": "42", "host_ip": "192.0.2.42", "connected": True}]
    hosts = {name: {"runner_id": "42", "ip": "192.0.2.42", "api": {"x": name}, **mark} for name in ("a", "b")}
    assert {plan["action"] for plan in ece_host_plan(hosts, [LISTED, *runners]).values()} == {"look"}


@pytest.mark.parametrize("runners", [None, "", {}])
def test_what_is_no_list_means_that_the_api_was_not_asked(runners):
    assert {plan["reason"] for plan in ece_host_plan(FLEET, runners).values()} == {
        "The API is not asked, the host itself tells."
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense", []),
        ({"a": "nonsense"}, []),
        (FLEET, ["nonsense"]),
        (FLEET, [{"runner_id": "1"}]),
        (FLEET, [], {"a": {}}),
        (FLEET, [], "x"),
    ],
)
def test_nonsense_is_an_error(arguments):
    with pytest.raises(AnsibleFilterError, match="ece_host_plan needs"):
        ece_host_plan(*arguments)
