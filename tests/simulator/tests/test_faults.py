# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which fault strikes when."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.faults import Fault, Faults


def struck(faults: Faults, *operations: str | None) -> list[int | None]:
    """The statuses of the faults that the operations get, one after the other."""
    given = [faults.for_request(operation) for operation in operations]
    return [fault.status if fault else None for fault in given]


def test_the_first_that_matches_strikes() -> None:
    faults = Faults()
    faults.arm(Fault("reply", operation="get-platform", status=501))
    faults.arm(Fault("reply", status=502))
    faults.arm(Fault("reply", status=503, times=None))
    assert struck(faults, "get-runners", "get-platform", None, "get-platform") == [502, 501, 503, 503]
    assert [fault["status"] for fault in faults.report()] == [503]


def test_counts_what_it_skips_and_lets_others_strike_meanwhile() -> None:
    faults = Faults()
    faults.arm(Fault("reply", status=501, skip=1, times=2))
    faults.arm(Fault("reply", status=502))
    assert struck(faults, *["get-platform"] * 4) == [502, 501, 501, None]


def test_faults_of_connections_and_of_requests_do_not_meet() -> None:
    faults = Faults()
    faults.arm(Fault("refuse_handshake"))
    faults.arm(Fault("reply", status=501))
    assert struck(faults, None, None) == [501, None]
    taken = faults.for_connection()
    assert taken is not None
    assert taken.kind == "refuse_handshake"
    assert faults.for_connection() is None


@pytest.mark.parametrize(
    "wrong", [{"kind": "flood"}, {"kind": "certificate"}, {"kind": "certificate", "which": "good"}]
)
def test_refuses_what_does_not_exist(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no such"):
        Fault(**wrong)
