# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ece_host_plan
short_description: Say what is to be done with hosts that are to join Elastic Cloud Enterprise
version_added: 0.1.0
description:
  - Decides what the role P(eceops.platform.ece_host#role) does with each host, for all hosts of a batch together.
  - It is asked before the hosts are looked at, after that, and with a fresh list of runners to verify.
    Nothing is asked of the API or the hosts.
author:
  - The eceops.platform authors (@eceops)
options:
  _input:
    description:
      - A dictionary by the names of the hosts. Each value is a dictionary of the role's variables, with or without their C(ece_host_).
    type: dict
    required: true
  runners:
    description:
      - The installation's runners, as M(eceops.platform.ece_runner_info) lists them.
      - Anything that is no list means that the API was not asked.
    type: raw
    required: true
  findings:
    description:
      - What was found on the hosts, a dictionary by their names. Each value is RV(eceops.platform.ece_installer_info#module:findings).
      - Hosts that are not in it have not been looked at.
    type: dict
    default: {}
seealso:
  - plugin: eceops.platform.ece_host_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: List the runners
  eceops.platform.ece_runner_info:
  register: listed

- name: Show which hosts are connected (skip), and which the role would look at
  ansible.builtin.debug:
    msg: "{{ fleet | eceops.platform.ece_host_plan(listed.runners) }}"
  vars:
    fleet:
      allocator-1: {roles: [allocator], ip: 192.168.44.11}
      allocator-2: {roles: [allocator], ip: 192.168.44.12}
"""

RETURN = r"""
_value:
  description: The plan of each host.
  type: dict
  contains:
    action:
      description:
        - V(skip), it is connected.
        - V(look), it has to be looked at.
        - V(wait), its installer is running.
        - V(verify), its installer has just ended.
        - V(join), it is to join.
        - V(replace), its old runner is to be deleted, then it is to join.
        - V(fail), none of these can be done.
      type: str
      sample: join
    reason:
      description: Why, in a sentence.
      type: str
      sample: It is not listed, and there is nothing of ECE on it.
    warnings:
      description: What else there is to know, a sentence each.
      type: list
      elements: str
      sample: []
    runner:
      description: How it is listed. V(null) where it is not.
      type: dict
      sample: {runner_id: 192.168.44.10, host_ip: 192.168.44.10, roles: [allocator], connected: true, healthy: true}
    mint:
      description: Roles of the token that has to be minted for it, sorted. V(null) where it needs none.
      type: list
      elements: str
      sample: [allocator]
  sample:
    allocator-2:
      action: join
      reason: It is not listed, and there is nothing of ECE on it.
      warnings: []
      runner: null
      mint: [allocator]
"""

import time
import typing as t
from collections.abc import Mapping
from dataclasses import asdict

from ansible.errors import AnsibleError, AnsibleFilterError, AnsibleUndefinedVariable
from jinja2 import Undefined

from ansible_collections.eceops.platform.plugins.module_utils._ece_host import Plan, plan_hosts, read_findings
from ansible_collections.eceops.platform.plugins.module_utils._ece_host_arguments import PLANNED, PREFIX, read_arguments
from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner


def ece_host_plan(
    arguments: t.Any, runners: t.Any, findings: Mapping[str, t.Any] | None = None
) -> dict[str, dict[str, t.Any]]:
    if not isinstance(arguments, Mapping) or not all(isinstance(given, Mapping) for given in arguments.values()):
        raise AnsibleFilterError("ece_host_plan needs a dictionary, by host, of dictionaries of variables.")
    try:
        listed = [_runner(runner) for runner in runners] if isinstance(runners, (list, tuple)) else None
        found = {host: read_findings(seen) for host, seen in (findings or {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"ece_host_plan needs runners and findings as ece_runner_info and ece_installer_info return them: {error}"
        ) from None
    readable = {host: read_arguments(_resolved(given)) for host, given in arguments.items()}
    plans = plan_hosts(readable, listed, found, time.time())
    return {host: _plain(plan) for host, plan in plans.items()}


def _resolved(given: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The variables that a plan needs, but for those that use an undefined one: what is wrong with a host is said when
    it is its turn, and may not keep the others from joining."""
    # Of a host's variables just the role's: ip, for one, may be anybody's.
    of_a_host = "inventory_hostname" in given or any(name.startswith(PREFIX) for name in given)
    values = {}
    for name in [*((PREFIX if of_a_host else "") + name for name in PLANNED), "ece_api"]:
        try:
            value = _plain_data(given[name]) if name in given else None
        except AnsibleError:
            value = None
        # ansible-core 2.16 leaves the template as it is.
        if value is not None and "{{" not in str(value):
            values[name] = value
    return values


def _plain_data(value: t.Any) -> t.Any:
    """The same data, with all of its templates resolved. Raises AnsibleError where one cannot be."""
    if isinstance(value, Mapping):
        return {name: _plain_data(value[name]) for name in value}
    if isinstance(value, (list, tuple)):
        return [_plain_data(item) for item in value]
    if isinstance(value, Undefined):
        raise AnsibleUndefinedVariable
    return value


def _runner(listed: Mapping[str, t.Any]) -> Runner:
    # A list of Ansible's own can be lazy, and not to be copied.
    return Runner(**{**listed, "roles": tuple(listed["roles"])})


def _plain(plan: Plan) -> dict[str, t.Any]:
    """Lists rather than tuples, which Ansible's YAML and JSON would not give back as they were."""
    shown = asdict(plan)
    for holder, name in ((shown, "warnings"), (shown, "mint"), (shown["runner"] or {}, "roles")):
        if holder.get(name) is not None:
            holder[name] = list(holder[name])
    return shown


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"ece_host_plan": ece_host_plan}
