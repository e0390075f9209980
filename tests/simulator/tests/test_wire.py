# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each fault looks like to a client, what it leaves behind, and what the journal says of it."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from testbed.simulator import Simulator

from .conftest import TOKENS, Client

pytest_plugins = ["testbed.fixtures"]

PERSISTENT = {"persistent": True, "roles": ["proxy"]}


def minted(simulator: Simulator) -> int:
    return int(simulator.state()["minted"]["persistent"])


def noted(simulator: Simulator) -> tuple[str | None, int | None]:
    """Fault and status of the last request."""
    entry = simulator.journal()[-1]
    return entry["fault"], entry["status"]


@pytest.mark.parametrize(("kind", "effects"), [("reset_before", 0), ("reset_after", 1)])
def test_reset(simulator: Simulator, client: Client, kind: str, effects: int) -> None:
    simulator.fault(kind, "create-enrollment-token")
    with pytest.raises(ConnectionResetError):
        client.call("POST", TOKENS, PERSISTENT)
    assert minted(simulator) == effects
    assert noted(simulator) == (kind, None)
    # It strikes once.
    assert Client(simulator).call("POST", TOKENS, PERSISTENT)[0] == 200
    assert noted(simulator) == (None, 200)


def test_reset_before_anything_is_read(simulator: Simulator, client: Client) -> None:
    simulator.fault("reset_unread")
    with pytest.raises((ConnectionError, ssl.SSLEOFError)):  # the second, where it is still sending
        client.call("POST", TOKENS, PERSISTENT)
    assert (simulator.journal(), minted(simulator)) == ([], 0)
    assert simulator.connections_without_request() == 1
    assert Client(simulator).call("GET", "/platform")[0] == 200


def test_a_connection_that_closes_after_its_reply_says_so(simulator: Simulator, client: Client) -> None:
    simulator.fault("close")
    client.request("GET", "/platform")
    response = client.http.getresponse()
    assert (response.status, response.headers["Connection"]) == (200, "close")
    response.read()
    # The client makes another one by itself.
    assert client.call("GET", "/platform")[0] == 200
    assert len({entry["connection"] for entry in simulator.journal()}) == 2


def test_refused_handshake(simulator: Simulator, client: Client) -> None:
    simulator.fault("refuse_handshake")
    with pytest.raises(ConnectionResetError):
        client.call("GET", "/platform")
    assert simulator.journal() == []
    assert simulator.connections_without_request() == 1
    assert Client(simulator).call("GET", "/platform")[0] == 200
    assert simulator.connections_without_request() == 1


@pytest.mark.parametrize("which", ["expired", "wrong_name", "unknown_ca"])
def test_bad_certificate(simulator: Simulator, client: Client, which: str) -> None:
    simulator.fault("certificate", which=which)
    with pytest.raises(ssl.SSLCertVerificationError):
        client.call("GET", "/platform")
    assert simulator.connections_without_request() == 1
    assert Client(simulator).call("GET", "/platform")[0] == 200


def test_a_bad_certificate_is_noted_when_the_client_does_not_mind(simulator: Simulator, client: Client) -> None:
    simulator.fault("certificate", which="expired")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    careless = http.client.HTTPSConnection(client.http.host, client.http.port, context=context, timeout=10)
    careless.request("GET", "/api/v1/platform")
    assert careless.getresponse().status == 401
    assert noted(simulator) == ("certificate", 401)


@pytest.mark.parametrize(("effect", "effects"), [(False, 0), (True, 1)])
def test_delay_that_outlasts_the_client(simulator: Simulator, client: Client, effect: bool, effects: int) -> None:
    simulator.fault("delay", seconds=60, effect=effect)
    client.http.timeout = 0.2
    with pytest.raises(TimeoutError):
        client.call("POST", TOKENS, PERSISTENT)
    client.http.close()
    assert minted(simulator) == effects
    assert noted(simulator) == ("delay", None)


@pytest.mark.parametrize("effect", [False, True])
def test_delay_that_the_client_waits_for(simulator: Simulator, client: Client, effect: bool) -> None:
    simulator.fault("delay", seconds=0.05, effect=effect)
    assert client.call("POST", TOKENS, PERSISTENT)[0] == 200
    assert minted(simulator) == 1
    assert noted(simulator) == ("delay", 200)


def test_ordered_reply(simulator: Simulator, client: Client) -> None:
    headers = {"Retry-After": "7"}
    simulator.fault("reply", status=503, headers=headers, body="<p>no</p>", content_type="text/html")
    client.request("POST", TOKENS, PERSISTENT)
    response = client.http.getresponse()
    assert (response.status, response.read()) == (503, b"<p>no</p>")
    assert (response.headers["Retry-After"], response.headers["Content-Type"]) == ("7", "text/html")
    assert minted(simulator) == 0
    assert noted(simulator) == ("reply", 503)
    # The connection can be used on.
    assert client.call("POST", TOKENS, PERSISTENT)[0] == 200
    assert len({entry["connection"] for entry in simulator.journal()}) == 1


def test_ordered_reply_that_depends_on_time_and_path(simulator: Simulator, client: Client) -> None:
    simulator.fault("reply", status=307, retry_date=100.0, to_itself=True)
    client.request("GET", "/platform?q=1")
    response = client.http.getresponse()
    response.read()
    assert response.headers["Location"] == "/api/v1/platform?q=1"
    ahead = parsedate_to_datetime(response.headers["Retry-After"]).timestamp() - time.time()
    assert 0 < ahead <= 100


def test_ordered_reply_to_a_request_that_took_effect(simulator: Simulator, client: Client) -> None:
    simulator.fault("reply", status=502, body_size=3_000_000, effect=True)
    client.request("POST", TOKENS, PERSISTENT)
    assert len(client.http.getresponse().read()) == 3_000_000
    assert minted(simulator) == 1


def test_cut_reply(simulator: Simulator, client: Client) -> None:
    simulator.fault("cut")
    client.request("POST", TOKENS, PERSISTENT)
    with pytest.raises(http.client.IncompleteRead) as cut:
        client.http.getresponse().read()
    assert abs(len(cut.value.partial) - (cut.value.expected or 0)) <= 1
    assert minted(simulator) == 1
    assert noted(simulator) == ("cut", None)


@pytest.mark.parametrize("kind", ["drip_headers", "drip_body"])
def test_drip(simulator: Simulator, client: Client, kind: str) -> None:
    simulator.fault(kind, seconds=0.001)
    client.request("DELETE", f"{TOKENS}/unknown")
    pieces: list[bytes] = []
    while not (received := b"".join(pieces)).endswith(b"}\n"):
        # Each piece is a TLS record of its own, and one read gives one record.
        pieces.append(client.http.sock.recv(4096))
    head, body = received.split(b"\r\n\r\n")
    dripped = {"drip_headers": len(head) + 3, "drip_body": len(body) - 1}[kind]
    assert len([piece for piece in pieces if len(piece) == 1]) == dripped
    assert noted(simulator) == (kind, 404)


def test_a_drip_ends_with_the_client(simulator: Simulator, client: Client) -> None:
    connections = Path(f"/proc/{simulator.pid}/task")
    simulator.fault("drip_body", seconds=60)
    client.request("GET", "/platform")
    client.http.sock.recv(4096)
    before = len(list(connections.iterdir()))
    client.http.close()
    pause, end = threading.Event(), time.monotonic() + 10
    while len(list(connections.iterdir())) >= before and time.monotonic() < end:
        pause.wait(0.01)
    assert len(list(connections.iterdir())) < before
    assert noted(simulator) == ("drip_body", None)


def test_somebody_else_revokes(simulator: Simulator, client: Client) -> None:
    token_id = simulator.seed_tokens([])[0]["token_id"]
    simulator.fault("revoke", "delete-enrollment-token", token_id=token_id)
    assert client.call("DELETE", f"{TOKENS}/{token_id}")[0] == 404
    assert noted(simulator) == ("revoke", 404)


def test_somebody_else_mints(simulator: Simulator, client: Client) -> None:
    before = simulator.token_ids()
    simulator.fault("mint", roles=["director"])
    assert client.call("POST", TOKENS, PERSISTENT)[0] == 200
    new = [token["roles"] for token in simulator.state()["tokens"] if token["token_id"] not in before]
    assert new == [["director"], ["proxy"]]
    assert minted(simulator) == 1


def test_a_long_fault_does_not_keep_the_simulator_from_ending(tmp_path: Path) -> None:
    with Simulator.start(tmp_path) as simulator:
        simulator.fault("delay", seconds=60)
        client = Client(simulator)
        client.request("GET", "/platform")
    with pytest.raises(ConnectionError):
        client.http.getresponse()
