# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""One method for each operation of ECE's API: path, body, shape of the reply, and what its errors mean.

No policy: what is to be done is decided in the pure files. Every method raises `RequestFailed`, whose message says
what was asked of which address, what came back and what to do next.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

from ansible_collections.eceops.platform.plugins.module_utils._connection import API_PATH
from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed
from ansible_collections.eceops.platform.plugins.module_utils._http import Http, Repeat, Reply, parse_retry_after
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner

T = t.TypeVar("T")

TOKENS = "/platform/configuration/security/enrollment-tokens"
RUNNERS = "/platform/infrastructure/runners"
MAX_QUOTED = 500


class MintedToken(t.NamedTuple):
    """A new roles token; `token_id` is None for an ephemeral one."""

    token: str
    token_id: str | None


class Client:
    """ECE's API."""

    def __init__(self, http: Http) -> None:
        self.http = http
        # The last reply's `X-Elastic-Api-Key-Expiration`, as it stands there.
        self.key_expiration: str | None = None

    def platform_version(self) -> str:
        """The version that the installation runs, such as `4.2.0`."""
        return self._call("GET", "/platform", lambda reply: _text(reply["version"]))

    def tokens(self) -> list[ListedToken]:
        """All persistent tokens, in the API's order. Ephemeral ones are never listed."""
        return self._call(
            "GET",
            TOKENS,
            lambda reply: [
                ListedToken(_text(token["token_id"]), frozenset(map(_text, _list(token["roles"]))))
                for token in _list(reply["tokens"])
            ],
        )

    def mint_ephemeral_token(self, roles: Iterable[str], validity_seconds: int | None = None) -> MintedToken:
        """Mint a token that dies by itself, after an hour unless `validity_seconds` is given."""
        body: dict[str, t.Any] = {"persistent": False, "roles": sorted(roles)}
        if validity_seconds is not None:
            body["validity_in_seconds"] = validity_seconds
        # A second one that nobody holds does no harm: it dies as well.
        return self._call("POST", TOKENS, lambda reply: MintedToken(_text(reply["token"]), None), body=body)

    def mint_persistent_token(self, roles: Iterable[str]) -> MintedToken:
        """Mint a token that lives until it is revoked.

        It is not asked for twice where the first request may have arrived: `outcome_unknown` in the error then.
        """
        return self._call(
            "POST",
            TOKENS,
            lambda reply: MintedToken(_text(reply["token"]), _text(reply["token_id"])),
            body={"persistent": True, "roles": sorted(roles)},
            repeat=Repeat.UNSENT,
        )

    def revoke_token(self, token_id: str) -> None:
        """Revoke a persistent token by its id; one that is gone already counts as revoked.

        A reply that was lost makes the repeated request find nothing: that is success, too.
        """
        # A page is what something else than ECE says.
        self._call_if_there(
            "DELETE", f"{TOKENS}/{quote(token_id, safe='')}", _nothing, lambda reply: not _is_html(reply)
        )

    def runners(self, *, repeat: Repeat = Repeat.SAFE) -> list[Runner]:
        """All runners that the installation's list (a search index, which can be stale) holds."""
        read_runner = _runner_reader()
        return self._call(
            "GET", RUNNERS, lambda reply: [read_runner(listed) for listed in _list(reply["runners"])], repeat=repeat
        )

    def runner(self, runner_id: str) -> Runner | None:
        """The record of a runner itself, not what the list holds of it; None where there is none of that id."""
        return self._call_if_there("GET", _runner_path(runner_id), _runner_reader(), _no_such_runner)

    def instances(self, allocator_id: str) -> int:
        """How many instances an allocator has (its id is its runner's); 0 where there is no such allocator."""
        path = f"/platform/infrastructure/allocators/{quote(allocator_id, safe='')}"
        return self._call_if_there("GET", path, lambda reply: len(_list(reply["instances"])), _no_such_allocator) or 0

    def delete_runner(self, runner_id: str) -> None:
        """Delete a runner by its id; one that is gone already counts as deleted, as with tokens.

        ECE refuses it with 400 for a runner that is connected.
        """
        self._call_if_there("DELETE", _runner_path(runner_id), _nothing, _no_such_runner)

    def _call(
        self,
        method: str,
        path: str,
        read: Callable[[dict[str, t.Any]], T],
        *,
        body: dict[str, t.Any] | None = None,
        repeat: Repeat = Repeat.SAFE,
    ) -> T:
        return self._read(method, path, self._request(method, path, body, repeat), read)

    def _call_if_there(
        self,
        method: str,
        path: str,
        read: Callable[[dict[str, t.Any]], T],
        says_missing: Callable[[Reply], bool],
    ) -> T | None:
        """None where a 404 says that what `path` names is not there; `says_missing` knows those from others."""
        reply = self._request(method, path)
        if reply.status == 404 and says_missing(reply):
            return None
        return self._read(method, path, reply, read)

    def _request(
        self, method: str, path: str, body: dict[str, t.Any] | None = None, repeat: Repeat = Repeat.SAFE
    ) -> Reply:
        reply = self.http.request(method, API_PATH + path, body, repeat=repeat)
        self.key_expiration = reply.headers.get("X-Elastic-Api-Key-Expiration", self.key_expiration)
        return reply

    def _read(self, method: str, path: str, reply: Reply, read: Callable[[dict[str, t.Any]], T]) -> T:
        what = f"{method} {self.http.connection.url}{API_PATH}{path}"
        if reply.status // 100 != 2:
            raise _refusal(what, reply)
        try:
            return read({} if reply.status == 204 else json.loads(reply.body))
        except (ValueError, RecursionError):
            raise _no_json(what, reply) from None
        except (KeyError, TypeError, AttributeError):
            raise RequestFailed(
                f"{what}: the reply is JSON, but not what ECE's API describes. Is it ECE's API that url points at?",
                reason="the reply does not have the shape that ECE's API describes",
                status=reply.status,
                outcome_unknown=True,
            ) from None


def _runner_reader() -> Callable[[dict[str, t.Any]], Runner]:
    # A task about tokens does not load what runners are.
    from ansible_collections.eceops.platform.plugins.module_utils._runner import read_runner

    return read_runner


def _runner_path(runner_id: str) -> str:
    return f"{RUNNERS}/{quote(runner_id, safe='')}"


def _no_such_runner(reply: Reply) -> bool:
    return _error(reply).get("code") == "runners.runner_not_found"


def _no_such_allocator(reply: Reply) -> bool:
    return _error(reply).get("code") == "allocators.allocator_not_found"


def _nothing(reply: t.Any) -> None:
    """What a deletion says: an object. A list or a word is what something else than ECE says."""
    if not isinstance(reply, dict):
        raise TypeError("not an object")


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    value.encode()  # JSON can hold halves of characters, which a module's result cannot: UnicodeEncodeError
    return value


def _list(value: t.Any) -> list[t.Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _error(reply: Reply) -> dict[str, t.Any]:
    """The first error of a reply (`code`, `message`, `fields`), or nothing where the body has another shape."""
    try:
        error = json.loads(reply.body)["errors"][0]
        return {
            "code": _text(error["code"])[:MAX_QUOTED],
            "message": _text(error["message"])[:MAX_QUOTED],
            "fields": [_text(name) for name in _list(error.get("fields") or [])] or None,
        }
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}


def _refusal(what: str, reply: Reply) -> RequestFailed:
    error = _error(reply)
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
    if _is_html(reply):
        return "an HTML page"
    return "without ECE's error description"


def _without_secrets(location: str) -> str:
    try:
        parts = urlsplit(location)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid address"
    return (f"{parts.scheme}://{host}" if host else "") + parts.path[:MAX_QUOTED] or "nowhere"


def _no_json(what: str, reply: Reply) -> RequestFailed:
    if _is_html(reply):
        found = "an HTML page instead of JSON"
        advice = "Is it ECE's API that url points at (port 12443), and not a login page or a proxy?"
    else:
        found = "an empty reply instead of JSON" if not reply.body.strip() else "a reply that is not JSON, or cut short"
        advice = "Is it ECE's API that url points at (port 12443), and does a proxy in between cut replies?"
    return RequestFailed(f"{what}: {found}. {advice}", reason=found, status=reply.status, outcome_unknown=True)


def _is_html(reply: Reply) -> bool:
    return "html" in reply.headers.get("Content-Type", "") or reply.body.lstrip()[:1] == b"<"
