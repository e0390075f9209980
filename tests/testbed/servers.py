# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other servers than the API that a client may meet: small ones on loopback, which note the headers that they get."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Server(ThreadingHTTPServer):
    """``seen`` holds the headers of each request, its method and its path; ``connections`` says how many there were."""

    def __init__(self, handler: type[Target], certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port: int = self.server_address[1]
        self.seen: list[dict[str, str]] = []
        self.connections = 0
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        if self._context:
            with suppress(OSError):  # a client that refuses the certificate hangs up
                request = self._context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)
            request.close()
        else:
            super().finish_request(request, client_address)


class Target(BaseHTTPRequestHandler):
    """An API that gives its version whatever it is asked for."""

    server: Server

    def do_GET(self) -> None:
        self.note()
        self.answer(200, {}, b'{"version": "4.2.0"}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def note(self) -> None:
        self.server.seen.append({"method": self.command, "path": self.path, **self.headers})

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Proxy(Target):
    """A proxy that tunnels."""

    def do_CONNECT(self) -> None:
        self.note()
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
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # one of them may have gone first
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def serve(handler: type[Target], certificate: Path | None = None) -> Iterator[Server]:
    """One that ends with the block; with a ``certificate`` (``self_signed`` makes one) it speaks TLS."""
    with Server(handler, certificate) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def self_signed(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 and localhost, which is its own authority."""
    path = folder / "another-host.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(path), "-subj", "/CN=another host", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    # Without these, Python 3.13 would not accept it where the system's store is trusted.
    command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    certificate = subprocess.run(command, check=True, capture_output=True).stdout
    with path.open("ab") as file:
        file.write(certificate)
    return path
