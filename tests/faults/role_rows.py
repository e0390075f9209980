# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a row of the role's table tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """`symptom` and `next_step` stand in what the run says, word for word; where it goes on as if nothing had been,
    `symptom` is what the summary says then, and there is no `next_step`. `step`, `cause` and `done` are for the guide.
    `also` is said, too, but not by every such run.
    """

    name: str
    step: str
    cause: str
    symptom: str
    done: str
    next_step: str
    also: str = ""

    @property
    def passes(self) -> bool:
        return not self.next_step


@dataclass(frozen=True)
class ApiRow(Row):
    """The API fails, or the host that asks it is lost, while a host that is new and one that was rebuilt join.

    `faults`: the simulator's (`simulator/faults.py`). `loss`: of the API delegate, as `HostRow` has it. `failed`: the
    hosts that have not joined in the end; those that say nothing of their own are stopped with the first. `minted`: the
    tokens, after this run. `deleted`: whether the old runner is gone then. `api`: connection options, besides no
    repeats. `variables`: the role's.
    """

    faults: tuple[dict[str, Any], ...] = ()
    loss: dict[str, Any] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    minted: int = 2
    deleted: bool = True
    api: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    spare: int = 0  # tokens that are minted, in the end, besides one for each host


@dataclass(frozen=True)
class HostRow(Row):
    """A host, named as the row is, is lost: `loss` as `connection_plugins/dropping.py` takes it.

    `started`: whether its installer was started in this run. As soon as its installer runs and it is lost, it
    `restarts`, and is within reach then, or the installer, which was held, `goes_on`. `starts`: of its installer, in
    the end.
    """

    loss: dict[str, Any] = field(default_factory=dict)
    started: bool = False
    restarts: bool = False
    goes_on: bool = False
    variables: dict[str, Any] = field(default_factory=dict)
    starts: int = 1
