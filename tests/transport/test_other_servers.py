# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proxies, and servers that speak plain http: small ones of the tests' own, which note the headers that they get."""

from __future__ import annotations

import base64
import http.server
import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed


class Target(http.server.BaseHTTPRequestHandler):
    """An API that knows one operation, and notes the headers that it gets."""

    seen: list[dict[str, str]]

    def do_GET(self):
        self.seen.append({"path": self.path, **self.headers})
        body = b'{"version": "4.2.0"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Nothing."""


class Cutting(Target):
    """Ends the connection within its first reply, which is `cut_at` bytes long."""

    whole = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"version": "4.2.0"}'
    cut_at: int

    def do_GET(self):
        if self.seen:
            super().do_GET()
        else:
            self.seen.append({"path": self.path, **self.headers})
            self.wfile.write(self.whole[: self.cut_at])


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that tunnels, and notes the headers that it gets."""

    seen: list[dict[str, str]]

    def do_CONNECT(self):
        self.seen.append({"path": self.path, **self.headers})
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as upstream:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=self._copy, args=(upstream, self.connection))
            back.start()
            self._copy(self.connection, upstream)
            back.join()
        self.close_connection = True

    @staticmethod
    def _copy(source, target):
        while data := source.recv(65536):
            target.sendall(data)
        with suppress(OSError):  # it may have gone first
            target.shutdown(socket.SHUT_WR)

    def log_message(self, *args):
        """Nothing."""


@contextmanager
def plain_server(handler, seen=None):
    noting = type("Noting", (handler,), {"seen": [] if seen is None else seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), noting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_plain_http_on_loopback(connect):
    seen = []
    with plain_server(Target, seen) as port:
        assert connect(url=f"http://127.0.0.1:{port}/api/v1/").platform_version() == "4.2.0"
    assert seen[0]["path"] == "/api/v1/platform"
    assert seen[0]["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("part", ["status", "headers", "body"])
def test_a_reply_that_is_cut_before_its_length_is_known_is_repeated(connect, pauses, part):
    end = {"status": b"200", "headers": b"application", "body": b"version"}[part]
    cutting = type("CuttingThere", (Cutting,), {"cut_at": Cutting.whole.index(end) + len(end)})
    seen = []
    with plain_server(cutting, seen) as port:
        assert connect(url=f"http://127.0.0.1:{port}").platform_version() == "4.2.0"
    assert (len(seen), pauses) == (2, [1])


@pytest.fixture
def proxy(monkeypatch):
    seen = []
    with plain_server(Proxy, seen) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://proxy-user:fake-proxy-password@127.0.0.1:{port}")
        yield seen


def test_a_proxy_carries_the_request_and_learns_no_credentials(simulator, connect, proxy):
    client = connect()
    assert client.platform_version()
    client.http._session.close()
    (asked,) = proxy
    assert asked["path"] == simulator.url.removeprefix("https://")
    assert "Authorization" not in asked
    assert asked["Proxy-Authorization"] == "Basic " + base64.b64encode(b"proxy-user:fake-proxy-password").decode()
    assert simulator.journal()[0]["user"] == "admin"


def test_a_proxy_that_refuses_to_connect(connect, pauses, monkeypatch):
    with plain_server(Target) as port:  # it knows no CONNECT
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(RequestFailed, match="the proxy refused to connect.*501.*Check HTTPS_PROXY") as error:
            connect().mint_persistent_token(["proxy"])
    assert not error.value.outcome_unknown
    assert pauses == [1, 2]


@pytest.mark.parametrize("proxy", ["http://u:fake-proxy-password@[::1:1", "ftp://127.0.0.1:1", "http://"])
def test_a_proxy_that_cannot_be_one(connect, monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(RequestFailed, match="HTTPS_PROXY") as error:
        connect(retries=0).platform_version()
    assert "fake-proxy-password" not in str(error.value)


def test_plain_http_to_this_machine_does_not_leave_it(connect, monkeypatch):
    with plain_server(Target) as port:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert connect(url=f"http://127.0.0.1:{port}").platform_version() == "4.2.0"


def test_no_proxy_is_honoured(connect, proxy, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert connect().platform_version()
    assert proxy == []


def test_a_proxy_that_is_out_of_reach_is_named_without_its_password(connect, monkeypatch, closed_port):
    monkeypatch.setenv("HTTPS_PROXY", f"http://proxy-user:fake-proxy-password@127.0.0.1:{closed_port}")
    with pytest.raises(RequestFailed, match="the proxy that the environment names is out of reach") as error:
        connect(retries=0).mint_persistent_token(["proxy"])
    assert "fake-proxy-password" not in str(error.value)
    assert not error.value.outcome_unknown


def test_https_to_a_port_that_speaks_http(connect):
    with plain_server(Target) as port, pytest.raises(RequestFailed, match=r"no TLS connection.*12443"):
        connect(url=f"https://127.0.0.1:{port}").platform_version()
