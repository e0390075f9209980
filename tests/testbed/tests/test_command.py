# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator for shell scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.simulator import TESTS, Simulator

TIMEOUT_SECONDS = 120


def cli(command: str, directory: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run it as a script does, from anywhere. One that does not end is aborted, and its stderr tells where it was."""
    words = [sys.executable, "-X", "faulthandler", "-m", "testbed", command, "--dir", str(directory), *more]
    process = subprocess.Popen(
        words,
        cwd=directory.parent,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "world"
    started = cli("up", directory)
    assert started.returncode == 0, started.stderr
    yield directory
    cli("down", directory)


def test_writes_what_others_read(world: Path) -> None:
    simulator = Simulator.attach(world)
    assert world.stat().st_mode & 0o777 == 0o700
    # The socket is for the users of containers, which see nothing else of the folder.
    assert {path.name: path.stat().st_mode & 0o777 for path in world.iterdir() if path.stat().st_mode & 0o077} == {
        "control.sock": 0o666
    }
    assert (world / "ece_api.yml").read_text(encoding="utf-8").splitlines() == [
        "---",
        "ece_api:",
        *(f"  {name}: {json.dumps(value)}" for name, value in simulator.ece_api.items()),
    ]
    assert f'ece_api_key: "{simulator.api_key}"' in (world / "integration_config.yml").read_text(encoding="utf-8")
    shown = subprocess.run(
        ["sh", "-c", '. ./env.sh && echo "$EC_HOST $EC_USER $EC_PASS"'],
        cwd=world,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{simulator.url} {simulator.username} {simulator.password}\n"


def test_a_second_up_finds_the_first(world: Path) -> None:
    pid = Simulator.attach(world).pid
    assert str(pid) in cli("up", world).stdout
    assert Simulator.attach(world).pid == pid


def test_resets(world: Path) -> None:
    simulator = Simulator.attach(world)
    simulator.seed_tokens([], 5)
    assert cli("reset", world).returncode == 0
    assert len(simulator.state()["tokens"]) == 3


def test_down_ends_it_and_leaves_nothing(world: Path) -> None:
    pid = Simulator.attach(world).pid
    assert cli("down", world).stdout == f"ended: process {pid}\n"
    assert list(world.iterdir()) == []
    with pytest.raises(LookupError):
        Simulator.attach(world)
    again = cli("down", world)
    assert (again.returncode, "no simulator is running" in again.stderr) == (0, True)
    assert cli("reset", world).returncode == 1


def test_down_ends_nothing_but_what_up_started(world: Path) -> None:
    """A number that has become another process's is left alone."""
    about = world / "simulator.json"
    true = about.read_text(encoding="utf-8")
    with subprocess.Popen(["sleep", "60"]) as bystander:
        about.write_text(json.dumps({**json.loads(true), "pid": bystander.pid}), encoding="utf-8")
        assert "no simulator is running" in cli("down", world).stderr
        assert bystander.poll() is None
        bystander.terminate()
    about.write_text(true, encoding="utf-8")


def test_a_simulator_that_cannot_start_shows_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_PYTHON", str(Path("/bin/false")))
    with pytest.raises(RuntimeError, match="did not start"):
        Simulator.start(tmp_path)
