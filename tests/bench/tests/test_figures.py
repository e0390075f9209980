# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of measurements, and what is said of them. No run is made here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench import page
from bench.figures import FIRST_TASKS, Comparison, Figures, Growth, Memory

ABOUT = {"date": "2026-11-24", "runs": "3", "ansible-core": "2.21.0", "Python": "3.13.1", "processors": "2"}
FASTER = Comparison("bulk clean-up", "ours", "theirs", [0.2, 0.9, 0.4], 0.5)
SLOWER = Comparison("joining a fleet", "ours", "theirs", [1.5, 1.25, 1.0], 0.5)
GROWTH = Growth("add_hosts", {1000: [6.0, 5.0, 7.0], 50: [2.0, 2.2, 2.1], 200: [2.7, 2.6, 2.8]}, 1, 5)
FIGURES = Figures(
    ABOUT,
    [Comparison("one operation", "a", "b", [1.0]), FASTER, SLOWER],
    [GROWTH],
    [Memory("ping", [25.0, 27.0, 26.5])],
)


def test_the_median_of_the_ratios_is_what_counts():
    assert (FASTER.median, FASTER.met) == (0.4, True)
    assert (SLOWER.median, SLOWER.met) == (1.25, False)
    assert Comparison("s", "ours", "theirs", [9.0]).met


def test_growth_is_told_from_one_number_of_hosts_to_the_next():
    assert list(GROWTH.medians()) == [50, 200, 1000]
    assert GROWTH.slopes() == {200: pytest.approx(4.0), 1000: pytest.approx(4.125)}
    assert GROWTH.milliseconds_a_host == pytest.approx(3900 / 950)
    assert GROWTH.met
    assert not Growth("more", {1: [0.0], 2: [0.01]}, 1, 5).met
    # In one place is enough.
    assert not Growth("a bend", {50: [1.0], 200: [3.0], 5000: [3.0]}, 1, 5).met


def test_figures_survive_json():
    assert Figures.read(json.loads(json.dumps(FIGURES.plain()))).plain() == FIGURES.plain()


def test_the_page_tells_the_figures_and_which_aims_were_missed():
    text = page.render(FIGURES)
    assert "| ours | theirs | 0.400 | 0.200 to 0.900 | 0.5 |" in text
    assert "| add_hosts | 1,000 | 6.00 | 5.00 to 7.00 | 4.12 |" in text
    assert "| ping | 26.5 | 25.0 to 27.0 |" in text
    missed = text.partition("aims were missed:")[2].partition("##")[0]
    assert missed.split("\n")[2:] == ["- ours against theirs: 1.25, where at most 0.5 was the aim.", "", ""]
    assert "2026-11-24" in text


def test_a_quick_run_is_not_said_to_have_met_any_aim():
    quick = replace(FIGURES, comparisons=[replace(entry, aim=None) for entry in FIGURES.comparisons])
    quick = replace(quick, growth=[replace(GROWTH, aim=None)])
    assert "no aims are held against it" in page.render(quick)


def test_the_first_tasks_of_a_run_are_told_where_they_were_measured():
    first = replace(FASTER, subject=FIRST_TASKS)
    assert page.FIRST in page.render(replace(FIGURES, comparisons=[*FIGURES.comparisons, first]))
    assert page.FIRST not in page.render(FIGURES)


def test_a_missed_aim_is_printed():
    printed = list(page.lines([FASTER, SLOWER, GROWTH]))
    assert [line.endswith("missed") for line in printed] == [False, True, False, False, False, False]
    assert "0.200 to 0.900" in printed[0]
