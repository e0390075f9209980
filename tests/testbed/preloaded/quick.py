# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take less time in the processes of a run, all of which are short.

What is compiled of modules that Ansible has packed is kept in the folder ``TESTBED_COMPILED``: each task brings its
own, with all that it imports, and compiling that again takes half of a module's time. So is what Ansible's commands
compile of templates and collections, and what they read of their own long YAML files, which takes up to half of the
time in which they start. And no garbage is collected.
What is seen of that: warnings of the compiler come in a module's first run only, a traceback has the paths of that
run, and nothing is said of what is left open.
"""

import atexit
import builtins
import gc
import marshal
import os
import sys
import zipimport
from contextlib import suppress

LONG = 50_000  # letters or bytes of YAML: Ansible's settings and its list of plugins that have moved


def _kept(folder, source, make):
    """What ``make()`` makes of the source, or once has made."""
    from importlib.util import source_hash

    kept = f"{folder}/{source_hash(source).hex()}.{sys.implementation.cache_tag}"
    with suppress(OSError), open(kept, "rb") as file:
        return marshal.load(file)  # noqa: S302  (written below, in a folder of the test's own)
    made = make()
    # Whole, at once: others may look at any time. Where it cannot be kept, it is made again.
    fresh = f"{kept}.{os.getpid()}"
    with suppress(OSError), open(fresh, "wb") as file:
        marshal.dump(made, file)
        file.close()
        os.replace(fresh, kept)
    return made


def _keep_modules(folder):
    """The modules that a task brings, and what they import."""
    compile_source = zipimport._compile_source
    zipimport._compile_source = lambda path, source: _kept(folder, source, lambda: compile_source(path, source))


def _keep_yaml(folder):
    """Ansible's own long files."""
    import yaml

    load = yaml.load
    # Others make objects of their own, which cannot be kept.
    plain = [getattr(yaml, name, None) for name in ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")]

    def kept(stream, Loader):
        if Loader not in plain:
            return load(stream, Loader)
        text = stream.read() if hasattr(stream, "read") else stream
        if len(text) < LONG:
            return load(text, Loader)
        source = text.encode() if isinstance(text, str) else text
        return _kept(folder, Loader.__name__.encode() + source, lambda: load(text, Loader))

    yaml.load = kept


def _keep_plugins_and_templates(folder):
    """Which each of Ansible's processes compiles anew. What calls ``compile`` hands down none of its own
    ``from __future__``, which these do without."""
    compile_source = builtins.compile

    def kept(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, **options):
        def make():
            return compile_source(source, filename, mode, flags, dont_inherit, optimize, **options)

        # What does not make code, or makes another than usual
        if mode != "exec" or flags or optimize != -1 or not isinstance(source, (bytes, str)):
            return make()
        text = source.encode(errors="surrogatepass") if isinstance(source, str) else source
        return _kept(folder, os.fsencode(filename) + text, make)

    builtins.compile = kept


def save_time():
    """Where ``TESTBED_COMPILED`` is set."""
    folder = os.environ.get("TESTBED_COMPILED")
    if not folder:
        return
    gc.disable()
    # It would look through everything once, when a process ends.
    if hasattr(gc, "freeze"):
        atexit.register(gc.freeze)
    # Python 3.6 and 3.7 have none: theirs is not written in Python.
    if hasattr(zipimport, "_compile_source"):
        _keep_modules(folder)
    if any(os.path.basename(word).startswith("ansible") for word in getattr(sys, "orig_argv", ())[1:2]):
        _keep_yaml(folder)
        _keep_plugins_and_templates(folder)
