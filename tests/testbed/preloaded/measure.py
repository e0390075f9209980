# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure coverage, by the settings in the file ``TESTBED_COVERAGE``, in the modules of the collection.

Not in Ansible's own, where it would take a seventh of a second to find nothing, nor in the controller, which it makes
twice as slow: what runs there is measured by the unit tests and the integration targets.
"""

import os
import sys

COLLECTION = "ansible_collections.eceops.platform.plugins."


class _Starter:
    """Finds no module. It starts coverage when one of the collection is looked for; a controller does not get here, as
    Ansible's own finder of collections comes first."""

    def __init__(self):
        self.waits = True

    def find_spec(self, name, path=None, target=None):
        if self.waits and name.startswith(COLLECTION):
            self.waits = False
            _start()


def _start():
    # Not every Python of a host has it.
    try:
        import coverage
    except ImportError:
        return
    os.environ["COVERAGE_PROCESS_START"] = os.environ["TESTBED_COVERAGE"]
    coverage.process_startup()
    # Else each Python that this one runs would start it at once.
    del os.environ["COVERAGE_PROCESS_START"]


def start_when_needed():
    """Where ``TESTBED_COVERAGE`` is set."""
    if os.environ.get("TESTBED_COVERAGE"):
        sys.meta_path.insert(0, _Starter())
