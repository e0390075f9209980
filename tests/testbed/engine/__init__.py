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


def install(folder: Path, bin_folder: Path, python: str, control_url: str) -> None:
    """Put the stand-in into ``folder``, where it keeps its state, and links to it into ``bin_folder``.

    ``python``: its interpreter, 3.6 or newer. ``control_url``: the simulator's, as it is reached from the host. The
    user who runs the installer must be able to write in ``folder`` and all that is in it.
    """
    (folder / "containers").mkdir()
    (folder / "runs.jsonl").touch()
    script = folder / "engine"
    source = Path(__file__).with_name("engine.py").read_text(encoding="utf-8")
    script.write_text(f"#!{python} -IS\n{source}", encoding="utf-8")
    script.chmod(0o755)
    for name in NAMES:
        (bin_folder / name).symlink_to(os.path.relpath(script, bin_folder))
    order(folder, control_url=control_url)


def order(folder: Path, **settings: Any) -> None:
    """Let the engine in ``folder`` behave as ``engine.DEFAULTS`` tells, from its next call on.

    Raises:
        ValueError: for a setting that it does not know.
    """
    if unknown := sorted(set(settings) - set(DEFAULTS)):
        raise ValueError(f"the engine has no settings {', '.join(unknown)}; it has {', '.join(DEFAULTS)}")
    # Whole, at once: it may be read at any time.
    fresh = folder / "settings.new"
    fresh.write_text(json.dumps(settings), encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(folder / "settings.json")
