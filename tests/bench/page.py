# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of the figures: the lines that `make bench` prints, and the page docs/benchmarks.md.

The page and its charts are made of one run's figures, which lie beside them: nothing in it is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .figures import FIRST_TASKS, Comparison, Figures, Growth, Memory

PAGE = "benchmarks.md"
RESULTS = "benchmarks/results.json"

INTRODUCTION = """\
<!-- Made of benchmarks/results.json by tests/bench/page.py, in `make bench`: change that. -->
# How fast the collection is

What the collection does is compared with what people use instead, in turn and on one machine. A ratio is the time of
the first by that of the second: 0.5 is half, 1 is the same. It holds on other machines, and when a machine's speed
changes; seconds would not.
"""
REPEAT = """\
## How to repeat it

In a clone, on Linux with Python 3.11 or newer:

```sh
make bench QUICK=1   # one small run, without the first tasks of a run, in under two minutes
make bench           # the whole, which takes about an hour here
```

The modules, the role and the playbooks run from the built collection, as in the tests: over HTTPS against the simulated
API, on hosts that are folders of this machine. The shortcuts that the tests take, such as modules that are packed once
for all runs, are off. In the tests, the simulated API checks all that it is sent and says against its description; that
would be most of the time of a reply, and is off, too. What was measured has to be right: where tokens are left, or
hosts have not joined, the benchmark fails. No time fails it, unless a run hangs for half an hour.

A run leaves its figures, this page and its charts in `.cache/bench`; `cp -r .cache/bench/. docs/` brings them here.
"""
OPERATION = """\
## One operation

The time of one task: from when Ansible begins it until its result is there. The floor is `ping`, which does nothing:
that is what Ansible itself takes to start any module. `ansible.builtin.uri` sends the same request as the module that
it is compared with{uri_note}. A run does all of them in turn, round by round; its value is the median of the rounds.
"""
UNCHECKED = ", but does not check the certificate: with Python 3.13 and later, it cannot check one of ECE's own CA"
OPERATION_AFTER = """\
A held token takes no request, so that neither `requests` nor anything else that speaks HTTP is loaded. What a task with
one request takes beyond `ping` is above all the import of `requests`, which is as long for one request as for a
thousand: the last line is a module that does that and no more. What comes on top is that Python compiles a module's own
code anew at each start (which is why what only other tasks need, or a failure, is loaded there alone), and the request
itself. About as much is won back, as the modules turn Python's search for garbage off for the moment that they live.
"""
FIRST = """\
The same for the first task of its kind in a run, once in each: Ansible packs a module, with all that it imports, when
it first needs it. That is slow and uneven for all of them; no aim is held against it, and the chart leaves it out.
"""
CLEANUP = """\
## Bulk clean-up

Persistent tokens are revoked by their ids. `ece_roles_token` does that in one task and over one connection; with `uri`,
it is a loop, each turn of which is a module, a connection and a login of its own. Compared is the time for each token.
"""
JOINING = """\
## Joining a fleet

Fresh hosts join: the whole run of `ansible-playbook`, with Ansible's own number of forks, which is 5. The other way is
a playbook of single tasks (tests/bench/plays/token_for_each_host.yml): it looks for the same things on a host, gets a
token for each of them by `uri`, and runs the installer as a command. Both copy the installer from the controller. The
role turns pipelining on for its tasks, as it may leave no token in a file; the other playbook runs with Ansible's
default, which is off, and gains where it is on. The stand-in for the installer takes a moment. A real one takes many
minutes: here, all hosts install side by side, there, as many as there are forks.
"""
STEADY = """\
## The second run

`eceops.platform.add_hosts` over hosts that are all connected already: nothing is to be done, and that takes {requests},
and not one task on a host, whatever their number, where the inventory gives the address or the runner id of each, as
here. Beside it is a play that runs the role on every host, which is what `add_hosts` spares: each task, and be it
skipped, costs the controller some time for each host. Both are of the whole run of `ansible-playbook`, the reading of
the inventory included; the runs of one number of hosts follow each other.
"""
MEMORY = """\
## Memory

The peak of the largest process, the controller's workers included.
"""


def about_line(about: dict[str, str]) -> str:
    return "Measured " + ", ".join(f"{name} {value}" for name, value in about.items())


def lines(figures: Iterable[Comparison | Growth | Memory]) -> Iterable[str]:
    """What is printed of figures, a line each; of growth, one for each number of hosts."""
    for figure in figures:
        if isinstance(figure, Comparison):
            yield (
                f"{figure.subject:33} {figure.ours:38} against {figure.theirs:32} {figure.median:7.3f}"
                f"  ({spread(figure.ratios)}){_aim(figure.aim, figure.met)}"
            )
        elif isinstance(figure, Growth):
            for hosts, seconds in figure.medians().items():
                slope = figure.slopes().get(hosts)
                more = f"  {slope:6.2f} ms for each further host" if slope is not None else ""
                yield f"{figure.name:41} {hosts:5} hosts  {seconds:8.2f} s{more}"
            yield (
                f"{figure.name:41} {figure.milliseconds_a_host:5.2f} ms a host, {_requests(figure)}"
                f"{_aim(figure.aim, figure.met)}"
            )
        else:
            yield f"{figure.name:57} {figure.median:7.1f} MiB  ({spread(figure.mib, 1)})"


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The smallest and the largest."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def render(figures: Figures) -> str:
    """The page, in Markdown."""

    def table(subject: str) -> str:
        return _comparisons(entry for entry in figures.comparisons if entry.subject == subject)

    with_first = any(entry.subject == FIRST_TASKS for entry in figures.comparisons)
    python = tuple(map(int, figures.about["Python"].split(".")[:2]))
    sections = [
        INTRODUCTION,
        _about(figures),
        "![The ratios, with their spread](benchmarks/ratios.svg)\n",
        _missed(figures),
        OPERATION.format(uri_note=UNCHECKED if python >= (3, 13) else ""),
        table("one operation"),
        OPERATION_AFTER,
        *((FIRST, table(FIRST_TASKS)) if with_first else ()),
        CLEANUP,
        table("bulk clean-up"),
        JOINING,
        table("joining a fleet"),
        STEADY.format(requests=_requests(figures.growth[0])),
        "![Seconds of a second run, by the number of hosts](benchmarks/growth.svg)\n",
        _growth(figures.growth),
        MEMORY,
        _memory(figures.memory),
        REPEAT,
    ]
    return "\n".join(section for section in sections if section)


def write(figures: Figures, folder: Path) -> None:
    """The page and its charts."""
    # Drawn only where the library for it is at hand: who renders the page need not have it.
    from . import charts

    (folder / PAGE).write_text(render(figures), encoding="utf-8")
    charts.draw_ratios(figures, folder / "benchmarks/ratios.svg")
    charts.draw_growth(figures, folder / "benchmarks/growth.svg")


def _about(figures: Figures) -> str:
    about = dict(figures.about)
    date, runs = about.pop("date"), about.pop("runs")
    on = ", ".join(f"{name} {value}" for name, value in about.items() if name != "processors")
    return (
        f"Measured on {date} with {on}, on {about['processors']} processors. Each figure is the median of {runs} runs; "
        "its spread is from the least of them to the most.\n"
    )


def _missed(figures: Figures) -> str:
    missed = [
        f"- {entry.ours} against {entry.theirs}: {entry.median:.3g}, where at most {entry.aim:g} was the aim."
        for entry in figures.comparisons
        if not entry.met
    ]
    missed += [
        f"- {entry.name}: {max(entry.slopes().values()):.1f} ms for a further host, the aim was {entry.aim:g}."
        for entry in figures.growth
        if not entry.met
    ]
    if not any(comparison.aim for comparison in figures.comparisons):
        return "A quick run, for a glance: no aims are held against it.\n"
    if not missed:
        return "All aims were met.\n"
    return "\n".join(["These aims were missed:", "", *missed, ""])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def _comparisons(comparisons: Iterable[Comparison]) -> str:
    return _table(
        ["this", "against", "ratio", "spread", "aim: at most"],
        (
            [
                entry.ours,
                entry.theirs,
                f"{entry.median:.3f}",
                spread(entry.ratios),
                "" if entry.aim is None else f"{entry.aim:g}",
            ]
            for entry in comparisons
        ),
    )


def _growth(growth: Iterable[Growth]) -> str:
    return _table(
        ["", "hosts", "seconds", "spread", "ms for each further host"],
        (
            [
                entry.name,
                f"{hosts:,}",
                f"{seconds:.2f}",
                spread(entry.seconds[hosts], 2),
                f"{entry.slopes()[hosts]:.2f}" if hosts in entry.slopes() else "",
            ]
            for entry in growth
            for hosts, seconds in entry.medians().items()
        ),
    )


def _memory(memory: Iterable[Memory]) -> str:
    return _table(
        ["", "MiB", "spread"], ([entry.name, f"{entry.median:.1f}", spread(entry.mib, 1)] for entry in memory)
    )


def _requests(growth: Growth) -> str:
    return "one request" if growth.requests == 1 else f"{growth.requests} requests"


def _aim(aim: float | None, met: bool) -> str:
    return "" if aim is None else f"  aim: at most {aim:g}{'' if met else ', missed'}"
