# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the exceptions of requests and urllib3. tests/transport shows that they come like this."""

from __future__ import annotations

import errno
import ssl

import pytest
import requests
import urllib3.exceptions as u3

from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection
from ansible_collections.eceops.platform.plugins.module_utils._no_reply import classify

SECRET = "fake-proxy-password"
CONNECTION = Connection("https://ece:12443", "fake", ca_path="/etc/ece/ca.pem", timeout=7)


def wrapped(error):
    """As requests raises it: around urllib3's, around the cause."""
    return requests.exceptions.ConnectionError(u3.MaxRetryError(None, f"https://u:{SECRET}@ece/", error))


def refused():
    error = u3.NewConnectionError(None, f"to u:{SECRET}@proxy")
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    return error


def untrusted(code, message):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return wrapped(u3.SSLError(error))


@pytest.mark.parametrize(
    ("error", "says", "lasting"),
    [
        (wrapped(refused()), "the API is out of reach (Connection refused)", False),
        (wrapped(u3.ProxyError("no", refused())), "the proxy that the environment names is out of reach", False),
        (wrapped(u3.ConnectTimeoutError(None, "late")), "no connection to the API within 7 seconds", False),
        (requests.exceptions.ReadTimeout(u3.ReadTimeoutError(None, "", "")), "no complete reply within 7", False),
        (
            wrapped(u3.ProxyError("no", OSError("Tunnel connection failed: 407 Who are you?"))),
            "the proxy refused to connect (Tunnel connection failed: 407",
            False,
        ),
        (untrusted(10, "certificate has expired"), "not trusted (certificate has expired)", True),
        (untrusted(20, "unable to get local issuer"), "not trusted (unable to get local issuer)", True),
        (
            wrapped(u3.ProtocolError("aborted", ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))),
            "ended before the whole reply was there (Connection reset by peer)",
            False,
        ),
        (wrapped(u3.SSLError(ssl.SSLError(1, "wrong version number"))), "no TLS connection could be made", True),
        (requests.exceptions.InvalidURL(SECRET), "no address that can be used", True),
        (u3.LocationParseError(SECRET), "no address that can be used", True),
        (ValueError(SECRET), "the request could not be made, or its reply not be read (ValueError)", True),
        (OSError("the request was given up"), "ended before the whole reply was there", False),
    ],
)
def test_what_became_of_it(error, says, lasting):
    failure = classify(error, CONNECTION)
    assert says in failure.reason
    assert failure.lasting == lasting
    assert failure.advice
    assert SECRET not in failure.reason + failure.advice


@pytest.mark.parametrize(
    ("code", "advises"),
    [
        (9, "the clock of this machine"),
        (10, "Renew the certificate"),
        (20, "CA certificate into ca_path: what is there (/etc/ece/ca.pem)"),
    ],
)
def test_what_is_advised_about_a_certificate(code, advises):
    assert advises in classify(untrusted(code, "why"), CONNECTION).advice
