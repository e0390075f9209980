# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""The errors that end a task in one clear sentence, and `NoReply`, which becomes one when no further try is left.

Nothing in them may hold a credential.
"""

from __future__ import annotations

import typing as t

# Too many requests; and what a proxy answers for an API that is down, overloaded or too slow.
BUSY_STATUSES = frozenset({429, 502, 503, 504})


class EceError(Exception):
    """Something that the user is to be told: what happened, to what, and what to do next.

    `details` are further return values of the failed module, such as `possible_orphans` or `failure`.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class WrongInput(EceError):
    """The options contradict each other or hold what they may not. Raised before any request is sent."""


class Refused(EceError):
    """What is asked for could cost something that must survive, or cannot be done. Nothing has been written."""


class RequestFailed(EceError):
    """A request did not bring what was asked for.

    `status` is the HTTP status, or None where there was no reply. `code` and `fields` are the API's own where its
    reply had them. `outcome_unknown` says that the request may have taken effect all the same; `gives_up` that
    further requests would fare no better now (the API is out of reach, or does not accept the credentials). `passing`
    says that it may pass by itself (the API is out of reach, busy, or has a problem of its own), and `retry_after` how
    many seconds the API asked to be left alone for.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        status: int | None = None,
        code: str | None = None,
        fields: list[str] | None = None,
        outcome_unknown: bool = False,
        gives_up: bool = False,
        passing: bool = False,
        retry_after: float = 0.0,
        **details: t.Any,
    ) -> None:
        failure = {"status": status, "code": code, "message": reason, "fields": fields}
        super().__init__(message, failure=failure, **details)
        self.status = status
        self.code = code
        self.reason = reason
        self.outcome_unknown = outcome_unknown
        self.gives_up = gives_up
        self.passing = passing
        self.retry_after = retry_after

    @property
    def busy(self) -> bool:
        """Whether the API, or a proxy before it, has too much to do at the moment."""
        return self.status in BUSY_STATUSES


class NoReply(Exception):
    """One try brought no usable reply.

    `lasting` failures stay when it is repeated. `sent` is for who sends it to set: False where the request surely never
    reached the server.
    """

    def __init__(self, reason: str, advice: str = "", *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.lasting = lasting
        self.sent = True


def timed_out(seconds: float) -> NoReply:
    """The deadline passed. Whether the request arrived is unknown."""
    return NoReply(
        f"no complete reply within {seconds:g} seconds",
        "Is the API overloaded, or a firewall dropping packets? A longer timeout gives it more time.",
    )


def cut_short(how: str) -> NoReply:
    """The connection ended before the whole reply was there."""
    return NoReply(
        f"the connection ended before the whole reply was there ({how})",
        "Is the API restarting, or a proxy in between closing connections?",
    )
