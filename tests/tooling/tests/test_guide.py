# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "When it fails" says what the tables say that the tests run."""

from __future__ import annotations

from faults import guide, role_table
from faults.api_faults import FAULTS


def test_the_guide_is_rendered_from_the_tables() -> None:
    assert guide.GUIDE.read_text(encoding="utf-8") == guide.render(), "make guide"


def test_the_guide_leaves_nothing_out() -> None:
    text = guide.render()
    for fault in FAULTS:
        assert all(words in text for words in (fault.says, fault.advises[1:], fault.cause, fault.done))
    for row in role_table.ROWS:
        words = (row.cause, row.done) if row.passes else (row.symptom.strip(), row.cause, row.done, row.next_step[1:])
        assert all(word in text for word in words)


def test_every_line_of_its_tables_has_all_columns() -> None:
    lines = [line for line in guide.render().splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in lines} == {3, 4}
