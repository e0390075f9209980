# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from testbed import reader


@pytest.fixture
def typing(tmp_path):
    (tmp_path / "project").mkdir()
    return reader.Reader(tmp_path, {"PATH": os.defpath}, "fake-vault-password", {"EC_PASS": "fake password"})


def test_what_was_exported_and_where_it_stood_is_kept(typing):
    typing.write("a folder/file", "content\n")
    assert typing.run("cd 'a folder'; export A='b c' && echo \\\n  begun") == (0, "begun\n")
    assert typing.run('echo "$A"; cat file') == (0, "b c\ncontent\n")


def test_it_ends_with_the_first_that_fails(typing):
    assert typing.run("echo one; (exit 3); echo two") == (3, "one\n")


def test_passwords_are_typed_and_not_seen(typing):
    assert typing.run("read -rs EC_PASS && export EC_PASS") == (0, "")
    asks = "read -rsp 'New Vault password: ' given < /dev/tty; echo; echo \"${#EC_PASS} ${#given}\""
    assert typing.run(asks) == (0, f"New Vault password: \n{len('fake password')} {len('fake-vault-password')}\n")


def test_what_does_not_end_is_an_error(typing, monkeypatch):
    monkeypatch.setattr(reader, "TIMEOUT_SECONDS", 1)
    with pytest.raises(TimeoutError, match="no end after 1 s"):
        typing.run("echo begun; cat")
