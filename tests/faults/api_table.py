# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table: each request of the modules x each fault of the API -> requests seen, state, and whether it succeeds.

Pure: `test_api.py` runs every row.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from .api_faults import FAULTS, MINTED_ROLES, TOKEN_ID, TOKEN_ROLES, Fault, Mint

RETRIES = 1
POLL_SECONDS, LONG_POLL_SECONDS = 1, 6
RUNNER_ID = "192.0.2.7"
# What is there before each row: a token to revoke, and a runner that is down and may be deleted.
ORDERS: list[list[Any]] = [
    ["POST", "/reset", None],
    ["POST", "/tokens", {"roles": TOKEN_ROLES, "token_ids": [TOKEN_ID]}],
    ["PUT", f"/runners/{RUNNER_ID}", {"roles": ["allocator"], "connected": False}],
    ["DELETE", "/journal", None],
]

PLATFORM, RUNNERS, RUNNER, ALLOCATOR = "get-platform", "get-runners", "get-runner", "get-allocator"
LIST, MINT = "get-enrollment-tokens", "create-enrollment-token"
REVOKE, DELETE = "delete-enrollment-token", "delete-runner"


class Repeat(enum.Enum):
    """When a request is made again, where the fault may pass: what the modules promise."""

    SAFE = "up to RETRIES times"
    PERSISTENT = "the same, where it surely did not arrive, or was refused with 429"
    POLL = "until wait_timeout is over"


@dataclass(frozen=True)
class Request:
    """A request that a module makes: after those of `before`, which go well, and before those of `after`."""

    name: str
    module: str
    options: dict[str, Any]
    operation: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    repeat: Repeat = Repeat.SAFE


EPHEMERAL_TOKEN = {"roles": ["proxy"], "validity_seconds": 600}
PERSISTENT_TOKEN = {"roles": MINTED_ROLES, "persistent": True}
REVOKE_TOKEN = {"state": "absent", "token_ids": [TOKEN_ID]}
DELETE_RUNNER = {"state": "absent", "runner_id": RUNNER_ID}
WAIT = {"wait": True, "runner_ids": ["192.0.2.1"]}

REQUESTS = [
    Request("the version", "ece_platform_info", {}, PLATFORM),
    Request("the list of tokens", "ece_roles_token_info", {}, LIST),
    Request("the list before a mint", "ece_roles_token", PERSISTENT_TOKEN, LIST, after=(MINT,)),
    Request("the list before a revocation", "ece_roles_token", REVOKE_TOKEN, LIST, after=(REVOKE,)),
    Request("minting an ephemeral token", "ece_roles_token", EPHEMERAL_TOKEN, MINT),
    Request("minting a persistent token", "ece_roles_token", PERSISTENT_TOKEN, MINT, (LIST,), repeat=Repeat.PERSISTENT),
    Request("revoking a token", "ece_roles_token", REVOKE_TOKEN, REVOKE, (LIST,)),
    Request("the list of runners", "ece_runner_info", {}, RUNNERS),
    Request("waiting for runners", "ece_runner_info", WAIT, RUNNERS, repeat=Repeat.POLL),
    Request("a runner's record", "ece_runner", DELETE_RUNNER, RUNNER, after=(ALLOCATOR, DELETE)),
    Request("a runner's allocator", "ece_runner", DELETE_RUNNER, ALLOCATOR, (RUNNER,), (DELETE,)),
    Request("deleting a runner", "ece_runner", DELETE_RUNNER, DELETE, (RUNNER, ALLOCATOR)),
]
# What `make test` runs on the newest ansible-core; the others run on the oldest
ON_NEWEST = ("minting an ephemeral token", "minting a persistent token")
# One fault of each kind that passes strikes but once, too.
PASSING = ("reset in the handshake", "reset after the effect", "slow reply", "HTTP 429")


@dataclass(frozen=True)
class Row:
    """One request with one fault, which strikes each time that it is made, or but once."""

    request: Request
    fault: Fault
    lasts: bool = True

    @property
    def name(self) -> str:
        return self.fault.name if self.lasts else f"{self.fault.name}, once"

    @property
    def orders(self) -> list[list[Any]]:
        """The calls of the simulator's control interface that prepare it."""
        orders = [*ORDERS, ["PUT", "/clock", {"offset_seconds": self.fault.clock}]]
        if not self.fault.orders:
            return orders
        fault: dict[str, Any] = {**self.fault.orders, "times": None if self.lasts else 1}
        if not self.fault.unseen:
            return [*orders, ["POST", "/faults", {**fault, "operation": self.request.operation}]]
        # Each request before it has a connection of its own.
        closing = [["POST", "/faults", {"kind": "close", "operation": name}] for name in self.request.before]
        return [*orders, *closing, ["POST", "/faults", {**fault, "skip": len(closing)}]]

    @property
    def options(self) -> dict[str, Any]:
        """Those of the module."""
        options = {**self.request.options, "retries": RETRIES, "timeout": self.fault.timeout}
        if self.request.repeat is Repeat.POLL:
            options["wait_timeout"] = POLL_SECONDS if self.lasts else LONG_POLL_SECONDS
        return options

    @property
    def repeated(self) -> bool:
        """Whether the request is sent again by itself."""
        if not self.fault.passes or self.request.repeat is Repeat.POLL:
            return False
        return self.request.repeat is Repeat.SAFE or self.fault.mint is not Mint.UNKNOWN

    @property
    def polled(self) -> bool:
        """Whether it is made again and again, until the time is over."""
        return self.request.repeat is Repeat.POLL and (self.fault.passes or self.fault.status == 500)

    @property
    def gone_already(self) -> bool:
        """What was to be revoked is not there: that was wanted."""
        return (self.request.operation, self.fault.status) == (REVOKE, 404)

    @property
    def succeeds(self) -> bool:
        if not self.fault.says or self.gone_already:
            return True
        return not self.lasts and (self.repeated or self.polled)

    @property
    def seen(self) -> int:
        """How many of these requests the API sees; where it is polled, at most."""
        tries = 1 + RETRIES if self.repeated or self.polled else 1
        if self.fault.unseen:
            return tries - 1 if self.succeeds else 0
        return tries

    @property
    def unknown(self) -> bool:
        """Whether it ends without knowing whether a persistent token was minted."""
        minting = self.request.repeat is Repeat.PERSISTENT
        return minting and not self.succeeds and self.fault.mint is Mint.UNKNOWN

    @property
    def lists_again(self) -> bool:
        """Whether the tokens can be listed after that, for the possible orphans."""
        return self.unknown and not (self.fault.unseen and self.lasts)

    @property
    def effects(self) -> tuple[str, ...]:
        """The operations that take effect."""
        if self.succeeds and not self.gone_already:
            return (self.request.operation, *self.request.after)
        return (self.request.operation,) if self.fault.effect else ()


def rows(request: Request) -> list[Row]:
    """All of a request's.

    What strikes elsewhere strikes a module's first request: later ones use its connection. (Of a mint that is the first
    request, as it never is in a module, `tests/transport` tells.)
    """
    faults = [fault for fault in FAULTS if fault.only in ("", request.name)]
    if request.before:
        faults = [fault for fault in faults if not fault.elsewhere]
    lasting = [Row(request, fault) for fault in faults]
    return lasting + [Row(request, fault, lasts=False) for fault in faults if fault.name in PASSING]
