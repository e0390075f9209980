# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container engine of a test host: put it there, tell it what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .engine import DEFAULTS

NAMES = ("docker", "podman-remote")


def install(folder: Path, python: str, user: tuple[int, int], **about: str) -> None:
    """Put the stand-in into ``folder``, where it keeps its state; ``link`` makes commands of it.

    ``python``: its interpreter, 3.6 or newer. ``user``: uid and gid of who runs the installer, and so writes here.
    ``about``: as ``engine.ABOUT`` tells, ``control_url`` at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "containers").mkdir()
    (folder / "runs.jsonl").touch()
    for path, mode in ((folder, 0o755), (folder / "containers", 0o755), (folder / "runs.jsonl", 0o644)):
        path.chmod(mode)  # whatever the umask is
        os.chown(path, *user)
    _write(folder / "about.json", about)
    script = folder / "engine"
    source = Path(__file__).with_name("engine.py").read_text(encoding="utf-8")
    script.write_text(f"#!{python} -IS\n{source}", encoding="utf-8")
    script.chmod(0o755)
    order(folder)


def link(folder: Path, bin_folder: Path) -> None:
    """Make the engine's commands in ``bin_folder``."""
    for name in NAMES:
        (bin_folder / name).symlink_to(os.path.relpath(folder / "engine", bin_folder))


def order(folder: Path, **settings: Any) -> None:
    """Let the engine in ``folder`` behave as ``engine.DEFAULTS`` tells, from its next call on.

    Raises:
        ValueError: for a setting that it does not know.
    """
    if unknown := sorted(set(settings) - set(DEFAULTS)):
        raise ValueError(f"the engine has no settings {', '.join(unknown)}; it has {', '.join(DEFAULTS)}")
    _write(folder / "settings.json", settings)


def _write(path: Path, content: dict[str, Any]) -> None:
    # Whole, at once: it may be read at any time.
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
