# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: the roles of a host. Runs with Python 3.6 or later."""

# Those that a person can give. The API lists more (`beats-runner`, `services-forwarder`), which nobody assigns.
ROLES = ("allocator", "coordinator", "director", "proxy")
# Those of which an installation needs most to live: directors form its ZooKeeper ensemble.
MANAGER_ROLES = frozenset({"coordinator", "director"})
