#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_runner
short_description: Delete a host from an Elastic Cloud Enterprise installation
version_added: 0.1.0
description:
  - Deletes a runner, ECE's word for a host, from an Elastic Cloud Enterprise (ECE) installation. ECE forgets it then, so that the host can join anew.
  - That is the last step of taking a host out, and the first of letting one join again that was rebuilt. The steps before it are not done here,
    see Elastic's documentation. Nothing is done on the host itself.
  - A runner that is connected, is a director or coordinator, or is an allocator that has instances, is not deleted. The task fails then, and says all
    that stands in the way.
  - The module reads the runner's record, not the list of runners, which can lag behind.
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes
  - eceops.platform._connection
attributes:
  check_mode:
    support: full
    details:
      - The same decision is made, a refusal among them, and nothing is deleted.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  runner_id:
    description: Id of the runner, by default the IP address of its host.
    type: str
    required: true
  state:
    description:
      - V(absent) makes sure that the installation has no such runner.
      - There is no other state, since hosts join by ECE's installer only.
    type: str
    required: true
    choices: [absent]
seealso:
  - module: eceops.platform.ece_runner_info
  - name: Delete ECE hosts
    description: Elastic's documentation of all the steps.
    link: https://www.elastic.co/docs/deploy-manage/maintenance/ece/delete-ece-hosts
"""

EXAMPLES = r"""
# The connection comes from EC_HOST, EC_USER and EC_PASS (or EC_API_KEY) here.
- name: See whether a host may be deleted
  eceops.platform.ece_runner:
    runner_id: 192.168.44.10
    state: absent
  check_mode: true
  register: foreseen

- name: Delete it, once it has been taken out
  eceops.platform.ece_runner:
    runner_id: 192.168.44.10
    state: absent
"""

RETURN = r"""
runner:
  description: The runner that was deleted, or would be in check mode, as it was before. V(null) where there was none of that id.
  returned: success
  type: dict
  contains:
    runner_id:
      description: Id of the runner.
      type: str
      sample: 192.168.44.10
    host_ip:
      description: IP address of the host.
      type: str
      sample: 192.168.44.10
    public_hostname:
      description: Name of the host, as ECE publishes it.
      type: str
      sample: 192.168.44.10
    availability_zone:
      description: Availability zone of the host. V(null) where the API does not say.
      type: str
      sample: ece-zone-1
    roles:
      description: Those of its roles that a person can give, sorted. Roles of ECE's own, such as C(beats-runner), are left out.
      type: list
      elements: str
      sample: [allocator]
    connected:
      description: Whether the runner was connected to the installation, which is always V(false).
      type: bool
      sample: false
    healthy:
      description: Whether the runner was healthy.
      type: bool
      sample: false
    version:
      description: Version that the runner ran. V(null) where the API does not say.
      type: str
      sample: 4.2.0
  sample:
    runner_id: 192.168.44.10
    host_ip: 192.168.44.10
    public_hostname: 192.168.44.10
    availability_zone: ece-zone-1
    roles: [allocator]
    connected: false
    healthy: false
    version: 4.2.0
failure:
  description: What the API said, as far as it is known.
  returned: when a request failed
  type: dict
  contains:
    status:
      description: HTTP status. V(null) where there was no reply.
      type: int
      sample: 403
    code:
      description: ECE's error code.
      type: str
      sample: root.unauthorized.rbac
    message:
      description: ECE's error message, or what went wrong with the connection.
      type: str
      sample: The user may not do this.
    fields:
      description: The fields of the request that ECE names.
      type: list
      elements: str
      sample: null
  sample:
    status: 403
    code: root.unauthorized.rbac
    message: The user may not do this.
    fields: null
"""

import typing as t
from dataclasses import asdict

from ansible_collections.eceops.platform.plugins.module_utils._module import EceModule, run_module
from ansible_collections.eceops.platform.plugins.module_utils._runner import check_deletable, check_runner_id

OPTIONS: dict[str, dict[str, t.Any]] = {
    "runner_id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["absent"], "required": True},
}


def manage_runner(module: EceModule) -> dict[str, t.Any]:
    """Delete the runner where it is there and may go: the return values."""
    check_runner_id("runner_id", module.params["runner_id"])
    runner_id = module.params["runner_id"].strip()
    runner = module.client.runner(runner_id)
    if runner:
        check_deletable(runner, module.client.instances(runner_id) if "allocator" in runner.roles else 0)
        if not module.check_mode:
            module.client.delete_runner(runner_id)
    before = asdict(runner) if runner else None
    return {
        "changed": runner is not None,
        "runner": before,
        "diff": {"before": {"runner": before}, "after": {"runner": None}},
    }


def main() -> None:
    run_module(OPTIONS, manage_runner)


if __name__ == "__main__":
    main()
