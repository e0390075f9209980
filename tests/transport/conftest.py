# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's client as Python, against the simulator: what a whole play would be too slow to ask."""

from __future__ import annotations

import os
import sys

import pytest

sys.path.insert(0, os.environ["TESTBED_COLLECTIONS_PATH"])

from ansible_collections.eceops.platform.plugins.module_utils._client import Client
from ansible_collections.eceops.platform.plugins.module_utils._connection import read_connection
from ansible_collections.eceops.platform.plugins.module_utils._http import Http

pytest_plugins = ["testbed.fixtures"]

DEFAULTS = {"validate_certs": True, "allow_plain_http": False, "timeout": 10, "retries": 2}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """Nothing of this machine's: a test sets what it is about."""
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def connect(simulator, pauses):
    def connect(**options):
        connection = read_connection({**DEFAULTS, **simulator.ece_api, **options}, {})
        return Client(Http(connection, pauses.append))

    return connect
