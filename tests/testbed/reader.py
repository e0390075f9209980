# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One who follows a document: types its commands at a terminal, one after the other, and answers what is asked."""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import subprocess
import termios
import time
from io import FileIO
from pathlib import Path

TIMEOUT_SECONDS = 300
# What a variable was exported to, and where the last command stood, the next one finds.
SCRIPT = """
if test -e {state}; then . {state}; cd -- "$PWD"; fi
trap 'export -p > {state}' EXIT
{commands}
"""
# ansible-playbook and ansible-vault ask for a vault's password with words that end so.
VAULT_PROMPT = b"Vault password: "


class Reader:
    """``folder`` holds ``home`` and ``project``, where the first command stands. ``vault_password`` is the answer to
    Ansible, ``variables`` are those to ``read -rs NAME``."""

    def __init__(
        self, folder: Path, environment: dict[str, str], vault_password: str, variables: dict[str, str]
    ) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.environment = environment
        self.vault_password = vault_password
        self.variables = variables

    def write(self, name: str, text: str) -> None:
        """Write a file where commands stand at first."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, commands: str) -> tuple[int, str]:
        """Run a shell's commands until one fails; the exit code and the output.

        Raises:
            TimeoutError: when they do not end; the message holds the output.
        """
        script = self.folder / "commands.sh"
        script.write_text(SCRIPT.format(state=self.folder / "state.sh", commands=commands), encoding="utf-8")
        terminal, its_end = os.openpty()
        with open(terminal, "r+b", buffering=0) as screen:
            with open(its_end, "r+b", buffering=0) as device:
                settings = termios.tcgetattr(device)
                settings[3] &= ~termios.ECHO  # else the answers would be in the output
                termios.tcsetattr(device, termios.TCSANOW, settings)
                # Passwords are asked for at the terminal that controls the process.
                process = subprocess.Popen(
                    ["setsid", "--ctty", "bash", "-e", str(script)],
                    cwd=self.project,
                    env=self.environment,
                    stdin=device,
                    stdout=device,
                    stderr=device,
                )
            # `read` asks without words, and takes what was typed before.
            asked = re.findall(r"\bread -rs (\w+)", commands)
            screen.writelines(self.variables[name].encode() + b"\n" for name in asked)
            try:
                output = self._converse(screen)
                return process.wait(TIMEOUT_SECONDS), output
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def _converse(self, screen: FileIO) -> str:
        """Answer what Ansible asks, until everybody has closed the terminal's other end; the output."""
        output = b""
        answers = 0
        end = time.monotonic() + TIMEOUT_SECONDS
        while select.select([screen], [], [], max(0, end - time.monotonic()))[0]:
            try:
                output += screen.read(65536) or b""
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return _text(output)
            while answers < output.count(VAULT_PROMPT):
                screen.write(self.vault_password.encode() + b"\n")
                answers += 1
        raise TimeoutError(f"no end after {TIMEOUT_SECONDS} s:\n{_text(output)}")


def _text(output: bytes) -> str:
    return output.decode(errors="replace").replace("\r\n", "\n")
