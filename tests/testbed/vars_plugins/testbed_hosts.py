# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell how the testbed's hosts are reached, to any inventory that names them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.inventory.host import Host
from ansible.plugins.vars import BaseVarsPlugin

DOCUMENTATION = """
name: testbed_hosts
short_description: Variables of the testbed's hosts
description:
  - Reads the hosts' variables, by their names, from a JSON file.
author:
  - the eceops.platform authors
requirements:
  - environment variable E(TESTBED_HOSTS)
"""


class VarsModule(BaseVarsPlugin):
    """They take precedence over groups and the inventory's file, as those of ``host_vars/`` do."""

    def get_vars(self, loader: Any, path: str, entities: Any) -> dict[str, Any]:
        known = json.loads(Path(os.environ["TESTBED_HOSTS"]).read_text(encoding="utf-8"))
        found: dict[str, Any] = {}
        for entity in entities if isinstance(entities, list) else [entities]:
            if isinstance(entity, Host):
                found |= known.get(entity.name, {})
        return found
