# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transport over real HTTPS: pauses (which only count), deadlines, TLS, refusals.

What comes of each request and fault is a row of `tests/faults`.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed, WrongInput

MINT, LIST = "create-enrollment-token", "get-enrollment-tokens"


def statuses(simulator):
    return [entry["status"] for entry in simulator.journal()]


# Repeats


@pytest.mark.parametrize(("kind", "params"), [("reset_before", {}), ("cut", {}), ("reply", {"status": 503})])
def test_pauses_grow_from_repeat_to_repeat(simulator, connect, pauses, kind, params):
    simulator.fault(kind, LIST, times=2, **params)
    assert connect().tokens()
    assert pauses == [1, 2]
    assert len(simulator.journal()) == 3


def test_a_persistent_mint_is_repeated_when_it_was_refused_with_429(simulator, connect, pauses):
    simulator.fault("reply", MINT, times=2, status=429, headers={"Retry-After": "7"})
    assert connect().mint_persistent_token(["proxy"]).token_id
    assert statuses(simulator) == [429, 429, 200]
    assert pauses == [7, 7]


def test_a_persistent_mint_is_repeated_where_it_surely_did_not_arrive(connect, pauses, closed_port):
    with pytest.raises(RequestFailed, match=r"refused.*\(3 tries\).*url") as error:
        connect(url=f"https://127.0.0.1:{closed_port}").mint_persistent_token(["proxy"])
    assert not error.value.outcome_unknown
    assert pauses == [1, 2]


@pytest.mark.parametrize("location", ["http://[::1/", "https://\xfc.example.com/", "//", ""])
def test_a_redirect_to_nowhere(simulator, connect, location):
    simulator.fault("reply", LIST, status=302, headers={"Location": location}, body_size=10_000)
    with pytest.raises(RequestFailed, match="HTTP 302, a redirect to "):
        connect().tokens()


@pytest.mark.parametrize("url", ["https://a..b", "https://.a", f"https://{'a' * 70}.b"])
def test_a_name_that_cannot_be_one(connect, pauses, url):
    with pytest.raises(RequestFailed, match="out of reach|no address that can be used") as error:
        connect(url=url, retries=0).mint_persistent_token(["proxy"])
    assert not error.value.outcome_unknown


# Deadlines


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("delay", {"seconds": 30}),
        ("drip_headers", {"seconds": 0.2}),
        ("drip_body", {"seconds": 0.2}),
    ],
)
def test_a_slow_reply_is_bounded(simulator, connect, kind, params):
    simulator.fault(kind, LIST, times=None, **params)
    begin = time.monotonic()
    with pytest.raises(RequestFailed, match=r"no complete reply within 1 seconds \(2 tries\)"):
        connect(timeout=1, retries=1).tokens()
    assert time.monotonic() - begin < 8


def test_a_peer_that_never_speaks_tls_is_bounded(connect):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        begin = time.monotonic()
        with pytest.raises(RequestFailed, match="within 1 seconds"):
            connect(url=f"https://127.0.0.1:{silent.getsockname()[1]}", timeout=1, retries=0).platform_version()
        assert time.monotonic() - begin < 5


def test_the_next_request_works_after_one_that_was_given_up(simulator, connect):
    client = connect(timeout=1)
    simulator.fault("delay", LIST, seconds=30)
    assert client.tokens()
    assert client.platform_version()


# One connection


def test_many_requests_use_one_connection(simulator, connect):
    client = connect()
    for _request in range(5):
        client.tokens()
    assert len({entry["connection"] for entry in simulator.journal()}) == 1


# TLS


def test_the_system_s_store_does_not_trust_the_simulator(simulator, connect, pauses):
    with pytest.raises(RequestFailed, match=r"not trusted.*Name the installation's CA certificate in ca_path") as error:
        connect(ca_path=None).mint_persistent_token(["proxy"])
    assert not error.value.outcome_unknown
    assert (simulator.journal(), pauses) == ([], [])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_name_or_an_address_that_the_certificate_holds(simulator, connect, host):
    assert connect(url=simulator.url.replace("127.0.0.1", host)).platform_version()


def test_certificates_are_not_checked_when_told_so(simulator, connect, recwarn):
    simulator.fault("certificate", times=None, which="expired")
    assert connect(validate_certs=False, ca_path=None).platform_version()
    assert not [warning for warning in recwarn if "InsecureRequest" in warning.category.__name__]


def test_ca_path_may_be_a_folder_with_hashed_names(simulator, connect, tmp_path):
    shutil.copy(simulator.ca_path, tmp_path / "ca.pem")
    with pytest.raises(RequestFailed, match="did not issue it"):
        connect(ca_path=str(tmp_path)).platform_version()
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    assert connect(ca_path=str(tmp_path)).platform_version()


def test_ca_path_that_cannot_be_used(connect, tmp_path):
    with pytest.raises(WrongInput, match="ca_path"):
        connect(ca_path=str(tmp_path / "missing.pem")).platform_version()


# Credentials


def test_a_wrong_password(simulator, connect):
    with pytest.raises(RequestFailed, match=r"HTTP 401.*Check username and password") as error:
        connect(password="fake-wrong-password").tokens()
    assert error.value.code == "root.unauthenticated"
    assert statuses(simulator) == [401]


def test_a_user_who_may_not(simulator, connect):
    with pytest.raises(RequestFailed, match="HTTP 403.*Platform admin role"):
        connect(username=simulator.readonly_username, password=simulator.readonly_password).mint_ephemeral_token([])


def test_the_key_s_expiration_is_read(simulator, connect):
    simulator.settings(api_key_expiration="2026-11-30T00:00:00Z")
    client = connect(username=None, password=None, api_key=simulator.api_key)
    client.platform_version()
    assert client.key_expiration == "2026-11-30T00:00:00Z"
