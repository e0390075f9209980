# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A coordinator's port as new hosts look for it: it takes connections, and closes them."""

from __future__ import annotations

import errno
import secrets
import socketserver

PORT = 22191
ATTEMPTS = 100


class Coordinator(socketserver.TCPServer):
    """Listens on port 22191 of ``address``, the first of a network 127.X.Y.0/24 that is this simulator's own.

    Several simulators may run on a machine, each with hosts in its own network: whoever holds the port of 127.X.Y.1 has
    the network. 127.0.0.0/16 is left out, as machines use addresses of it for themselves.

    Raises:
        RuntimeError: when no free network was found.
    """

    request_queue_size = 128

    def __init__(self) -> None:
        for _attempt in range(ATTEMPTS):
            self.address = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.1"
            try:
                super().__init__((self.address, PORT), socketserver.BaseRequestHandler)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return
        raise RuntimeError(f"port {PORT} is in use at each of {ATTEMPTS} addresses that were tried")
