# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loaded by every Python that has this folder in PYTHONPATH: what modules log goes to the file ``TESTBED_SYSLOG``.

So that it can be searched, and none of it gets into this machine's log, where there is one. And it takes less
time, see ``quick``, and tells what it ran, see ``measure``.
"""

import os
import sys
import syslog

import measure
import quick

quick.save_time()
measure.start_when_needed()

if "TESTBED_SYSLOG" in os.environ:

    def _write(priority, message=None):
        with open(os.path.expandvars(os.environ["TESTBED_SYSLOG"]), "a", encoding="utf-8") as log:
            log.write(f"{priority if message is None else message}\n")

    syslog.syslog = _write
    # AnsibleModule would log to systemd's journal, where its Python package is installed.
    sys.modules["systemd"] = None
