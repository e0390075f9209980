# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loaded by each Python that has this folder in PYTHONPATH: when it ends, its peak goes to the file BENCH_MEMORY.

Or that of a process that it has waited for, where that is larger: Ansible's workers end without a word."""

import atexit
import json
import os
import resource
import sys


def _note():
    with open("/proc/self/status", encoding="ascii") as status:
        own = int(next(line for line in status if line.startswith("VmHWM:")).split()[1])
    peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    # In whole lines, as several may end at the same time
    with open(os.environ["BENCH_MEMORY"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"program": os.path.basename(sys.argv[0]), "kib": peak}) + "\n")


if "BENCH_MEMORY" in os.environ:
    atexit.register(_note)
