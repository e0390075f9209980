# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went over the wire, as tests see it: requests by number and connection, without any secret."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import asdict, dataclass
from typing import Any

_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@dataclass
class Entry:
    """One request. ``status`` stays null when no reply was completed, ``fault`` when none was ordered for it. ``at``:
    seconds by a clock that never goes back."""

    number: int
    at: float
    connection: int
    method: str
    path: str
    operation: str | None
    body: object
    scheme: str | None
    user: str | None
    authenticated: bool
    fault: str | None
    status: int | None = None


class Journal:
    """The requests since the start, or since it was cleared. Not thread-safe: its user locks."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._connections = itertools.count(1)
        self._without_request: set[int] = set()

    def connect(self) -> int:
        """The number of a new connection; numbers are never used twice."""
        connection = next(self._connections)
        self._without_request.add(connection)
        return connection

    def begin(self, connection: int, path: str, **values: Any) -> Entry:
        """Note a request when it was read; the caller fills in ``status`` when its reply is about to be complete."""
        self._without_request.discard(connection)
        number = len(self._entries) + 1
        entry = Entry(number, time.monotonic(), connection, path=masked(path), **values)
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        self._entries.clear()
        self._without_request.clear()

    def report(self) -> dict[str, object]:
        """``requests``, and in ``connections`` how many were opened and never brought one."""
        return {"requests": [asdict(entry) for entry in self._entries], "connections": len(self._without_request)}


def masked(path: str) -> str:
    """A path in which the word ``TOKEN`` stands for a token's value."""
    return _JWT.sub("TOKEN", path)
