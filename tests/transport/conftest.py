# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's client as Python, against the simulator: what a whole play would be too slow to ask."""

from __future__ import annotations

import os
import sys

pytest_plugins = ["testbed.fixtures"]

sys.path.insert(0, os.environ["TESTBED_COLLECTIONS_PATH"])
