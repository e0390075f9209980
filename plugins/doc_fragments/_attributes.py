# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

from __future__ import annotations


class ModuleDocFragment:
    """What every module says it can do; see also Ansible's own action_common_attributes."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and say what would change, without changing it.
  diff_mode:
    description: Says in diff mode what has changed, or would change in check mode.
  idempotent:
    description: A second run with the same arguments changes nothing, as long as nothing else changed what it manages.
  platform:
    description: Where the module runs. The API is reached from there, so this is usually the controller.
    support: full
    platforms: posix
  action_group:
    description: Use C(group/eceops.platform.ece) in C(module_defaults) to give all modules of the collection that call the API the same options.
    support: full
    membership:
      - eceops.platform.ece
"""

    # Modules that work on a host, and call no API. Named before the first one, of what both say it counts.
    HOST_MODULE = r"""
options: {}
attributes:
  platform:
    description: Where the module runs, a host that is to join.
    platforms: linux
  action_group:
    support: none
    details:
      - It calls no API.
    membership: []
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
"""
