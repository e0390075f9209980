# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the collection beside what people use instead, and print the ratios: ``python -m bench [--full]``.

``--out DIR``: where the figures (``results.json``) and the page that is made of them go. The installed artifact is in
``TESTBED_COLLECTIONS_PATH``. Ends with 1 where a result is wrong, never because of a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from . import cleanup, joining, memory, operations, page, steady_state
from .figures import Comparison, Figures, Growth, Memory
from .world import FULL, QUICK, Scale, World, WrongResult

T = TypeVar("T", Comparison, Growth)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="what the page has; else one small run")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    scale = FULL if args.full else QUICK
    print(page.about_line(about(scale)), flush=True)
    try:
        figures = measure(scale)
    except WrongResult as error:
        sys.exit(f"A wrong result, so there are no figures: {error}")
    except subprocess.TimeoutExpired as error:
        sys.exit(f"A run hung, and was ended after {error.timeout:g} seconds, so there are no figures.")
    results = args.out / page.RESULTS
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(figures.plain(), indent=2) + "\n", encoding="utf-8")
    page.write(figures, args.out)
    print(f"\nThe figures and the page that is made of them: {args.out}")


def measure(scale: Scale) -> Figures:
    """Measure all, and print each figure when it is there. The aims are for the whole scale."""
    comparisons: list[Comparison] = []
    growth: list[Growth] = []
    peaks: list[Memory] = []
    with World.up() as world:
        for what in (operations, cleanup, joining):
            comparisons += shown(scale, what.measure(world, scale))
        growth += shown(scale, steady_state.measure(world, scale))
        peaks += memory.measure(world, scale)
        print(*page.lines(peaks), sep="\n")
    return Figures(about(scale), comparisons, growth, peaks)


def shown(scale: Scale, measured: list[T]) -> list[T]:
    figures = measured if scale is FULL else [replace(figure, aim=None) for figure in measured]
    print(*page.lines(figures), sep="\n", flush=True)
    return figures


def about(scale: Scale) -> dict[str, str]:
    """What is measured, and on what."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "runs": str(scale.runs),
        "ansible-core": version("ansible-core"),
        "Python": platform.python_version(),
        "requests": version("requests"),
        "processors": str(os.cpu_count()),
    }


if __name__ == "__main__":
    main()
