#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: ece_installer_info
short_description: Look at a host that is to join Elastic Cloud Enterprise
version_added: 0.1.0
description:
  - Says what of Elastic Cloud Enterprise (ECE) is on a host, and all that stands in the way of its installer. Changes nothing.
  - The role P(eceops.platform.ece_host#role) uses it before a token is minted.
  - Run it as root, or as the user that O(install_user) names. What depends on that user is tried as that user.
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes.host_module
  - eceops.platform._attributes.info_module
  - eceops.platform._attributes
requirements:
  - Python 3.6 or later on the host
options:
  coordinator_host:
    description: Coordinator whose port 22191 is tried. Out of reach, it is a warning.
    type: str
  ip:
    description: Address that the host is to have in the installation. It has to be one of this host.
    type: str
  storage_path:
    description: Folder that ECE is to keep its data in. It may be missing where O(install_user) can make it.
    type: path
    default: /mnt/data/elastic
  install_user:
    description: User that is to run the installer.
    type: str
    default: elastic
  container_engine:
    description: Container engine of the host.
    type: str
    choices: [docker, podman]
    default: docker
  engine_socket:
    description: Socket of the container engine.
    type: path
    default: /var/run/docker.sock
  selinux:
    description: Whether the installer is to set SELinux up. Sudo without a password and the policy tools are looked for then.
    type: bool
    default: false
  extra_args:
    description: More flags of the installer. With C(--force) among them, a plain C(docker ps) that fails is a warning only.
    type: list
    elements: str
    default: []
  state_path:
    description: Folder in which M(eceops.platform.ece_installer) keeps what it knows about its installer.
    type: path
    default: /var/lib/eceops
seealso:
  - module: eceops.platform.ece_installer
"""

EXAMPLES = r"""
- name: Look at this host
  eceops.platform.ece_installer_info:
    ip: 127.0.0.1
    container_engine: podman
  register: look

- name: Show what stands in the way
  ansible.builtin.debug:
    msg: "{{ look.problems }}"
"""

RETURN = r"""
problems:
  description: What stands in the way of the installer, a sentence each.
  returned: success
  type: list
  elements: str
  sample: ["Port 22000 is in use, and ECE needs it: find out by what (ss -ltnp) and end it."]
findings:
  description: What is on the host.
  returned: success
  type: dict
  contains:
    installer:
      description: The installer that M(eceops.platform.ece_installer) has started. V(null) where there was none.
      type: dict
      sample: {running: false, exit_code: 0, ended_seconds_ago: 42}
      contains:
        running:
          description: Whether it is still running.
          type: bool
          sample: false
        exit_code:
          description: Its exit code. V(null) while it is running, and where it ended without a trace.
          type: int
          sample: 0
        ended_seconds_ago:
          description: Seconds since it ended. V(null) where that is not known.
          type: int
          sample: 42
    running_containers:
      description: Names of ECE's containers that run. V(null) where the container engine does not tell.
      type: list
      elements: str
      sample: [frc-runners-runner]
    containers:
      description: Names of ECE's containers, running or not. V(null) where the container engine does not tell.
      type: list
      elements: str
      sample: [frc-runners-runner]
    storage:
      description: What lies in O(storage_path), but for C(logs) and C(lost+found). At most 20 names.
      type: list
      elements: str
      sample: []
    install_user:
      description: The install user. V(null) where there is no such user.
      type: dict
      sample: {uid: 1001, gid: 1001, home: /home/elastic, links: []}
      contains:
        uid:
          description: Id of the user.
          type: int
          sample: 1001
        gid:
          description: Id of the user's primary group.
          type: int
          sample: 1001
        home:
          description: Home of the user.
          type: str
          sample: /home/elastic
        links:
          description: Which of C(.docker) and C(.docker/config.json) in that home are symbolic links, where root could be led astray.
          type: list
          elements: str
          sample: []
    state_path_mode:
      description: Mode of O(state_path), in octal. V(null) where it is missing.
      type: str
      sample: "0755"
    problems:
      description: The same as RV(problems).
      type: list
      elements: str
      sample: []
  sample:
    installer: null
    running_containers: []
    containers: []
    storage: []
    install_user: {uid: 1001, gid: 1001, home: /home/elastic, links: []}
    state_path_mode: null
    problems: []
"""

import os
import pwd
import re
import shutil
import socket
import stat
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.eceops.platform.plugins.module_utils import _detached
from ansible_collections.eceops.platform.plugins.module_utils._installer import (
    NOT_PIPELINED,
    engine_client,
    environment,
    is_pipelined,
    job_folder,
)

OPTIONS: t.Dict[str, t.Dict[str, t.Any]] = {
    "coordinator_host": {"type": "str"},
    "ip": {"type": "str"},
    "storage_path": {"type": "path", "default": "/mnt/data/elastic"},
    "install_user": {"type": "str", "default": "elastic"},
    "container_engine": {"type": "str", "choices": ["docker", "podman"], "default": "docker"},
    "engine_socket": {"type": "path", "default": "/var/run/docker.sock"},
    "selinux": {"type": "bool", "default": False},
    "extra_args": {"type": "list", "elements": "str", "default": []},
    "state_path": {"type": "path", "default": "/var/lib/eceops"},
}

MIN_ID = 1000
PORTS = (20000, 21000, 22000)
COORDINATOR_PORT = 22191
CONNECT_SECONDS = 3
COMMAND_SECONDS = 20
KILL_SECONDS = 5
# How the command `timeout` ends then: by the signal, where it had to kill
TIMED_OUT = (124, -9)
MAX_STORAGE_NAMES = 20
# Where the engine's client looks for the login of a registry, in the user's home
LOGIN = (".docker", ".docker/config.json")
POLICY_TOOLS = ("setsebool", "checkmodule", "semodule_package", "semodule", "semanage", "restorecon")
_ECE_CONTAINER = re.compile(r"(frc-|fac-|elastic-cloud-enterprise-installer\Z)")


class Look:
    """One look at this host: what is found, what stands in the way."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.options: t.Dict[str, t.Any] = module.params
        self.problems: t.List[str] = []

    def findings(self) -> t.Dict[str, t.Any]:
        with open("/proc/self/cmdline", "rb") as file:
            if not is_pipelined(file.read()):
                self.problems.append(NOT_PIPELINED)
        user = self.find_user()
        running = self.containers(user) if user else None
        found = {
            "installer": self.installer(),
            "running_containers": running,
            "containers": self.containers(user, "--all") if user and running is not None else None,
            "storage": self.storage(),
            "install_user": user
            and {
                "uid": user.pw_uid,
                "gid": user.pw_gid,
                "home": user.pw_dir,
                "links": [name for name in LOGIN if os.path.islink(os.path.join(user.pw_dir, name))],
            },
            "state_path_mode": self.state_path_mode(),
        }
        self.try_state_path()
        if user:
            self.try_plain_docker(user, running is not None)
            self.try_storage(user)
            if self.options["selinux"]:
                self.try_policy_tools(user)
        self.try_address()
        self.try_ports()
        self.warn_about_the_network()
        found["problems"] = self.problems
        return found

    def find_user(self) -> t.Optional[pwd.struct_passwd]:
        """The install user where the rest can be tried as that user."""
        name = self.options["install_user"]
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            self.problems.append(
                f"There is no user {name}: make it, with a uid and gid of at least 1000, let it use the container engine, or name "
                "another one (ece_host_install_user)."
            )
            return None
        if user.pw_uid < MIN_ID or user.pw_gid < MIN_ID:
            self.problems.append(
                f"The user {name} has the uid {user.pw_uid} and the gid {user.pw_gid}, and ECE's installer wants at least 1000: name another one "
                "(ece_host_install_user)."
            )
        if os.geteuid() not in (0, user.pw_uid):
            self.problems.append(
                f"The installer cannot be started as {name} from {pwd.getpwuid(os.geteuid()).pw_name}: let Ansible become root."
            )
            return None
        return user

    def run(self, user: pwd.struct_passwd, *command: str) -> t.Tuple[int, str]:
        """Run a command as a user: its exit code, and what it said."""

        def work() -> t.Tuple[int, str]:
            os.environ.clear()
            os.environ.update(clean)
            # Some ignore the signal to end.
            limited = ["timeout", "-k", str(KILL_SECONDS), str(COMMAND_SECONDS), *command]
            code, out, err = self.module.run_command(limited, cwd="/", handle_exceptions=False)
            return code, (out if code == 0 else err or out).strip()

        clean = environment(user, os.environ)
        code, said = _detached.as_user(user, work)
        return code, said or (f"no answer within {COMMAND_SECONDS} seconds" if code in TIMED_OUT else "")

    def containers(self, user: pwd.struct_passwd, *options: str) -> t.Optional[t.List[str]]:
        """The names of ECE's containers; None where the engine does not tell, which is a problem."""
        client = engine_client(self.options["container_engine"], self.options["engine_socket"])
        command = [*client, "ps", *options, "--format", "{{.Names}}"]
        code, said = self.run(user, *command)
        if code != 0:
            self.problems.append(
                "The user {} cannot use the container engine ({}: {}): is it running, is its socket {} (ece_host_"
                "engine_socket), and is the user in the socket's group?".format(
                    user.pw_name, " ".join(command[:3]), _short(said), self.options["engine_socket"]
                )
            )
            return None
        # Docker names a container several times where it is linked to.
        names = {name.strip() for line in said.splitlines() for name in line.split(",")}
        return sorted(name for name in names if _ECE_CONTAINER.match(name))

    def installer(self) -> t.Optional[t.Dict[str, t.Any]]:
        job = _detached.status(job_folder(self.options["state_path"]))
        if job is None:
            return None
        ago = None if job.ended_at is None else max(0, int(time.time() - job.ended_at))
        return {"running": job.running, "exit_code": job.exit_code, "ended_seconds_ago": ago}

    def storage(self) -> t.List[str]:
        try:
            names = sorted(set(os.listdir(self.options["storage_path"])) - {"logs", "lost+found"})
        except OSError:
            return []  # what it is instead, or that it is missing, is said by try_storage
        return names[:MAX_STORAGE_NAMES]

    def state_path_mode(self) -> t.Optional[str]:
        try:
            return "{:04o}".format(stat.S_IMODE(os.stat(self.options["state_path"]).st_mode))
        except OSError:
            return None  # what it is instead is said by try_state_path

    def try_state_path(self) -> None:
        problem = _detached.place_problem(job_folder(self.options["state_path"]))
        if problem:
            self.problems.append(f"{problem}: name a folder that only root can write to (ece_host_state_path).")

    def try_plain_docker(self, user: pwd.struct_passwd, answers: bool) -> None:
        """The installer runs plain `docker ps`, also with Podman, and ends with 4 where that fails, but for --force.

        `answers`: whether the engine does, by its socket. A Docker that does not has been told of.
        """
        code, said = self.run(user, "docker", "ps")
        if code != 0 and (answers or self.options["container_engine"] != "docker"):
            what = f"The user {user.pw_name} cannot run plain `docker ps`, which the installer does ({_short(said)})"
            if "--force" in self.options["extra_args"]:
                self.module.warn(what + ": it goes on because of --force.")
            else:
                self.problems.append(
                    what + ": set the engine up as Elastic's guide says (with Podman, that is a docker command and the "
                    "socket at /var/run/docker.sock), or add --force to ece_host_extra_args."
                )
        if (
            self.options["container_engine"] == "docker"
            and "podman" in self.run(user, "docker", "--version")[1].lower()
        ):
            self.problems.append("`docker` is Podman on this host: set ece_host_container_engine: podman.")

    def try_storage(self, user: pwd.struct_passwd) -> None:
        path = self.options["storage_path"]
        # What is missing can be made where the next folder above can be written to.
        script = (
            'while test ! -e "$1"; do set -- "$(dirname -- "$1")"; done; test -d "$1" -a -r "$1" -a -w "$1" -a -x "$1"'
        )
        code, _said = self.run(user, "sh", "-c", script, "sh", path)
        if code != 0:
            self.problems.append(
                f"The user {user.pw_name} cannot use or make the storage path {path}: make that folder and give it to the user, or name "
                "another one (ece_host_storage_path)."
            )

    def try_policy_tools(self, user: pwd.struct_passwd) -> None:
        code, said = self.run(user, "sudo", "-n", "true")
        if code != 0:
            self.problems.append(
                f"With ece_host_selinux, the user {user.pw_name} needs sudo without a password ({_short(said)})."
            )
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
        missing = [tool for tool in POLICY_TOOLS if not shutil.which(tool, path=path)]
        if missing:
            self.problems.append(
                "With ece_host_selinux, the installer needs {}: install policycoreutils, policycoreutils-python-utils and "
                "checkpolicy.".format(", ".join(missing))
            )

    def try_address(self) -> None:
        ip = self.options["ip"]
        if not ip:
            return
        try:
            self.bind(ip, 0)
        except OSError:
            self.problems.append(
                f"{ip} is no address of this host: set ece_host_ip to the one that it is to have in ECE."
            )

    def try_ports(self) -> None:
        for port in PORTS:
            try:
                self.bind("", port)  # at all addresses, where the container engine publishes it
            except OSError:
                self.problems.append(
                    f"Port {port} is in use, and ECE needs it: find out by what (ss -ltnp) and end it."
                )

    def bind(self, address: str, port: int) -> None:
        """Raises OSError where that cannot be."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            # Nothing listens, so two looks on one machine do not disturb each other; who listens is found all the same.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((address, port))

    def warn_about_the_network(self) -> None:
        host = self.options["coordinator_host"]
        if host:
            try:
                socket.create_connection((host, COORDINATOR_PORT), CONNECT_SECONDS).close()
            # A name with an empty or too long label is no name: UnicodeError.
            except (OSError, UnicodeError) as error:
                self.module.warn(
                    f"Port {COORDINATOR_PORT} of {host} is out of reach ({error}): the host needs ports 22191 to 22195 of the coordinators."
                )
        if self.run(pwd.getpwuid(os.geteuid()), "systemctl", "is-active", "--quiet", "firewalld")[0] == 0:
            self.module.warn("firewalld is active: it has to let ECE's ports through, and the container engine's.")


def _short(text: str) -> str:
    return (text.splitlines() or [""])[-1][:200]


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    look = Look(module)
    try:
        findings = look.findings()
    except _detached.CannotStart as error:
        module.fail_json(f"The host could not be looked at: {error}.")
    module.exit_json(changed=False, problems=look.problems, findings=findings)


if __name__ == "__main__":
    main()
