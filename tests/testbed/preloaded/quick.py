# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take less time in the processes of a run, all of which are short.

What is compiled of modules that Ansible has packed is kept in the folder ``TESTBED_COMPILED``: each task brings its
own, with all that it imports, and compiling that again takes half of a module's time. And no garbage is collected.
What is seen of that: warnings of the compiler come in a module's first run only, a traceback has the paths of that
run, and nothing is said of what is left open.
"""

import gc
import marshal
import os
import sys
import zipimport
from contextlib import suppress


def _keep(folder, compile_source):
    def compiled(path, source):
        from importlib.util import source_hash

        kept = f"{folder}/{source_hash(source).hex()}.{sys.implementation.cache_tag}"
        with suppress(OSError), open(kept, "rb") as file:
            return marshal.load(file)  # noqa: S302  (a file of this test's own)
        code = compile_source(path, source)
        # Whole, at once: others may look at any time. Where it cannot be kept, it is compiled again.
        fresh = f"{kept}.{os.getpid()}"
        with suppress(OSError), open(fresh, "wb") as file:
            marshal.dump(code, file)
            file.close()
            os.replace(fresh, kept)
        return code

    return compiled


def save_time():
    """Where ``TESTBED_COMPILED`` is set."""
    folder = os.environ.get("TESTBED_COMPILED")
    if not folder:
        return
    gc.disable()
    # Python 3.6 and 3.7 have none: theirs is not written in Python.
    if hasattr(zipimport, "_compile_source"):
        zipimport._compile_source = _keep(folder, zipimport._compile_source)
