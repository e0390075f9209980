# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""One method for each operation of ECE's API: path, body and shape of the reply.

No policy: what is to be done is decided in the pure files. Every method raises `RequestFailed`, whose message says
what was asked of which address, what came back and what to do next.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterable
from urllib.parse import quote

from ansible_collections.eceops.platform.plugins.module_utils._connection import API_PATH
from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed
from ansible_collections.eceops.platform.plugins.module_utils._http import Http, Repeat, Reply
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner

T = t.TypeVar("T")

TOKENS = "/platform/configuration/security/enrollment-tokens"
RUNNERS = "/platform/infrastructure/runners"


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
        self._call_if_there("DELETE", f"{TOKENS}/{quote(token_id, safe='')}", _nothing, _is_no_page)

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
            # Loaded when one comes, as below
            from ansible_collections.eceops.platform.plugins.module_utils._refusal import refusal

            raise refusal(what, reply)
        try:
            return read({} if reply.status == 204 else json.loads(reply.body))
        except (ValueError, RecursionError):
            from ansible_collections.eceops.platform.plugins.module_utils._refusal import no_json

            raise no_json(what, reply) from None
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


def _is_no_page(reply: Reply) -> bool:
    """A page is what something else than ECE says."""
    from ansible_collections.eceops.platform.plugins.module_utils._refusal import is_html

    return not is_html(reply)


def _no_such_runner(reply: Reply) -> bool:
    return _code(reply) == "runners.runner_not_found"


def _no_such_allocator(reply: Reply) -> bool:
    return _code(reply) == "allocators.allocator_not_found"


def _code(reply: Reply) -> str | None:
    from ansible_collections.eceops.platform.plugins.module_utils._refusal import read_error

    code: str | None = read_error(reply).get("code")
    return code


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
