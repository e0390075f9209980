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
# What tells, with the unit tests, how much of the plugins is covered, and on which of the ansible-cores: where that
# takes least. On the newest, `make test` has fewer faults, but on the oldest a process takes less time.
MEASURED = {"integration": 0, "faults": -1}
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
        cores = [oldest, newest]
        system, faults = ([f"{step}_oldest-{oldest}", f"{step}_newest-{newest}"] for step in ("system", "faults"))
    integration, sanity, units = ([f"{step}-{core}" for core in cores] for step in ("integration", "sanity", "units"))
    # The longest first, so that all end together, and what waits a lot beside what does not
    only_in_all = ["newcomer", "bench"] if goal == "test-all" else []
    return [
        *system[:1],
        "molecule",
        *faults[:1],
        *integration,
        *system[1:],
        *faults[1:],
        "ee",
        *sanity,
        *units,
        *COMMON,
        *only_in_all,
        "coverage",
    ]


def measured(names: list[str], envs: list[Env]) -> list[str]:
    """The parts that have to end before "coverage" begins."""
    if "coverage" not in names:
        return []
    return [
        name
        for kind, which in MEASURED.items()
        for name in names
        if name.startswith(kind) and name.endswith(f"-{envs[which].core}")
    ]


def untested(goal: str, envs: list[Env]) -> list[str]:
    """A line for each ansible-core that belongs to the goal, but has no Python here."""
    oldest, *_between, newest = CORES
    wanted = {"check": [newest], "test": [oldest, newest], "test-all": list(CORES)}[goal]
    missing = [core for core in wanted if core not in {env.core for env in envs}]
    return [f"ansible-core {core} is not tested: no Python {', '.join(CORES[core])} here" for core in missing]


def summary(names: list[str], results: Path) -> tuple[list[str], bool]:
    """A line for each part: outcome, seconds, and what processors took of them, in programs and in the system; whether
    none failed.

    A part without a result never came to its end, or never began, as one before it has failed.
    """
    lines = []
    good = True
    for name in names:
        file = results / name
        # In the second line are the shell's own times, in the third those of what it has started.
        told = file.read_text(encoding="utf-8").splitlines() if file.exists() else ["NOT-RUN 0"]
        outcome, seconds = told[0].split()
        good = good and outcome in ("passed", "LEFT-OUT")
        lines.append(f"{outcome:8} {name:18} {int(seconds):5} s  {''.join(told[2:])}".rstrip())
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
