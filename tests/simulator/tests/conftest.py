# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of few words, so that tests see what really comes over the wire."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest

from testbed.simulator import Simulator

TOKENS = "/platform/configuration/security/enrollment-tokens"
RUNNERS = "/platform/infrastructure/runners"


class Client:
    """One connection with the administrator's credentials."""

    def __init__(self, simulator: Simulator, headers: dict[str, str] | None = None) -> None:
        address = urlsplit(simulator.url)
        context = ssl.create_default_context(cafile=simulator.ca_path)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self.http = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=10)
        self.headers = basic(simulator.username, simulator.password) if headers is None else headers

    def request(self, method: str, path: str, body: Any = None) -> None:
        content = None if body is None else json.dumps(body)
        headers = self.headers if body is None else {**self.headers, "Content-Type": "application/json"}
        self.http.request(method, "/api/v1" + path, content, headers)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status, and the body's JSON."""
        self.request(method, path, body)
        response = self.http.getresponse()
        return response.status, json.loads(response.read())


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@pytest.fixture
def client(simulator: Simulator) -> Client:
    return Client(simulator)
