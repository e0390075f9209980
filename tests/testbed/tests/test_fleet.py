# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a world: folders need no container engine, and what a killed run has left does not stay."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from testbed import containers, fleet
from testbed.simulator import Simulator

from .test_command import cli

pytest_plugins = ["testbed.fixtures"]


def test_folders_need_no_container_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = tmp_path / "world"
    assert cli("up", world, "--hosts", "one").returncode == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    down = cli("down", world)
    assert (down.returncode, down.stderr) == (0, "")
    assert list(world.iterdir()) == []


def test_a_host_that_was_not_made_to_its_end_goes(tmp_path: Path, simulator: Simulator) -> None:
    fleet.make_hosts(tmp_path, ["one"], simulator, as_containers=False)
    (tmp_path / "hosts" / "half").mkdir()
    assert [host.name for host in fleet.find_hosts(tmp_path)] == ["one"]
    fleet.remove_hosts(tmp_path)
    assert not (tmp_path / "hosts").exists()


def test_a_name_that_no_host_has_is_an_error(tmp_path: Path, simulator: Simulator) -> None:
    fleet.make_hosts(tmp_path, ["one"], simulator, as_containers=False)
    made = fleet.find_hosts(tmp_path)
    assert fleet.choose(made, ["one"]) == made
    with pytest.raises(LookupError, match="no host two"):
        fleet.choose(made, ["one", "two"])
    fleet.remove_hosts(tmp_path)


def test_podman_takes_the_folder_for_what_runs_wherever_the_checkout_is() -> None:
    folders = {containers.run_root(Path("/home/somebody/with/a/long/path", name, ".cache/podman")) for name in "ab"}
    assert len(folders) == 2
    assert all(len(str(folder)) <= 50 for folder in folders)


@pytest.mark.parametrize("registry", [True, False])
def test_the_image_comes_from_a_registry_where_one_is_within_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: bool
) -> None:
    called = []

    def podman(*arguments: str, **_options: object) -> str:
        called.append(arguments[0])
        if arguments[0] == "build" and not registry:
            raise RuntimeError("no registry")
        return ""

    def make_archive(command: list[str], **_options: object) -> None:
        called.append(command[0])
        Path(command[-1]).touch()

    monkeypatch.setattr(containers, "STORAGE", tmp_path)
    monkeypatch.setattr(containers, "podman", podman)
    monkeypatch.setattr(subprocess, "run", make_archive)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda command: command)
    assert containers.need_image().startswith("localhost/eceops-host:")
    assert called == (["images", "build"] if registry else ["images", "build", "mmdebstrap", "import"])
