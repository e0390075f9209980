# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose inventory gives no address, in a fleet that the playbook add_hosts joins: which of them are asked."""

from __future__ import annotations

import pytest

# With ansible-core 2.21, hosts that get facts from a task with run_once share all later ones, which could be addresses.
pytestmark = pytest.mark.newest

PLAYBOOK = "eceops.platform.add_hosts"
LIST, VERSION = "get-runners", "get-platform"
GATHER = "Gather the network facts"
OUT_OF_REACH = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


def inventory(hosts, variables):
    entries = {name: {**host.variables, **variables.get(name, {})} for name, host in hosts.items()}
    return {"ece_hosts": {"hosts": entries, "vars": {"ece_host_roles": ["allocator"]}}}


def test_hosts_that_may_join_are_asked_once_and_keep_their_own_addresses(run, simulator, make_hosts):
    names = ("listed", "by-id", "known", "new-1", "new-2", "new-by-id", "beyond")
    hosts = {host.name: host for host in make_hosts(*names)}
    variables = {name: {"ece_host_ip": ""} for name in names if name != "listed"}
    for name in ("by-id", "new-by-id"):
        variables[name]["ece_host_runner_id"] = name
    for runner_id, name in ((hosts["listed"].ip, "listed"), ("by-id", "by-id"), (hosts["known"].ip, "known")):
        simulator.put_runner(runner_id, host_ip=hosts[name].ip, roles=["allocator"])
    result = run.play(PLAYBOOK, "--limit", "all:!beyond", inventory=inventory(hosts, variables))
    assert result.returncode == 0, result.stdout
    asked = {name: result.executed_on(name).count(GATHER) for name in names}
    assert {name: times for name, times in asked.items() if times} == {"known": 1, "new-1": 1, "new-2": 1}
    assert {name for name in names if not hosts[name].executed()} == {"listed", "by-id", "beyond"}
    started = {name: [run["env"]["HOST_IP"] for run in host.runs()] for name, host in hosts.items() if host.runs()}
    assert started == {name: [hosts[name].ip] for name in ("new-1", "new-2", "new-by-id")}
    assert result.said.count("3 of 7 hosts are connected already: listed, by-id, known") == 1
    # Once for the fleet, though it was planned twice, and once for the batch
    assert result.operations[:3] == [LIST, LIST, VERSION]


def test_an_address_that_is_another_hosts_stops_the_run(run, simulator, make_hosts):
    hosts = {host.name: host for host in make_hosts("asked", "given", "other")}
    variables = {"asked": {"ece_host_ip": ""}, "given": {"ece_host_ip": hosts["asked"].ip}}
    simulator.put_runner(hosts["asked"].ip, roles=["allocator"])  # neither may hide behind it
    result = run.play(PLAYBOOK, inventory=inventory(hosts, variables))
    assert result.returncode == 2
    (message,) = [entry["result"]["msg"] for entry in result.results if entry["status"] == "failed"]
    assert "of asked is also that of given" in message
    assert result.operations == [LIST]
    assert all(host.runs() == [] for host in hosts.values())


def test_a_first_host_that_cannot_be_asked_keeps_no_other_from_joining(run, simulator, make_hosts):
    # The fleet is planned on its first host.
    hosts = {host.name: host for host in make_hosts("gone", "new")}
    result = run.play(PLAYBOOK, inventory=inventory(hosts, {"gone": {**OUT_OF_REACH, "ece_host_ip": ""}}))
    assert result.returncode == 2
    assert "Nothing was done, as the host is out of reach" in result.failures["gone"]
    assert set(result.failures) == {"gone"}
    assert len(hosts["new"].runs()) == 1
