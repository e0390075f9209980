# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples that users copy, as they stand: only the variables are others."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

pytestmark = pytest.mark.oldest

EXAMPLES = Path(os.environ["TESTBED_COLLECTIONS_PATH"]) / "ansible_collections" / "eceops" / "platform" / "examples"
WRONG = "fake-wrong-password"


def test_an_ephemeral_token_is_minted_and_kept(run):
    result = run.play(EXAMPLES / "ephemeral_token.yml", verbosity=3, watch=True)
    assert result.returncode == 0, result.stdout
    assert [entry["operation"] for entry in result.journal] == ["create-enrollment-token"]
    assert result.last["msg"]["roles"] == ["allocator"]


def test_a_persistent_token_is_kept_in_a_file(run, simulator, tmp_path):
    variables = {"proxy_token_file": str(tmp_path / "token")}
    first = run.play(EXAMPLES / "persistent_token.yml", extra_vars=variables, verbosity=3, watch=True)
    assert first.stats["localhost"]["changed"] == 2, first.stdout
    token = (tmp_path / "token").read_text().strip()
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert first.find([token, simulator.password]) == []
    second = run.play(EXAMPLES / "persistent_token.yml", extra_vars=variables)
    assert (second.returncode, second.stats["localhost"]["changed"]) == (0, 0)
    (tmp_path / "token").unlink()
    lost = run.play(EXAMPLES / "persistent_token.yml", extra_vars=variables)
    assert lost.returncode == 2
    assert "its value is not in" in lost.stdout


@pytest.mark.parametrize("place", ["/missing/token", "/"])
def test_a_file_that_cannot_be_one_costs_no_token(run, place):
    result = run.play(EXAMPLES / "persistent_token.yml", extra_vars={"proxy_token_file": place})
    assert result.returncode == 2
    assert "Nothing was minted" in result.stdout
    assert result.journal == []


def test_a_token_that_could_not_be_written_is_named(run, simulator):
    result = run.play(EXAMPLES / "persistent_token.yml", extra_vars={"proxy_token_file": "/proc/token"})
    assert result.returncode == 2
    (minted,) = [token["token_id"] for token in simulator.state()["tokens"] if token["roles"] == ["proxy"]]
    assert f"Token {minted} was minted, but not written to /proc/token" in " ".join(result.stdout.split())


@pytest.mark.parametrize("example", ["ephemeral_token.yml", "persistent_token.yml"])
def test_examples_in_check_mode_and_with_a_wrong_password(run, simulator, tmp_path, example):
    variables = {"proxy_token_file": str(tmp_path / "token")}
    checked = run.play(EXAMPLES / example, extra_vars=variables, check=True)
    assert checked.returncode == 0, checked.stdout
    assert {entry["method"] for entry in checked.journal} <= {"GET"}
    api = {**simulator.ece_api, "password": WRONG}
    refused = run.play(EXAMPLES / example, extra_vars={**variables, "ece_api": api})
    assert refused.returncode == 2
    assert "HTTP 401" in refused.stdout
    assert refused.find([WRONG]) == []
