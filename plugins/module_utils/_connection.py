# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: what the connection options and the environment say about how to reach the API."""

from __future__ import annotations

import base64
import re
import typing as t
from collections.abc import Mapping
from urllib.parse import urlsplit

from ansible_collections.eceops.platform.plugins.module_utils._errors import WrongInput

API_PATH = "/api/v1"
MAX_TIMEOUT = 24 * 60 * 60
MAX_RETRIES = 100

# What a header may hold; a line break inside it would end it and begin another.
_HEADER_TEXT = re.compile(r"[\x20-\x7e]+")


class Connection(t.NamedTuple):
    """Where the API is and how to speak to it.

    `url` has no trailing slash and no `/api/v1`. `authorization` is the header's whole value, a secret.
    `timeout` is in seconds, for one try of one request; `retries` are the tries after the first.
    """

    url: str
    authorization: str
    validate_certs: bool = True
    ca_path: str | None = None
    timeout: float = 30
    retries: int = 3

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Connection({self.url!r})"


def read_connection(options: Mapping[str, t.Any], environ: Mapping[str, str]) -> Connection:
    """Make one of the connection options, and of `EC_HOST`, `EC_USER`, `EC_PASS`, `EC_API_KEY` where they are silent.

    Raises `WrongInput`, which never repeats a credential nor a URL that may hold one.
    """
    # Not a number is neither.
    if not 0 < options["timeout"] <= MAX_TIMEOUT:
        raise WrongInput(f"timeout must be more than 0 and at most {MAX_TIMEOUT} seconds, not {options['timeout']:g}.")
    if not 0 <= options["retries"] <= MAX_RETRIES:
        raise WrongInput(f"retries must be from 0 to {MAX_RETRIES}, not {options['retries']}.")
    return Connection(
        url=_base_url(options.get("url") or environ.get("EC_HOST") or "", options["allow_plain_http"]),
        authorization=_authorization(options, environ),
        validate_certs=options["validate_certs"],
        ca_path=options.get("ca_path") or None,
        timeout=options["timeout"],
        retries=options["retries"],
    )


def _base_url(url: str, allow_plain_http: bool) -> str:
    url = url.strip()
    if not url:
        raise WrongInput(
            "The API's address is missing: set url (such as https://coordinator.example.com:12443; for a playbook, in "
            "ece_api), or EC_HOST in the environment."
        )
    if "@" in url:
        raise WrongInput(
            "url holds user information (the part before an @), and credentials do not belong into a URL: "
            "use username and password, or api_key."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or port == 0 or re.search(r"[\s\x00-\x1f]", url):
        raise WrongInput(f"url is not an address such as https://coordinator.example.com:12443, but {url!r}.")
    if parts.query or parts.fragment:
        raise WrongInput(f"url may hold no query and no fragment, but is {url!r}.")
    if parts.scheme == "http" and not allow_plain_http and not is_loopback(host):
        raise WrongInput(
            f"url is plain http ({url}), which would show the credentials to the network: "
            "use https (ECE's port is 12443), or set allow_plain_http if you really mean it."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(API_PATH)}"


def is_loopback(host: str | None) -> bool:
    """Whether a request to this host stays on this machine."""
    # Only plain http asks.
    import ipaddress

    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _authorization(options: Mapping[str, t.Any], environ: Mapping[str, str]) -> str:
    # The environment counts only when no credential option is given: an exported EC_API_KEY may not collide with a
    # given user, nor complete half of one.
    names = {"username": "username", "password": "password", "api_key": "api_key"}
    given = {name: options[name] for name in names if options.get(name)}
    if not given:
        names = {"username": "EC_USER", "password": "EC_PASS", "api_key": "EC_API_KEY"}
        given = {name: environ[variable] for name, variable in names.items() if environ.get(variable)}
    if not given:
        raise WrongInput(
            "No credentials: set username and password, or api_key; "
            "or EC_USER and EC_PASS, or EC_API_KEY, in the environment."
        )
    if "api_key" in given:
        if len(given) > 1:
            raise WrongInput(
                f"Both kinds of credentials are set: use either {names['api_key']}, "
                f"or {names['username']} and {names['password']}."
            )
        return f"ApiKey {_header_text(given['api_key'], names['api_key'])}"
    if len(given) < 2:
        missing = (set(names) - {"api_key"} - set(given)).pop()
        raise WrongInput(f"{names[next(iter(given))]} is set without {names[missing]}: set both, or use api_key.")
    if ":" in given["username"]:
        raise WrongInput(f"{names['username']} holds a colon, which no user name of Basic authentication can.")
    try:
        pair = f"{given['username']}:{given['password']}".encode()
    except UnicodeEncodeError:
        raise WrongInput(f"{names['username']} or {names['password']} is not valid UTF-8.") from None
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _header_text(value: str, name: str) -> str:
    value = value.strip()
    if not _HEADER_TEXT.fullmatch(value):
        raise WrongInput(f"{name} is blank, or holds a character that no HTTP header may, such as a line break.")
    return value
