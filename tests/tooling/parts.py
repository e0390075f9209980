# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of `make check`, `test` and `test-all`, and their outcome.

`python -m tooling.parts list|measured|summary GOAL`
"""

from __future__ import annotations

import sys
from pathlib import Path

from tooling.pythons import CORES, Env, environments

# Quick ones about the checkout
CHECKS = ("tooling", "docs-check", "license-check", "extra-checks")
COMMON = ("demo", "simulator", "lint", "docs", "importer", "hostside", *CHECKS)
# What tells together how much of the plugins is covered
MEASURED = ("units", "integration", "faults")
RESULTS = Path(".cache/results")


def parts(goal: str, envs: list[Env]) -> list[str]:
    if not envs:
        raise SystemExit("No Python here runs a supported ansible-core: " + ", ".join(CORES))
    cores = [env.core for env in envs]
    oldest, newest = cores[0], cores[-1]
    if goal == "check":
        return [f"sanity-{newest}", "lint", f"units-{newest}", *CHECKS]
    system, faults = ([f"{step}-{core}" for core in cores] for step in ("system", "faults"))
    if goal == "test" and oldest != newest:
        # Whole where a task costs a third less. Molecule joins hosts on the newest.
        cores = [oldest, newest]
        system = [f"system-{oldest}", f"system_part-{newest}"]
        faults = [f"faults-{oldest}", f"faults_part-{newest}"]
    integration, sanity, units = ([f"{step}-{core}" for core in cores] for step in ("integration", "sanity", "units"))
    # The longest first, so that two at a time end together; "system" has workers of its own, and is rather not beside
    # another one.
    newcomer = ["newcomer"] if goal == "test-all" else []
    return [
        *system[:1],
        *integration,
        *system[1:],
        *faults,
        "molecule",
        "ee",
        *sanity,
        *units,
        *COMMON,
        *newcomer,
        "coverage",
    ]


def measured(names: list[str], envs: list[Env]) -> list[str]:
    """The parts that have to end before "coverage" begins."""
    core = f"-{envs[-1].core}"
    return [name for name in names if name.startswith(MEASURED) and name.endswith(core)]


def untested(goal: str, envs: list[Env]) -> list[str]:
    """A line for each ansible-core that belongs to the goal, but has no Python here."""
    oldest, *_between, newest = CORES
    wanted = {"check": [newest], "test": [oldest, newest], "test-all": list(CORES)}[goal]
    missing = [core for core in wanted if core not in {env.core for env in envs}]
    return [f"ansible-core {core} is not tested: no Python {', '.join(CORES[core])} here" for core in missing]


def summary(names: list[str], results: Path) -> tuple[list[str], bool]:
    """A line for each part; whether all passed. A part without a result never came to its end."""
    lines = []
    good = True
    for name in names:
        file = results / name
        outcome, seconds = file.read_text(encoding="utf-8").split() if file.exists() else ("NOT-RUN", "0")
        good = good and outcome == "passed"
        lines.append(f"{outcome:8} {name:18} {int(seconds):5} s")
    return lines, good


def main(command: str, goal: str) -> int:
    envs = environments()
    names = parts(goal, envs)
    missing = untested(goal, envs)
    if command == "list":
        print(*missing, sep="\n", end="\n" if missing else "", file=sys.stderr)
        print(*names)
        return 0
    if command == "measured":
        print(*measured(names, envs))
        return 0
    lines, good = summary(names, RESULTS)
    print(f"\nmake {goal}:", *lines, *missing, sep="\n  ")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
