# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proxies that do not serve, and servers that speak plain http: what is said of them, and what is repeated."""

from __future__ import annotations

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed
from testbed.servers import Target, serve


class Cutting(Target):
    """Ends the connection within its first reply, which is `cut_at` bytes long."""

    whole = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"version": "4.2.0"}'
    cut_at: int

    def do_GET(self):
        if self.server.seen:
            super().do_GET()
        else:
            self.note()
            self.wfile.write(self.whole[: self.cut_at])


@pytest.mark.parametrize("part", ["status", "headers", "body"])
def test_a_reply_that_is_cut_before_its_length_is_known_is_repeated(connect, pauses, part):
    end = {"status": b"200", "headers": b"application", "body": b"version"}[part]
    cutting = type("CuttingThere", (Cutting,), {"cut_at": Cutting.whole.index(end) + len(end)})
    with serve(cutting) as server:
        assert connect(url=f"http://127.0.0.1:{server.port}").platform_version() == "4.2.0"
    assert (len(server.seen), pauses) == (2, [1])


def test_a_proxy_that_refuses_to_connect(connect, pauses, monkeypatch):
    with serve(Target) as server:  # it knows no CONNECT
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
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


def test_a_proxy_that_is_out_of_reach_is_named_without_its_password(connect, monkeypatch, closed_port):
    monkeypatch.setenv("HTTPS_PROXY", f"http://proxy-user:fake-proxy-password@127.0.0.1:{closed_port}")
    with pytest.raises(RequestFailed, match="the proxy that the environment names is out of reach") as error:
        connect(retries=0).mint_persistent_token(["proxy"])
    assert "fake-proxy-password" not in str(error.value)
    assert not error.value.outcome_unknown


def test_https_to_a_port_that_speaks_http(connect):
    with serve(Target) as server, pytest.raises(RequestFailed, match=r"no TLS connection.*12443"):
        connect(url=f"https://127.0.0.1:{server.port}").platform_version()
