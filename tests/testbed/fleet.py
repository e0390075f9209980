# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a test world that is a folder DIR: they are in DIR/hosts, their inventory in DIR/hosts.yml."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from . import containers, hosts
from .containers import ContainerHost
from .simulator import Simulator

PLACE = "hosts"
Host = hosts.DirectoryHost | ContainerHost


def choose(made: list[Host], names: list[str]) -> list[Host]:
    """Those of these names.

    Raises:
        LookupError: when one is not there.
    """
    by_name = {host.name: host for host in made}
    if missing := [name for name in names if name not in by_name]:
        raise LookupError(f"there is no host {', '.join(missing)}")
    return [by_name[name] for name in names]


def find_hosts(directory: Path) -> list[Host]:
    """The hosts that were made."""
    place = directory / PLACE
    folders = sorted(place.iterdir()) if place.exists() else []
    known = [folder for folder in folders if (folder / "variables.json").exists()]
    return [ContainerHost(folder) if (folder / "ssh").exists() else hosts.DirectoryHost(folder) for folder in known]


def make_hosts(directory: Path, names: list[str], simulator: Simulator, as_containers: bool) -> None:
    """Make the hosts that are not there yet, in DIR/hosts, and their inventory."""
    known = find_hosts(directory)
    new = [name for name in names if name not in {host.name for host in known}]
    place = directory / PLACE
    if new and as_containers:
        place.mkdir(exist_ok=True)
        containers.make_containers(place, new, simulator)
    elif new:
        if not place.exists():
            found = hosts.find_place(place)
            if not place.exists():
                place.symlink_to(found)
        hosts.make_hosts(place.resolve(), new, simulator)
    if made := find_hosts(directory):
        text = "---\n" + json.dumps(hosts.inventory(made, "all"), indent=2) + "\n"
        (directory / "hosts.yml").write_text(text, encoding="utf-8")


def rebuild(made: list[Host], simulator: Simulator, podman: bool) -> None:
    """Make hosts anew."""
    for host in made:
        if isinstance(host, hosts.DirectoryHost):
            host.rebuild()
    container_engine = "podman" if podman else "docker"
    anew = [host for host in made if isinstance(host, ContainerHost)]
    containers.each(anew, lambda host: host.rebuild(simulator, container_engine))


def remove_hosts(directory: Path) -> None:
    """End what still runs for the hosts, and remove them."""
    place = directory / PLACE
    are_containers = any((folder / "ssh").exists() for folder in place.glob("*"))
    for host in find_hosts(directory):
        host.close()
    if are_containers:
        containers.remove_network(place)
    # What is left of one that was not made to its end goes, too.
    if place.is_symlink():
        shutil.rmtree(place.resolve())
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
