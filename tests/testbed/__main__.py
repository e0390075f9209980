# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test world for shell scripts: ``python -m testbed up|reset|down --dir DIR [--hosts NAME,NAME [--containers]]``.

``up`` starts a simulator that goes on running and writes what its users need into DIR, readable for this user only:
``ece_api.yml`` (a variables file), ``integration_config.yml`` (for ansible-test) and ``env.sh`` (ecctl's variables).
With ``--hosts`` it also makes hosts that are folders, or containers, and ``hosts.yml``: an inventory of them with what
Ansible needs to reach them, in no group, to follow an inventory of the same names that says what they are for.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from . import containers, hosts
from .simulator import Simulator

FILES = ("ece_api.yml", "integration_config.yml", "env.sh", "hosts.yml", "ca.pem", "simulator.json", "simulator.log")
PLACE = "hosts"
Maker = Callable[[Path, list[str], Simulator], list[hosts.DirectoryHost]]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m testbed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "reset", "down"))
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--hosts", type=lambda text: text.split(","), default=[], help="names of hosts to make")
    parser.add_argument("--containers", action="store_true", help="make these as containers, not as folders")
    args = parser.parse_args()
    if args.command == "down":
        # These may be there even where the simulator has ended by itself.
        remove_hosts(args.dir)
    try:
        simulator = Simulator.attach(args.dir)
    except LookupError as error:
        if args.command != "up":
            parser.exit(0 if args.command == "down" else 1, f"{error}\n")
        os.umask(0o077)
        # Those of a simulator that is gone are in a network of its own.
        remove_hosts(args.dir)
        simulator = Simulator.start(args.dir, detached=True)
        begin(simulator)
    if args.command == "down":
        simulator.stop()
        for name in FILES:
            (args.dir / name).unlink(missing_ok=True)
        print(f"ended: process {simulator.pid}")
    elif args.command == "reset":
        simulator.reset()
        begin(simulator)
        for host in find_hosts(args.dir):
            host.rebuild()
        print(f"reset: {simulator.url}")
    else:
        make_hosts(args.dir, args.hosts, simulator, containers.make_containers if args.containers else hosts.make_hosts)
        write_files(args.dir, simulator)
        print(f"up: {simulator.url}  (process {simulator.pid}, variables: {args.dir / 'ece_api.yml'})")


def begin(simulator: Simulator) -> None:
    """Of the installer's version, and with a second host."""
    add_host(simulator)
    hosts.follow_installer(simulator)


def find_hosts(directory: Path) -> list[hosts.DirectoryHost]:
    """The hosts that were made."""
    place = directory / PLACE
    folders = sorted(place.iterdir()) if place.exists() else []
    return [
        containers.ContainerHost(folder) if (folder / "cid").exists() else hosts.DirectoryHost(folder)
        for folder in folders
    ]


def make_hosts(directory: Path, names: list[str], simulator: Simulator, make: Maker) -> None:
    """Make the hosts that are not there yet, in DIR/hosts, and their inventory."""
    known = find_hosts(directory)
    new = [name for name in names if name not in {host.name for host in known}]
    place = directory / PLACE
    if new and not place.exists():
        found = hosts.find_place(place)
        if not place.exists():
            place.symlink_to(found)
    made = make(place.resolve(), new, simulator) if new else []
    if known or made:
        text = "---\n" + json.dumps(hosts.inventory([*known, *made], "all"), indent=2) + "\n"
        (directory / "hosts.yml").write_text(text, encoding="utf-8")


def remove_hosts(directory: Path) -> None:
    """End what still runs for the hosts, and remove them."""
    for host in find_hosts(directory):
        host.close()
    place = directory / PLACE
    if place.is_symlink():
        shutil.rmtree(place.resolve())
        place.unlink()
    elif place.exists():
        place.rmdir()


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
