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
  - The list is a search index of ECE's and can lag behind. With O(wait) the module asks for it until given runners are there.
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
    description: Only runners that have all of these roles. With O(wait), they are waited for, too.
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
  wait:
    description:
      - Whether to ask for the list until all of O(runner_ids), which are required then, are listed, connected and healthy, and have all of O(roles) if these
        are given. An empty list of ids is nothing to wait for.
      - O(availability_zones) and O(connected) narrow down what is returned, as ever, and do not change what is waited for.
      - The end of the time is no failure by itself. RV(missing) says which of them are not so then, and a warning says why and what to do.
      - Each look is one request for the list, with pauses from 1 to 10 seconds in between. O(retries) does not count. An API that is out of reach or busy
        meanwhile, as coordinators are that restart, is asked again until O(wait_timeout). A failure that does not pass by itself, such as credentials
        that are not accepted, ends the task at once.
      - In check mode nothing is waited for, since what lets the runners join was not done either. The list is returned as it is.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait at most, with O(wait).
      - The last look is at their end. It takes O(timeout) more seconds at most.
    type: int
    default: 600
seealso:
  - module: eceops.platform.ece_platform_info
  - module: eceops.platform.ece_runner
"""

EXAMPLES = r"""
# The connection comes from EC_HOST, EC_USER and EC_PASS (or EC_API_KEY) here.
- name: List the allocators of two availability zones
  eceops.platform.ece_runner_info:
    roles: [allocator]
    availability_zones: [ece-zone-1, ece-zone-2]
  register: allocators

- name: Wait until these are connected and healthy, for five minutes at most
  eceops.platform.ece_runner_info:
    runner_ids: "{{ allocators.runners | map(attribute='runner_id') }}"
    wait: true
    wait_timeout: 300

- name: List the hosts that are down
  eceops.platform.ece_runner_info:
    connected: false
  register: disconnected

- name: Show them
  ansible.builtin.debug:
    msg: "{{ disconnected.runners | map(attribute='host_ip') }}"
"""

RETURN = r"""
missing:
  description: Those of O(runner_ids) that are not listed, connected and healthy, with all of O(roles). Empty where all of them are.
  returned: success, with O(wait)
  type: list
  elements: str
  sample: [192.168.44.12]
runners:
  description: The runners, in order of their ids.
  returned: success
  type: list
  elements: dict
  contains:
    runner_id:
      description: Id of the runner, by default the IP address of the host.
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
      sample: [allocator, proxy]
    connected:
      description: Whether the runner is connected to the installation.
      type: bool
      sample: true
    healthy:
      description: Whether the runner is healthy.
      type: bool
      sample: true
    version:
      description: Version that the runner runs. V(null) where the API does not say.
      type: str
      sample: 4.2.0
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

import gc
import time
import typing as t
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict

from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError, RequestFailed, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._http import Repeat
from ansible_collections.eceops.platform.plugins.module_utils._module import EceModule, run_module
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES
from ansible_collections.eceops.platform.plugins.module_utils._runner import (
    Missing,
    Runner,
    check_runner_id,
    find_missing,
    growing_pauses,
    select_runners,
    waited_in_vain,
)

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._client import Client

FILTERS: dict[str, dict[str, t.Any]] = {
    "runner_ids": {"type": "list", "elements": "str"},
    "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
    "availability_zones": {"type": "list", "elements": "str"},
    "connected": {"type": "bool"},
}
OPTIONS: dict[str, dict[str, t.Any]] = {
    **FILTERS,
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600},
}


def list_runners(module: EceModule) -> dict[str, t.Any]:
    params = module.params
    check_options(params)
    filters = {name: params[name] for name in FILTERS}
    runner_ids: list[str] = list(dict.fromkeys(runner_id.strip() for runner_id in params["runner_ids"] or ()))
    if params["runner_ids"] is not None:
        # To Ansible, `a, b` is a list whose second element begins with a space.
        filters["runner_ids"] = runner_ids

    def shown(runners: Collection[Runner]) -> list[dict[str, t.Any]]:
        return [asdict(runner) for runner in select_runners(runners, **filters)]

    if not params["wait"]:
        return {"changed": False, "runners": shown(module.client.runners())}
    if module.check_mode:
        runners = module.client.runners()
        missing = find_missing(runner_ids, runners, params["roles"])
    else:
        # Each look that fails leaves garbage, and this lives for longer than other modules (see run_module).
        gc.enable()
        runners, missing = wait_for_runners(module.client, runner_ids, params["roles"], params["wait_timeout"])
        if missing:
            module.warn(waited_in_vain(missing, len(runner_ids), params["wait_timeout"]))
    return {"changed": False, "runners": shown(runners), "missing": list(missing)}


def check_options(params: Mapping[str, t.Any]) -> None:
    """Raise `WrongInput` for options that make no sense together or are out of range."""
    if params["wait_timeout"] <= 0:
        raise WrongInput(f"wait_timeout must be more than 0 seconds, not {params['wait_timeout']}.")
    if not params["wait"]:
        return
    if params["runner_ids"] is None:
        raise WrongInput("wait needs runner_ids: the ids of the runners to wait for.")
    for runner_id in params["runner_ids"]:
        check_runner_id("runner_ids", runner_id)


def wait_for_runners(
    client: Client,
    runner_ids: Sequence[str],
    roles: Collection[str] | None,
    wait_timeout: int,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], t.Any] = time.sleep,
) -> tuple[list[Runner], dict[str, Missing]]:
    """Look at the list until nothing is missing or the time is over: the last list, and what is missing in it.

    The last look is when the time is over, not before. Raises `EceError` where that failed, and `RequestFailed` as soon
    as a look fails in a way that does not pass by itself.
    """
    deadline = clock() + wait_timeout
    pauses = growing_pauses()
    seen = False
    while True:
        found = look(client)
        least = 0.0
        if isinstance(found, RequestFailed):
            least = found.retry_after
        else:
            seen = True
            missing = find_missing(runner_ids, found, roles)
            if not missing:
                return found, {}
        remaining = deadline - clock()
        if remaining <= 0:
            break
        pause(min(max(next(pauses), least), remaining))
    if isinstance(found, RequestFailed):
        when = "when the time was over, after" if seen else "in all of"
        raise EceError(
            f"The list of runners could not be had {when} {wait_timeout} seconds: {found.message}", **found.details
        )
    return found, missing


def look(client: Client) -> list[Runner] | RequestFailed:
    """The list, or why it could not be had, where that may pass by itself."""
    try:
        # The next look is the repeat: the transport's own would outlast the deadline.
        return client.runners(repeat=Repeat.NEVER)
    except RequestFailed as error:
        if not error.passing:
            raise
        return error


def main() -> None:
    run_module(OPTIONS, list_runners)


if __name__ == "__main__":
    main()
