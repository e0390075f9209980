# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ece_installer by itself, on a host that is a directory, with the oldest Python that hosts may have: detached, started
once, and no file holds the token."""

from __future__ import annotations

import os
import shlex
import sys
import time
from types import SimpleNamespace

import pytest

from testbed.play import PIPELINING
from testbed.watch import Watch

pytestmark = pytest.mark.oldest

MODULE = "eceops.platform.ece_installer"
PATIENCE_SECONDS = 60
# Says what it was given and what it is, then waits until it may end.
INSTALLER = """
echo "given: $*"
echo "user $(id -u) parent $PPID"
tr '\\0' '\\n' < /proc/$$/environ
tr '\\0' '\\n' < /proc/$PPID/environ
touch {begun}
while test ! -e {end}; do sleep 0.05; done
{last}
"""


@pytest.fixture
def installer(run, simulator, make_hosts, tmp_path):
    """`prepare(last)`: a host with an installer that ends with these commands, when `end` is there."""

    def prepare(last="exit 0", *, hold=False):
        (host,) = make_hosts("a1", python=os.environ.get("TESTBED_HOST_PYTHON") or sys.executable)
        begun, end = host.storage / "begun", host.folder / "end"
        script = host.folder / "installer.sh"
        paths = {"begun": shlex.quote(str(begun)), "end": shlex.quote(str(end))}
        script.write_text(INSTALLER.format(last=last, **paths))
        script.chmod(0o755)
        if not hold:
            end.touch()
        token = simulator.mint_ephemeral(["allocator"], 3600)
        variables = host.variables
        where = {
            "state_path": variables["ece_host_state_path"],
            "storage_path": variables["ece_host_storage_path"],
        }
        start = {
            "state": "started",
            "installer": str(script),
            "coordinator_host": "coordinator.example.com",
            "roles": ["allocator"],
            "install_user": variables["ece_host_install_user"],
            "roles_token": token,
            **where,
        }

        def play(*options, pipelining=True, **kwargs):
            tasks = [{MODULE: option, "ignore_errors": True} for option in options]
            play = {"hosts": "a1", "gather_facts": False, "vars": PIPELINING if pipelining else {}, "tasks": tasks}
            return run.play([play], inventory={"all": {"hosts": {"a1": variables}}}, **kwargs)

        return SimpleNamespace(
            host=host, token=token, start=start, finish={"state": "finished", **where}, play=play, begun=begun, end=end
        )

    return prepare


def outcomes(result):
    """What each task returned, and whether it failed."""
    return [{**entry["result"], "failed": entry["status"] == "failed"} for entry in result.results]


def wait_for(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_it_outlives_ansible_and_is_started_once(installer):
    world = installer(hold=True)
    first = world.play(world.start)  # Ansible has ended, and it has not
    assert outcomes(first)[0]["changed"], first.stdout
    wait_for(world.begun.exists)
    again, asked = outcomes(world.play(world.start, {**world.finish, "wait_timeout": 1}))
    assert not again["changed"]
    assert asked["failed"]
    assert asked["finished"] is False
    assert "left running" in asked["msg"]
    (checked,) = outcomes(world.play(world.finish, check=True))
    assert checked["finished"] is False
    world.end.touch()
    (finished,) = outcomes(world.play(world.finish))
    assert (finished["finished"], finished["exit_code"], finished["changed"]) == (True, 0, False)
    log = (world.host.state / "install" / "log").read_text()
    assert log.count("given: ") == 1


def test_the_token_is_in_its_command_line_alone(installer):
    world = installer('test "$3" = "$(cat "$(dirname "$0")/expected")"', hold=True)
    expected = world.host.folder / "expected"
    with Watch(world.host.folder, during=True) as watch:
        started = world.play(world.start, verbosity=3, watch=True, env={"ANSIBLE_LOG_PATH": "ansible.log"})
        wait_for(world.begun.exists)
    seen = watch.contents()
    expected.write_text(world.token)  # only now: it tells that the token came through
    world.end.touch()
    finished = world.play(world.finish, verbosity=3, watch=True)
    expected.unlink()
    assert outcomes(finished)[0]["exit_code"] == 0, finished.stdout
    for result in (started, finished):
        result.written.update({f"host/{name}": content for name, content in {**seen, **world.host.files()}.items()})
        assert result.find([world.token, world.token.rpartition(".")[2]]) == []
    log = (world.host.state / "install" / "log").read_text()
    assert "given: install --roles-token (secret) --coordinator-host coordinator.example.com --roles allocator" in log
    notes = (world.host.state / "install" / "arguments.json").read_text()
    assert '"coordinator_host": "coordinator.example.com"' in notes
    assert {path.stat().st_mode & 0o777 for path in (world.host.state / "install").iterdir()} == {0o600}
    assert (world.host.state / "install").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("last", "code", "says"),
    [
        ("exit 3", 3, "does not know a flag"),
        ("exit 125", 125, "name of the container is taken"),
        ("kill -9 $$", 137, "was killed"),
        ("exit 77", 77, "exit code 77"),
    ],
)
def test_an_end_that_is_not_good_is_a_failure_that_says_why(installer, last, code, says):
    world = installer(f"echo the last words; {last}")
    _started, finished = outcomes(world.play(world.start, world.finish))
    assert finished["failed"]
    assert finished["exit_code"] == code
    assert says in finished["msg"]
    assert "the last words" in finished["msg"]
    assert "logs/bootstrap-logs/bootstrap.log" in finished["msg"]
    assert finished["log_tail"][-1] == "the last words"


def test_one_that_is_killed_with_its_worker_ended_without_a_trace(installer):
    world = installer(hold=True)
    world.play(world.start)
    wait_for(world.begun.exists)
    world.host.end_processes()
    (finished,) = outcomes(world.play(world.finish))
    assert finished["failed"]
    assert finished["exit_code"] is None
    assert "without a trace" in finished["msg"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"availability_zone": "a';id;'b"},
        {"roles_token": "a';id;'b"},
        {"capacity": 4096},
        {"allocator_tags": {"a:b": "c"}},
        {"extra_args": ["--roles-token", "a"]},
        {"selinux": True},
        {"install_user": "nobody-by-this-name"},
    ],
)
def test_what_it_may_not_be_given_starts_nothing(installer, wrong):
    world = installer()
    result = world.play({**world.start, **wrong})
    (refused,) = outcomes(result)
    assert refused["failed"]
    assert refused["msg"].startswith("The installer was not started")
    assert not world.begun.exists()
    assert not (world.host.state / "install").exists()
    assert result.find([world.token]) == []


def test_without_pipelining_it_is_refused(installer):
    world = installer()
    (refused,) = outcomes(world.play(world.start, pipelining=False))
    assert "Pipelining does not work here" in refused["msg"]
    assert not world.begun.exists()
    assert list(world.host.state.iterdir()) == []


def test_check_mode_writes_nothing(installer):
    world = installer()
    without = {name: value for name, value in world.start.items() if name != "roles_token"}
    (checked,) = outcomes(world.play(without, check=True))
    assert checked["changed"]
    assert "(secret)" in checked["command"]
    assert list(world.host.state.iterdir()) == []
    assert not world.begun.exists()
