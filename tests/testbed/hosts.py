# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are folders of this machine: each has an address, a container engine and Python of its own."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from . import engine, platforms
from .simulator import Simulator

MAX_HOSTS = 253  # 127.X.Y.1 is the coordinator, .255 is left alone
STOP_TIMEOUT_SECONDS = 10
PRELOADED = Path(__file__).resolve().with_name("preloaded")
# What Ansible takes for the host's Python: it notes each call, and puts the host's commands before this machine's.
PYTHON = """#!/bin/sh
echo "$$ ${{1:--}}" >> {folder}/executed.log
PATH={folder}/bin:$PATH
PYTHONPATH={folder}/lib:{preloaded}
export PATH PYTHONPATH
exec {python} "$@"
"""
# That Python's own module: no test may write into a home of this machine.
SITE = """import pwd

import measure
import quick

quick.save_time()
measure.start_when_needed()


def getpwnam(name, getpwnam=pwd.getpwnam):
    found = list(getpwnam(name))
    if name == {user!r}:
        found[5] = {home!r}
    return pwd.struct_passwd(found)


pwd.getpwnam = getpwnam
"""
# The host's `ip`, as far as ECE's installer and Ansible's facts ask it for the default address.
IP = """#!/bin/sh
case $* in
  "-4 route get "*) echo "8.8.8.8 via 127.0.0.254 dev eth0 src {ip}" ;;
  "route show default") echo "default via 127.0.0.254 dev eth0" ;;
  "-4 addr show "*) echo "    inet {ip}/8 scope global eth0" ;;
esac
"""


class DirectoryHost:
    """One that ``make_host`` has made in ``folder``; ``variables`` are its inventory's.

    ``bin/`` holds its commands, ``engine/`` its container engine's state, ``storage/`` and ``state/`` what ECE and the
    collection keep there, ``home/`` is the install user's, ``tmp/`` holds Ansible's files. ``ip`` is an address of this
    machine that no other host has.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.name = folder.name
        self.variables: dict[str, Any] = json.loads((folder / "variables.json").read_text(encoding="utf-8"))
        self.ip: str = self.variables["ece_host_ip"]
        self.storage = self.folder / "storage"
        self.state = self.folder / "state"
        self.home = self.folder / "home"
        self._engine = self.folder / "engine"

    # Observe

    def executed(self) -> list[str]:
        """Each call of the host's Python: its process id and first argument, ``-`` for a module that is piped in."""
        return _lines(self.folder / "executed.log")

    def runs(self) -> list[dict[str, Any]]:
        """Each time that the installation image was started, in order: ``time``, ``uid``, ``gid``, ``groups``,
        ``engine`` (docker or podman-remote), ``socket``, ``image``, ``env`` (the container's, without the token),
        ``names`` (its names, the token's too), ``ports``, ``volumes``, ``environment`` (names of the command's)."""
        return [json.loads(line) for line in _lines(self._engine / "runs.jsonl")]

    def containers(self) -> dict[str, str]:
        """The state (running, exited) of each container by its name; none while the engine is stopped."""
        socket = f"unix://{self.folder}/engine.sock"
        listed = self.docker("-H", socket, "ps", "--all", "--format", "{{.Names}} {{.State}}").stdout
        return dict(line.split(" ") for line in listed.splitlines())

    def files(self) -> dict[str, bytes]:
        """The content of each file by its path in the folder; not ``executed.log``, which each look makes longer."""
        contents = {}
        for folder, _folders, names in os.walk(self.folder):
            for path in (Path(folder, name) for name in names):
                if path.is_file() and not path.is_symlink() and path.name != "executed.log":
                    with suppress(FileNotFoundError):  # one of a job that runs
                        contents[str(path.relative_to(self.folder))] = path.read_bytes()
        return contents

    # Order

    def behave(self, **settings: Any) -> None:
        """Let the container engine do as ``engine.engine.DEFAULTS`` tells; what is not given is as usual again."""
        (self._engine / "release").unlink(missing_ok=True)
        engine.order(self._engine, **settings)

    def release(self) -> None:
        """Let an installation go on that ``behave(hold=True)`` holds."""
        (self._engine / "release").touch()

    def stop_engine(self) -> None:
        """Stop it, with all containers; ``behave()`` starts it again."""
        self.docker("stop", *self.containers())
        self.behave(down=True)

    def docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the host's ``docker`` as this process's user."""
        command = [str(self.folder / "bin" / "docker"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def forget_installer(self) -> None:
        """Remove what the collection keeps about the installer that it ran."""
        shutil.rmtree(self.state / "install", ignore_errors=True)

    def rebuild(self) -> None:
        """As if the host had been installed anew: nothing runs, nothing is kept, the engine does as usual. What was
        executed and run stays noted."""
        self.end_processes()
        user = install_user()
        for folder in (self.storage, self.state, self.home, self.folder / "tmp", self._engine / "containers"):
            shutil.rmtree(folder, ignore_errors=True)
            _make_folder(folder, user if folder not in (self.state, self.folder / "tmp") else None)
        self.behave()

    def close(self) -> None:
        """End what still runs for this host, and remove it."""
        self.end_processes()
        shutil.rmtree(self.folder)

    def end_processes(self) -> None:
        """Kill what was started by the host's Python, and what that has started.

        Raises:
            TimeoutError: when there is always another one.
        """
        end = time.monotonic() + STOP_TIMEOUT_SECONDS
        while pids := [int(name) for name in os.listdir("/proc") if name.isdigit() and self._is_mine(int(name))]:
            if time.monotonic() > end:
                raise TimeoutError(f"processes of host {self.name} do not end: {pids}")
            for pid in pids:
                self._kill(pid)

    def _kill(self, pid: int) -> None:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            # By the handle it is still the one that was looked at, not another one of the same number.
            if self._is_mine(pid):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                wait([handle], STOP_TIMEOUT_SECONDS)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)

    def _is_mine(self, pid: int) -> bool:
        """Whether it was started with the host's own commands on its PATH: nothing else on this machine is."""
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:  # another user's, or it has ended
            return False
        return any(
            variable.startswith(b"PATH=") and os.fsencode(self.folder / "bin") in variable[5:].split(b":")
            for variable in environment.split(b"\0")
        )


def make_host(folder: Path, number: int, simulator: Simulator, python: str = sys.executable) -> DirectoryHost:
    """Make a host in ``folder``, which is named after it and lies in one that ``find_place`` gave.

    ``number``: 1 for the simulator's first host. ``python``: what Ansible's modules run on. With ``ECE_INSTALLER`` in
    the environment it is given that script of Elastic's instead of the stand-in.

    Raises:
        ValueError: when there are too many hosts.
    """
    if number > MAX_HOSTS:
        raise ValueError(f"a simulator has addresses for {MAX_HOSTS} hosts")
    user = install_user()
    owners = {".": None, "bin": None, "lib": None, "tmp": None, "state": None, "storage": user, "home": user}
    for path, owner in owners.items():
        _make_folder(folder / path, owner)
    engine.install(folder / "engine", _engines_python(), (user.pw_uid, user.pw_gid), control_url=simulator.control_url)
    engine.link(folder / "engine", folder / "bin")
    ip = simulator.coordinator_host.rpartition(".")[0] + f".{number + 1}"
    # Where the stand-in for the installer looks first
    for name in ("docker", "podman"):
        system = folder / "bin" / f"os-release.{name}"
        system.write_text(platforms.os_release(simulator.state()["version"], name), encoding="utf-8")
        system.chmod(0o644)
    wrapper = folder / "bin" / "python3"
    words = {"folder": str(folder.resolve()), "preloaded": str(PRELOADED), "python": python}
    wrapper.write_text(PYTHON.format(**{name: shlex.quote(word) for name, word in words.items()}), encoding="utf-8")
    (folder / "bin" / "ip").write_text(IP.format(ip=ip), encoding="utf-8")
    for command in (wrapper, folder / "bin" / "ip"):
        command.chmod(0o755)
    site = SITE.format(user=user.pw_name, home=str((folder / "home").resolve()))
    (folder / "lib" / "sitecustomize.py").write_text(site, encoding="utf-8")
    socket = folder / "engine.sock"
    os.mknod(socket, stat.S_IFSOCK | 0o600)  # nobody listens: the engine's clients are stand-ins, too
    socket.chmod(0o666)
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(wrapper.resolve()),
        "ansible_remote_tmp": str((folder / "tmp").resolve()),
        "ansible_become": False,
        "ece_host_ip": ip,
        "ece_host_coordinator_host": simulator.coordinator_host,
        "ece_host_storage_path": str((folder / "storage").resolve()),
        "ece_host_state_path": str((folder / "state").resolve()),
        "ece_host_engine_socket": str(socket.resolve()),
        "ece_host_install_user": user.pw_name,
        "ece_host_installer_src": str(platforms.installer()),
    }
    if platforms.is_original():
        # Which knows only the systems that Elastic supports, and such a host is the system that this machine is.
        variables["ece_host_extra_args"] = ["--skip-cloud-enterprise-version-check"]
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    return DirectoryHost(folder)


def make_hosts(place: Path, names: Iterable[str], simulator: Simulator, **options: Any) -> list[DirectoryHost]:
    """Make hosts by name, besides those that are in ``place`` already; see ``make_host``."""
    first = 1 + sum(1 for _folder in place.iterdir())
    return [make_host(place / name, number, simulator, **options) for number, name in enumerate(names, first)]


def inventory(hosts: Iterable[Any], group: str = "ece_hosts") -> dict[str, Any]:
    """An inventory of these hosts, in one group."""
    return {group: {"hosts": {host.name: host.variables for host in hosts}}}


def find_place(wanted: Path | None = None) -> Path:
    """A new folder for hosts: ``wanted``, or one among the temporary files where that one would be out of the install
    user's reach, or where none is wanted.

    As root, the install user is another one, and folders of root's and of pytest's are root's alone. They stay so.

    Raises:
        RuntimeError: when it is out of the install user's reach everywhere.
    """
    if wanted:
        _make_folder(wanted)
        if _can("test", "-x", str(wanted)):
            return wanted.resolve()
        wanted.rmdir()
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        place = Path(tempfile.mkdtemp(prefix="testbed-hosts-", dir=base))
        place.chmod(0o755)
        if _can("test", "-x", str(place)):
            return place.resolve()
        place.rmdir()
    raise RuntimeError(f"{install_user().pw_name}, who runs the installer, can reach no folder for hosts: set TMPDIR")


def install_user() -> pwd.struct_passwd:
    """Who runs the installer, which refuses root: this user or, as root, the other one that every machine has."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def as_install_user() -> dict[str, Any]:
    """The options of ``subprocess`` with which a command is the install user's."""
    user = install_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


@cache
def _engines_python() -> str:
    """A Python that the install user can run: root's own may lie in root's home."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3", "/usr/libexec/platform-python"):
        if _can(python, "-I", "-c", ""):
            return python
    raise RuntimeError(f"{install_user().pw_name}, who runs the installer, can run no Python: install the system's")


def _can(*command: str) -> bool:
    """Whether a command succeeds as the install user."""
    try:
        return subprocess.run(command, capture_output=True, cwd="/", check=False, **as_install_user()).returncode == 0
    except OSError:  # the command itself is out of reach
        return False


def _make_folder(path: Path, owner: pwd.struct_passwd | None = None) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)  # whatever the umask is
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
