# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pure: what one run has measured. Ratios, not seconds: they hold when the speed of the machine changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

# A subject that only a whole run has: it is slow and uneven, so that no chart shows it.
FIRST_TASKS = "one operation, the first of a run"


@dataclass(frozen=True)
class Comparison:
    """One thing done in two ways, in turn: ``ratios`` are ours by theirs, pair by pair, so that less is faster.

    ``aim``: the most that the median is to be, none where it is for information.
    """

    subject: str
    ours: str
    theirs: str
    ratios: Sequence[float]
    aim: float | None = None

    @property
    def median(self) -> float:
        return median(self.ratios)

    @property
    def met(self) -> bool:
        return self.aim is None or self.median <= self.aim


@dataclass(frozen=True)
class Growth:
    """The same play on more and more hosts: ``seconds`` of each run, by the number of hosts (at least two of these);
    ``requests`` that each run has sent, whatever that number."""

    name: str
    seconds: Mapping[int, Sequence[float]]
    requests: int
    aim: float | None = None  # the most milliseconds that a further host is to take

    def medians(self) -> dict[int, float]:
        return {hosts: median(seconds) for hosts, seconds in sorted(self.seconds.items())}

    def slopes(self) -> dict[int, float]:
        """Milliseconds that each further host takes, from the number before to this one. Linear: they are alike."""
        points = list(self.medians().items())
        return {
            hosts: (seconds - before) * 1000 / (hosts - fewer) for (fewer, before), (hosts, seconds) in pairwise(points)
        }

    @property
    def met(self) -> bool:
        """Whether no further host has taken more, wherever in the growth."""
        return self.aim is None or max(self.slopes().values()) <= self.aim

    @property
    def milliseconds_a_host(self) -> float:
        """From the smallest number of hosts to the largest."""
        (fewest, first), *_between, (most, last) = self.medians().items()
        return (last - first) * 1000 / (most - fewest)


@dataclass(frozen=True)
class Memory:
    """The peak of one process in MiB, what Linux calls VmHWM, of each run."""

    name: str
    mib: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.mib)


@dataclass(frozen=True)
class Figures:
    """All that one run has measured, and on what: ``about`` by what it tells."""

    about: Mapping[str, str]
    comparisons: Sequence[Comparison]
    growth: Sequence[Growth]
    memory: Sequence[Memory]

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Figures:
        """What ``plain`` gave, and JSON has kept."""
        return cls(
            plain["about"],
            [Comparison(**entry) for entry in plain["comparisons"]],
            [
                # Keys of JSON are strings.
                Growth(**{**entry, "seconds": {int(hosts): seconds for hosts, seconds in entry["seconds"].items()}})
                for entry in plain["growth"]
            ],
            [Memory(**entry) for entry in plain["memory"]],
        )
