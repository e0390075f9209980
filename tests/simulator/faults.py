# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that tests order: which there are, and which one a request or a connection gets."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from email.utils import formatdate

from werkzeug.wrappers import Response

CONNECTION_KINDS = ("refuse_handshake", "reset_unread", "certificate")
REQUEST_KINDS = (
    "delay",
    "reset_before",
    "reset_after",
    "reply",
    "cut",
    "close",
    "drip_headers",
    "drip_body",
    "mint",
    "revoke",
)
CERTIFICATES = ("expired", "wrong_name", "unknown_ca")


@dataclass
class Fault:
    """A fault and how often it strikes.

    Common to all: ``operation`` (only this one; null: any, always so for those of a connection), ``skip`` (let so many
    matches pass first), ``times`` (how many it strikes then; null: for ever).

    ===================  ===========================================================================================
    ``delay``            the request is handled after ``seconds``; it has no effect if the client left before. With
                         ``effect``: it is handled at once, and the reply comes late
    ``reset_before``     the connection is reset when the request was read; no effect
    ``reset_after``      the request takes effect, then the connection is reset
    ``reply``            ``status``, ``headers``, ``body`` (or ``body_size`` bytes of filler), ``content_type``;
                         ``retry_date``: also a ``Retry-After`` that is the date so many seconds ahead; ``to_itself``:
                         also a ``Location`` that is the request's own address. It takes effect only with ``effect``
    ``cut``              the request takes effect; half of the reply's body arrives, then the connection closes
    ``close``            all is well, but the connection closes after the reply, which says so
    ``drip_headers``     the request takes effect; every byte of the reply's head takes ``seconds``
    ``drip_body``        the same for the body
    ``mint``             somebody else mints a persistent token with ``roles`` just before the request is handled
    ``revoke``           somebody else revokes ``token_id`` just before the request is handled
    ``refuse_handshake`` the connection is reset before TLS is up
    ``reset_unread``     the connection is reset when TLS is up, before anything of a request was read
    ``certificate``      the server shows another one: ``which`` is ``expired``, ``wrong_name`` or ``unknown_ca``
    ===================  ===========================================================================================

    Raises:
        ValueError: for a kind or a certificate that does not exist, and for one that never strikes.
    """

    kind: str
    operation: str | None = None
    times: int | None = 1
    skip: int = 0
    seconds: float = 0.0
    effect: bool = False
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    body_size: int = 0
    content_type: str = "application/json"
    retry_date: float | None = None
    to_itself: bool = False
    roles: list[str] = field(default_factory=list)
    token_id: str = ""
    which: str = ""

    def __post_init__(self) -> None:
        if self.kind not in CONNECTION_KINDS + REQUEST_KINDS:
            raise ValueError(f"no such fault: {self.kind}")
        if self.kind == "certificate" and self.which not in CERTIFICATES:
            raise ValueError(f"no such certificate: {self.which}")
        if self.times is not None and self.times < 1:
            raise ValueError("no such number of times: it strikes at least once")

    def response(self, path: str) -> Response:
        """The reply that was ordered, to a request for ``path``."""
        body = self.body.encode() or b"x" * self.body_size
        response = Response(body, self.status, self.headers, content_type=self.content_type)
        if self.retry_date is not None:
            response.headers["Retry-After"] = formatdate(time.time() + self.retry_date, usegmt=True)
        if self.to_itself:
            response.headers["Location"] = path
        return response


class Faults:
    """The faults that are armed, in order. Not thread-safe: its user locks."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        self._armed.append(fault)

    def clear(self) -> None:
        self._armed.clear()

    def report(self) -> list[dict[str, object]]:
        """Those that can still strike, with what is left of ``times`` and ``skip``."""
        return [asdict(fault) for fault in self._armed]

    def for_connection(self) -> Fault | None:
        return self._take([fault for fault in self._armed if fault.kind in CONNECTION_KINDS])

    def for_request(self, operation: str | None) -> Fault | None:
        wanted = (None, operation)
        return self._take([f for f in self._armed if f.kind in REQUEST_KINDS and f.operation in wanted])

    def _take(self, matching: list[Fault]) -> Fault | None:
        """The first that strikes; one that still has to skip lets a later one have its turn."""
        for fault in matching:
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    self._armed.remove(fault)
            return fault
        return None
