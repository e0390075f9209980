# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is shared between the API and the tests' control interface, behind one lock."""

from __future__ import annotations

import datetime
import threading

from .faults import Faults
from .journal import Journal
from .state import Installation

API_KEY_DAYS = 90


class World:
    """An installation, what was ordered for it and what was observed. Hold ``lock`` while using any of it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.journal = Journal()
        self.faults = Faults()
        self.violations: list[dict[str, object]] = []
        self.reset()

    def reset(self) -> None:
        """A fresh installation, nothing ordered, nothing observed."""
        self.installation = Installation()
        self.journal.clear()
        self.faults.clear()
        self.violations.clear()
        # Whether requests and replies are held against the description, which takes four fifths of a reply's time.
        self.checked = True
        expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=API_KEY_DAYS)
        # The header's value, raw: null means that replies do not carry it.
        self.api_key_expiration: str | None = expiration.isoformat(timespec="seconds")
