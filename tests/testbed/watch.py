# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""See the files that appear in a folder, also those that live only for a moment."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from types import TracebackType

POLL_SECONDS = 0.02


class Watch:
    """Notes the contents of all files: ``with Watch(folder, during=True) as watch: ...``, then ``watch.contents()``.

    Looks once on leaving, and with ``during`` again and again before, from a thread. A file that was seen once is held
    open, so that what is written to it later is read even if it has been removed; one that lives for 100 ms is looked
    for about five times.
    """

    def __init__(self, folder: Path, during: bool) -> None:
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True) if during else None
        self._files: dict[tuple[str, int], int] = {}
        self._stamps: dict[int, tuple[int, int]] = {}
        self._contents: dict[str, list[bytes]] = {}

    def __enter__(self) -> Watch:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._look()
        for descriptor in self._files.values():
            os.close(descriptor)

    def contents(self) -> dict[str, bytes]:
        """The last content of each file by its path in the folder; earlier ones, the newest first, as ``PATH#2``...

        Of a file that grows, what it has grown to."""
        named: dict[str, bytes] = {}
        for path, versions in self._contents.items():
            for number, content in enumerate(reversed(versions), 1):
                named[path if number == 1 else f"{path}#{number}"] = content
        return named

    def _loop(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self._look()

    def _look(self) -> None:
        for folder, _folders, names in os.walk(self._folder):
            for name in names:
                self._hold(os.path.join(folder, name))
        for (path, _inode), descriptor in self._files.items():
            status = os.fstat(descriptor)
            stamp = (status.st_size, status.st_mtime_ns)
            if self._stamps.get(descriptor) != stamp:
                self._stamps[descriptor] = stamp
                content = os.pread(descriptor, status.st_size, 0)
                versions = self._contents.setdefault(os.path.relpath(path, self._folder), [])
                if versions and content.startswith(versions[-1]):
                    versions.pop()  # one that grows is all there
                versions.append(content)

    def _hold(self, path: str) -> None:
        try:
            status = os.lstat(path)
            key = (path, status.st_ino)
            if stat.S_ISREG(status.st_mode) and key not in self._files:
                self._files[key] = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            pass  # it has gone again between being listed and being opened
