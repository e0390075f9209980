# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world for shell scripts and scenarios: ``python -m testbed COMMAND --dir DIR [--hosts NAME,NAME] ...``.

``up`` starts a simulator that goes on running and writes what its users need into DIR, readable for this user only:
``ece_api.yml`` (a variables file), ``integration_config.yml`` (for ansible-test), ``env.sh`` (ecctl's variables) and
``emergency.json`` (the variables of recover_with_emergency_token).
With ``--hosts`` it also makes hosts that are folders or, with ``--containers``, containers, and ``hosts.yml``: an
inventory of them with what Ansible needs to reach them, in no group, beside an inventory of the same names that says
what they are for.

``reset`` makes the installation and the hosts anew. ``rebuild`` makes just ``--hosts`` anew, and the installation knows
them still. With ``--podman`` these, if they are containers, have Podman as their engine. ``down`` ends it all.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
from pathlib import Path

from . import platforms, search
from .fleet import choose, find_hosts, make_hosts, rebuild, remove_hosts
from .simulator import Simulator

FILES = (
    *("ece_api.yml", "integration_config.yml", "env.sh", "emergency.json", "hosts.yml"),
    *("ca.pem", "simulator.json", "simulator.log", "control.sock"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m testbed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "reset", "rebuild", "down"))
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--hosts", type=lambda text: text.split(","), default=[], help="names of hosts")
    parser.add_argument("--containers", action="store_true", help="make these as containers, not as folders")
    parser.add_argument("--podman", action="store_true", help="with Podman as their container engine")
    args = parser.parse_args()
    args.dir = args.dir.resolve()
    if args.command == "down":
        # These may be there even where the simulator has ended by itself.
        remove_hosts(args.dir)
    try:
        simulator = Simulator.attach(args.dir)
    except LookupError as error:
        if args.command != "up":
            parser.exit(0 if args.command == "down" else 1, f"{error}\n")
        os.umask(0o077)
        # Those of a simulator that is gone are of no use: they join that one.
        remove_hosts(args.dir)
        simulator = Simulator.start(args.dir, detached=True)
        begin(simulator)
    if args.command == "up":
        make_hosts(args.dir, args.hosts, simulator, args.containers)
        write_files(args.dir, simulator)
        print(f"up: {simulator.url}  (process {simulator.pid}, variables: {args.dir / 'ece_api.yml'})")
    elif args.command == "reset":
        simulator.reset()
        begin(simulator)
        forget_plays(args.dir)
        (args.dir / search.CONTROLLER).mkdir()
        write_files(args.dir, simulator)
        rebuild(find_hosts(args.dir), simulator, args.podman)
        print(f"reset: {simulator.url}")
    elif args.command == "rebuild":
        rebuild(choose(find_hosts(args.dir), args.hosts), simulator, args.podman)
        print(f"rebuilt: {', '.join(args.hosts)}")
    else:
        simulator.stop()
        for name in FILES:
            (args.dir / name).unlink(missing_ok=True)
        forget_plays(args.dir)
        print(f"ended: process {simulator.pid}")


def begin(simulator: Simulator) -> None:
    """Of the installer's version, and with a second host."""
    add_host(simulator)
    platforms.follow_installer(simulator)


def add_host(simulator: Simulator) -> None:
    """A second host, unlike the first, so that every filter of a list has something to leave out."""
    simulator.put_runner("192.0.2.2", roles=["allocator"], zone="ece-zone-2", connected=False)


def forget_plays(directory: Path) -> None:
    """Remove what scenarios have kept about the playbooks that they ran."""
    (directory / search.RESULT).unlink(missing_ok=True)
    if (directory / search.CONTROLLER).exists():
        shutil.rmtree(directory / search.CONTROLLER)


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
    recovery = {
        "ece_host_roles_token": simulator.secrets()["emergency_all_roles_except_allocator_token"]["token"],
        "ece_host_version": simulator.state()["version"],
    }
    contents = {
        "ece_api.yml": ["---", "ece_api:", *_yaml(options, "  ")],
        "integration_config.yml": ["---", *_yaml(integration)],
        "emergency.json": [json.dumps(recovery)],
        "env.sh": [f"export {name}={shlex.quote(value)}" for name, value in environment.items()],
    }
    for name, lines in contents.items():
        (directory / name).write_text("\n".join([*lines, ""]), encoding="utf-8")


def _yaml(values: dict[str, str], indent: str = "") -> list[str]:
    # A JSON string is a YAML scalar.
    return [f"{indent}{name}: {json.dumps(value)}" for name, value in values.items()]


if __name__ == "__main__":
    main()
