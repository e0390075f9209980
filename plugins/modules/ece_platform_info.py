#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_platform_info
short_description: Get the version that an Elastic Cloud Enterprise installation runs
version_added: 0.1.0
description:
  - Gets the version of an Elastic Cloud Enterprise (ECE) installation. New hosts must be installed with the same one.
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes
  - eceops.platform._attributes.info_module
  - eceops.platform._connection
seealso:
  - module: eceops.platform.ece_runner_info
"""

EXAMPLES = r"""
# The connection comes from EC_HOST, EC_USER and EC_PASS (or EC_API_KEY) here.
- name: Ask for the installation's version
  eceops.platform.ece_platform_info:
  register: platform

- name: Show it
  ansible.builtin.debug:
    var: platform.version
"""

RETURN = r"""
version:
  description: The version that the installation runs.
  returned: success
  type: str
  sample: 4.2.0
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

from ansible_collections.eceops.platform.plugins.module_utils._module import EceModule, run_module


def get_platform(module: EceModule) -> dict[str, t.Any]:
    return {"changed": False, "version": module.client.platform_version()}


def main() -> None:
    run_module({}, get_platform)


if __name__ == "__main__":
    main()
