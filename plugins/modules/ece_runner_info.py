#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_runner_info
short_description: List the hosts of an Elastic Cloud Enterprise installation
version_added: 0.1.0
description:
  - Lists the runners of an Elastic Cloud Enterprise (ECE) installation. Runner is ECE's word for one of its hosts.
  - The list is a search index of ECE's and can lag behind.
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes
  - eceops.platform._attributes.info_module
  - eceops.platform._connection
options:
  runner_ids:
    description: Only runners with these ids.
    type: list
    elements: str
  roles:
    description: Only runners that have all of these roles.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
  availability_zones:
    description: Only runners in one of these availability zones.
    type: list
    elements: str
  connected:
    description: Only runners that are connected, with V(true), or that are not, with V(false).
    type: bool
seealso:
  - module: eceops.platform.ece_platform_info
"""

EXAMPLES = r"""
# The connection comes from EC_HOST, EC_USER and EC_PASS (or EC_API_KEY) here.
- name: List the allocators of two availability zones
  eceops.platform.ece_runner_info:
    roles: [allocator]
    availability_zones: [ece-zone-1, ece-zone-2]
  register: allocators

- name: List the hosts that are down
  eceops.platform.ece_runner_info:
    connected: false
  register: disconnected

- name: Show them
  ansible.builtin.debug:
    msg: "{{ disconnected.runners | map(attribute='host_ip') }}"
"""

RETURN = r"""
runners:
  description: The runners, in order of their ids.
  returned: success
  type: list
  elements: dict
  contains:
    runner_id:
      description: Id of the runner, by default the IP address of the host.
      type: str
    host_ip:
      description: IP address of the host.
      type: str
    public_hostname:
      description: Name of the host, as ECE publishes it.
      type: str
    availability_zone:
      description: Availability zone of the host. V(null) where the API does not say.
      type: str
    roles:
      description: Those of its roles that a person can give, sorted. Roles of ECE's own, such as C(beats-runner), are left out.
      type: list
      elements: str
    connected:
      description: Whether the runner is connected to the installation.
      type: bool
    healthy:
      description: Whether the runner is healthy.
      type: bool
    version:
      description: Version that the runner runs. V(null) where the API does not say.
      type: str
  sample:
    - runner_id: 192.168.44.10
      host_ip: 192.168.44.10
      public_hostname: 192.168.44.10
      availability_zone: ece-zone-1
      roles: [allocator, proxy]
      connected: true
      healthy: true
      version: 4.2.0
failure:
  description: What the API said, as far as it is known.
  returned: when a request failed
  type: dict
  contains:
    status:
      description: HTTP status. V(null) where there was no reply.
      type: int
    code:
      description: ECE's error code.
      type: str
    message:
      description: ECE's error message, or what went wrong with the connection.
      type: str
    fields:
      description: The fields of the request that ECE names.
      type: list
      elements: str
  sample:
    status: 403
    code: root.unauthorized.rbac
    message: The user may not do this.
    fields: null
"""

import typing as t
from dataclasses import asdict

from ansible_collections.eceops.platform.plugins.module_utils._client import Client
from ansible_collections.eceops.platform.plugins.module_utils._module import EceModule, run_module
from ansible_collections.eceops.platform.plugins.module_utils._runner import ROLES, select_runners

OPTIONS: dict[str, dict[str, t.Any]] = {
    "runner_ids": {"type": "list", "elements": "str"},
    "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
    "availability_zones": {"type": "list", "elements": "str"},
    "connected": {"type": "bool"},
}


def list_runners(module: EceModule, client: Client) -> dict[str, t.Any]:
    filters = {name: module.params[name] for name in OPTIONS}
    return {"changed": False, "runners": [asdict(runner) for runner in select_runners(client.runners(), **filters)]}


def main() -> None:
    run_module(OPTIONS, list_runners)


if __name__ == "__main__":
    main()
