# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options' rules, and that no refusal repeats a secret."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._connection import read_connection
from ansible_collections.eceops.platform.plugins.module_utils._errors import WrongInput

PASSWORD = "fake-password-of-the-unit-tests"
KEY = "fake-api-key-of-the-unit-tests"
DEFAULTS = {
    "url": "https://coordinator.example.com:12443",
    "username": None,
    "password": None,
    "api_key": None,
    "validate_certs": True,
    "ca_path": None,
    "allow_plain_http": False,
    "timeout": 30,
    "retries": 3,
}
ADMIN = {"username": "admin", "password": PASSWORD}


def read(environ=None, **options):
    return read_connection({**DEFAULTS, **options}, environ or {})


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "url",
    [
        "https://coordinator.example.com:12443",
        "https://coordinator.example.com:12443/",
        "https://coordinator.example.com:12443/api/v1",
        " https://coordinator.example.com:12443/api/v1/\n",
    ],
)
def test_url_loses_slash_and_api_path(url):
    assert read(url=url, **ADMIN).url == "https://coordinator.example.com:12443"


def test_url_keeps_the_path_of_a_reverse_proxy():
    assert read(url="https://gate.example.com/ece/api/v1", **ADMIN).url == "https://gate.example.com/ece"


def test_url_comes_from_the_environment():
    environ = {"EC_HOST": "https://from-environment:12443"}
    assert read(environ, url=None, **ADMIN).url == "https://from-environment:12443"
    assert read(environ, url="https://given:12443", **ADMIN).url == "https://given:12443"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "set url"),
        ("", "set url"),
        ("coordinator:12443", "not an address"),
        ("ftp://coordinator", "not an address"),
        ("https://", "not an address"),
        ("https://coordinator:port", "not an address"),
        ("https://coordinator:0", "not an address"),
        ("https://[::1", "not an address"),
        ("https://coord inator", "not an address"),
        ("https://coordinator?x=1", "no query"),
        ("https://coordinator#x", "no query"),
        ("http://coordinator:12400", "plain http"),
        ("http://localhost.example.com", "plain http"),
    ],
)
def test_url_is_refused(url, says):
    with pytest.raises(WrongInput, match=says):
        read(url=url, **ADMIN)


@pytest.mark.parametrize(
    "url",
    [
        f"https://admin:{PASSWORD}@coordinator:12443",
        f"https://{PASSWORD}@coordinator",
        f"https://admin:{PASSWORD}/with@slash",
        f"http://admin:{PASSWORD}@coordinator",
        f"admin:{PASSWORD}@coordinator",
    ],
)
def test_url_with_user_information_is_refused_and_not_repeated(url):
    with pytest.raises(WrongInput, match="user information") as error:
        read(url=url, **ADMIN)
    assert PASSWORD not in str(error.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:12400", "http://127.0.0.1:12400", "http://127.8.9.1", "http://[::1]:80"]
)
def test_plain_http_is_allowed_on_loopback(url):
    assert read(url=url, **ADMIN).url == url


def test_plain_http_is_allowed_when_asked_for():
    assert read(url="http://coordinator:12400", allow_plain_http=True, **ADMIN).url == "http://coordinator:12400"


@pytest.mark.parametrize(
    ("options", "environ", "authorization"),
    [
        (ADMIN, {}, basic("admin", PASSWORD)),
        ({"username": "jörg", "password": "pässwörd:✓"}, {}, basic("jörg", "pässwörd:✓")),
        ({"api_key": KEY}, {}, f"ApiKey {KEY}"),
        ({"api_key": f" {KEY}\n"}, {}, f"ApiKey {KEY}"),
        ({}, {"EC_USER": "admin", "EC_PASS": PASSWORD}, basic("admin", PASSWORD)),
        ({}, {"EC_API_KEY": KEY}, f"ApiKey {KEY}"),
        ({}, {"EC_API_KEY": KEY, "EC_USER": "", "EC_PASS": ""}, f"ApiKey {KEY}"),
        (ADMIN, {"EC_API_KEY": KEY}, basic("admin", PASSWORD)),
        ({"api_key": KEY}, {"EC_USER": "admin", "EC_PASS": PASSWORD}, f"ApiKey {KEY}"),
        ({"username": "", "password": "", "api_key": ""}, {"EC_API_KEY": KEY}, f"ApiKey {KEY}"),
    ],
)
def test_credentials(options, environ, authorization):
    assert read(environ, **options).authorization == authorization


@pytest.mark.parametrize(
    ("options", "environ", "says"),
    [
        ({}, {}, "No credentials"),
        ({"username": "admin"}, {}, "username is set without password"),
        ({"password": PASSWORD}, {}, "password is set without username"),
        ({"username": "admin"}, {"EC_PASS": PASSWORD}, "username is set without password"),
        ({}, {"EC_PASS": PASSWORD}, "EC_PASS is set without EC_USER"),
        ({**ADMIN, "api_key": KEY}, {}, "either api_key, or username and password"),
        ({"username": "admin", "api_key": KEY}, {}, "either api_key, or username and password"),
        ({}, {"EC_USER": "admin", "EC_PASS": PASSWORD, "EC_API_KEY": KEY}, "either EC_API_KEY, or EC_USER and EC_PASS"),
        ({"username": "ad:min", "password": PASSWORD}, {}, "colon"),
        ({"api_key": f"{KEY}\r\nX-Evil: {KEY}"}, {}, "api_key"),
        ({"api_key": f"{KEY}é"}, {}, "api_key"),
        ({"api_key": "\n"}, {}, "api_key"),
        ({}, {"EC_USER": "admin", "EC_PASS": f"{PASSWORD}\udcff"}, "EC_PASS is not valid UTF-8"),
        ({}, {"EC_API_KEY": f"{KEY}\0"}, "EC_API_KEY"),
    ],
)
def test_credentials_are_refused_and_not_repeated(options, environ, says):
    with pytest.raises(WrongInput, match=says) as error:
        read(environ, **options)
    assert PASSWORD not in str(error.value)
    assert KEY not in str(error.value)


@given(st.text(min_size=1))
def test_an_api_key_is_sent_as_it_is_or_refused(key):
    try:
        header = read(api_key=key).authorization
    except WrongInput:
        return
    assert header == f"ApiKey {key.strip()}"
    assert header.isascii()
    assert header.isprintable()


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": 1e12},
        {"retries": -1},
        {"retries": 101},
    ],
)
def test_numbers_are_refused(options):
    with pytest.raises(WrongInput, match=next(iter(options))):
        read(**ADMIN, **options)


def test_a_connection_does_not_show_its_secret():
    assert PASSWORD not in repr(read(**ADMIN))
    assert basic("admin", PASSWORD) not in repr(read(**ADMIN))
