# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, end, and what is left on disk; the control interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from multiprocessing.connection import wait
from pathlib import Path

import pytest
import requests

from testbed.simulator import TESTS, Simulator

pytest_plugins = ["testbed.fixtures"]


def test_writes_its_address_for_its_owner_only(tmp_path: Path) -> None:
    with Simulator.start(tmp_path) as simulator:
        about = tmp_path / "simulator.json"
        assert about.stat().st_mode & 0o777 == 0o600
        assert json.loads(about.read_text(encoding="utf-8"))["pid"] == simulator.pid
        assert {path.name for path in tmp_path.iterdir()} == {
            "ca.pem",
            "control.sock",
            "simulator.json",
            "simulator.log",
        }
        assert b"PRIVATE" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert (tmp_path / "simulator.log").read_text(encoding="utf-8") == ""


def test_ends_with_its_parent(tmp_path: Path) -> None:
    script = "import pathlib, sys; from testbed.simulator import Simulator; Simulator.start(pathlib.Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": str(TESTS)}
    )
    pid = json.loads((tmp_path / "simulator.json").read_text(encoding="utf-8"))["pid"]
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert wait([handle], 10)


def test_a_reset_forgets_everything(simulator: Simulator) -> None:
    before = simulator.secrets()
    simulator.seed_tokens([])
    simulator.put_runner("host")
    simulator.set_clock(3600)
    simulator.fault("cut")
    simulator.reset()
    state = simulator.state()
    assert (len(state["tokens"]), len(state["runners"])) == (3, 1)
    assert (simulator.clock(), simulator.faults(), simulator.journal()) == (0, [], [])
    assert not {entry["token"] for entry in before.values()} & {e["token"] for e in simulator.secrets().values()}


def test_seeds_tokens_with_given_ids(simulator: Simulator) -> None:
    assert [entry["token_id"] for entry in simulator.seed_tokens(["proxy"], token_ids=["one", "two"])] == ["one", "two"]
    assert {"one", "two"} <= simulator.token_ids()


def test_seeds_a_thousand_tokens_at_once(simulator: Simulator) -> None:
    seeded = simulator.seed_tokens(["allocator"], 1000)
    assert len({entry["token_id"] for entry in seeded}) == 1000
    assert len(simulator.state()["tokens"]) == 1003
    assert simulator.state()["minted"] == {"ephemeral": 0, "persistent": 0}


def test_a_host_joins_by_the_moved_clock(simulator: Simulator) -> None:
    token = simulator.mint_ephemeral(["proxy"], 60)
    assert simulator.enrol(token, "192.0.2.7", roles=["proxy"])["roles"] == ["proxy"]
    simulator.set_clock(61)
    with pytest.raises(requests.HTTPError, match="expired"):
        simulator.enrol(token, "192.0.2.8")


def test_revokes_and_removes(simulator: Simulator) -> None:
    secrets = simulator.secrets()
    simulator.revoke(secrets["allocator_only_token"]["token_id"])
    simulator.remove_runner("192.0.2.1")
    state = simulator.state()
    assert (len(state["tokens"]), state["runners"]) == (2, [])
    with pytest.raises(requests.HTTPError, match="no runner"):
        simulator.remove_runner("192.0.2.1")


def test_says_what_was_wrong_with_an_order(simulator: Simulator) -> None:
    with pytest.raises(requests.HTTPError, match="no such fault: flood"):
        simulator.fault("flood")
    with pytest.raises(requests.HTTPError, match="unexpected keyword"):
        simulator.fault("cut", sharpness=3)
    with pytest.raises(requests.HTTPError, match="unexpected keyword"):
        simulator.put_runner("host", colour="blue")
