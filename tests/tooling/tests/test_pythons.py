# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tooling import parts, pythons, stage
from tooling.pythons import HOST_PYTHONS, Env, candidates, discover, plan, probe

CORES = {"2.20": ("3.12", "3.13"), "2.9": ("3.8",), "2.16": ("3.10", "3.11", "3.12")}


def interpreter(file: Path, body: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def test_candidates_come_from_path_then_from_both_pyenvs(tmp_path: Path) -> None:
    on_path = interpreter(tmp_path / "bin/python3.11", "")
    rooted = interpreter(tmp_path / "root/versions/3.12.1/bin/python3.12", "")
    at_home = interpreter(tmp_path / "home/.pyenv/versions/3.11.7/bin/python3.11", "")
    (tmp_path / "bin/python3.12").touch(mode=0o644)
    environ = {"PATH": f":{tmp_path / 'bin'}:/does/not/exist", "PYENV_ROOT": str(tmp_path / "root")}
    found = list(candidates(["3.12", "3.11"], environ, tmp_path / "home"))
    assert found == [Path(sys.executable), on_path, rooted, at_home]


def test_a_probe_names_the_real_interpreter(tmp_path: Path) -> None:
    link = tmp_path / "python3.99"
    link.symlink_to(sys.executable)
    answer = probe(link)
    assert answer
    assert answer[0] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert Path(answer[1]).is_file()


@pytest.mark.parametrize("body", ["echo 'pyenv: python3.12: command not found' >&2; exit 127", "exit 0", "echo 3.12"])
def test_a_shim_that_does_not_run_is_no_python(tmp_path: Path, body: str) -> None:
    assert probe(interpreter(tmp_path / "python3.12", body)) is None


def test_a_file_that_is_no_program_is_no_python(tmp_path: Path) -> None:
    assert probe(tmp_path) is None


def test_the_first_that_runs_is_taken_and_no_more_are_run() -> None:
    answers = {"/a/python3.12": None, "/b/python3.12": ("3.12", "/real/python3.12"), "/own": ("3.9", "/real/python3.9")}
    files = [Path(name) for name in ("/own", "/a/python3.12", "/b/python3.12", "/c/python3.12")]
    assert discover(files, ["3.12"], lambda file: answers[str(file)]) == {"3.12": "/real/python3.12"}


def test_the_oldest_core_gets_the_lowest_python_and_the_others_the_highest() -> None:
    found = {version: f"/{version}" for version in ("3.10", "3.12", "3.13")}
    assert plan(found, CORES) == [
        Env("2.16", "3.10", "/3.10", old_requests=True),
        Env("2.20", "3.13", "/3.13", old_requests=False),
    ]


def test_old_requests_need_a_python_that_runs_them() -> None:
    assert plan({"3.13": "/3.13"}, CORES) == [Env("2.20", "3.13", "/3.13", old_requests=False)]


def test_no_python_no_environment() -> None:
    assert plan({}, CORES) == []


def envs(*cores: str) -> list[Env]:
    return [Env(core, "3.12", "/3.12", old_requests=False) for core in cores]


def test_check_is_about_the_newest() -> None:
    names = parts.parts("check", envs("2.16", "2.20"))
    assert names[:3] == ["sanity-2.20", "lint", "units-2.20"]
    assert all("-2." not in name for name in names[3:])


def test_coverage_is_told_when_what_is_measured_has_ended() -> None:
    names = parts.parts("test", envs("2.16", "2.20"))
    assert set(parts.measured(names, envs("2.16", "2.20"))) == {"integration-2.16", "faults_newest-2.20"}
    assert names[-1] == "coverage"
    assert parts.measured(parts.parts("check", envs("2.20")), envs("2.20")) == []


@pytest.mark.parametrize(
    ("goal", "found", "missing"),
    [
        ("test", ["2.19", "2.20"], ["2.16", "2.21"]),
        ("check", ["2.19", "2.21"], []),
        ("test-all", ["2.16", "2.19", "2.21"], ["2.20"]),
    ],
)
def test_an_ansible_core_without_a_python_is_named(goal: str, found: list[str], missing: list[str]) -> None:
    assert [line.split()[1] for line in parts.untested(goal, envs(*found))] == missing


@pytest.mark.parametrize(
    ("goal", "found", "cores"),
    [
        ("test", ["2.16", "2.19", "2.20"], {"2.16", "2.20"}),
        ("test", ["2.20"], {"2.20"}),
        ("test-all", ["2.16", "2.19", "2.20"], {"2.16", "2.19", "2.20"}),
    ],
)
def test_the_cores_of_a_goal(goal: str, found: list[str], cores: set[str]) -> None:
    names = parts.parts(goal, envs(*found))
    assert len(names) == len(set(names))
    for step in ("system", "faults", "integration", "sanity", "units"):
        of_step = {name.partition("-")[2] for name in names if re.fullmatch(rf"{step}(_oldest|_newest)?-.*", name)}
        assert of_step == cores
    assert {"simulator", "lint", "tooling"} <= set(names)


@pytest.mark.parametrize(
    ("goal", "found", "divided"),
    [
        (
            "test",
            ["2.16", "2.19", "2.20"],
            {"system_oldest-2.16", "system_newest-2.20", "faults_oldest-2.16", "faults_newest-2.20"},
        ),
        ("test", ["2.20"], set()),
        ("test-all", ["2.16", "2.19", "2.20"], set()),
    ],
)
def test_only_make_test_divides_tests_between_two_cores(goal: str, found: list[str], divided: set[str]) -> None:
    names = parts.parts(goal, envs(*found))
    assert {name for name in names if "_oldest-" in name or "_newest-" in name} == divided


def test_no_core_at_all_is_an_error() -> None:
    with pytest.raises(SystemExit):
        parts.parts("test", [])


def test_the_summary_names_each_part_and_what_has_no_result_has_failed(tmp_path: Path) -> None:
    (tmp_path / "lint").write_text("passed 12\n0m0.1s 0m0.0s\n0m9.8s 0m1.2s\n", encoding="utf-8")
    lines, good = parts.summary(["lint"], tmp_path)
    assert (lines[0].split(), good) == (["passed", "lint", "12", "s", "0m9.8s", "0m1.2s"], True)
    (tmp_path / "molecule").write_text("LEFT-OUT 1\n", encoding="utf-8")
    lines, good = parts.summary(["lint", "molecule"], tmp_path)
    assert (lines[1].split()[0], good) == ("LEFT-OUT", True)
    (tmp_path / "units").write_text("FAILED 3\n", encoding="utf-8")
    lines, good = parts.summary(["lint", "units", "sanity"], tmp_path)
    assert ([line.split()[0] for line in lines], good) == (["passed", "FAILED", "NOT-RUN"], False)


def test_the_readme_says_which_python_an_ansible_core_needs() -> None:
    readme = (stage.ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (2\.\d+) \| ([\d.]+) to ([\d.]+) \| ([\d.]+) or later \|$", readme, re.MULTILINE)
    assert rows == [(core, known[0], known[-1], HOST_PYTHONS[core]) for core, known in pythons.CORES.items()]


def test_what_is_pinned_is_pinned_once() -> None:
    files = [*(stage.ROOT / "tests/requirements").glob("*.txt"), stage.ROOT / "antsibull-nox.toml"]
    # Those of the oldest environments are their own.
    texts = [file.read_text(encoding="utf-8") for file in files if file.stem not in ("host", "rhel9-constraints")]
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"([\w-]+)(?:\[[\w-]+\])?==([\d.]+)", "\n".join(texts)):
        pins.setdefault(name, set()).add(version)
    assert "antsibull-docs" in pins
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}
