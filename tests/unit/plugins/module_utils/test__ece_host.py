# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of hosts: every row of its table, and the rules that concern several hosts."""

from __future__ import annotations

import base64
import json
import re

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._ece_host import (
    RUNNER_CONTAINER,
    Findings,
    plan_hosts,
    read_findings,
)
from ansible_collections.eceops.platform.plugins.module_utils._ece_host_arguments import read_arguments
from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner

NOW = 1_000_000
COORDINATOR = Runner("192.0.2.1", "192.0.2.1", "ece-1", "zone-1", ("coordinator",), True, True, "4.2.0")
CLEAN = Findings()
RUNNING = Findings(installer={"running": True, "exit_code": None, "ended_seconds_ago": None}, storage=["192.0.2.5"])
SERVES = Findings(running_containers=["frc-proxies-proxy"], containers=["frc-proxies-proxy"], storage=["192.0.2.5"])
LEFT = Findings(containers=["frc-runners-runner"], storage=["192.0.2.5"])


def ended(exit_code, seconds_ago, running=(RUNNER_CONTAINER,)):
    job = {"running": False, "exit_code": exit_code, "ended_seconds_ago": seconds_ago}
    return Findings(job, running, running, ["192.0.2.5"])


def listed(connected, roles=("allocator",), **changes):
    values = {
        "runner_id": "192.0.2.5",
        "host_ip": "192.0.2.5",
        "public_hostname": "host-5",
        "availability_zone": "zone-1",
        "roles": roles,
        "connected": connected,
        "healthy": True,
        "version": "4.2.0",
    }
    return Runner(**{**values, **changes})


def plan(runner=None, found=None, api=True, others=(COORDINATOR,), **variables):
    given = {"host": read_arguments({"roles": ["allocator"], "ip": "192.0.2.5", **variables})}
    runners = [*others, *([runner] if runner else [])] if api else None
    return plan_hosts(given, runners, {} if found is None else {"host": found}, NOW)["host"]


GONE, UP, DOWN = None, listed(True), listed(False)
MANAGER_DOWN = listed(False, roles=("director", "allocator"))


@pytest.mark.parametrize(
    ("runner", "found", "variables", "action", "reason"),
    [
        (UP, None, {}, "skip", "connected as runner 192.0.2.5"),
        (UP, LEFT, {}, "skip", "connected"),
        (DOWN, None, {}, "look", "listed as runner 192.0.2.5, but not connected"),
        (GONE, None, {}, "look", "not listed"),
        (DOWN, RUNNING, {}, "wait", "still running"),
        (GONE, RUNNING, {}, "wait", "still running"),
        (DOWN, ended(0, 599), {}, "verify", "ended well just now"),
        (GONE, ended(0, 599), {}, "verify", "ended well just now"),
        (GONE, ended(0, 30), {"join_timeout": "30"}, "fail", "does not list it"),
        (GONE, ended(0, 600), {}, "fail", "does not list it"),
        (GONE, ended(1, 5), {}, "fail", "does not list it"),
        (GONE, ended(0, 5, running=()), {}, "fail", "left-overs"),
        (GONE, CLEAN, {}, "join", "nothing of ECE"),
        (
            GONE,
            SERVES,
            {},
            "fail",
            "frc-proxies-proxy.*does not list it.*another one.*_resync.*Nothing is to be cleaned",
        ),
        (GONE, LEFT, {}, "fail", r"left-overs.*frc-runners-runner; in /mnt/data/elastic: 192.0.2.5.*docker rm.*empty"),
        (GONE, LEFT, {"container_engine": "podman", "storage_path": "/ece"}, "fail", "in /ece.*podman rm"),
        (DOWN, LEFT, {}, "fail", "has joined and is down.*Start its container engine.*not installed again"),
        (DOWN, LEFT, {"replace_disconnected": True}, "fail", "has joined and is down"),
        (DOWN, CLEAN, {}, "fail", "ece_host_replace_disconnected: true.*by hand"),
        (DOWN, CLEAN, {"replace_disconnected": True}, "replace", "the old runner is deleted"),
        (DOWN, CLEAN, {"replace_disconnected": "yes"}, "replace", "the old runner is deleted"),
        (MANAGER_DOWN, CLEAN, {"replace_disconnected": True}, "fail", "has the role director.*by hand"),
    ],
)
def test_every_row_of_the_table(runner, found, variables, action, reason):
    result = plan(runner, found, **variables)
    assert (result.action, result.runner) == (action, runner)
    assert re.search(reason, result.reason), result.reason
    assert result.mint == (("allocator",) if action in ("join", "replace") else None)


@pytest.mark.parametrize(
    ("found", "action", "reason"),
    [
        (None, "look", "API is not asked"),
        (RUNNING, "wait", "still running"),
        (ended(0, 5), "skip", "frc-runners-runner runs"),
        (ended(1, 9999), "skip", "frc-runners-runner runs"),
        (CLEAN, "join", "nothing of ECE"),
        (SERVES, "fail", "frc-runners-runner does not"),
        (LEFT, "fail", "start its container engine and its containers, and remove nothing. Only if it never joined: "),
    ],
)
def test_the_plan_without_the_api(found, action, reason):
    result = plan(found=found, api=False)
    assert (result.action, result.runner) == (action, None)
    assert re.search(reason, result.reason), result.reason


def silent(**found):
    """What is found where the engine does not tell."""
    return Findings(running_containers=None, containers=None, problems=["The engine does not answer."], **found)


@pytest.mark.parametrize(
    ("runner", "found", "api", "reason"),
    [
        (GONE, silent(), True, "^The engine does not answer. Until then it is not known whether ECE runs"),
        (GONE, silent(storage=["192.0.2.5"]), True, "^The engine does not answer.*nothing is to be cleaned up"),
        (GONE, silent(storage=["192.0.2.5"]), False, "^The engine does not answer.*nothing is to be cleaned up"),
        (GONE, silent(), False, "^The engine does not answer"),
        (DOWN, silent(), True, "^The engine does not answer"),
        (DOWN, silent(storage=["192.0.2.5"]), True, "has joined and is down.*Start its container engine"),
        (GONE, Findings(running_containers=(), containers=None), True, "does not tell which containers"),
    ],
)
def test_an_engine_that_does_not_tell_is_not_one_without_containers(runner, found, api, reason):
    result = plan(runner, found, api, replace_disconnected=True)
    assert (result.action, result.mint) == ("fail", None)
    assert re.search(reason, result.reason), result.reason


def test_an_installer_that_runs_is_waited_for_though_the_engine_does_not_tell():
    assert plan(found=silent(installer=RUNNING.installer)).action == "wait"
    just_ended = {"running": False, "exit_code": 0, "ended_seconds_ago": 5}
    assert plan(found=silent(installer=just_ended)).action == "fail"


PROBLEM = Findings(problems=["Port 22000 is in use.", "There is no user elastic."])


@pytest.mark.parametrize(
    ("runner", "found", "variables", "action"),
    [
        (GONE, PROBLEM, {}, "fail"),
        (DOWN, PROBLEM, {"replace_disconnected": True}, "fail"),
        (GONE, Findings(installer=RUNNING.installer, problems=PROBLEM.problems), {}, "wait"),
    ],
)
def test_problems_decide_only_for_hosts_that_are_to_join(runner, found, variables, action):
    result = plan(runner, found, **variables)
    assert result.action == action
    assert (result.reason == "Port 22000 is in use. There is no user elastic.") == (action == "fail")
    assert result.mint is None


def test_a_runner_is_found_by_its_id_before_its_address():
    by_address = listed(True, runner_id="other")
    by_id = listed(False, runner_id="own")
    result = plan(by_id, others=(COORDINATOR, by_address), runner_id="own")
    assert (result.action, result.runner, result.warnings) == ("look", by_id, ())


def test_a_runner_that_is_found_by_its_address_is_a_warning():
    result = plan(listed(True, runner_id="other"), runner_id="own")
    assert result.action == "skip"
    assert "listed as runner other" in result.warnings[0]


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_runners_at_its_address_the_connected_one_is_the_host(order):
    old, new = listed(False, runner_id="a-old"), listed(True, runner_id="new")
    result = plan(found=CLEAN, others=(COORDINATOR, *[old, new][::order]), runner_id="own", replace_disconnected=True)
    assert (result.action, result.runner) == ("skip", new)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("connected", [True, False])
def test_of_several_runners_at_its_address_that_are_alike_the_smallest_id_is_the_host(connected, order):
    alike = [listed(connected, runner_id="a"), listed(connected, runner_id="b")]
    result = plan(others=(COORDINATOR, *alike[::order]), runner_id="own")
    assert result.runner == alike[0]


def test_of_several_runners_of_its_id_the_first_is_the_host():
    first, second = listed(False, host_ip="192.0.2.98"), listed(True)
    result = plan(second, others=(COORDINATOR, first))
    assert (result.action, result.runner) == ("look", first)


def test_a_host_that_gives_neither_id_nor_address_is_no_listed_runner():
    result = plan(listed(True, runner_id="", host_ip=""), ip=None)
    assert (result.action, result.runner) == ("look", None)


@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize("others", [(COORDINATOR,), ()])
@pytest.mark.parametrize("runner", [GONE, UP, DOWN, MANAGER_DOWN])
def test_a_host_that_was_not_looked_at_is_connected_to_be_looked_at_or_refused(runner, others, api):
    # The playbook add_hosts knows no other action.
    assert plan(runner, api=api, others=others).action in ("skip", "look", "fail")


def test_each_host_of_a_fleet_is_its_own_runner():
    hosts = {f"host-{number}": {"ip": f"192.0.2.{number}", "runner_id": f"id-{number}"} for number in range(10, 20)}
    by_id = [listed(True, runner_id=f"id-{number}", host_ip=f"192.0.2.{number}") for number in range(10, 14)]
    by_address = [listed(False, runner_id=f"old-{number}", host_ip=f"192.0.2.{number}") for number in range(14, 18)]
    plans = fleet(hosts, [*reversed(by_id), COORDINATOR, *by_address])
    assert [plan.runner for plan in plans.values()] == [*by_id, *by_address, None, None]


def test_containers_that_run_are_enough_not_to_join():
    assert plan(found=Findings(running_containers=["frc-proxies-proxy"])).action == "fail"


def test_a_runner_of_another_address_may_be_another_host():
    other = {"runner_id": "old", "host_ip": "192.0.2.99"}
    result = plan(listed(True, **other), runner_id="old")
    assert result.action == "skip"
    assert "with the address 192.0.2.99, not 192.0.2.5" in result.warnings[0]
    result = plan(listed(False, **other), CLEAN, runner_id="old", replace_disconnected=True)
    assert result.action == "fail"
    assert "is not deleted" in result.reason
    assert plan(listed(True, **other), runner_id="old", ip=None).warnings == ()


def test_a_host_without_id_and_address_is_looked_at():
    assert plan(UP, ip=None).action == "look"


@pytest.mark.parametrize(
    ("runner", "warning"),
    [
        (listed(True, roles=("allocator", "proxy")), "has the roles allocator, proxy, not the role allocator"),
        (listed(True, roles=()), "has no role, not the role allocator"),
        (listed(True, healthy=False), "not healthy"),
    ],
)
def test_what_is_unlike_on_a_connected_runner_is_a_warning(runner, warning):
    result = plan(runner)
    assert result.action == "skip"
    assert any(warning in sentence for sentence in result.warnings)


@pytest.mark.parametrize(("found", "warned"), [(None, True), (CLEAN, True), (RUNNING, False)])
def test_a_new_availability_zone_is_a_warning(found, warned):
    result = plan(found=found, availability_zone="zone-9")
    assert ["zone-9; there are: zone-1." in sentence for sentence in result.warnings] == [True] * warned
    assert plan(found=found, availability_zone="zone-1").warnings == ()


@pytest.mark.parametrize(
    ("others", "found", "action", "reason"),
    [
        ((), None, "fail", "lists no coordinator.*_resync.*url"),
        ((), CLEAN, "fail", "lists no coordinator"),
        ((), RUNNING, "wait", "still running"),
        ((COORDINATOR, listed(True, version="4.3.0")), CLEAN, "fail", "upgrade.*4.2.0 and 4.3.0"),
        ((COORDINATOR, listed(True, version="4.3.0")), RUNNING, "wait", "still running"),
        ((COORDINATOR, listed(False, version="4.3.0")), CLEAN, "join", "not listed"),
        ((COORDINATOR, listed(True, version=None)), CLEAN, "join", "not listed"),
    ],
)
def test_none_joins_where_the_installation_is_not_fit_for_it(others, found, action, reason):
    result = plan(found=found, others=others, ip="192.0.2.77")
    assert result.action == action
    assert re.search(reason, result.reason)
    assert result.mint == (("allocator",) if action == "join" else None)


def test_a_connected_host_stays_so_where_no_coordinator_is_listed():
    assert plan(UP, others=()).action == "skip"


def test_the_roles_to_mint_are_sorted_and_each_once():
    assert plan(found=CLEAN, roles=["proxy", "allocator", "proxy"]).mint == ("allocator", "proxy")
    assert plan(found=CLEAN, roles=[]).mint == ()


def token(expires_at):
    claims = {"sub": "fake", "roles": ["allocator"], **({} if expires_at is None else {"exp": expires_at})}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, claims)
    ]
    return ".".join([*parts, "fake"])


@pytest.mark.parametrize(
    ("expires_at", "action", "warned"),
    [(NOW, "fail", False), (NOW + 1799, "join", True), (NOW + 1800, "join", False), (None, "join", False)],
)
def test_a_given_token_is_used_while_it_lives(expires_at, action, warned):
    result = plan(found=CLEAN, roles_token=token(expires_at))
    assert (result.action, result.mint, bool(result.warnings)) == (action, None, warned)
    assert ("ece_host_roles_token expired" in result.reason) == (action == "fail")
    assert plan(UP, roles_token=token(NOW)).action == "skip"


def test_an_expired_one_is_left_out_only_where_the_api_mints_another():
    assert "leave it out and one is minted" in plan(found=CLEAN, roles_token=token(NOW)).reason
    alone = plan(found=CLEAN, api=False, roles_token=token(NOW), use_api=False)
    assert alone.reason.endswith(": give another.")


def fleet(hosts, runners=(COORDINATOR,), found=None):
    given = {host: read_arguments(variables) for host, variables in hosts.items()}
    return plan_hosts(given, list(runners), found or {}, NOW)


def test_two_hosts_of_one_address_are_refused_with_both_names_even_if_it_is_connected():
    plans = fleet({"a": {"ip": "192.0.2.5"}, "b": {"ip": "192.0.2.5"}, "c": {"ip": "192.0.2.6"}}, [COORDINATOR, UP])
    assert [plan.action for plan in plans.values()] == ["fail", "fail", "look"]
    assert "ece_host_ip (192.0.2.5) of a is also that of b." in plans["a"].reason
    assert "ece_host_ip (192.0.2.5) of b is also that of a." in plans["b"].reason


MANAGER = {"roles": ["director", "coordinator"]}


def test_two_managers_do_not_join_at_once():
    hosts = {"a": {**MANAGER, "ip": "1"}, "b": {**MANAGER, "ip": "2"}, "c": {"roles": ["allocator"], "ip": "3"}}
    plans = fleet(hosts, found=dict.fromkeys(hosts, CLEAN))
    assert [plan.action for plan in plans.values()] == ["fail", "fail", "join"]
    for host in "ab":
        assert re.search("a, b.*serial: 1.*add_hosts", plans[host].reason)
        assert plans[host].mint is None


def test_no_manager_joins_beside_one_that_is_joining():
    hosts = {"a": {**MANAGER, "ip": "1"}, "b": {**MANAGER, "ip": "2"}}
    assert [plan.action for plan in fleet(hosts, found={"a": CLEAN, "b": RUNNING}).values()] == ["fail", "wait"]
    assert [plan.action for plan in fleet(hosts, found={"a": CLEAN, "b": PROBLEM}).values()] == ["join", "fail"]


def test_managers_that_are_connected_do_not_count():
    hosts = {"a": {**MANAGER, "ip": "192.0.2.5"}, "b": {**MANAGER, "ip": "2"}}
    plans = fleet(hosts, [COORDINATOR, listed(True, roles=("coordinator", "director"))], found={"b": CLEAN})
    assert [plan.action for plan in plans.values()] == ["skip", "join"]


def test_many_left_overs_are_cut_short():
    reason = plan(found=Findings(storage=[f"left-{number}" for number in range(12)])).reason
    assert "left-9 and 2 more" in reason


def test_findings_of_another_shape_are_an_error():
    with pytest.raises(KeyError):
        read_findings({"installer": None})
