# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""A detached job in a folder: its lock, its log and its outcome. Runs on a host, with Python 3.6 or later.

The job outlives whoever started it, an SSH session among them. Whether it still runs is said by a lock that its worker and
its command hold as long as they live: no process id is guessed about, and a restart of the machine lets go of it.

Not `systemd-run`: systemd and its journal would keep the command with its arguments, which may be secret.
"""

import fcntl
import json
import os
import pwd
import select
import signal
import stat
import time
import typing as t
from contextlib import suppress

LOCK, LOG, OUTCOME = "lock", "log", "outcome.json"
MAX_LINE_BYTES = 64 * 1024
# Longer than what is masked: the end of a line that was cut may be the beginning of a secret.
MAX_SECRET_CHARACTERS = 4096
_F_GETPIPE_SZ = 1032  # fcntl knows its name from Python 3.10 on
CUT = "... (the rest of this line was too long)\n"
# `status` holds the lock for a moment, too.
LOCK_TRIES, LOCK_PAUSE_SECONDS = 10, 0.1
READY = b"ready"
# What the outcome needs. It is taken before the command runs, so that a full disk cannot lose it.
OUTCOME_BYTES = 512
# How long an end is overlooked while something that the command left behind keeps its output open
POLL_SECONDS = 0.2


class CannotStart(Exception):
    """The job could not be started. The message says why."""


class Job(t.NamedTuple):
    """What is to be run: with just this environment, as this user (None: the caller). `mask` is applied to each line of
    output before it is logged."""

    command: t.Sequence[str]
    environment: t.Mapping[str, str]
    user: t.Optional[pwd.struct_passwd]
    mask: t.Callable[[str], str]


class Status(t.NamedTuple):
    """How a job is. Times are seconds since the epoch, by the host's clock.

    `exit_code` and `ended_at` are None while it runs, and where it ended without a trace: killed, or by a restart of the
    host. An end by a signal is 128 and the signal's number, as in a shell.
    """

    running: bool
    exit_code: t.Optional[int]
    ended_at: t.Optional[float]


def start(folder: str, job: Job, notes: t.Mapping[str, str]) -> bool:
    """Start a job unless one runs in the folder already: whether it was started.

    `notes` are written beside the log, by the name of their files, when it is sure that it will be started. Raises
    `CannotStart`, and OSError where the folder cannot be used.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    problem = place_problem(folder)
    if problem:
        raise CannotStart(problem)
    os.chmod(folder, 0o700)
    lock = _lock(folder, LOCK_TRIES)
    if lock is None:
        if _outcome(folder):
            raise CannotStart(
                "a process that the last run left behind still holds its lock: find it (fuser "
                + os.path.join(folder, LOCK)
                + ") and end it"
            )
        return False
    try:
        for name in (OUTCOME, LOG):
            _remove(os.path.join(folder, name))
        for name, content in notes.items():
            _write(os.path.join(folder, name), content)
        said = _detach(folder, job, lock)
    finally:
        # The worker has a copy of its own.
        os.close(lock)
    if said != READY:
        why = said.replace(READY, b"").decode("utf-8", "replace").lstrip(": ")
        raise CannotStart(why or "its worker ended before it began")
    return True


def place_problem(folder: str) -> t.Optional[str]:
    """Why the job's folder may not be used: another user could lead what is written there to elsewhere."""
    for path, look in ((os.path.dirname(folder), os.stat), (folder, os.lstat)):
        try:
            found = look(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{path}: {error.strerror}"
        if stat.S_ISLNK(found.st_mode):
            return f"{path} is a link, which is not followed"
        if not stat.S_ISDIR(found.st_mode):
            return f"{path} is no folder"
        if found.st_uid not in (0, os.geteuid()) or _is_open(found):
            return f"{path} is not for this user alone: others may write to it, or own it"
    return None


def _is_open(found: os.stat_result) -> bool:
    """Whether others may put something into the folder. (Its sticky bit would only keep them from taking away.)"""
    group = found.st_mode & stat.S_IWGRP and found.st_gid not in (0, os.getegid())
    return bool(group or found.st_mode & stat.S_IWOTH)


def status(folder: str) -> t.Optional[Status]:
    """How the job in the folder is; None where there was none."""
    if not os.path.exists(os.path.join(folder, LOCK)):
        return None
    # Shared: two that look at once do not take each other for the job.
    lock = _lock(folder, 1, fcntl.LOCK_SH)
    if lock is not None:
        os.close(lock)
    outcome = _outcome(folder)
    return Status(lock is None and not outcome, outcome.get("exit_code"), outcome.get("ended_at"))


def tail(folder: str, lines: int) -> t.List[str]:
    """The last lines of the job's log."""
    try:
        with open(os.path.join(folder, LOG), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - MAX_LINE_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def as_user(user: pwd.struct_passwd, work: t.Callable[[], t.Any]) -> t.Any:
    """What `work` gives (JSON's types) in a child process that is the user's, with all of the user's groups.

    In a child only: a module that gives up root itself can no longer remove Ansible's temporary folder. Raises
    `CannotStart` where the child cannot become the user, or dies.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        # Never back into the caller's code, as below.
        try:
            with os.fdopen(theirs, "wb") as pipe:
                pipe.write(json.dumps(_answer(user, work)).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(said.decode()) if said else {"error": "the process that tried has died"}
    if "error" in answer:
        raise CannotStart("nothing can be done as {}: {}".format(user.pw_name, answer["error"]))
    return answer["result"]


def _answer(user: pwd.struct_passwd, work: t.Callable[[], t.Any]) -> t.Dict[str, t.Any]:
    try:
        _become(user)
        return {"result": work()}
    except OSError as error:
        return {"error": str(error)}


def _become(user: t.Optional[pwd.struct_passwd]) -> None:
    """Make this process the user's. Raises OSError where it may not."""
    if user is not None and user.pw_uid != os.geteuid():
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def _detach(folder: str, job: Job, lock: int) -> bytes:
    """Let a process work that is nobody's child and in nobody's session: what it says when it has begun."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        # Never back into the caller's code: two processes would go on with it.
        try:
            os.setsid()
            if os.fork() == 0:
                _work(folder, job, lock, theirs)
        finally:
            os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    with os.fdopen(ours, "rb") as pipe:
        return pipe.read()


def _work(folder: str, job: Job, lock: int, starter: int) -> None:
    """In the worker: run the command, log its output, write its outcome. All of this was imported before the fork, for
    Ansible deletes the module's files meanwhile."""
    _let_go_of_all_but(lock, starter)
    os.chdir("/")
    os.umask(0o022)
    log = os.open(os.path.join(folder, LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    outcome = os.open(os.path.join(folder, OUTCOME), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(outcome, 0, OUTCOME_BYTES)
    except OSError as error:
        os.write(starter, f"{folder}: {error.strerror}".encode())
        return
    ours, theirs = os.pipe()
    # Python has told the system to ignore it, and the command would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        _execute(job, theirs, lock, starter)
    os.close(theirs)
    os.write(starter, READY)
    os.close(starter)
    for line in _lines(_output(ours, child), job.mask):
        _append(log, line)
    _pid, status = os.waitpid(child, 0)
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    # Padded with white space to what was taken, which JSON allows: a write in one block is whole, or not at all.
    os.pwrite(outcome, json.dumps({"exit_code": code, "ended_at": time.time()}).encode().ljust(OUTCOME_BYTES), 0)
    os.fsync(outcome)


def _output(pipe: int, child: int) -> t.Iterator[t.Optional[bytes]]:
    """What the command prints until it has ended: what it left behind could keep its output open for ever. Then None is
    the last, as the last line may not be whole."""
    left = None
    while left is None or left > 0:
        if left is None and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            left = fcntl.fcntl(pipe, _F_GETPIPE_SZ)  # no more than this can have been printed by then
        if select.select([pipe], [], [], POLL_SECONDS if left is None else 0)[0]:
            piece = os.read(pipe, MAX_LINE_BYTES)
            if not piece:
                return
            yield piece
            left = left if left is None else left - len(piece)
        elif left is not None:
            break
    yield None


def _lines(pieces: t.Iterable[t.Optional[bytes]], mask: t.Callable[[str], str]) -> t.Iterator[str]:
    """Its lines, masked. Of one that is too long just the beginning: what stands across a cut could not be masked."""
    rest, is_cut = b"", False
    for piece in pieces:
        if piece is None:
            return
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if not is_cut:
                yield _line(line + b"\n", mask)
            is_cut = False
        if len(rest) >= MAX_LINE_BYTES and not is_cut:
            yield _line(rest, mask)
            is_cut = True
        if is_cut:
            rest = b""
    if rest:
        yield _line(rest, mask)


def _line(line: bytes, mask: t.Callable[[str], str]) -> str:
    masked = mask(line.decode("utf-8", "replace"))
    return masked if len(line) < MAX_LINE_BYTES else masked[:-MAX_SECRET_CHARACTERS] + CUT


def _execute(job: Job, output: int, lock: int, starter: int) -> None:
    """In the worker's child: become the command. (subprocess is not for modules, says Ansible; its run_command cannot.)"""
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.set_inheritable(lock, True)
        _become(job.user)
        # Bytes: where the host sets no locale, Python 3.6 would not take other letters than ASCII's.
        words = [word.encode("utf-8", "surrogateescape") for word in job.command]
        os.execvpe(
            words[0], words, {name: value.encode("utf-8", "surrogateescape") for name, value in job.environment.items()}
        )
    except OSError as error:
        os.write(starter, f": {error.filename or job.command[0]}: {error.strerror}".encode())
    finally:
        os._exit(127)


def _let_go_of_all_but(*kept: int) -> None:
    """Hold nothing of the starter's open: SSH waits for the end of its session's pipes."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor not in kept:
            with suppress(OSError):  # one of them was that of the listing
                os.close(descriptor)


def _append(log: int, text: str) -> None:
    with suppress(OSError):  # a full disk: the command goes on, and its outcome counts
        os.write(log, text.encode("utf-8", "replace"))


def _lock(folder: str, tries: int, kind: int = fcntl.LOCK_EX) -> t.Optional[int]:
    """The lock's descriptor; None where another one holds it."""
    descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    for number in range(tries):
        if number:
            time.sleep(LOCK_PAUSE_SECONDS)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return descriptor
    os.close(descriptor)
    return None


def _outcome(folder: str) -> t.Dict[str, t.Any]:
    try:
        with open(os.path.join(folder, OUTCOME), encoding="utf-8") as file:
            return dict(json.load(file))
    except (FileNotFoundError, ValueError):
        return {}


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _write(path: str, content: str) -> None:
    """Whole or not at all, for this user only."""
    draft = path + ".new"
    _remove(draft)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, path)
