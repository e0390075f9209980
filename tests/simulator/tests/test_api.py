# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API over HTTPS: authentication, operations, the contract and the journal."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from simulator.credentials import API_KEY, READONLY_PASSWORD
from testbed.simulator import Simulator

from .conftest import RUNNERS, TOKENS, Client, basic

pytest_plugins = ["testbed.fixtures"]

UNKNOWN = {"scheme": None, "user": None, "authenticated": False}


@pytest.mark.parametrize(
    ("headers", "read", "write", "noted"),
    [
        ({}, 401, 401, UNKNOWN),
        ({"Authorization": "Bearer x"}, 401, 401, UNKNOWN),
        ({"Authorization": "Basic !"}, 401, 401, {**UNKNOWN, "scheme": "basic"}),
        (basic("admin", "wrong"), 401, 401, {**UNKNOWN, "scheme": "basic", "user": "admin"}),
        (
            basic("readonly", READONLY_PASSWORD),
            200,
            403,
            {"scheme": "basic", "user": "readonly", "authenticated": True},
        ),
        ({"Authorization": "ApiKey wrong"}, 401, 401, {**UNKNOWN, "scheme": "apikey"}),
        ({"Authorization": f"ApiKey {API_KEY}"}, 200, 200, {"scheme": "apikey", "user": None, "authenticated": True}),
    ],
)
def test_knows_who_may_do_what(
    simulator: Simulator, headers: dict[str, str], read: int, write: int, noted: dict[str, Any]
) -> None:
    client = Client(simulator, headers)
    assert client.call("GET", TOKENS)[0] == read
    status, body = client.call("POST", TOKENS, {"persistent": False})
    assert status == write
    if status != 200:
        code = {401: "root.unauthenticated", 403: "root.unauthorized.rbac"}[status]
        assert body["errors"][0]["code"] == code
    assert [{name: entry[name] for name in noted} for entry in simulator.journal()] == [noted, noted]


@pytest.mark.parametrize("value", ["Tue, 01 Dec 2026 10:00:00 GMT", "soon", None])
def test_tells_when_the_key_expires(simulator: Simulator, value: str | None) -> None:
    simulator.settings(api_key_expiration=value)
    client = Client(simulator, {"Authorization": f"ApiKey {simulator.api_key}"})
    client.request("GET", "/platform")
    assert client.http.getresponse().headers["X-Elastic-Api-Key-Expiration"] == value


def test_tells_nobody_else(client: Client) -> None:
    client.request("GET", "/platform")
    assert "X-Elastic-Api-Key-Expiration" not in client.http.getresponse().headers


def test_answers_every_operation_within_the_contract(simulator: Simulator, client: Client) -> None:
    simulator.put_runner("192.0.2.9", roles=["allocator"], connected=False, instances=1)
    token_id = simulator.seed_tokens(["proxy"])[0]["token_id"]
    calls: list[tuple[str, str, Any, int]] = [
        ("GET", "/platform", None, 200),
        ("GET", TOKENS, None, 200),
        ("POST", TOKENS, {"persistent": True, "roles": ["proxy"]}, 200),
        ("POST", TOKENS, {"persistent": False, "roles": [], "validity_in_seconds": 60}, 200),
        ("POST", TOKENS, {"persistent": True, "validity_in_seconds": 60}, 400),
        ("DELETE", f"{TOKENS}/{token_id}", None, 200),
        ("DELETE", f"{TOKENS}/{token_id}", None, 404),
        ("GET", RUNNERS, None, 200),
        ("GET", f"{RUNNERS}?q=connected:false", None, 200),
        ("GET", f"{RUNNERS}/192.0.2.9", None, 200),
        ("GET", "/platform/infrastructure/allocators/192.0.2.9", None, 200),
        ("DELETE", f"{RUNNERS}/192.0.2.1", None, 400),
        ("DELETE", f"{RUNNERS}/192.0.2.9", None, 200),
        ("GET", f"{RUNNERS}/192.0.2.9", None, 404),
        ("GET", "/platform/infrastructure/allocators/192.0.2.9", None, 404),
        ("GET", "/deployments", None, 404),
        ("PUT", "/platform", {}, 404),
    ]
    for method, path, body, status in calls:
        assert client.call(method, path, body)[0] == status, (method, path)
    assert [entry["operation"] for entry in simulator.journal()] == [
        "get-platform",
        "get-enrollment-tokens",
        *["create-enrollment-token"] * 3,
        *["delete-enrollment-token"] * 2,
        *["get-runners"] * 2,
        "get-runner",
        "get-allocator",
        *["delete-runner"] * 2,
        "get-runner",
        "get-allocator",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"persistent": False, "rolez": []}, "rolez"),
        ({"roles": []}, "persistent"),
        ({"persistent": "yes"}, "boolean"),
        ({"persistent": False, "validity_in_seconds": 2**31}, "maximum"),
        (None, "body"),
    ],
)
def test_a_request_that_breaks_the_contract_is_refused_and_noted(
    simulator: Simulator, client: Client, body: Any, error: str
) -> None:
    status, reply = client.call("POST", TOKENS, body)
    [violation] = simulator.violations()
    assert (status, violation["side"], violation["operation"]) == (400, "request", "create-enrollment-token")
    assert error in violation["error"]
    assert reply["errors"][0]["message"] == violation["error"]
    simulator.reset()


def test_a_reply_that_breaks_the_contract_is_noted(simulator: Simulator, client: Client) -> None:
    simulator.settings(version=42)
    assert client.call("GET", "/platform")[0] == 500
    assert [violation["side"] for violation in simulator.violations()] == ["reply"]
    simulator.reset()


def test_notes_requests_without_token_values(simulator: Simulator, client: Client) -> None:
    token = simulator.mint_ephemeral([], 60)
    client.call("POST", TOKENS, {"persistent": False, "roles": ["proxy"]})
    client.call("DELETE", f"{TOKENS}/{token}")
    minted, deleted = simulator.journal()
    assert minted["at"] < deleted["at"]
    assert minted == {
        "number": 1,
        "at": minted["at"],
        "connection": minted["connection"],
        "method": "POST",
        "path": f"/api/v1{TOKENS}",
        "operation": "create-enrollment-token",
        "body": {"persistent": False, "roles": ["proxy"]},
        "scheme": "basic",
        "user": "admin",
        "authenticated": True,
        "status": 200,
        "fault": None,
    }
    assert (deleted["path"], deleted["status"]) == (f"/api/v1{TOKENS}/TOKEN", 404)


def test_fifty_requests_over_one_connection(simulator: Simulator, client: Client) -> None:
    for seeded in simulator.seed_tokens([], 50):
        assert client.call("DELETE", f"{TOKENS}/{seeded['token_id']}") == (200, {})
    connections = [entry["connection"] for entry in simulator.journal()]
    assert (len(connections), len(set(connections))) == (50, 1)
    Client(simulator).call("GET", "/platform")
    assert simulator.journal()[-1]["connection"] > connections[0]


def test_a_client_that_never_begins_keeps_nobody_waiting(simulator: Simulator, client: Client) -> None:
    with socket.create_connection((client.http.host, client.http.port)):
        assert client.call("GET", "/platform")[0] == 200
        assert simulator.connections_without_request() == 1
