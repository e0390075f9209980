# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run tells, on each ansible-core."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from testbed.play import Result, Runner
from testbed.simulator import Simulator
from testbed.watch import Watch

pytest_plugins = ["testbed.fixtures"]

SECRET = "fake/secret+of a test?"


def test_tells_results_recap_and_requests(run: Runner, simulator: Simulator) -> None:
    url = {"url": f"{simulator.url}/api/v1/platform", "validate_certs": False, "status_code": 401}
    run.command(["ansible", "localhost", "-m", "ansible.builtin.uri", "-a", json.dumps(url)])
    result = run.tasks(
        [
            {"name": "Ask", "ansible.builtin.uri": url},
            {"eceops.platform.probe": {}},
            {"ansible.builtin.debug": {"msg": "never"}, "when": False},
            {"eceops.platform.probe": {"fail": True}, "ignore_errors": True},
            {"eceops.platform.probe": {}, "no_log": True},
            {"ansible.builtin.debug": {"msg": "last"}},
        ]
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert [(e["host"], e["task"], e["action"], e["status"]) for e in result.results] == [
        ("localhost", "Ask", "ansible.builtin.uri", "ok"),
        ("localhost", "eceops.platform.probe", "eceops.platform.probe", "changed"),
        ("localhost", "ansible.builtin.debug", "ansible.builtin.debug", "skipped"),
        ("localhost", "eceops.platform.probe", "eceops.platform.probe", "failed"),
        ("localhost", "eceops.platform.probe", "eceops.platform.probe", "changed"),
        ("localhost", "ansible.builtin.debug", "ansible.builtin.debug", "ok"),
    ]
    assert [e["on"] for e in result.results] == ["localhost", "localhost", None, "localhost", "localhost", None]
    assert result.executed_on("localhost") == ["Ask", *["eceops.platform.probe"] * 3]
    assert result.failures == {"localhost": "as ordered"}
    # The connection's options come from the module defaults.
    assert result.results[1]["result"]["url"] == simulator.url
    assert result.results[3]["result"]["msg"] == "as ordered"
    assert "censored" in result.results[4]["result"]
    assert "url" not in result.results[4]["result"]
    assert result.last["msg"] == "last"
    assert result.stats["localhost"] | {"ignored": 1, "skipped": 1, "failures": 0} == result.stats["localhost"]
    # The run's own requests, not those of the one before.
    assert [(entry["number"], entry["operation"], entry["status"]) for entry in result.journal] == [
        (2, "get-platform", 401)
    ]


def test_runs_in_check_mode_and_loudly(run: Runner) -> None:
    inject = {"ANSIBLE_INJECT_INVOCATION": "true"}  # 2.21 gives it only when it is asked to
    result = run.tasks([{"eceops.platform.probe": {}}], "--diff", check=True, verbosity=3, env=inject)
    assert [entry["status"] for entry in result.results] == ["ok"]
    assert result.last["invocation"]["module_args"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_runs_a_collections_playbook_on_an_inventory(run: Runner) -> None:
    assert run.play("eceops.platform.hello").last["ping"] == "pong"
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"var": "ece_api.url"}}]}
    hosts: dict[str, Any] = {"all": {"hosts": {"one": {}, "two": {}}}}
    result = run.play([play], inventory=hosts, extra_vars={"ece_api": {"url": "mine"}})
    assert sorted((entry["host"], entry["result"]["ece_api.url"]) for entry in result.results) == [
        ("one", "mine"),
        ("two", "mine"),
    ]


def test_runs_any_command_with_these_collections_only(run: Runner) -> None:
    assert run.command(["ansible", "localhost", "-m", "ansible.builtin.ping"]).last["ping"] == "pong"
    listed = run.command(["ansible-galaxy", "collection", "list", "--format", "json"])
    found = {name for collections in json.loads(listed.stdout).values() for name in collections}
    # ansible-core 2.19 lists parts of itself as well.
    assert {name for name in found if not name.startswith("ansible._")} == {"eceops.platform"}


def test_nothing_of_this_users_reaches_a_run(run: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[defaults]\nnocows = nonsense\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "no_such_callback")
    task = {"ansible.builtin.command": "env", "changed_when": False}
    environment = dict(line.split("=", 1) for line in run.tasks([task]).last["stdout"].splitlines())
    assert "HTTPS_PROXY" not in environment
    assert environment["HOME"].endswith("/run/home")
    assert environment["PWD"].endswith("/run/project")


def test_a_run_that_never_began_shows_why(run: Runner) -> None:
    result = run.play("eceops.platform.no_such_playbook")
    assert result.returncode != 0
    with pytest.raises(LookupError, match="no_such_playbook"):
        assert result.last


def test_a_run_is_bounded_and_takes_its_children_with_it(run: Runner) -> None:
    run.timeout_seconds = 0.2
    with pytest.raises(subprocess.TimeoutExpired):
        # The shell's child keeps the pipe open: this would wait for it if it lived on.
        run.command(["sh", "-c", "sleep 60; true"])


def test_what_a_run_has_packed_and_compiled_serves_the_next_one_unless_that_is_watched(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTBED_KEPT", str(tmp_path))
    task = {"eceops.platform.probe": {}}
    assert run.tasks([task]).last["changed"]
    assert list(tmp_path.glob("compiled/*"))
    [packed] = tmp_path.glob("packed/**/*probe*")
    packed.write_bytes(b"")
    assert run.tasks([task]).returncode != 0
    assert run.tasks([task], watch=True).last["changed"]


def test_without_pipelining_a_password_lies_in_a_file(run: Runner, simulator: Simulator) -> None:
    result = run.tasks([{"eceops.platform.probe": {}}], pipelining=False, watch=True)
    assert result.last["changed"]
    places = {found.partition("#")[0] for found in result.find([simulator.password])}
    # Ansible writes it into a file of its own first, which lives too short to be seen each time.
    assert all(place.startswith("home/.ansible/tmp/ansible-") for place in places)
    [place] = [place for place in places if place.endswith("/AnsiballZ_probe.py")]
    # The module's code is in there too, but packed: words of it stand nowhere plainly, and are found all the same.
    assert not any(b"as ordered" in content for content in result.written.values())
    assert place in result.find(["as ordered"])


def test_with_pipelining_it_lies_nowhere(run: Runner, simulator: Simulator) -> None:
    result = run.tasks([{"eceops.platform.probe": {}}], watch=True, verbosity=3)
    assert result.last["changed"]
    # The watch did work: a module that reads its arguments from its standard input unpacks its code into a file.
    assert any("probe" in path for path in result.written)
    assert result.find([simulator.password]) == []


def test_async_keeps_the_arguments_in_a_file(run: Runner, simulator: Simulator) -> None:
    result = run.tasks([{"eceops.platform.probe": {}, "async": 30, "poll": 1}], watch=True)
    assert result.returncode == 0, result.stdout
    assert result.find([simulator.password])


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f"https://host/?token={quote(SECRET, safe='')}&x",
        *(base64.b64encode(("x" * lead + SECRET + "tail").encode()).decode() for lead in range(4)),
        *(base64.urlsafe_b64encode(("x" * lead + SECRET).encode()).decode() for lead in range(4)),
    ],
)
def test_finds_a_secret_in_whatever_form(content: str) -> None:
    result = Result(0, f"before {content} after", "", written={"home/file": content.encode(), "home/other": b"nothing"})
    assert result.find(["another secret", SECRET]) == ["stdout", "home/file"]
    assert result.find(["another secret"]) == []


def test_the_watch_keeps_what_is_gone(tmp_path: Path) -> None:
    seen = threading.Event()
    with Watch(tmp_path, during=True) as watch:
        for number in range(10):
            folder = tmp_path / f"folder-{number}"
            folder.mkdir()
            (folder / "file").write_text("short-lived", encoding="utf-8")
            seen.wait(0.1)
            (folder / "file").unlink()
            folder.rmdir()
    contents = watch.contents()
    assert [contents[f"folder-{number}/file"] for number in range(10)] == [b"short-lived"] * 10


def test_the_watch_keeps_earlier_contents(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with Watch(tmp_path, during=True) as watch:
        file.write_text("first", encoding="utf-8")
        threading.Event().wait(0.1)
        file.write_text("second one", encoding="utf-8")
        (tmp_path / "link").symlink_to("/etc/passwd")
    assert watch.contents()["file"] == b"second one"
    assert b"first" in watch.contents().values()
    assert "link" not in watch.contents()
