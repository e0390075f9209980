#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: ece_installer
short_description: Run the installer of Elastic Cloud Enterprise on a host, detached
version_added: 0.1.0
description:
  - Starts the installer of Elastic Cloud Enterprise (ECE) on a host, and waits for its end.
  - It runs detached. It outlives the connection and Ansible, and is never started while it is running.
  - It is not made to be run again on a host that has joined. The role P(eceops.platform.ece_host#role) finds out first.
  - Run it as root, which becomes O(install_user) in the installer's process, or as that user. Become with pipelining is needed, for
    otherwise Ansible writes the token to a file.
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes.host_module
  - eceops.platform._attributes
attributes:
  action:
    description: Has an action plugin of the same name, which waits on the controller's side. So a poll prints no line, and a
      connection that drops is no failure.
    support: full
  async:
    description: Can be used with the C(async) keyword, which writes a module's arguments to a file, the token among them.
    support: none
  check_mode:
    support: full
    details:
      - With O(state=started), says whether it would be started. With O(state=finished), does not wait.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - With O(state=started), an installer that has ended is started again.
requirements:
  - Python 3.6 or later on the host
options:
  state:
    description:
      - V(started) starts the installer, unless it is running.
      - V(finished) waits until it has ended, and fails where it did not end well.
    type: str
    choices: [started, finished]
    required: true
  wait_timeout:
    description: How long O(state=finished) waits, in seconds. An installer that takes longer is left running.
    type: int
    default: 1800
  installer:
    description: Path of the installer's script on the host. Required to start it.
    type: path
  roles_token:
    description: The roles token that the host joins with. Required to start it, but for check mode.
    type: str
  coordinator_host:
    description: Name or address of a coordinator. Required to start it.
    type: str
  roles:
    description: Roles that the host gets.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
    default: []
  availability_zone:
    description: Availability zone of the host.
    type: str
  version:
    description: Version of ECE to install, the one that the installation runs.
    type: str
  runner_id:
    description: Id of the host in the installation.
    type: str
  ip:
    description: Address of the host in the installation.
    type: str
  external_hostname:
    description: Names for the host's certificate.
    type: list
    elements: str
    default: []
  capacity:
    description: Memory that an allocator offers, in MB, at least 8192.
    type: int
  memory_settings:
    description: Java heaps of ECE's services, by service.
    type: dict
    default: {}
  allocator_tags:
    description: Tags of an allocator, by their names.
    type: dict
    default: {}
  proxy_tags:
    description: Tags of a proxy, by their names.
    type: dict
    default: {}
  storage_path:
    description: Folder that ECE keeps its data in.
    type: path
    default: /mnt/data/elastic
  install_user:
    description: User that runs the installer.
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
    description: Whether the installer sets SELinux up, with Podman only.
    type: bool
    default: false
  docker_registry:
    description: Registry that ECE's images come from.
    type: str
  docker_repository:
    description: Repository in the registry that ECE's images come from.
    type: str
  timeout_factor:
    description: Factor that the installer's own time-outs are multiplied by.
    type: float
  extra_args:
    description: More flags of the installer. Each value follows its flag as an element of its own.
    type: list
    elements: str
    default: []
  state_path:
    description: Folder on the host for the installer's log, its outcome, and its arguments without the token.
    type: path
    default: /var/lib/eceops
seealso:
  - module: eceops.platform.ece_installer_info
"""

EXAMPLES = r"""
- name: Start the installer
  eceops.platform.ece_installer:
    state: started
    installer: /var/lib/eceops/elastic-cloud-enterprise.sh
    coordinator_host: coordinator.example.com
    roles: [allocator]
    version: 4.2.0
    roles_token: "{{ allocator_token.token }}"
  become: true
  vars:
    ansible_pipelining: true
    ansible_ssh_pipelining: true

- name: Wait until it has ended
  eceops.platform.ece_installer:
    state: finished
  become: true
"""

RETURN = r"""
finished:
  description: Whether the installer has ended. With O(state=started), V(false).
  returned: success, and when it did not end well
  type: bool
  sample: true
exit_code:
  description: Its exit code, or that of the container engine that it ends in. V(null) while it is running, and where it ended without a trace.
  returned: success, and when it did not end well
  type: int
  sample: 0
meaning:
  description: What the exit code means, and what to do next.
  returned: success, and when it did not end well
  type: str
  sample: The installer has ended well.
log_tail:
  description: The last lines of what it said, without secrets.
  returned: success, and when it did not end well
  type: list
  elements: str
  sample: [The host has joined.]
command:
  description: The command line, without the token.
  returned: with O(state=started)
  type: list
  elements: str
  sample: [bash, /var/lib/eceops/elastic-cloud-enterprise.sh, install, --roles-token, (secret)]
"""

import json
import os
import pwd
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.eceops.platform.plugins.module_utils import _detached
from ansible_collections.eceops.platform.plugins.module_utils._installer import (
    MASK,
    NOT_PIPELINED,
    argument_problems,
    command,
    environment,
    is_pipelined,
    job_folder,
    meaning,
    redact,
)
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES

ARGUMENTS: t.Dict[str, t.Dict[str, t.Any]] = {
    "coordinator_host": {"type": "str"},
    "roles": {
        "type": "list",
        "elements": "str",
        "choices": list(ROLES),
        "default": [],
    },
    "availability_zone": {"type": "str"},
    "version": {"type": "str"},
    "runner_id": {"type": "str"},
    "ip": {"type": "str"},
    "external_hostname": {"type": "list", "elements": "str", "default": []},
    "capacity": {"type": "int"},
    "memory_settings": {"type": "dict", "default": {}},
    "allocator_tags": {"type": "dict", "default": {}},
    "proxy_tags": {"type": "dict", "default": {}},
    "storage_path": {"type": "path", "default": "/mnt/data/elastic"},
    "install_user": {"type": "str", "default": "elastic"},
    "container_engine": {"type": "str", "choices": ["docker", "podman"], "default": "docker"},
    "engine_socket": {"type": "path", "default": "/var/run/docker.sock"},
    "selinux": {"type": "bool", "default": False},
    "docker_registry": {"type": "str"},
    "docker_repository": {"type": "str"},
    "timeout_factor": {"type": "float"},
    "extra_args": {"type": "list", "elements": "str", "default": []},
    "state_path": {"type": "path", "default": "/var/lib/eceops"},
}
OPTIONS = dict(
    ARGUMENTS,
    state={"type": "str", "choices": ["started", "finished"], "required": True},
    wait_timeout={"type": "int", "default": 1800},
    installer={"type": "path"},
    roles_token={"type": "str", "no_log": True},
)
LOG_LINES = 20


def start(module: AnsibleModule) -> t.Dict[str, t.Any]:
    """Start the installer unless it is running: the return values."""
    options = module.params
    arguments = {name: options[name] for name in ARGUMENTS}
    token = (options["roles_token"] or "").strip()
    problems = argument_problems(dict(arguments, installer=options["installer"], roles_token=token))
    required = ["installer", "coordinator_host"] + ([] if module.check_mode else ["roles_token"])
    problems += [name + " is required to start the installer." for name in required if not options[name]]
    with open("/proc/self/cmdline", "rb") as file:
        if not is_pipelined(file.read()):
            problems.append(NOT_PIPELINED)
    if problems:
        module.fail_json("The installer was not started: " + " ".join(problems))
    shown = command(arguments, options["installer"], MASK)
    folder = job_folder(options["state_path"])
    result = {"finished": False, "exit_code": None, "meaning": None, "log_tail": [], "command": shown}
    if module.check_mode:
        job = _detached.status(folder)
        return dict(result, changed=job is None or not job.running)
    try:
        user = pwd.getpwnam(options["install_user"])
        os.makedirs(options["state_path"], mode=0o755, exist_ok=True)
        started = _detached.start(
            folder,
            _detached.Job(
                command(arguments, options["installer"], token),
                environment(user, os.environ),
                user,
                lambda line: redact(line, token),
            ),
            # An upgrade must be given the same ones.
            {"arguments.json": json.dumps(dict(arguments, command=shown), indent=1, sort_keys=True)},
        )
    except KeyError:
        module.fail_json("The installer was not started: there is no user {}.".format(options["install_user"]))
    except (OSError, _detached.CannotStart) as error:
        module.fail_json(f"The installer was not started: {redact(str(error), token)}.")
    return dict(result, changed=started)


def finish(module: AnsibleModule) -> t.Dict[str, t.Any]:
    """How the installer is now: the return values. Waiting is the action plugin's."""
    options = module.params
    folder = job_folder(options["state_path"])
    job = _detached.status(folder)
    if job is None:
        module.fail_json(f"No installer was started on this host: there is no {folder}.")
    result: t.Dict[str, t.Any] = {
        "changed": False,
        "finished": not job.running,
        "exit_code": job.exit_code,
        "meaning": None if job.running else meaning(job.exit_code),
        "log_tail": _detached.tail(folder, LOG_LINES),
    }
    if not job.running and job.exit_code != 0:
        logs = "{}/logs/bootstrap-logs/bootstrap.log and {}/log".format(options["storage_path"], folder)
        said = "\n".join(result["log_tail"]) or "(nothing)"
        # One line tells the rest, for whoever repeats it.
        module.fail_json("{} Its logs: {}.\nIt said at last:\n{}".format(result["meaning"], logs, said), **result)
    return result


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    result = start(module) if module.params["state"] == "started" else finish(module)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
