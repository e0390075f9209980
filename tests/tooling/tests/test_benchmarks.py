# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the benchmarks is made of the figures that lie beside it, and so are its charts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import page
from bench.figures import FIRST_TASKS, Figures
from tooling.stage import ROOT

DOCS = ROOT / "docs"


@pytest.fixture
def figures() -> Figures:
    return Figures.read(json.loads((DOCS / page.RESULTS).read_text(encoding="utf-8")))


def test_the_page_tells_its_figures(figures: Figures) -> None:
    assert (DOCS / page.PAGE).read_text(encoding="utf-8") == page.render(figures)


def test_the_figures_are_those_of_a_whole_run(figures: Figures) -> None:
    assert int(figures.about["runs"]) >= 5
    assert {len(comparison.ratios) for comparison in figures.comparisons} == {int(figures.about["runs"])}
    assert max(figures.growth[0].seconds) >= 5000


def test_the_charts_tell_them_too(figures: Figures) -> None:
    ratios, growth = (chart(name) for name in ("ratios", "growth"))
    told = [comparison for comparison in figures.comparisons if comparison.subject != FIRST_TASKS]
    assert all(f"{comparison.ours}  /  {comparison.theirs}" in ratios for comparison in told)
    assert all(f">{comparison.median:.3g}<" in ratios for comparison in told)
    assert all(f"{line.name}: {line.milliseconds_a_host:.1f} ms a host" in growth for line in figures.growth)


def test_the_readme_says_no_more_than_they_do(figures: Figures) -> None:
    medians: dict[str, list[float]] = {}
    for entry in figures.comparisons:
        by_uri = "by uri" if entry.theirs.startswith("uri") else "else"
        medians.setdefault(f"{entry.subject}, {by_uri}", []).append(entry.median)
    assert max(medians["one operation, by uri"]) < 1
    assert max(medians["bulk clean-up, else"]) < 0.01
    assert max(medians["joining a fleet, else"]) < 0.5
    assert 2 <= figures.growth[0].milliseconds_a_host <= 3
    assert figures.growth[0].requests == 1


def chart(name: str) -> str:
    return Path(DOCS / f"benchmarks/{name}.svg").read_text(encoding="utf-8")
