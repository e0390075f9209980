# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command and, as soon as a file holds a text, kill it or touch files:

``python -m testbed.meanwhile --file FILE --text TEXT (--kill | --touch PATH ...) -- COMMAND ...``

The exit code is the command's; 128 and the signal's number where it was killed; 1 where it ended before.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.05
TIMEOUT_SECONDS = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--kill", action="store_true", help="the command, a playbook's run")
    parser.add_argument("--touch", type=Path, nargs="*", default=[])
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    end = time.monotonic() + TIMEOUT_SECONDS
    process = subprocess.Popen(args.command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while not holds(args.file, args.text):
            if process.poll() is not None or time.monotonic() > end:
                print(f"{args.file} did not hold {args.text!r} before the end", file=sys.stderr)
                return 1
            time.sleep(POLL_SECONDS)
        for path in args.touch:
            path.touch()
        if not args.kill:
            process.wait(TIMEOUT_SECONDS)
    finally:
        if process.poll() is None:
            kill(process.pid)
    code = process.wait()
    return 128 - code if code < 0 else code


def kill(pid: int) -> None:
    """Kill a playbook's run, as if the controller had died: the leader of a group, and its workers."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())
    # Since ansible-core 2.19, each of the workers has a group of its own. They are called as the leader is.
    workers = [child for child in children if _command_line(child) == _command_line(pid)]
    for group in (pid, *workers):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def _command_line(pid: int) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def holds(file: Path, text: str) -> bool:
    """Whether the file is there, with this text in it."""
    with suppress(FileNotFoundError):
        return text in file.read_text(encoding="utf-8")
    return False


if __name__ == "__main__":
    sys.exit(main())
