# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each operation sends, and what it makes of every kind of reply. The transport is a list of replies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._client import Client, MintedToken
from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection
from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed
from ansible_collections.eceops.platform.plugins.module_utils._http import Repeat, Reply
from ansible_collections.eceops.platform.plugins.module_utils._runner import Runner
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken

TOKENS = "/api/v1/platform/configuration/security/enrollment-tokens"
RUNNERS = "/api/v1/platform/infrastructure/runners"
RUNNER = {"runner_id": "a b", "host_ip": "192.0.2.1", "public_hostname": "host", "roles": []}


class Recorder:
    """Stands in for Http: gives one reply, notes what was sent."""

    connection = Connection("https://ece:12443", "fake")

    def __init__(self, reply):
        self.reply = reply
        self.sent = None

    def request(self, method, path, body=None, *, repeat):
        self.sent = (method, path, body, repeat)
        return self.reply


def answer(body, status=200, tries=1, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, tries)


def refusal(status, code="some.code", message="Some message.", **more):
    return answer({"errors": [{"code": code, "message": message, **more}]}, status)


def call(reply, operation, *args):
    http = Recorder(reply)
    return getattr(Client(http), operation)(*args), http.sent


@pytest.mark.parametrize(
    ("reply", "operation", "args", "result", "sent"),
    [
        ({"version": "4.2.0"}, "platform_version", (), "4.2.0", ("GET", "/api/v1/platform", None, Repeat.SAFE)),
        (
            {"tokens": [{"token_id": "id", "roles": ["proxy", "proxy"]}]},
            "tokens",
            (),
            [ListedToken("id", frozenset({"proxy"}))],
            ("GET", TOKENS, None, Repeat.SAFE),
        ),
        (
            {"token": "T"},
            "mint_ephemeral_token",
            ({"proxy", "allocator"},),
            MintedToken("T", None),
            ("POST", TOKENS, {"persistent": False, "roles": ["allocator", "proxy"]}, Repeat.SAFE),
        ),
        (
            {"token": "T"},
            "mint_ephemeral_token",
            ((), 60),
            MintedToken("T", None),
            ("POST", TOKENS, {"persistent": False, "roles": [], "validity_in_seconds": 60}, Repeat.SAFE),
        ),
        (
            {"token": "T", "token_id": "id"},
            "mint_persistent_token",
            (["proxy"],),
            MintedToken("T", "id"),
            ("POST", TOKENS, {"persistent": True, "roles": ["proxy"]}, Repeat.UNSENT),
        ),
        ({}, "revoke_token", ("a/../b?c",), None, ("DELETE", f"{TOKENS}/a%2F..%2Fb%3Fc", None, Repeat.SAFE)),
        ({"runners": []}, "runners", (), [], ("GET", RUNNERS, None, Repeat.SAFE)),
        (
            {**RUNNER, "connected": True, "healthy": False},
            "runner",
            ("a b",),
            Runner("a b", "192.0.2.1", "host", None, (), True, False, None),
            ("GET", f"{RUNNERS}/a%20b", None, Repeat.SAFE),
        ),
        ({}, "delete_runner", ("a/../b?c",), None, ("DELETE", f"{RUNNERS}/a%2F..%2Fb%3Fc", None, Repeat.SAFE)),
    ],
)
def test_operations(reply, operation, args, result, sent):
    assert call(answer(reply), operation, *args) == (result, sent)


def test_a_reply_without_content_is_enough_for_revoking():
    call(answer(b"", 204), "revoke_token", "id")
    with pytest.raises(RequestFailed):
        call(answer(b"", 204), "platform_version")


def test_a_token_that_is_gone_counts_as_revoked():
    for reply in (refusal(404, "enrollment_tokens.invalid_token_id"), refusal(404), answer(b"", 404)):
        call(reply, "revoke_token", "id")
    for reply in (answer(b"<html>", 404), refusal(400)):
        with pytest.raises(RequestFailed):
            call(reply, "revoke_token", "id")


@pytest.mark.parametrize("operation", ["runner", "delete_runner"])
def test_a_runner_is_missing_only_where_ece_says_so(operation):
    assert call(refusal(404, "runners.runner_not_found"), operation, "id")[0] is None
    for reply in (refusal(404, "root.resource_not_found"), answer(b"", 404), answer(b"<html>", 404)):
        with pytest.raises(RequestFailed, match="HTTP 404.*port 12443"):
            call(reply, operation, "id")
    with pytest.raises(RequestFailed, match="HTTP 400"):
        call(refusal(400, "runners.runner_not_found"), operation, "id")


def test_a_runner_that_is_connected_cannot_be_deleted():
    with pytest.raises(RequestFailed, match="It is connected. .*only while it is disconnected.*connected again"):
        call(refusal(400, "runners.runner_deletion_failed", "It is connected."), "delete_runner", "id")


def test_a_list_that_is_asked_for_again_and_again_is_not_repeated_by_the_transport():
    http = Recorder(answer({"runners": []}))
    assert Client(http).runners(repeat=Repeat.NEVER) == []
    assert http.sent[-1] is Repeat.NEVER


@pytest.mark.parametrize(
    ("reply", "passing", "retry_after"),
    [
        (answer(b"", 429, Retry_After="7"), True, 7),
        (answer(b"", 503, Retry_After="soon"), True, 0),
        (answer(b"<html>", 502), True, 0),
        (refusal(500), True, 0),
        (refusal(401), False, 0),
        (refusal(403), False, 0),
        (refusal(404), False, 0),
        (answer(b"", 302, Location="/login"), False, 0),
        (answer(b"<html>"), False, 0),
        (answer(b""), False, 0),
        (answer([]), False, 0),
    ],
)
def test_whether_a_failure_may_pass_by_itself(reply, passing, retry_after):
    with pytest.raises(RequestFailed) as error:
        call(reply, "runners")
    assert (error.value.passing, error.value.retry_after) == (passing, retry_after)


@pytest.mark.parametrize(
    ("reply", "says", "unknown", "gives_up"),
    [
        (refusal(401, "root.unauthenticated"), "HTTP 401, Some message.*Check username and password", False, True),
        (refusal(403, "root.unauthorized.rbac"), "HTTP 403.*Platform admin role", False, False),
        (refusal(403, "enrollment_tokens.signing_key_not_found"), "HTTP 403.*no key to sign tokens", False, False),
        (refusal(400), "HTTP 400, Some message. \\(some.code\\)", False, False),
        (refusal(404), "HTTP 404.*port 12443", False, False),
        (answer(b"", 429, 4), "HTTP 429 after 4 tries.*asked too often", False, False),
        (answer(b"", 500), "HTTP 500, without ECE's error.*problem of its own", True, False),
        (answer(b"<html>", 503), "HTTP 503, an HTML page.*problem of its own", True, False),
        (
            answer(b"", 302, Location="https://u:fake-secret@other/x?t=fake-secret"),
            "redirect to https://other/x",
            False,
            False,
        ),
        (answer(b"", 308, Location="/login"), "redirect to /login.*set url to the API itself", False, False),
        (answer(b"", 302, Location="https://[x"), "redirect to an invalid address", False, False),
        (answer(b"", 302), "redirect to nowhere", False, False),
        (answer(b" <html>"), "an HTML page instead of JSON.*login page", True, False),
        (answer(b"..", Content_Type="text/html"), "an HTML page instead of JSON", True, False),
        (answer(b""), "an empty reply instead of JSON", True, False),
        (answer(b'{"version": "4.'), "not JSON, or cut short", True, False),
        (answer(b"\xff\xfe"), "not JSON, or cut short", True, False),
        (answer(b"[" * 100_000), "not JSON, or cut short", True, False),
        (answer([]), "not what ECE's API describes", True, False),
        (answer({}), "not what ECE's API describes", True, False),
        (answer(b'{"version": "\\ud800"}'), "not JSON, or cut short", True, False),
        (answer({"version": 4}), "not what ECE's API describes", True, False),
    ],
)
def test_what_is_said_of_a_reply_that_does_not_serve(reply, says, unknown, gives_up):
    with pytest.raises(RequestFailed, match=says) as error:
        call(reply, "platform_version")
    assert str(error.value).startswith("GET https://ece:12443/api/v1/platform: ")
    assert "fake-secret" not in str(error.value)
    assert (error.value.outcome_unknown, error.value.gives_up) == (unknown, gives_up)
    assert error.value.details["failure"]["status"] == reply.status


def test_a_failure_has_what_ece_said():
    with pytest.raises(RequestFailed) as error:
        call(refusal(400, "c", "m" * 10_000, fields=["roles"]), "platform_version")
    assert error.value.details["failure"] == {"status": 400, "code": "c", "message": "m" * 500, "fields": ["roles"]}


@pytest.mark.parametrize(
    "errors",
    [None, [], [{}], [1], {"code": "c"}, [{"code": 1, "message": "m"}], [{"code": "c", "message": "m", "fields": 1}]],
)
def test_an_error_of_another_shape_is_no_crash(errors):
    with pytest.raises(RequestFailed, match="without ECE's error description"):
        call(answer({"errors": errors}, 400), "platform_version")


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        ("tokens", {"tokens": {}}),
        ("tokens", {"tokens": ["id"]}),
        ("tokens", {"tokens": [{"token_id": "id", "roles": "proxy"}]}),
        ("tokens", {"tokens": [{"token_id": "id", "roles": [1]}]}),
        ("mint_persistent_token", {"token": "T"}),
        ("mint_ephemeral_token", {"token": None}),
        ("runners", {"runners": [{"runner_id": "r"}]}),
        ("runners", {"runners": {"a": 1}}),
        ("runner", {}),
    ],
)
def test_replies_of_the_wrong_shape(operation, reply):
    args = {"mint_persistent_token": (["proxy"],), "mint_ephemeral_token": (["proxy"],), "runner": ("id",)}
    with pytest.raises(RequestFailed, match="not what ECE's API describes"):
        call(answer(reply), operation, *args.get(operation, ()))


@given(st.binary())
def test_any_body_gives_a_version_or_one_sentence(body):
    try:
        assert isinstance(call(answer(body), "platform_version")[0], str)
    except RequestFailed as error:
        assert "Traceback" not in error.message


def test_the_key_s_expiration_is_kept():
    http = Recorder(answer({"version": "4.2.0"}, X_Elastic_Api_Key_Expiration="soon"))
    client = Client(http)
    assert client.key_expiration is None
    client.platform_version()
    http.reply = answer({"version": "4.2.0"})
    client.platform_version()
    assert client.key_expiration == "soon"
