# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ece_host_problems
short_description: Say what is wrong with the variables of hosts that are to join Elastic Cloud Enterprise
version_added: 0.1.0
description:
  - Checks the variables of the role P(eceops.platform.ece_host#role), for all hosts of a batch together.
  - The role uses it before anything is sent or run for a host. Nothing is asked of the API or the hosts.
author:
  - The eceops.platform authors (@eceops)
options:
  _input:
    description:
      - A dictionary by the names of the hosts. Each value is a dictionary of the role's variables, with or without their C(ece_host_).
    type: dict
    required: true
seealso:
  - plugin: eceops.platform.ece_host_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what is wrong with two hosts, as one cannot be told from the other
  ansible.builtin.debug:
    msg: "{{ fleet | eceops.platform.ece_host_problems }}"
  vars:
    fleet:
      allocator-1: {coordinator_host: coordinator.example.com, roles: [allocator], ip: 192.168.44.11}
      allocator-2: {coordinator_host: coordinator.example.com, roles: [allocator], ip: 192.168.44.11}
"""

RETURN = r"""
_value:
  description:
    - For each host a list of sentences, each with the name of the variable that it is about. An empty list where nothing is wrong.
  type: dict
  sample:
    allocator-1: []
    allocator-2:
      - "ece_host_capacity must be at least 8192 (MB), not 4096."
"""

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.eceops.platform.plugins.module_utils._ece_host_arguments import find_problems


def ece_host_problems(arguments: t.Any) -> dict[str, list[str]]:
    if not isinstance(arguments, Mapping) or not all(isinstance(given, Mapping) for given in arguments.values()):
        raise AnsibleFilterError("ece_host_problems needs a dictionary, by host, of dictionaries of variables.")
    return find_problems(arguments)


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"ece_host_problems": ece_host_problems}
