# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are containers, reached over SSH by an unprivileged user with sudo, as hosts mostly are.

Each is a host that is a folder, too (see ``hosts``), which its container sees at the same path: what is observed and
ordered there is the same. It shares this machine's network, with an SSH server on its own address. Podman has its
images and containers in the checkout's ``.cache``. All of it needs root.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .hosts import DirectoryHost, make_host
from .simulator import TESTS, Simulator

STORAGE = TESTS.parent / ".cache" / "podman"
# Debian's names, by the command that each brings
PACKAGES = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap", "ssh": "openssh-client"}
SUITE = "bookworm"
# No `acl`: Ansible would let an unprivileged user become another one with it.
IMAGE_PACKAGES = ("iproute2", "openssh-server", "procps", "python3", "sudo")
# Podman in a container, as in some CIs, may not raise limits.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
USER, PORT = "ops", 22022
START_TIMEOUT_SECONDS = 30
INIT = """
set -eu
# No password, but not locked: sshd lets nobody in whose account is.
useradd --create-home --shell /bin/bash --password '*' "$1"
echo "$1 ALL=(ALL) NOPASSWD: ALL" > "/etc/sudoers.d/$1"
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e -f /dev/null -o "ListenAddress=$2" -o "Port=$3" -o "HostKey=$4/ssh/host_key" \
  -o "AuthorizedKeysFile=$4/ssh/client_key.pub" -o StrictModes=no -o PasswordAuthentication=no -o UsePAM=no \
  -o "Subsystem=sftp internal-sftp"
"""


class NoEngine(Exception):
    """Containers cannot be had here. The message says why, and what to do."""


class ContainerHost(DirectoryHost):
    """One that ``make_container`` has made; ``variables`` reach it over SSH."""

    def close(self) -> None:
        """Remove the container, and what it shared."""
        podman("rm", "--force", "--time", "0", "--ignore", "--cidfile", str(self.folder / "cid"))
        super().close()


def missing_packages(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """The Debian packages whose commands are not here."""
    return [package for command, package in PACKAGES.items() if which(command) is None]


def need_engine(install: bool) -> None:
    """Make sure that there is an engine; where that is wanted, packages that are missing are announced and installed.

    Raises:
        NoEngine: when that may not be done, or does not work.
    """
    if os.geteuid() != 0:
        raise NoEngine("the tests with containers need root")
    missing = missing_packages()
    if not missing:
        return
    if not install or shutil.which("apt-get") is None:
        raise NoEngine(f"install {', '.join(PACKAGES)}, whatever they are called here")
    print(f"Debian packages are missing and are installed now: {' '.join(missing)}", flush=True)
    for command in (["update", "--quiet"], ["install", "--quiet", "--yes", "--no-install-recommends", *missing]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise NoEngine(f"apt-get {command[0]} failed, the lines above say why")


def podman(*arguments: str, **options: Any) -> str:
    """Run it with the checkout's own storage: its output.

    Raises:
        RuntimeError: when it fails; the message holds what it said.
    """
    command = [
        "podman",
        "--root",
        str(STORAGE / "root"),
        "--runroot",
        str(STORAGE / "run"),
        "--runtime",
        "runc",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout.strip()


def need_image() -> str:
    """The name of the hosts' image, made when there is none of its kind yet."""
    kind = hashlib.sha256(json.dumps([SUITE, IMAGE_PACKAGES]).encode()).hexdigest()[:12]
    name = f"localhost/eceops-host:{kind}"
    STORAGE.mkdir(parents=True, exist_ok=True)
    # Parts that run side by side make it once.
    with (STORAGE / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if podman("images", "--quiet", name):
            return name
        print(f"the hosts' image is made (Debian {SUITE}, about a minute)", flush=True)
        archive = STORAGE / "host.tar"
        include = "--include=" + ",".join(IMAGE_PACKAGES)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", include, SUITE, str(archive)], check=True)
        podman("import", "--quiet", str(archive), name)
        archive.unlink()
    return name


def make_container(folder: Path, number: int, simulator: Simulator) -> ContainerHost:
    """Make a host in ``folder``, as ``hosts.make_host`` does, and a container that runs there."""
    # The container's own Python
    host = make_host(folder, number, simulator, python="/usr/bin/python3", engine_python="/usr/bin/python3")
    folder = host.folder
    ssh = folder / "ssh"
    ssh.mkdir()
    for key in ("host_key", "client_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", str(ssh / key)]
        subprocess.run(command, check=True)
    known = f"[{host.ip}]:{PORT} {(ssh / 'host_key.pub').read_text(encoding='utf-8')}"
    (ssh / "known_hosts").write_text(known, encoding="utf-8")
    # sshd reads it as the user who logs in.
    ssh.chmod(0o755)
    (ssh / "client_key.pub").chmod(0o644)
    # Whoever Ansible's user is: the call is noted.
    (folder / "executed.log").touch()
    (folder / "executed.log").chmod(0o666)
    variables = {name: value for name, value in host.variables.items() if not name.startswith("ansible_")} | {
        "ansible_connection": "ssh",
        "ansible_host": host.ip,
        "ansible_port": PORT,
        "ansible_user": USER,
        "ansible_become": True,
        "ansible_ssh_private_key_file": str(ssh / "client_key"),
        "ansible_ssh_common_args": f"-F /dev/null -o UserKnownHostsFile={ssh / 'known_hosts'} -o IdentitiesOnly=yes",
        "ansible_python_interpreter": host.variables["ansible_python_interpreter"],
    }
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    start = ["run", "--detach", "--network", "host", *LIMITS, "--cidfile", str(folder / "cid")]
    start += [
        "--volume",
        f"{folder}:{folder}",
        need_image(),
        "sh",
        "-c",
        INIT,
        "sh",
        USER,
        host.ip,
        str(PORT),
        str(folder),
    ]
    podman(*start)
    wait_for_port(host.ip, PORT)
    return ContainerHost(folder)


def wait_for_port(address: str, port: int) -> None:
    """Wait until somebody listens.

    Raises:
        TimeoutError: when nobody does, for a while.
    """
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=START_TIMEOUT_SECONDS).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise TimeoutError(f"nobody listens at {address}, port {port}") from None
        time.sleep(0.05)


def make_containers(place: Path, names: Iterable[str], simulator: Simulator) -> list[DirectoryHost]:
    """Make containers by name, besides those that are in ``place`` already."""
    first = 1 + sum(1 for _folder in place.iterdir())
    return [make_container(place / name, number, simulator) for number, name in enumerate(names, first)]


def main() -> int:
    """Prepare for containers, with what is at hand or, by ``--install``, can be installed: 0, or 1 where there can be
    none, which is said."""
    try:
        need_engine(install="--install" in sys.argv)
        print(f"the hosts' image: {need_image()}")
    except (NoEngine, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"no containers: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
