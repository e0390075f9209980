# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are containers, as hosts mostly are: each has an address, a file system and a syslog of its own, and is
reached over SSH by an unprivileged user with sudo. The role's defaults hold there.

All that is on them goes with them, but for what their container engine is told and tells, which they share with this
machine (``engine/`` of their folder). Podman has its images and containers in the checkout's ``.cache``, and what it
notes of those that run in a folder of ``/run``. All of it needs root.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import engine, platforms
from .simulator import TESTS, Simulator

STORAGE = TESTS.parent / ".cache" / "podman"
# Debian's names, by the command that each brings; and what makes an image without a registry
PACKAGES = {"podman": "podman", "runc": "runc", "ssh": "openssh-client"}
IMAGE_MAKER = {"mmdebstrap": "mmdebstrap"}
SUITE = "bookworm"
DISTRIBUTION_IMAGE = f"docker.io/library/debian:{SUITE}-slim"
# No `acl`: Ansible would let an unprivileged user become another one with it. `busybox` is the syslog's.
IMAGE_PACKAGES = ("busybox", "iproute2", "openssh-server", "procps", "python3", "sudo")
# Podman in a container, as in some CIs, may not raise limits.
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
# They see files of the checkout, which SELinux would keep from them.
RUN = ("run", "--replace", "--detach", *LIMITS, "--security-opt", "label=disable")
BUILD_TIMEOUT_SECONDS = 600
SSH_OPTIONS = "-F /dev/null -o IdentitiesOnly=yes"
SSH_PORT, COORDINATOR_PORT = 22, 22191
START_TIMEOUT_SECONDS = 30
# Ansible's user, and ECE's. No user of this machine has their ids: its processes would count as theirs.
USER, INSTALL_USER = ("ops", 51000), ("elastic", 51500)
ENGINE, SSH = "/opt/engine", "/etc/testbed-ssh"
INIT = f"""
set -eu
# No password, but not locked: sshd lets nobody in whose account is.
useradd --create-home --uid {USER[1]} --shell /bin/bash --password '*' {USER[0]}
echo '{USER[0]} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{USER[0]}
groupadd docker
useradd --create-home --uid {INSTALL_USER[1]} --user-group --groups docker {INSTALL_USER[0]}
install --directory --owner {INSTALL_USER[0]} --group {INSTALL_USER[0]} /mnt/data
ln -s {ENGINE}/engine /usr/local/bin/docker
ln -s {ENGINE}/engine /usr/local/bin/podman-remote
# Nobody listens: the engine's clients are stand-ins, too.
python3 -c 'import os; os.mknod("/run/docker.sock", 0o140660)'
chmod 0660 /run/docker.sock
chgrp docker /run/docker.sock
printf %s "$OS_RELEASE" > /etc/os-release
busybox syslogd -O /var/log/syslog
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -f /dev/null -o HostKey={SSH}/host_key -o AuthorizedKeysFile={SSH}/client_key.pub \
  -o StrictModes=no -o PasswordAuthentication=no -o UsePAM=no -o "Subsystem=sftp internal-sftp"
"""


class NoEngine(Exception):
    """Containers cannot be had here. The message says why, and what to do."""


class ContainerHost:
    """One that ``make_containers`` has made in ``folder``; ``variables`` are its inventory's, and reach it over SSH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.name = folder.name
        self.variables: dict[str, Any] = json.loads((folder / "variables.json").read_text(encoding="utf-8"))
        self.ip: str = self.variables["ece_host_ip"]
        self._network = _short_name(self.folder.parent)
        self._container = f"{self._network}-{self.name}"

    def root(self) -> Path:
        """Its file system, as this machine sees it."""
        return Path(f"/proc/{podman('inspect', '--format', '{{.State.Pid}}', self._container)}/root")

    def start(self, simulator: Simulator, container_engine: str = "docker") -> None:
        """Start it as if it had been installed just now, with that container engine, which does as usual."""
        user = INSTALL_USER[1]
        url = "unix:/run/simulator.sock"
        version = simulator.state()["version"]
        versions = platforms.engine_versions(version)
        engine.install(self.folder / "engine", "/usr/bin/python3", (user, user), control_url=url, **versions)
        engine.order(self.folder / "engine", podman=container_engine == "podman")
        volumes = {
            f"{self.folder}/engine": ENGINE,
            f"{self.folder}/ssh": f"{SSH}:ro",
            f"{simulator.directory}/control.sock": "/run/simulator.sock",
        }
        command = [*RUN, "--name", self._container, "--hostname", self.name]
        # The same one each time: this machine remembers which it was.
        hardware = "02:00:" + ":".join(f"{int(part):02x}" for part in self.ip.split("."))
        command += ["--network", self._network, "--ip", self.ip, "--mac-address", hardware]
        command += ["--env", f"OS_RELEASE={platforms.os_release(version, container_engine)}"]
        command += [word for pair in volumes.items() for word in ("--volume", ":".join(pair))]
        podman(*command, need_image(), "sh", "-c", INIT)
        try:
            _wait_for_port(self.ip, SSH_PORT)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the container said: {podman('logs', self._container)}") from error

    def rebuild(self, simulator: Simulator, container_engine: str = "docker") -> None:
        """Make it anew: nothing of it is left but its address and its keys."""
        self._remove()
        self.start(simulator, container_engine)

    def close(self) -> None:
        """Remove it."""
        self._remove()
        shutil.rmtree(self.folder)

    def _remove(self) -> None:
        podman("rm", "--force", "--time", "0", "--ignore", self._container)
        if (self.folder / "engine").exists():
            shutil.rmtree(self.folder / "engine")


def make_containers(place: Path, names: Iterable[str], simulator: Simulator) -> list[ContainerHost]:
    """Make containers by name, besides those that are in ``place`` already."""
    place = place.resolve()
    prefix = _need_network(place)
    first = 3 + sum(1 for _folder in place.iterdir())  # .1 is this machine, .2 the coordinator
    made = []
    for number, name in enumerate(names, first):
        folder = place / name
        (folder / "ssh").mkdir(parents=True)
        _make_keys(folder / "ssh", f"{prefix}.{number}")
        variables = {
            "ansible_connection": "ssh",
            "ansible_host": f"{prefix}.{number}",
            "ansible_user": USER[0],
            "ansible_become": True,
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": f"{folder}/ssh/client_key",
            # Nothing of this user's: no settings, no other keys of an agent's, no other hosts
            "ansible_ssh_common_args": f"{SSH_OPTIONS} -o UserKnownHostsFile={folder}/ssh/known_hosts",
            "ece_host_ip": f"{prefix}.{number}",
            "ece_host_coordinator_host": f"{prefix}.2",
            "ece_host_installer_src": str(platforms.installer()),
        }
        (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        made.append(ContainerHost(folder))
    each(made, lambda host: host.start(simulator))
    return made


def each(hosts: Iterable[ContainerHost], act: Callable[[ContainerHost], None]) -> None:
    """Do something with all of them, with some at a time."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(act, hosts))


def remove_network(place: Path) -> None:
    """What the containers in ``place`` have shared."""
    network = _short_name(place.resolve())
    podman("rm", "--force", "--time", "0", "--ignore", f"{network}-coordinator")
    podman("network", "rm", "--force", network)
    # What the plugin for addresses leaves there, where Podman uses CNI
    addresses = Path("/var/lib/cni/networks") / network
    if addresses.exists():
        shutil.rmtree(addresses)


def _short_name(place: Path) -> str:
    return f"eceops-{hashlib.sha256(os.fsencode(place)).hexdigest()[:8]}"


def _need_network(place: Path) -> str:
    """What the addresses of its network begin with. In it is a coordinator, whose port the role looks for."""
    name = _short_name(place)
    subnet = ["network", "inspect", "--format", "{{(index .Subnets 0).Subnet}}", name]
    try:
        prefix = podman(*subnet).rpartition(".")[0]
    except RuntimeError:
        podman("network", "create", "--disable-dns", name)
        prefix = podman(*subnet).rpartition(".")[0]
    if not podman("ps", "--quiet", "--filter", f"name=^{name}-coordinator$"):
        command = [*RUN, "--name", f"{name}-coordinator", "--network", name]
        # It also serves the installer, as Elastic's download does.
        command += ["--ip", f"{prefix}.2", "--volume", f"{platforms.installer()}:/srv/{platforms.STAND_IN.name}:ro"]
        command += [need_image(), "python3", "-m", "http.server", "--directory", "/srv", str(COORDINATOR_PORT)]
        podman(*command)
    return prefix


def _make_keys(folder: Path, address: str) -> None:
    for key in ("host_key", "client_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", str(folder / key)]
        subprocess.run(command, check=True)
    known = f"{address} {(folder / 'host_key.pub').read_text(encoding='utf-8')}"
    (folder / "known_hosts").write_text(known, encoding="utf-8")
    # sshd reads it as the user who logs in.
    folder.chmod(0o755)
    (folder / "client_key.pub").chmod(0o644)


def _wait_for_port(address: str, port: int) -> None:
    """Wait until somebody listens.

    Raises:
        TimeoutError: when nobody does, for a while.
    """
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise TimeoutError(f"nobody listens at {address}, port {port}") from None
        time.sleep(0.05)


# What all of them need


def missing_packages(packages: dict[str, str], which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """The Debian packages whose commands are not here."""
    return [package for command, package in packages.items() if which(command) is None]


def need_packages(packages: dict[str, str], install: bool) -> None:
    """Make sure that there are these; where that is wanted, those that are missing are announced and installed.

    Raises:
        NoEngine: when that may not be done, or does not work.
    """
    if os.geteuid() != 0:
        raise NoEngine("the tests with containers need root")
    missing = missing_packages(packages)
    if not missing:
        return
    if not install or shutil.which("apt-get") is None:
        raise NoEngine(f"install {', '.join(missing)}, whatever it is called here")
    print(f"Debian packages are missing and are installed now: {' '.join(missing)}", flush=True)
    # apt-get does not wait for another one: parts that are set up side by side take turns.
    STORAGE.mkdir(parents=True, exist_ok=True)
    with (STORAGE / "packages.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["update", "--quiet"], ["install", "--quiet", "--yes", "--no-install-recommends", *missing]):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                raise NoEngine(f"apt-get {command[0]} failed, the lines above say why")


def run_root(storage: Path) -> Path:
    """Where Podman notes what runs: beyond 50 characters it refuses a path, and that of a checkout may be longer."""
    return Path("/run") / _short_name(storage)


def podman(*arguments: str, **options: Any) -> str:
    """Run it with the checkout's own storage: its output.

    Raises:
        RuntimeError: when it fails; the message holds what it said.
    """
    command = ["podman", "--root", str(STORAGE / "storage"), "--runroot", str(run_root(STORAGE)), "--runtime", "runc"]
    command += ["--network-config-dir", str(STORAGE / "networks"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout.strip()


def need_image(install: bool = False, of: str = "host", packages: tuple[str, ...] = IMAGE_PACKAGES) -> str:
    """The name of the image ``of`` hosts or something else, which has these packages, made when there is none of its
    kind yet: from a distribution's image where a registry can be reached, else from Debian's packages.

    Raises:
        NoEngine: when what makes it of packages is missing, and may not be installed.
    """
    kind = hashlib.sha256(json.dumps([SUITE, packages]).encode()).hexdigest()[:12]
    name = f"localhost/eceops-{of}:{kind}"
    (STORAGE / "networks").mkdir(parents=True, exist_ok=True)
    # Parts that run side by side make it once.
    with (STORAGE / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not podman("images", "--quiet", name):
            print(f"the image {name} is made (Debian {SUITE}, about a minute)", flush=True)
            if not _build_image(name, packages):
                need_packages(IMAGE_MAKER, install)
                _import_image(name, packages)
    return name


def _build_image(name: str, packages: tuple[str, ...]) -> bool:
    """Make it from a distribution's image; whether that could be had."""
    install = "apt-get install --quiet --yes --no-install-recommends " + " ".join(packages)
    recipe = f"FROM {DISTRIBUTION_IMAGE}\nRUN apt-get update --quiet && {install} && rm -r /var/lib/apt/lists/*\n"
    command = ["build", "--quiet", *LIMITS, "--tag", name, "--file", "-", str(STORAGE / "networks")]
    try:
        podman(*command, input=recipe, timeout=BUILD_TIMEOUT_SECONDS)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        why = str(error).strip().splitlines()[-1]
        print(f"not from {DISTRIBUTION_IMAGE} ({why}), but from Debian's packages", flush=True)
        return False
    return True


def _import_image(name: str, packages: tuple[str, ...]) -> None:
    archive = STORAGE / "image.tar"
    include = "--include=" + ",".join(packages)
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", include, SUITE, str(archive)], check=True)
    podman("import", "--quiet", str(archive), name)
    archive.unlink()


def main() -> int:
    """Prepare for containers, with what is at hand or, by ``--install``, can be installed: 0, or 1 where there can be
    none, which is said. With ``--clean``, remove those that a run has left that was killed."""
    try:
        if "--clean" in sys.argv:
            # Those of builds, too, which `rm --all` leaves
            if left := podman("ps", "--all", "--external", "--quiet").split():
                podman("rm", "--force", "--time", "0", *left)
            if run_root(STORAGE).exists():
                shutil.rmtree(run_root(STORAGE))
            return 0
        install = "--install" in sys.argv
        need_packages(PACKAGES, install)
        print(f"the hosts' image: {need_image(install)}")
    except (NoEngine, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"no containers: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
