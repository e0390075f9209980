# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections: TLS in each connection's own thread, HTTP/1.1 with keep-alive, and the faults.

Not werkzeug's own server: that one closes the connection after each reply, and faults need the socket.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import wait
from typing import Any
from urllib.parse import unquote, urlsplit

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from .api import create_app, operation_of
from .credentials import identify
from .faults import Fault
from .journal import Entry
from .state import Refusal
from .world import World

DRIP_MAX_SECONDS = 60.0
CLIENT_SECONDS = 10.0


class ApiServer(ThreadingHTTPServer):
    """Serves the API on loopback. ``bell``: a socket that becomes readable when everything is to end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, world: World, contexts: dict[str, ssl.SSLContext], bell: socket.socket) -> None:
        self.world, self.contexts, self.bell = world, contexts, bell
        self.app = create_app(world)
        super().__init__(("127.0.0.1", port), BaseHTTPRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One connection, in its own thread: a client that stalls in the handshake holds up nobody else."""
        with self.world.lock:
            number = self.world.journal.connect()
            fault = self.world.faults.for_connection()
        if fault and fault.kind == "refuse_handshake":
            # When the client has begun: one that is still connecting would report something else.
            wait([request, self.bell], CLIENT_SECONDS)
            reset_on_close(request)
            request.close()
            return
        context = self.contexts[(fault and fault.which) or "good"]
        with context.wrap_socket(request, server_side=True) as tls:
            if fault and fault.kind == "reset_unread":
                wait([tls, self.bell], CLIENT_SECONDS)
                reset_on_close(tls)
                return
            Handler(tls, client_address, self, number, fault)

    def shutdown_request(self, request: Any) -> None:
        # Closed here, not shut down first: that would send an end of file before a reset.
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a client that hangs up is nothing to report
            with self.world.lock:
                self.world.violations.append({"side": "simulator", "error": repr(error)})
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ApiServer

    def __init__(
        self, tls: ssl.SSLSocket, address: tuple[str, int], server: ApiServer, number: int, fault: Fault | None
    ) -> None:
        self._number, self._connection_fault = number, fault
        super().__init__(tls, address, server)

    def log_message(self, format: str, *args: object) -> None:
        """The journal tells it all."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        entry, fault = self._note(body)
        try:
            self._send(entry, self._outcome(body, fault), fault)
        except _HangUp:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _note(self, body: bytes) -> tuple[Entry, Fault | None]:
        """Enter the request into the journal, with the fault that it gets."""
        caller = identify(self.headers.get("Authorization"))
        operation = operation_of(self.server.app, self.command, unquote(urlsplit(self.path).path))
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        with self.server.world.lock:
            fault = self.server.world.faults.for_request(operation)
            struck = fault or self._connection_fault
            entry = self.server.world.journal.begin(
                self._number,
                self.path,
                method=self.command,
                operation=operation,
                body=parsed,
                scheme=caller.scheme,
                user=caller.user,
                authenticated=caller.authenticated,
                fault=struck.kind if struck else None,
            )
        return entry, fault

    def _outcome(self, body: bytes, fault: Fault | None) -> Response:
        """What is to be replied; the request takes effect when, and if, the fault lets it."""
        if fault is None:
            return self._handle(body)
        if fault.kind == "reset_before":
            raise self._reset()
        if fault.kind == "reply" and not fault.effect:
            return fault.response(self.path)
        if fault.kind == "revoke":
            self._revoke(fault.token_id)
        if fault.kind == "mint":
            with self.server.world.lock:
                self.server.world.installation.add_persistent(fault.roles)
        if fault.kind == "delay" and not fault.effect:
            self._pause(fault.seconds)
        response = self._handle(body)
        if fault.kind == "reset_after":
            raise self._reset()
        if fault.kind == "delay" and fault.effect:
            self._pause(fault.seconds)
        return fault.response(self.path) if fault.kind == "reply" else response

    def _send(self, entry: Entry, response: Response, fault: Fault | None) -> None:
        """Reply. The journal has the status before the last byte goes: whoever has the reply may look there at once."""
        if fault and fault.kind == "close":
            response.headers["Connection"] = "close"
            self.close_connection = True
        head, content = _head(response), response.get_data()
        pieces = [head + content]
        if fault and fault.kind == "cut":
            self.wfile.write(head + content[: len(content) // 2])
            raise _HangUp
        if fault and fault.kind == "drip_headers":
            pieces = [*_bytes(head[:-1]), head[-1:] + content]
        if fault and fault.kind == "drip_body":
            pieces = [head + content[:1], *_bytes(content[1:])]
        end = time.monotonic() + DRIP_MAX_SECONDS
        for piece in pieces[:-1]:
            self.wfile.write(piece)
            self._pause(fault.seconds if fault else 0)
            if time.monotonic() > end:
                raise _HangUp
        entry.status = response.status_code
        try:
            self.wfile.write(pieces[-1])
        except OSError:
            entry.status = None
            raise

    def _handle(self, body: bytes) -> Response:
        """What the API answers; the request takes effect."""
        environ = EnvironBuilder(
            path=self.path, base_url="https://127.0.0.1/", method=self.command, headers=self.headers.items(), data=body
        ).get_environ()
        with self.server.world.lock:
            return Response.from_app(self.server.app, environ)

    def _revoke(self, token_id: str) -> None:
        with self.server.world.lock, suppress(Refusal):  # it may have gone already
            self.server.world.installation.revoke(token_id)

    def _pause(self, seconds: float) -> None:
        """Wait, but no longer than the client does; one that waits for a reply sends nothing else.

        Raises:
            _HangUp: when the client left, or everything ends.
        """
        if wait([self.connection, self.server.bell], seconds):
            raise _HangUp

    def _reset(self) -> _HangUp:
        reset_on_close(self.connection)
        return _HangUp()


class _HangUp(Exception):
    """The connection ends without a complete reply."""


def reset_on_close(connection: socket.socket) -> None:
    """Let closing send a TCP reset instead of an end of file."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _head(response: Response) -> bytes:
    lines = (f"{name}: {value}" for name, value in response.headers)
    return "\r\n".join([f"HTTP/1.1 {response.status}", *lines, "", ""]).encode("latin-1")


def _bytes(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]
