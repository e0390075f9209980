# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the simulator until it is told to end: SIGTERM, SIGINT, or the end of the process named with ``--parent``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import threading
from multiprocessing.connection import wait
from pathlib import Path

from werkzeug.serving import make_server

from . import control, credentials
from .certificates import server_contexts
from .coordinator import Coordinator
from .server import ApiServer
from .world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder for ca.pem and simulator.json")
    parser.add_argument("--port", type=int, default=0, help="the API's port (default: a free one)")
    parser.add_argument("--control-port", type=int, default=0, help="the control interface's port")
    parser.add_argument("--parent", type=int, help="end when the process with this id has ended")
    args = parser.parse_args()

    bell, rope = socket.socketpair()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: rope.close())
    ends: list[int | socket.socket] = [bell]
    if args.parent:
        ends.append(os.pidfd_open(args.parent))

    os.umask(0o077)
    args.dir = args.dir.resolve()
    args.dir.mkdir(parents=True, exist_ok=True)
    ca_path = args.dir / "ca.pem"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world = World()
    api = ApiServer(args.port, world, server_contexts(ca_path), bell)
    control_app = control.create_app(world)
    controls = make_server("127.0.0.1", args.control_port, control_app, threaded=True)
    coordinator = Coordinator()
    socket_controls = make_server("unix://control.sock", 0, control_app, threaded=True, fd=open_socket(args.dir))
    for server in (api, controls, socket_controls, coordinator):
        threading.Thread(target=server.serve_forever, daemon=True).start()

    about = {
        "url": f"https://127.0.0.1:{api.server_port}",
        "control_url": f"http://127.0.0.1:{controls.server_port}",
        "coordinator_host": coordinator.address,
        "ca_path": str(ca_path),
        "username": credentials.USERNAME,
        "password": credentials.PASSWORD,
        "readonly_username": credentials.READONLY_USERNAME,
        "readonly_password": credentials.READONLY_PASSWORD,
        "api_key": credentials.API_KEY,
        "pid": os.getpid(),
    }
    (args.dir / "simulator.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    print(f"ready: {about['url']}  (CA: {ca_path}, control: {about['control_url']})", flush=True)

    wait(ends)
    # Connections that are still open have threads that die with the process.
    api.shutdown()
    controls.shutdown()
    socket_controls.shutdown()
    coordinator.shutdown()


def open_socket(directory: Path) -> int:
    """Listen at ``control.sock``, which every user may use who can reach it: the descriptor."""
    path = directory / "control.sock"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    # Named from within: a socket's path may have 107 characters only.
    os.chdir(directory)
    listener.bind(path.name)
    path.chmod(0o666)
    listener.listen()
    return listener.detach()


if __name__ == "__main__":
    main()
