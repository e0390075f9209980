# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""What a reply means that does not bring what was asked for, and what to advise. Nothing is sent from here."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlsplit

from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed
from ansible_collections.eceops.platform.plugins.module_utils._http import parse_retry_after

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._http import Reply

MAX_QUOTED = 500


def read_error(reply: Reply) -> dict[str, t.Any]:
    """The first error of a reply (`code`, `message`, `fields`), or nothing where the body has another shape."""
    try:
        error = json.loads(reply.body)["errors"][0]
        code, message, fields = error["code"], error["message"], error.get("fields") or []
        if not isinstance(fields, list):
            return {}
        # TypeError for what is no string; JSON can hold halves of characters, too: UnicodeEncodeError
        "".join([code, message, *fields]).encode()
        return {"code": code[:MAX_QUOTED], "message": message[:MAX_QUOTED], "fields": fields or None}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}


def refusal(what: str, reply: Reply) -> RequestFailed:
    error = read_error(reply)
    code = error.get("code")
    said = f"{error['message']} ({code})" if error else _described(reply)
    tries = f" after {reply.tries} tries" if reply.tries > 1 else ""
    retry_after = reply.headers.get("Retry-After")
    return RequestFailed(
        f"{what}: HTTP {reply.status}{tries}, {said}. {_advice(reply, code)}",
        reason=error.get("message", said),
        status=reply.status,
        code=code,
        fields=error.get("fields"),
        outcome_unknown=reply.status >= 500,
        gives_up=reply.status == 401,
        passing=reply.status == 429 or reply.status >= 500,
        retry_after=0.0 if retry_after is None else parse_retry_after(retry_after, 0.0),
    )


def _advice(reply: Reply, code: str | None) -> str:
    if 300 <= reply.status < 400:
        return "Redirects are not followed, so that the credentials reach no other host: set url to the API itself."
    if reply.status == 401:
        return "Check username and password, or api_key, which may have expired."
    if code == "enrollment_tokens.signing_key_not_found":
        return "The installation has no key to sign tokens with: Elastic's support can tell how to make one."
    if code == "runners.runner_deletion_failed":
        return "ECE deletes a runner only while it is disconnected: see whether its host has connected again."
    if reply.status == 403:
        return "The user probably needs the Platform admin role."
    if reply.status == 404:
        return "Is it ECE's API that url points at (port 12443)?"
    if reply.status == 409:
        return "Run this again; if the same comes back, something else changes what this task does."
    if reply.status == 429:
        return "The API is asked too often: try again later, or with more retries."
    if reply.status >= 500:
        return "The API has a problem of its own: look at the coordinators, or try again later."
    return "The API did not accept the request: change what it names, and run this again."


def _described(reply: Reply) -> str:
    """What a reply without ECE's error body is. Its text is not passed on."""
    if 300 <= reply.status < 400:
        return f"a redirect to {_without_secrets(reply.headers.get('Location', ''))}"
    if is_html(reply):
        return "an HTML page"
    return "without ECE's error description"


def _without_secrets(location: str) -> str:
    try:
        parts = urlsplit(location)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid address"
    return (f"{parts.scheme}://{host}" if host else "") + parts.path[:MAX_QUOTED] or "nowhere"


def no_json(what: str, reply: Reply) -> RequestFailed:
    if is_html(reply):
        found = "an HTML page instead of JSON"
        advice = "Is it ECE's API that url points at (port 12443), and not a login page or a proxy?"
    else:
        found = "an empty reply instead of JSON" if not reply.body.strip() else "a reply that is not JSON, or cut short"
        advice = "Is it ECE's API that url points at (port 12443), and does a proxy in between cut replies?"
    return RequestFailed(f"{what}: {found}. {advice}", reason=found, status=reply.status, outcome_unknown=True)


def is_html(reply: Reply) -> bool:
    return "html" in reply.headers.get("Content-Type", "") or reply.body.lstrip()[:1] == b"<"
