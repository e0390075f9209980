# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for secrets finds them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from testbed import platforms
from testbed.needles import Needles
from testbed.search import Search

SECRET = "fake-secret-of-some-length"


@pytest.mark.parametrize(
    ("content", "is_in_it"),
    [
        (SECRET.encode(), True),
        (b"before " + SECRET.encode() + b" after", True),
        (base64.b64encode(b"x" + SECRET.encode() + b"yz"), True),
        (SECRET[:-1].encode(), False),
        (b"", False),
    ],
)
def test_finds_a_secret_in_a_file_in_any_form(tmp_path: Path, content: bytes, is_in_it: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(content)
    search = Search(Needles([SECRET]))
    (tmp_path / "other").write_text(SECRET)
    search.look("host", tmp_path, ["folder", "missing"])
    assert search.found == ({"host:/folder/file"} if is_in_it else set())
    assert search.files == ["host:/folder/file"]


def test_looks_into_a_file_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("nothing")
    (tmp_path / "link").symlink_to(file)
    search = Search(Needles([SECRET]))
    search.look("host", tmp_path, ["."])
    file.write_text(SECRET)
    search.look("host", tmp_path, ["."])
    file.unlink()
    search.look("host", tmp_path, ["."])
    assert search.found == {"host:/file"}


def test_looks_into_no_file_that_is_older_than_the_secrets(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(SECRET)
    # However long the clock of files stands still
    while (tmp_path / "new").stat().st_ctime_ns <= (tmp_path / "old").stat().st_ctime_ns:
        (tmp_path / "new").touch()
    search = Search(Needles([SECRET]), since_ns=(tmp_path / "new").stat().st_ctime_ns)
    search.look("host", tmp_path, ["."])
    assert search.files == ["host:/new"]


@pytest.mark.parametrize(
    ("version", "docker"), [("3.5.1", "20.10.24"), ("3.7.2", "24.0.7"), ("4.0.3", "27.0.3"), ("5.1.0", "27.0.3")]
)
def test_hosts_are_what_the_version_of_ece_supports(version: str, docker: str) -> None:
    assert platforms.engine_versions(version) == {"docker_version": docker, "podman_version": "4.9.4"}
    assert 'NAME="Red Hat Enterprise Linux"' in platforms.os_release(version, "podman")
