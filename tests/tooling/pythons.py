# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ansible-core is tested with which of this machine's Pythons."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# One row a supported ansible-core: the Pythons that can control with it.
CORES: dict[str, tuple[str, ...]] = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}

# The oldest Python of a host that an ansible-core works with. The first one is the oldest that ours does.
HOST_PYTHONS = {"2.16": "3.6", "2.19": "3.8", "2.20": "3.9", "2.21": "3.9"}

# What a virtual environment needs, so that a half-installed Python is not taken for one. Inside an environment the
# interpreter that it was made from is printed.
PROBE = """
import sys, ssl, venv, ensurepip
print("%d.%d" % sys.version_info[:2], getattr(sys, "_base_executable", "") or sys.executable)
"""


@dataclass(frozen=True)
class Env:
    """One ansible-core, the Python it is tested with, and whether beside the oldest requests."""

    core: str
    python: str
    executable: str
    old_requests: bool


def minor(version: str) -> int:
    return int(version.split(".")[1])


def candidates(versions: Iterable[str], environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Files that might be such interpreters: this one, those on PATH, pyenv's."""
    yield Path(sys.executable)
    wanted = [f"python{version}" for version in versions]
    roots = dict.fromkeys(Path(root) for root in (environ.get("PYENV_ROOT"), home / ".pyenv") if root)
    folders = [Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    for root in roots:
        folders += sorted(root.glob("versions/*/bin"))
    for folder in folders:
        yield from (folder / name for name in wanted if os.access(folder / name, os.X_OK))


def probe(candidate: Path) -> tuple[str, str] | None:
    """Run it: version and path of the real interpreter. pyenv has shims that then refuse to run."""
    try:
        done = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version, _space, executable = done.stdout.strip().partition(" ")
    return (version, executable) if done.returncode == 0 and executable else None


def discover(
    files: Iterable[Path], wanted: Iterable[str], run: Callable[[Path], tuple[str, str] | None] = probe
) -> dict[str, str]:
    """The first interpreter that runs, by version."""
    wanted = set(wanted)
    found: dict[str, str] = {}
    for file in files:
        named = file.name.removeprefix("python")
        if wanted <= found.keys():
            break
        if named not in found and (answer := run(file)):
            found.setdefault(*answer)
    return {version: path for version, path in found.items() if version in wanted}


def plan(found: Mapping[str, str], cores: Mapping[str, tuple[str, ...]] | None = None) -> list[Env]:
    """An environment for each core that a found Python runs, the oldest first.

    The oldest core gets the lowest Python, the promised minimum, and RHEL 9's requests (which nothing newer than
    Python 3.12 is promised to run); all others get the highest.
    """
    envs: list[Env] = []
    for core, supported in sorted((cores or CORES).items(), key=lambda row: minor(row[0])):
        usable = sorted((version for version in supported if version in found), key=minor)
        if usable:
            version = usable[-1] if envs else usable[0]
            envs.append(Env(core, version, found[version], old_requests=not envs and minor(version) <= 12))
    return envs


def host_python(core: str) -> str | None:
    """This machine's interpreter of the oldest version that hosts may have with this ansible-core."""
    version = HOST_PYTHONS[core]
    return discover(candidates([version], os.environ, Path.home()), [version]).get(version)


def environments() -> list[Env]:
    """Those of this machine."""
    versions = sorted({version for row in CORES.values() for version in row}, key=minor, reverse=True)
    return plan(discover(candidates(versions, os.environ, Path.home()), versions))
