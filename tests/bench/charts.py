# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The charts of docs/benchmarks.md: what is told apart is told by position, shape and words, never by colour."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from .figures import FIRST_TASKS, Figures

INK, GREY = "black", "0.45"
# Of each subject of the ratios, and of each line of the growth
MARKERS = ("o", "s", "D", "^")
LINES = ("-", "--")
# The same figures give the same file, and words stay words: they can be searched, and read aloud.
SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.family": "sans-serif", "font.size": 9}


def draw_ratios(figures: Figures, file: Path) -> None:
    """A line for each comparison: the median, a whisker from the least to the most, and a bar where the aim is."""
    subjects = list(dict.fromkeys(entry.subject for entry in figures.comparisons))
    shown = [entry for entry in figures.comparisons if entry.subject != FIRST_TASKS]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8, 0.34 * len(shown) + 1.3), layout="constrained")
        axes = figure.add_subplot()
        for row, entry in enumerate(shown):
            low, high = min(entry.ratios), max(entry.ratios)
            marker = MARKERS[subjects.index(entry.subject) % len(MARKERS)]
            axes.plot([low, high], [row, row], color=GREY, linewidth=1.5)
            axes.plot(entry.median, row, marker=marker, color=INK, markersize=6)
            # In a column of their own, beside the axes
            axes.text(1.02, row, f"{entry.median:.3g}", transform=axes.get_yaxis_transform(), va="center", color=INK)
            if entry.aim is not None:
                axes.plot(entry.aim, row, marker="|", color=INK, markersize=15, markeredgewidth=1.2)
        axes.set_yticks(range(len(shown)), [f"{entry.ours}  /  {entry.theirs}" for entry in shown])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
        ticks = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_xlim(0.002, 4)
        axes.set_xlabel("time, the first by the second (a bar: the aim, at most)")
        _save(figure, axes, file)


def draw_growth(figures: Figures, file: Path) -> None:
    """Seconds of a second run by the number of hosts, both on logarithmic axes: equal slopes grow alike."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8, 4.2), layout="constrained")
        axes = figure.add_subplot()
        counts = sorted({count for growth in figures.growth for count in growth.seconds})
        for growth, marker, line in zip(figures.growth, MARKERS, LINES, strict=False):
            hosts, seconds = zip(*growth.medians().items(), strict=True)
            axes.plot(hosts, seconds, marker=marker, linestyle=line, color=INK, markersize=6)
            for count in hosts:
                axes.plot([count] * 2, [min(growth.seconds[count]), max(growth.seconds[count])], color=GREY)
            label = f"{growth.name}: {growth.milliseconds_a_host:.1f} ms a host"
            # Beside its last point or, where there is no room, below the one before
            which, place = (-2, (14, -14)) if hosts[-1] == counts[-1] else (-1, (10, -3))
            axes.annotate(label, (hosts[which], seconds[which]), place, "data", "offset points", color=INK)
            if growth.aim is not None:
                bound = [seconds[0] + (count - hosts[0]) * growth.aim / 1000 for count in hosts]
                axes.plot(hosts, bound, color=GREY, linestyle=":")
                aim = f"the aim, {growth.aim:g} ms a host"
                axes.annotate(aim, (hosts[-1], bound[-1]), (0, 6), "data", "offset points", ha="right", color=GREY)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.set_xticks([], minor=True)
        ticks = [1, 2, 5, 10, 20, 50, 100]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_yticks([], minor=True)
        axes.set_xlabel("hosts, all of them connected")
        axes.set_ylabel("seconds of a second run")
        _save(figure, axes, file)


def _save(figure: Figure, axes: Any, file: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = io.StringIO()
    # Without the date, and readable on a dark page, too
    figure.savefig(drawn, format="svg", metadata={"Date": None}, facecolor="white")
    lines = [line.rstrip() for line in drawn.getvalue().splitlines()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
