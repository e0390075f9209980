# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detached jobs, with real processes. Runs on Python 3.6, too."""

import fcntl
import os
import pwd
import signal
import stat
import subprocess
import sys
import time

import pytest

from ansible_collections.eceops.platform.plugins.module_utils import _detached

PATIENCE_SECONDS = 30
# Holds until there is the file that is named, and then goes on.
HOLD = 'while test ! -e "$1"; do sleep 0.05; done; '


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "state" / "job")


def job(script, *arguments, **changes):
    values = {
        "command": ["sh", "-c", script, "sh"] + [str(argument) for argument in arguments],
        "environment": {"PATH": os.environ["PATH"]},
        "user": None,
        "mask": lambda line: line.replace("secret", "(masked)"),
    }
    return _detached.Job(**dict(values, **changes))


def wait_for(condition):
    end = time.time() + PATIENCE_SECONDS
    while not condition():
        assert time.time() < end, "waited in vain"
        time.sleep(0.02)


def finished(folder):
    wait_for(lambda: not _detached.status(folder).running)
    return _detached.status(folder)


def test_a_folder_without_a_job(folder):
    assert _detached.status(folder) is None
    assert _detached.tail(folder, 5) == []


def test_a_job_runs_and_leaves_its_outcome(folder):
    before = time.time()
    assert _detached.start(folder, job("echo one; echo two >&2; exit 7"), {"notes.json": "{}"})
    status = finished(folder)
    assert status.exit_code == 7
    assert before <= status.ended_at <= time.time()
    assert _detached.tail(folder, 5) == ["one", "two"]
    assert _detached.tail(folder, 1) == ["two"]


def test_all_is_for_this_user_only(folder):
    os.makedirs(folder, 0o777)
    _detached.start(folder, job("true"), {"notes.json": "{}"})
    finished(folder)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert sorted(os.listdir(folder)) == ["lock", "log", "notes.json", "outcome.json"]
    for name in os.listdir(folder):
        assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600


def test_a_job_that_runs_is_not_started_twice(folder, tmp_path):
    goes_on = tmp_path / "go-on"
    assert _detached.start(folder, job("echo begun; " + HOLD, goes_on), {"notes": "first"})
    wait_for(lambda: _detached.tail(folder, 1) == ["begun"])
    assert not _detached.start(folder, job("echo another"), {"notes": "second"})
    status = _detached.status(folder)
    assert (status.running, status.exit_code, status.ended_at) == (True, None, None)
    with open(os.path.join(folder, "notes")) as file:
        assert file.read() == "first"
    goes_on.touch()
    assert finished(folder).exit_code == 0
    assert _detached.tail(folder, 5) == ["begun"]
    assert _detached.start(folder, job("echo another"), {})
    finished(folder)
    assert _detached.tail(folder, 5) == ["another"]


def test_a_job_runs_as_long_as_its_command_even_without_its_worker(folder, tmp_path):
    goes_on, pids = tmp_path / "go-on", tmp_path / "pids"
    _detached.start(folder, job('echo "$PPID $$" > "$2"; ' + HOLD, goes_on, pids), {})
    wait_for(lambda: pids.exists() and pids.read_text().endswith("\n"))
    worker, command = (int(pid) for pid in pids.read_text().split())
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not os.path.exists(f"/proc/{worker}/fd/0"))
    assert _detached.status(folder).running
    assert not _detached.start(folder, job("true"), {})
    os.kill(command, signal.SIGKILL)
    status = finished(folder)
    assert (status.exit_code, status.ended_at) == (None, None)


def test_what_the_last_run_left_behind_is_said(folder, tmp_path):
    goes_on = tmp_path / "go-on"
    _detached.start(folder, job("(" + HOLD + ") > /dev/null 2>&1 &", goes_on), {})
    finished(folder)
    with pytest.raises(_detached.CannotStart, match="left behind still holds its lock"):
        _detached.start(folder, job("true"), {})
    goes_on.touch()
    wait_for(lambda: _starts(folder))


def _starts(folder):
    try:
        return _detached.start(folder, job("true"), {})
    except _detached.CannotStart:
        return False


def test_what_the_last_run_left_behind_does_not_hide_its_end(folder, tmp_path):
    goes_on = tmp_path / "go-on"
    _detached.start(folder, job("echo said; (echo more; " + HOLD + ") & exit 3", goes_on), {})
    assert finished(folder).exit_code == 3
    assert "said" in _detached.tail(folder, 5)
    goes_on.touch()
    wait_for(lambda: _starts(folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_does_not_lose_the_outcome(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", str(disk)]):
        pytest.skip("nothing can be mounted here")
    try:
        folder = str(disk / "job")
        assert _detached.start(folder, job('head -c 1000000 /dev/zero > "$1"; exit 7', disk / "rest"), {})
        assert finished(folder).exit_code == 7
        with pytest.raises((_detached.CannotStart, OSError), match="No space left"):
            _detached.start(folder, job("true"), {"notes": "x" * 100000})
    finally:
        subprocess.check_call(["umount", str(disk)])


def test_a_folder_that_another_user_could_lead_elsewhere_is_not_used(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "job").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(_detached.CannotStart, match="is a link"):
        _detached.start(str(tmp_path / "state" / "job"), job("true"), {})
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(_detached.CannotStart, match="others may write to it"):
        _detached.start(str(tmp_path / "open" / "job"), job("true"), {})
    (tmp_path / "open").chmod(0o1777)
    assert "others may write to it" in _detached.place_problem(str(tmp_path / "open" / "job"))
    (tmp_path / "file").touch()
    assert "is no folder" in _detached.place_problem(str(tmp_path / "file"))
    assert "Not a directory" in _detached.place_problem(str(tmp_path / "file" / "state" / "job"))
    assert _detached.place_problem(str(tmp_path / "missing" / "job")) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_not_used(tmp_path):
    (tmp_path / "state").mkdir()
    os.chown(str(tmp_path / "state"), pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(_detached.CannotStart, match="own it"):
        _detached.start(str(tmp_path / "state" / "job"), job("true"), {})


def test_an_end_by_a_signal_is_as_in_a_shell(folder):
    _detached.start(folder, job("kill -9 $$"), {})
    assert finished(folder).exit_code == 137


def test_what_is_said_is_masked_before_it_is_logged(folder):
    _detached.start(folder, job("echo a secret; printf 'no end of line: secret'"), {})
    finished(folder)
    assert _detached.tail(folder, 5) == ["a (masked)", "no end of line: (masked)"]


@pytest.mark.parametrize("before", [1, 3, 5])
def test_what_stands_across_a_cut_is_not_logged(folder, before):
    script = 'head -c "$1" /dev/zero | tr "\\0" a; echo secret and more; echo last'
    _detached.start(folder, job(script, _detached.MAX_LINE_BYTES - before), {})
    finished(folder)
    with open(os.path.join(folder, "log")) as file:
        log = file.read()
    assert "secret" not in log
    assert set(log.splitlines()[0].partition(".")[0]) == {"a"}
    assert log.splitlines()[1:] == ["last"]
    assert log.splitlines()[0].endswith("(the rest of this line was too long)")


def test_a_last_line_that_may_not_be_whole_is_not_logged(folder, tmp_path):
    goes_on = tmp_path / "go-on"
    _detached.start(folder, job("echo whole; (printf sec; " + HOLD + ") & exit 0", goes_on), {})
    finished(folder)
    assert _detached.tail(folder, 5) == ["whole"]
    goes_on.touch()
    wait_for(lambda: _starts(folder))


def test_two_that_look_at_once_do_not_take_each_other_for_the_job(folder):
    _detached.start(folder, job("true"), {})
    finished(folder)
    os.unlink(os.path.join(folder, "outcome.json"))
    looking = os.open(os.path.join(folder, "lock"), os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not _detached.status(folder).running
    os.close(looking)


def test_letters_need_no_locale(folder):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    script = f"import sys; sys.path[:] = {sys.path!r}; from {_detached.__package__} import _detached as d; "
    script += (
        f"job = d.Job(['printf', '%s', '\\u00e4'], {environment!r}, None, str); print(d.start({folder!r}, job, {{}}))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, env=environment).strip() == b"True"
    assert finished(folder).exit_code == 0
    assert _detached.tail(folder, 1) == ["\u00e4"]


def test_bytes_that_are_no_text_do_no_harm(folder):
    _detached.start(folder, job(r"printf '\377\376\n'; head -c 200000 /dev/zero; echo; echo last"), {})
    assert finished(folder).exit_code == 0
    assert _detached.tail(folder, 1) == ["last"]


def test_the_command_has_the_environment_that_it_was_given_and_no_other(folder):
    _detached.start(folder, job("env", environment={"PATH": os.environ["PATH"], "OWN": "1"}), {})
    finished(folder)
    names = {line.partition("=")[0] for line in _detached.tail(folder, 50)}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "OWN"}


def test_the_command_holds_nothing_of_the_starter_s(folder):
    held = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(held, True)
    _detached.start(folder, job("ls -l /proc/$$/fd; cut -d' ' -f6 /proc/$$/stat"), {})
    finished(folder)
    os.close(held)
    files, session = _detached.tail(folder, 50)[:-1], _detached.tail(folder, 1)[0]
    assert len([file for file in files if file.endswith(os.devnull)]) == 1  # its standard input
    assert [file for file in files if file.endswith("/lock")]
    assert int(session) != os.getsid(0)


@pytest.mark.parametrize("command", [["/missing/command"], ["/"]])
def test_a_command_that_cannot_be_run_is_said(folder, command):
    with pytest.raises(_detached.CannotStart, match=command[0]):
        _detached.start(folder, job("", command=command), {})
    assert finished(folder).exit_code == 127
    assert _detached.start(folder, job("true"), {})
    assert finished(folder).exit_code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_command_is_the_user_s_with_all_groups(folder, tmp_path):
    nobody = pwd.getpwnam("nobody")
    _detached.start(folder, job("id -u; id -g; id -G", user=nobody), {})
    assert finished(folder).exit_code == 0
    groups = " ".join(str(group) for group in sorted(os.getgrouplist("nobody", nobody.pw_gid)))
    assert _detached.tail(folder, 3) == [str(nobody.pw_uid), str(nobody.pw_gid), groups]


def test_work_is_done_as_the_user_in_a_child():
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    before = os.geteuid()
    found = _detached.as_user(user, lambda: [os.getuid(), os.getgid(), sorted(os.getgroups()), os.getpid()])
    assert found[:3] == [user.pw_uid, user.pw_gid, sorted(os.getgrouplist(user.pw_name, user.pw_gid))]
    assert found[3] != os.getpid()
    assert os.geteuid() == before


def test_work_that_dies_is_an_error(capfd):
    with pytest.raises(_detached.CannotStart, match="nothing can be done as"):
        _detached.as_user(pwd.getpwuid(os.geteuid()), lambda: os._exit(3))


def test_work_that_fails_says_why():
    with pytest.raises(_detached.CannotStart, match="No such file or directory: '/missing'"):
        _detached.as_user(pwd.getpwuid(os.geteuid()), lambda: os.listdir("/missing"))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        _detached.start(str(tmp_path / "file" / "job"), job("true"), {})


def test_the_python_that_runs_this_is_one_that_hosts_may_have():
    assert sys.version_info >= (3, 6)
