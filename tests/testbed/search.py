# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Search for secrets again and again, as long as standard input is open: ``python -m testbed.search --dir DIR``.

Looked at are the file systems of the hosts of a test world, their syslogs among them, the command lines and
environments of their processes, and on this machine Ansible's own folder in HOME, where also the modules' files are
(ANSIBLE_REMOTE_TMP), and DIR/controller, where the scenarios have their log file and fact cache. A line of JSON is then
added to DIR/searched.jsonl: ``looks``, how often was looked; ``files``, what was looked into, and ``found``, where a
secret stood, both as HOST:PATH; ``commands``, the beginnings of the command lines that held one. The first look and the
last are into everything, those between into what is written to, so that they take a fraction of a second, and see most
files that live for a moment.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .containers import ContainerHost
from .fleet import find_hosts
from .needles import Needles
from .simulator import Simulator

# So that looking takes a tenth of a processor at most
PAUSE_SHARE = 9
MIN_PAUSE_SECONDS = 0.1
# All of a host that can be written to, but for what is no file; and where Ansible, the installer and ECE write
ALL = ("dev/shm", "etc", "home", "media", "mnt", "opt", "root", "run", "srv", "tmp", "usr/local", "var")
BUSY = ("dev/shm", "home", "mnt", "opt", "root", "run", "tmp", "var/lib/eceops", "var/log", "var/tmp")
RESULT = "searched.jsonl"
CONTROLLER = "controller"


class Search:
    """One search: ``looks``, ``found`` and ``commands``, as above. ``since_ns``: when the secrets were made, in
    nanoseconds; a file that has not changed since, such as all of an image's, is not looked into."""

    def __init__(self, needles: Needles, since_ns: int = 0) -> None:
        self.looks = 0
        self.found: set[str] = set()
        self.commands: set[str] = set()
        self._needles = needles
        self._since_ns = since_ns
        self._stamps: dict[str, tuple[int, int, int]] = {}

    @property
    def files(self) -> list[str]:
        """Those that were looked into."""
        return sorted(self._stamps)

    def look(self, host: str, root: Path, folders: Iterable[str]) -> None:
        """Look into each file of a host that is new or has changed; ``root``: its file system."""
        for path in (path for folder in folders for path in _paths(root / folder)):
            # A file may go at any time.
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                self._look_into(path, f"{host}:/{os.path.relpath(path, root)}")

    def look_at_processes(self, host: str, root: Path) -> None:
        """Look at how each process of a host was called. The installer and the engine's client hold a token: they have
        no other way to be given it."""
        for process in (root / "proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                command = (process / "cmdline").read_bytes()
                if self._needles.are_in(command):
                    self.commands.add(" ".join(command.decode(errors="replace").split("\0")[:4]))
                if self._needles.are_in((process / "environ").read_bytes()):
                    self.found.add(f"{host}:the environment of {process.name}")

    def _look_into(self, path: str, name: str) -> None:
        status = os.lstat(path)
        if status.st_ctime_ns < self._since_ns:
            return
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if stat.S_ISREG(status.st_mode) and self._stamps.get(name) != stamp:
            self._stamps[name] = stamp
            with open(path, "rb") as file:
                if self._needles.are_in(file.read()):
                    self.found.add(name)


def _paths(root: Path) -> Iterator[str]:
    for folder, _folders, names in os.walk(root):
        yield from (os.path.join(folder, name) for name in names)


def secrets(simulator: Simulator) -> list[str]:
    """What may stand nowhere: the credentials, and how every token here begins."""
    beginning = simulator.mint_ephemeral([], 60).partition(".")[0]
    return [simulator.password, simulator.api_key, beginning]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, required=True)
    directory = parser.parse_args().dir
    roots = {host.name: host.root() for host in find_hosts(directory) if isinstance(host, ContainerHost)}
    own = [str(folder).strip("/") for folder in (Path.home() / ".ansible", directory / CONTROLLER)]
    simulator = Simulator.attach(directory)
    search = Search(Needles(secrets(simulator)), since_ns=simulator.since_ns)

    def look(folders: Iterable[str]) -> None:
        search.looks += 1
        search.look("localhost", Path("/"), own)
        for name, root in roots.items():
            search.look(name, root, folders)
            search.look_at_processes(name, root)

    look(ALL)
    pause = MIN_PAUSE_SECONDS
    while not select.select([sys.stdin], [], [], pause)[0]:
        begin = time.monotonic()
        look(BUSY)
        pause = max(MIN_PAUSE_SECONDS, PAUSE_SHARE * (time.monotonic() - begin))
    look(ALL)
    result = {
        "looks": search.looks,
        "files": search.files,
        "found": sorted(search.found),
        "commands": sorted(search.commands),
    }
    with (directory / RESULT).open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
