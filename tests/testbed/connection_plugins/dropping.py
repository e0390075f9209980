# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local connection, which drops once for each file in the folder ``TESTBED_DROPS``, and removes that file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: dropping
short_description: A local connection that drops
description: For tests.
version_added: 0.1.0
author: The eceops.platform authors
options: {}
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(LocalConnection):
    transport = "dropping"

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        for drop in Path(os.environ["TESTBED_DROPS"]).iterdir():
            drop.unlink()
            raise AnsibleConnectionFailure("the connection was dropped")
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)

    def reset(self) -> None:
        self._connected = False
