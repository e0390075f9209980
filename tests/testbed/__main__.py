# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world for shell scripts: ``python -m testbed up|reset|down --dir DIR``.

``up`` starts a simulator that goes on running and writes what its users need into DIR, readable for this user only:
``ece_api.yml`` (a variables file), ``integration_config.yml`` (for ansible-test) and ``env.sh`` (ecctl's variables).
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from pathlib import Path

from .simulator import Simulator

FILES = ("ece_api.yml", "integration_config.yml", "env.sh", "ca.pem", "simulator.json", "simulator.log")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m testbed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "reset", "down"))
    parser.add_argument("--dir", type=Path, required=True)
    args = parser.parse_args()
    try:
        simulator = Simulator.attach(args.dir)
    except LookupError as error:
        if args.command != "up":
            parser.exit(0 if args.command == "down" else 1, f"{error}\n")
        os.umask(0o077)
        simulator = Simulator.start(args.dir, detached=True)
        add_host(simulator)
    if args.command == "down":
        simulator.stop()
        for name in FILES:
            (args.dir / name).unlink(missing_ok=True)
        print(f"ended: process {simulator.pid}")
    elif args.command == "reset":
        simulator.reset()
        add_host(simulator)
        print(f"reset: {simulator.url}")
    else:
        write_files(args.dir, simulator)
        print(f"up: {simulator.url}  (process {simulator.pid}, variables: {args.dir / 'ece_api.yml'})")


def add_host(simulator: Simulator) -> None:
    """A second host, unlike the first, so that every filter of a list has something to leave out."""
    simulator.put_runner("192.0.2.2", roles=["allocator"], zone="ece-zone-2", connected=False)


def write_files(directory: Path, simulator: Simulator) -> None:
    """What users of the simulator read; all of it holds credentials."""
    options = simulator.ece_api
    integration = {
        "ece_url": simulator.url,
        "ece_username": simulator.username,
        "ece_password": simulator.password,
        "ece_api_key": simulator.api_key,
        "ece_ca_path": simulator.ca_path,
    }
    environment = {"EC_HOST": simulator.url, "EC_USER": simulator.username, "EC_PASS": simulator.password}
    contents = {
        "ece_api.yml": ["---", "ece_api:", *_yaml(options, "  ")],
        "integration_config.yml": ["---", *_yaml(integration)],
        "env.sh": [f"export {name}={shlex.quote(value)}" for name, value in environment.items()],
    }
    for name, lines in contents.items():
        (directory / name).write_text("\n".join([*lines, ""]), encoding="utf-8")


def _yaml(values: dict[str, str], indent: str = "") -> list[str]:
    # A JSON string is a YAML scalar.
    return [f"{indent}{name}: {json.dumps(value)}" for name, value in values.items()]


if __name__ == "__main__":
    main()
