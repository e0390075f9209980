# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in which Ansible writes as much as it can, in as many places: ``run.play(..., "--diff", **LOUD)``.

All of them lie in the run's own folder, where ``Result.find`` searches. Such a run should end with a failure, for only
then is there a retry file.
"""

from __future__ import annotations

from typing import Any

from .hosts import PRELOADED, DirectoryHost
from .play import Result

LOUD: dict[str, Any] = {
    "verbosity": 3,
    "watch": True,
    "env": {
        "ANSIBLE_CALLBACKS_ENABLED": "record, failing, dump, ansible.builtin.tree, ansible.builtin.junit",
        "ANSIBLE_CALLBACK_TREE_DIR": "$HOME/tree",
        "ANSIBLE_LOG_PATH": "$HOME/ansible.log",
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": "$HOME/facts",
        "ANSIBLE_RETRY_FILES_ENABLED": "true",
        "ANSIBLE_RETRY_FILES_SAVE_PATH": "$HOME/retry",
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
        # Both from 2.19 on: what a module was given is returned only when asked for, as are tracebacks.
        "ANSIBLE_INJECT_INVOCATION": "true",
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
        "JUNIT_OUTPUT_DIR": "junit",  # in the working directory
        "TESTBED_DUMP": "$HOME/dump.jsonl",
        "TESTBED_SYSLOG": "$HOME/syslog",
    },
}
# What each of these begins its files' names with, in the run's folder
_WRITTEN = {
    "callback dump": "home/dump.jsonl",
    "callback junit": "project/junit/",
    "callback tree": "home/tree/",
    "fact cache": "home/facts/",
    "log": "home/ansible.log",
    "retry file": "home/retry/",
    "syslog": "home/syslog",
}


def silent(result: Result) -> list[str]:
    """Those of a loud run that wrote nothing, so that nothing is shown by there being no secret."""
    names = [name for name, content in result.written.items() if content]
    missing = [what for what, begins in _WRITTEN.items() if not any(name.startswith(begins) for name in names)]
    return missing + ([] if "this callback always fails" in result.said else ["callback failing"])


def log_modules(host: DirectoryHost) -> None:
    """Let what modules log on a host go to the same file as the controller's."""
    with (host.folder / "lib" / "sitecustomize.py").open("a", encoding="utf-8") as site:
        site.write("\n" + (PRELOADED / "sitecustomize.py").read_text(encoding="utf-8"))
