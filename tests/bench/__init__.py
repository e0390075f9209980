# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast the collection is, beside what people use instead: `make bench`, or ``python -m bench --help``.

``figures`` (pure: pairs of measurements become ratios) · one file for what is measured: ``operations``, ``cleanup``,
``joining``, ``steady_state``, ``memory`` · ``world`` (simulator, hosts and runs, those of the tests) · ``page`` and
``charts`` (docs/benchmarks.md, from the figures of one run). A wrong result ends the benchmark, a long time never does.
"""
