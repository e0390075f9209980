# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts claim to be, so that ECE's installer accepts them: it compares ``/etc/os-release`` and the version of the
container engine with a table of its own."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .simulator import Simulator

STAND_IN = Path(__file__).parent / "installer" / "elastic-cloud-enterprise.sh"
UBUNTU, RED_HAT = "Ubuntu", "Red Hat Enterprise Linux"
# From which version of ECE on: the system and the engine of a host with Docker, and of one with Podman
PLATFORMS: dict[tuple[int, int], dict[str, tuple[str, str, str]]] = {
    (0, 0): {"docker": (UBUNTU, "20.04", "20.10.24"), "podman": (RED_HAT, "8.10", "4.9.4")},
    (3, 7): {"docker": (UBUNTU, "22.04", "24.0.7"), "podman": (RED_HAT, "9.4", "4.9.4")},
    (4, 0): {"docker": (UBUNTU, "22.04", "27.0.3"), "podman": (RED_HAT, "9.4", "4.9.4")},
}


def os_release(ece_version: str, container_engine: str) -> str:
    """The content of ``/etc/os-release`` on a host with ``docker`` or ``podman``."""
    name, version, _engine = _platform(ece_version)[container_engine]
    return f'PRETTY_NAME="{name} {version}"\nNAME="{name}"\nVERSION_ID="{version}"\n'


def engine_versions(ece_version: str) -> dict[str, str]:
    """The versions of the engines, as the stand-in for them takes these."""
    return {f"{name}_version": version for name, (_name, _version, version) in _platform(ece_version).items()}


def _platform(ece_version: str) -> dict[str, tuple[str, str, str]]:
    major, minor = (int(part) for part in ece_version.split(".")[:2])
    return PLATFORMS[max(row for row in PLATFORMS if row <= (major, minor))]


def installer() -> Path:
    """The installer that hosts are given: the stand-in or, with ``ECE_INSTALLER``, Elastic's own."""
    return Path(os.environ.get("ECE_INSTALLER") or STAND_IN).resolve()


def is_original() -> bool:
    """Whether the installer is Elastic's own."""
    return bool(os.environ.get("ECE_INSTALLER"))


def installer_version() -> str:
    """The version that Elastic's installer installs: ``ECE_INSTALLER_VERSION``, else the one that it tells.

    Raises:
        LookupError: when it tells none.
    """
    given = os.environ.get("ECE_INSTALLER_VERSION")
    told = re.search(r"^CLOUD_ENTERPRISE_VERSION=([\d.]+)$", installer().read_text(encoding="utf-8"), re.MULTILINE)
    if not given and not told:
        raise LookupError(f"{installer()} does not tell its version: set ECE_INSTALLER_VERSION")
    return given or (told[1] if told else "")


def follow_installer(simulator: Simulator) -> None:
    """Let the installation be of the installer's version: it installs no newer one."""
    if is_original():
        version = installer_version()
        simulator.settings(version=version)
        for runner in simulator.state()["runners"]:
            simulator.put_runner(runner["runner_id"], version=version)
