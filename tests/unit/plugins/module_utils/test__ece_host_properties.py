# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is listed, found and given: the plan of a host never joins one that is connected, or that holds anything of
ECE, and is the same in whatever order runners and hosts come."""

from __future__ import annotations

import base64
import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._ece_host import RUNNER_CONTAINER, Findings, plan_hosts
from ansible_collections.eceops.platform.plugins.module_utils._ece_host_arguments import read_arguments
from ansible_collections.eceops.platform.plugins.module_utils._roles import MANAGER_ROLES
from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner

NOW = 1_800_000_000
ACTIONS = {"skip", "look", "wait", "verify", "join", "replace", "fail"}


def token(**claims):
    parts = ({"alg": "HS256"}, {"sub": "fake", "roles": ["allocator"], **claims}, "fake signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


# Few of each, so that hosts, runners and each other's are often the same.
OTHER = "192.0.2.99"
ADDRESSES = st.sampled_from(["192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"])
RUNNER_IDS = st.sampled_from(["192.0.2.5", "192.0.2.6", "192.0.2.7", "runner-7", "runner-8"])
ROLE_LISTS = st.sampled_from([["allocator"], [], ["proxy", "allocator"], ["director"], ["coordinator", "director"]])
MAYBE = st.sampled_from([True, False, "yes", None])
TOKENS = [token(), token(exp=NOW), token(exp=NOW + 60), token(exp=NOW + 9000), "fake-nonsense"]
GIVEN = st.fixed_dictionaries(
    {
        "roles": ROLE_LISTS,
        "ip": st.none() | ADDRESSES,
        "runner_id": st.none() | RUNNER_IDS,
        "replace_disconnected": MAYBE,
        "roles_token": st.sampled_from([*[None] * 5, *TOKENS]),
        "availability_zone": st.sampled_from([None, "zone-1", "zone-9"]),
    }
)
# What is to be the same on all hosts
SHARED = st.sampled_from([{}, {}, {"use_api": False}, {"join_timeout": 30}, {"join_timeout": "soon"}])
# A host that was rebuilt, by the roles of its runner: it is listed, and there is nothing on it.
REBUILT = st.none() | ROLE_LISTS
HOSTS = st.lists(GIVEN, max_size=3).map(lambda hosts: {f"host-{number}": given for number, given in enumerate(hosts)})
RUNNERS = st.lists(
    st.builds(
        Runner,
        runner_id=RUNNER_IDS,
        host_ip=ADDRESSES,
        public_hostname=st.just("host"),
        availability_zone=st.sampled_from(["zone-1", "zone-2", None]),
        roles=ROLE_LISTS.map(tuple),
        connected=st.booleans(),
        healthy=st.booleans(),
        version=st.sampled_from([*["4.2.0"] * 9, "4.3.0", None]),
    ),
    max_size=4,
    unique_by=lambda runner: runner.runner_id,
)
COORDINATOR = Runner("first", "192.0.2.1", "host", "zone-1", ("coordinator",), True, True, "4.2.0")
CLEAN = Findings()
JOB = {"running": False, "exit_code": 0, "ended_seconds_ago": 5}
JOINED = Findings(JOB, [RUNNER_CONTAINER], [RUNNER_CONTAINER], ["192.0.2.5"])
JOBS = [None, None, JOB, JOB | {"running": True}, JOB | {"exit_code": 1}, JOB | {"ended_seconds_ago": 9999}]
NAMES = st.sampled_from([None, [], [], [], [RUNNER_CONTAINER], ["frc-proxies-proxy", "fac-instance"]])
FOUND = st.sampled_from([None, CLEAN, JOINED]) | st.builds(
    Findings,
    installer=st.sampled_from(JOBS),
    running_containers=NAMES,
    containers=NAMES,
    storage=st.sampled_from([[], [], ["192.0.2.5"]]),
    problems=st.sampled_from([[], [], ["Port 22000 is in use."]]),
)


def joins(plan):
    return plan.action in ("join", "replace")


def may_be_listed_as(host, runners):
    """The runners that a host can be: that of its id, or where there is none, those of its address."""
    by_id = [runner for runner in runners if host.runner_id is not None and runner.runner_id == host.runner_id]
    return by_id or [runner for runner in runners if runner.host_ip == host.ip]


def check_host(host, plan, found, runners):
    """That what is planned for one host could not harm what is there."""
    assert plan.action in ACTIONS
    assert plan.reason
    if runners is not None and any(runner.connected for runner in may_be_listed_as(host, runners)):
        assert plan.action in ("skip", "fail")
    if plan.action != "skip":
        assert not plan.runner or not plan.runner.connected
    assert plan.mint == (tuple(sorted(host.roles)) if joins(plan) and not host.roles_token else None)
    if not joins(plan):
        return
    # Nothing of ECE is there, which is known, and nothing stands in the way.
    assert found
    assert found.engine_tells
    assert not any((found.running_containers, found.containers, found.storage, found.problems))
    assert not (found.installer and found.installer["running"])
    if runners is None:
        assert (plan.action, plan.runner) == ("join", None)
        return
    listed = may_be_listed_as(host, runners)
    assert (plan.action == "replace") == bool(listed)
    if listed:
        assert plan.runner in listed
        assert host.replace_disconnected
        assert not MANAGER_ROLES & set(plan.runner.roles)
        assert host.ip in (None, plan.runner.host_ip)


def check_hosts_together(hosts, plans):
    managers = [plan.action for name, plan in plans.items() if MANAGER_ROLES & set(hosts[name].roles)]
    joining = [action for action in managers if action in ("join", "replace", "wait", "verify")]
    assert len(joining) < 2 or not {"join", "replace"} & set(joining)
    for name, host in hosts.items():
        others = [other for other_name, other in hosts.items() if other_name != name]
        pairs = [pair for other in others for pair in ((host.ip, other.ip), (host.runner_id, other.runner_id))]
        if any(mine is not None and mine == theirs for mine, theirs in pairs):
            assert plans[name].action == "fail"


def test_no_plan_does_harm_or_depends_on_an_order():
    actions: Counter[str] = Counter()

    @settings(max_examples=1000, deadline=None)
    @given(
        variables=HOSTS,
        shared=SHARED,
        rebuilt=REBUILT,
        runners=st.sampled_from([None, []]) | RUNNERS.map(lambda runners: [COORDINATOR, *runners]) | RUNNERS,
        found=st.tuples(FOUND, FOUND, FOUND),
        shuffle=st.randoms(),
    )
    def check(variables, shared, rebuilt, runners, found, shuffle):
        hosts = {name: read_arguments(given_variables | shared) for name, given_variables in variables.items()}
        looked_at = {name: findings for name, findings in zip(variables, found, strict=False) if findings is not None}
        if rebuilt is not None and runners is not None:
            hosts["rebuilt"] = read_arguments({"roles": rebuilt, "ip": OTHER, "replace_disconnected": True} | shared)
            runners = [*runners, Runner(OTHER, OTHER, "host", "zone-1", tuple(rebuilt), False, False, "4.2.0")]
            looked_at["rebuilt"] = CLEAN
        plans = plan_hosts(hosts, runners, looked_at, NOW)

        assert list(plans) == list(hosts)
        for name, plan in plans.items():
            check_host(hosts[name], plan, looked_at.get(name), runners)
        check_hosts_together(hosts, plans)

        shuffled = runners and shuffle.sample(runners, len(runners))
        assert plan_hosts(hosts, shuffled, looked_at, NOW) == plans
        names = shuffle.sample(list(hosts), len(hosts))
        again = plan_hosts({name: hosts[name] for name in names}, runners, looked_at, NOW)
        # Sentences name hosts in their order.
        assert {name: (plan.action, plan.runner, plan.mint) for name, plan in again.items()} == {
            name: (plan.action, plan.runner, plan.mint) for name, plan in plans.items()
        }
        actions.update(plan.action for plan in plans.values())

    check()
    assert {action for action in ACTIONS if not actions[action]} == set()
