# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is repeated, after which pause, and within which time: the decisions of the transport, without HTTP."""

from __future__ import annotations

import errno
import ssl
import threading

import pytest

from ansible_collections.eceops.platform.plugins.module_utils import _http
from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection
from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed, WrongInput
from ansible_collections.eceops.platform.plugins.module_utils._http import Http, Repeat, Reply
from ansible_collections.eceops.platform.plugins.module_utils._no_reply import NoReply

OK = Reply(200, {}, b"{}", 1)
LOST = NoReply("lost")
UNSENT = NoReply("refused")
UNTRUSTED = NoReply("not trusted", lasting=True)
UNSENT.sent = UNTRUSTED.sent = False


def status(code, **headers):
    return Reply(code, headers, b"", 1)


class Scripted(Http):
    """Gives the outcomes of a list, one a try, and notes the pauses."""

    def __init__(self, outcomes, retries=3):
        self.pauses = []
        super().__init__(Connection("https://ece:12443", "fake", retries=retries), self.pauses.append)
        self.outcomes = iter(outcomes)

    def _try(self, method, url, content, tries):
        return next(self.outcomes)


@pytest.mark.parametrize(
    ("outcome", "safe", "unsent"),
    [
        (OK, False, False),
        (status(400), False, False),
        (status(401), False, False),
        (status(404), False, False),
        (status(302), False, False),
        (status(429), True, True),
        (status(500), False, False),
        (status(502), True, False),
        (status(503), True, False),
        (status(504), True, False),
        (LOST, True, False),
        (UNSENT, True, True),
        (UNTRUSTED, False, False),
    ],
)
def test_what_is_repeated(outcome, safe, unsent):
    for repeat, repeated in ((Repeat.SAFE, safe), (Repeat.UNSENT, unsent), (Repeat.NEVER, False)):
        http = Scripted([outcome, OK])
        try:
            reply = http.request("GET", "/", repeat=repeat)
        except RequestFailed:
            reply = None
        assert len(http.pauses) == repeated
        assert (reply is OK) == (repeated or outcome is OK)


@pytest.mark.parametrize(("outcome", "passing"), [(LOST, True), (UNSENT, True), (UNTRUSTED, False)])
def test_whether_it_may_pass_by_itself(outcome, passing):
    with pytest.raises(RequestFailed) as error:
        Scripted([outcome]).request("GET", "/", repeat=Repeat.NEVER)
    assert (error.value.passing, error.value.gives_up) == (passing, True)


def test_pauses_grow_and_end():
    http = Scripted([LOST] * 9, retries=8)
    with pytest.raises(RequestFailed, match="GET https://ece:12443/path: lost \\(9 tries\\)"):
        http.request("GET", "/path")
    assert http.pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_no_retries():
    with pytest.raises(RequestFailed, match="lost\\."):
        Scripted([LOST], retries=0).request("GET", "/")


def test_the_last_refusal_is_returned():
    assert Scripted([status(503)] * 4).request("GET", "/").status == 503


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("2", 2),
        ("0", 0),
        ("3600", 30),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 30),
        ("9" * 400, 30),
        # Neither a number nor a date: ignored.
        ("soon", 1),
        ("1.5", 1),
        ("-1", 1),
    ],
)
def test_retry_after_is_honoured_within_the_limit(value, pause):
    http = Scripted([Reply(429, {"Retry-After": value}, b"", 1), OK])
    assert http.request("POST", "/", {}, repeat=Repeat.UNSENT) is OK
    assert http.pauses == [pause]


@pytest.mark.parametrize(
    ("reply", "cut"),
    [
        (Reply(200, {}, b'{"version": "4.', 1), True),
        (Reply(200, {}, b"[1, ", 1), True),
        (Reply(200, {}, b"", 1), True),
        (Reply(200, {}, b'{"version": "4.2.0"}', 1), False),
        (Reply(200, {}, b"[" * 100_000, 1), False),
        (Reply(200, {}, b"<html>", 1), False),
        (Reply(200, {"Content-Length": "0"}, b"", 1), False),
        (Reply(200, {"Transfer-Encoding": "chunked"}, b"{", 1), False),
        (Reply(204, {}, b"", 1), False),
        (Reply(503, {}, b"", 1), False),
    ],
)
def test_what_counts_as_cut_without_an_announced_length(reply, cut):
    assert _http.is_cut(reply) == cut


@pytest.mark.parametrize(("failure", "unknown"), [(LOST, True), (UNSENT, False), (UNTRUSTED, False)])
def test_a_failure_says_whether_its_outcome_is_unknown(failure, unknown):
    with pytest.raises(RequestFailed) as error:
        Scripted([failure], retries=0).request("GET", "/")
    assert error.value.outcome_unknown == unknown
    assert error.value.gives_up
    assert error.value.details["failure"] == {"status": None, "code": None, "message": failure.reason, "fields": None}


def lose():
    raise LOST


def test_with_deadline_returns_and_raises_what_the_work_does():
    given_up = threading.Event()
    assert _http.with_deadline(10, lambda: OK, given_up) is OK
    with pytest.raises(NoReply, match="lost"):
        _http.with_deadline(10, lose, given_up)
    assert not given_up.is_set()


def test_with_deadline_gives_up_at_the_deadline():
    forever, given_up = threading.Event(), threading.Event()
    with pytest.raises(NoReply, match="0.05 seconds"):
        _http.with_deadline(0.05, forever.wait, given_up)
    forever.set()
    assert given_up.is_set()


def test_what_was_given_up_is_not_sent_any_more():
    given_up = threading.Event()
    body = _http.Body(b"content", given_up)
    assert not body.begun
    assert body.read(3) == b"con"
    assert body.begun
    given_up.set()
    with pytest.raises(OSError, match="given up"):
        body.read()


class Failing:
    """A session that reads so much of the body, then fails."""

    def __init__(self, size):
        self.size = size

    def request(self, method, url, data, **options):
        if self.size and data:
            data.read(self.size)
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


@pytest.mark.parametrize(("body", "read", "unknown"), [({}, 0, False), ({}, 1, True), (None, 0, True)])
def test_a_request_whose_body_was_not_read_was_not_sent(body, read, unknown):
    http = _http.Http(Connection("https://ece", "fake", retries=0))
    http._session = Failing(read)
    with pytest.raises(RequestFailed) as error:
        http.request("POST", "/path", body, repeat=Repeat.UNSENT)
    assert error.value.outcome_unknown is unknown


def test_tls_trusts_nothing_but_ca_path(tmp_path):
    context = _http.tls_context(Connection("https://ece", "fake", ca_path=str(tmp_path)))
    assert context.cert_store_stats()["x509_ca"] == 0
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert (
        context.verify_flags | ssl.VERIFY_X509_STRICT
        == ssl.create_default_context().verify_flags | ssl.VERIFY_X509_STRICT
    )


def test_tls_without_ca_path_is_the_system_s():
    context = _http.tls_context(Connection("https://ece", "fake"))
    assert context.verify_flags == ssl.create_default_context().verify_flags
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_tls_without_validation():
    assert _http.tls_context(Connection("https://ece", "fake", validate_certs=False)).verify_mode is ssl.CERT_NONE


def test_unusable_ca_path_is_named(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(WrongInput, match=f"ca_path: no certificate could be read from {path}"):
            _http.tls_context(Connection("https://ece", "fake", ca_path=str(path)))
