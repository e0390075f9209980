# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the container engine's CLI on a test host, as `docker` or, by another name, as `podman-remote`.

It plays what ECE's installer and those who look after it use: ps, version, pull, rm, start, stop, and `run` of the
installation image, which enrols the host in the simulator. `testbed.engine.install` puts it onto a host, without this
package: Python 3.6, standard library only.

The folder that it lies in holds its state: `about.json` (see ABOUT), `settings.json` (see DEFAULTS), `containers/`
(a file for each; its content is the state), `runs.jsonl` (what `run` was called with), and `release`, where a run that
is held may go on. A roles token is in none of them.
"""

import fcntl
import json
import os
import re
import stat
import sys
import time
import typing as t
import zlib

FOLDER = os.path.dirname(os.path.realpath(__file__))
# What it is
ABOUT = {
    "control_url": "",  # the simulator's control interface, as it is reached from here: http://... or unix:PATH
    "docker_version": "27.0.3",
    "podman_version": "4.9.4",
}
# What it does
DEFAULTS: "dict[str, t.Any]" = {
    "down": False,  # the engine does not run
    "podman": False,  # `docker` is really Podman
    "plain_docker_fails": False,  # `docker` without -H finds no engine
    "hold": False,  # `run` goes on only when the file `release` is there
    "slow_seconds": 0,  # how long `run` takes
    "says": [],  # lines that `run` prints as well
    "echo_token": False,  # `run` prints its token
    "exit_code": 0,  # what `run` fails with: the host does not join, and what the image has begun stays there
    "join": True,  # false: `run` ends well, but the host is not listed
    "connected": True,  # how the host is listed
    "healthy": True,
}
DEFAULT_SOCKET = "/var/run/docker.sock"
INSTALLER = "elastic-cloud-enterprise-installer"
RUNNER = "frc-runners-runner"
SERVICES = {
    "allocator": "frc-allocators-allocator",
    "coordinator": "frc-coordinators-coordinator",
    "director": "frc-directors-director",
    "proxy": "frc-proxies-proxyv2",
}
TOKEN = "RUNNER_ROLES_TOKEN"
# It could not run the image, which so has left nothing over.
ENGINES_OWN_CODES = (125, 126, 127)
HOLD_MAX_SECONDS = 300
POLL_SECONDS = 0.05
# The state of a container that lasts as long as the process that runs it
ATTACHED = "attached"


class Failure(Exception):
    """The command ends with this message on stderr and this exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Engine:
    """One call. `name`: docker or podman-remote."""

    def __init__(self, name: str) -> None:
        self.is_docker = name == "docker"
        self.name = name
        self.socket = ""
        self.settings = {**DEFAULTS, **_read("settings.json")}
        self.about = {**ABOUT, **_read("about.json")}

    def call(self, arguments: "list[str]") -> int:
        """Do what the command line says; the exit code."""
        if self.is_docker and self.settings["podman"]:
            print("Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.", file=sys.stderr)
        while arguments[:1] and arguments[0].startswith("-"):
            option = arguments.pop(0)
            if option in ("--version", "-v"):
                return self.tell_version()
            if option not in ("-H", "--host", "--url") or not arguments:
                raise Failure(f"unknown flag: {option}\nSee '{self.name} --help'.", 125)
            self.socket = re.sub("^unix://", "", arguments.pop(0))
        command = arguments.pop(0) if arguments else ""
        commands = {
            "ps": self.ps,
            "pull": self.pull,
            "rm": self.rm,
            "run": self.run,
            "start": lambda names: self.change("running", names),
            "stop": lambda names: self.change("exited", names),
            "version": self.version,
        }
        if command not in commands:
            raise Failure(f"{self.name}: '{command}' is not a command.\nSee '{self.name} --help'", self.failed())
        self.connect(125 if command == "run" else self.failed())
        return commands[command](arguments)

    def failed(self) -> int:
        """The exit code of a command that the engine itself could not carry out."""
        return 1 if self.is_docker else 125

    def connect(self, code: int) -> None:
        """Raises: Failure, with this code, when the engine cannot be reached the way it was asked for."""
        path = self.socket or DEFAULT_SOCKET
        if self.socket:
            reachable = os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)
            if reachable and not os.access(path, os.R_OK | os.W_OK):
                raise Failure(f"permission denied while trying to connect to the socket at unix://{path}", code)
        else:
            reachable = not self.settings["plain_docker_fails"]
        if self.settings["down"] or not reachable:
            if self.is_docker:
                message = f"Cannot connect to the Docker daemon at unix://{path}. Is the docker daemon running?"
            else:
                message = f"Error: unable to connect to Podman socket: dial unix {path}: connect: connection refused"
            raise Failure(message, code)

    # Versions and images

    def tell_version(self) -> int:
        """`--version`, which does not ask the engine."""
        if self.is_docker and not self.settings["podman"]:
            print(f"Docker version {self.about['docker_version']}, build 7d4bcd8")
        else:
            print(f"{'podman' if self.is_docker else self.name} version {self.about['podman_version']}")
        return 0

    def version(self, arguments: "list[str]") -> int:
        number = self.about["docker_version" if self.is_docker and not self.settings["podman"] else "podman_version"]
        given, _flags = _options(arguments, ("--format", "-f"))
        print(re.sub(r"\{\{.*?\}\}", number, given.get("--format", given.get("-f", "Version: {{.Version}}"))))
        return 0

    def pull(self, images: "list[str]") -> int:
        for image in images:
            print(f"Status: Image is up to date for {image}")
        return 0

    # Containers

    def ps(self, arguments: "list[str]") -> int:
        """Those that run, or all of them; `--format` with .ID, .Names, .State and .Status, `--filter status=STATE`."""
        given, flags = _options(arguments, ("--format", "--filter", "-f"))
        template = given.get("--format", "")
        if not template:
            print("CONTAINER ID   STATUS                     NAMES")
            template = "{{.ID}}   {{.Status}}   {{.Names}}"
        key, _equals, wanted = given.get("--filter", given.get("-f", "")).partition("=")
        for name, state in sorted(containers().items()):
            if wanted and key == "status":
                shown = state == wanted
            else:
                shown = state == "running" or "-a" in flags or "--all" in flags
            if shown:
                print(_fill(template, name, state))
        return 0

    def rm(self, arguments: "list[str]") -> int:
        _given, flags = _options(arguments, ())
        for name in [name for name in arguments if name not in flags]:
            if self.state(name) == "running" and not flags:
                raise Failure(f'Error response from daemon: cannot remove container "/{name}": container is running')
            os.unlink(_record(name))
            print(name)
        return 0

    def change(self, state: str, names: "list[str]") -> int:
        for name in names:
            self.state(name)
            write_container(name, state)
            print(name)
        return 0

    def state(self, name: str) -> str:
        """Raises: Failure, when there is no such container."""
        if name not in containers():
            raise Failure(f"Error response from daemon: No such container: {name}", self.failed())
        return containers()[name]

    # The installation

    def run(self, arguments: "list[str]") -> int:
        """`run`: the engine's own exit codes, until the image is started."""
        env: dict[str, str] = {}
        given: dict[str, list[str]] = {"-p": [], "-v": [], "--name": []}
        while arguments[:1] and arguments[0].startswith("-"):
            option = arguments.pop(0)
            if option == "--env":
                name, _equals, value = arguments.pop(0).partition("=")
                env[name] = value
            elif option in given:
                given[option].append(arguments.pop(0))
            elif option not in ("--rm", "-i", "--tty"):
                raise Failure(f"unknown flag: {option}\nSee 'docker run --help'.", 125)
        names = sorted(env)
        token = env.pop(TOKEN, "")
        _note(
            {
                "time": time.time(),
                "uid": os.getuid(),
                "gid": os.getgid(),
                "groups": os.getgroups(),
                "engine": self.name,
                "socket": self.socket,
                "image": arguments[:1],
                "env": env,
                "names": names,
                "ports": given["-p"],
                "volumes": given["-v"],
                "environment": sorted(os.environ),
            }
        )
        if not re.match(r"\S+/elastic-cloud-enterprise:", "".join(arguments[:1])):
            raise Failure(f"docker: Error response from daemon: pull access denied for {arguments[:1]}.", 125)
        if arguments[1:] != [INSTALLER]:
            raise Failure(f"docker: Error response from daemon: executable file not found: {arguments[1:]}.", 127)
        name = given["--name"][0]
        if name in containers():
            raise Failure(f'docker: Error response from daemon: The container name "/{name}" is already in use.', 125)
        # Locked as long as this process lives: a record that is not is left over from one that was killed.
        with open(_record(name), "w", encoding="utf-8") as record:
            fcntl.flock(record, fcntl.LOCK_EX)
            record.write(ATTACHED)
            record.flush()
            try:
                return self.install(name, env, token)
            finally:
                # As --rm does, unless `rm` did.
                if os.path.exists(record.name):
                    os.unlink(record.name)

    def install(self, name: str, env: "dict[str, str]", token: str) -> int:
        """What the installation image does; its exit code."""
        logs = os.path.join(env["HOST_STORAGE_PATH"], "logs", "bootstrap-logs")
        os.makedirs(logs, exist_ok=True)
        with open(os.path.join(logs, "bootstrap.log"), "a", encoding="utf-8") as log:

            def say(line: str) -> None:
                print(line, flush=True)
                print(line, file=log, flush=True)

            say("- Running Bootstrap container")
            if self.settings["echo_token"]:
                print(f"Bootstrap settings: {TOKEN}={token}", flush=True)
            for line in self.settings["says"]:
                say(line)
            say("- Monitoring bootstrap process")
            self.wait(name)
            try:
                if containers().get(name) != "running":
                    raise Failure("The bootstrap container was ended", 137)
                if self.settings["exit_code"]:
                    if self.settings["exit_code"] not in ENGINES_OWN_CODES:
                        os.makedirs(os.path.join(env["HOST_STORAGE_PATH"], env["HOST_IP"], "services"), exist_ok=True)
                    raise Failure("The bootstrap process ended early", self.settings["exit_code"])
                if RUNNER in containers():
                    raise Failure(f"This host has been installed already: there is a container {RUNNER}")
                roles = [role for role in env.get("RUNNER_ROLES", "").split(",") if role]
                if self.settings["join"]:
                    self.enrol(env, roles, token)
            except Failure as failure:
                say(f"Errors have caused Elastic Cloud Enterprise installation to fail: {failure}")
                raise
            for container in [RUNNER, *(SERVICES.get(role, "frc-" + role) for role in roles)]:
                write_container(container, "running")
                service = re.sub("^frc-", "", container)
                os.makedirs(os.path.join(env["HOST_STORAGE_PATH"], env["HOST_IP"], "services", service), exist_ok=True)
            say("Elastic Cloud Enterprise installation completed successfully")
        return 0

    def wait(self, name: str) -> None:
        """As long as it takes, or until the container was stopped or removed."""
        release = os.path.join(FOLDER, "release")
        hold = self.settings["hold"]
        end = time.monotonic() + (HOLD_MAX_SECONDS if hold else self.settings["slow_seconds"])
        while time.monotonic() < end and not (hold and os.path.exists(release)):
            if containers().get(name) != "running":
                return
            time.sleep(POLL_SECONDS)

    def enrol(self, env: "dict[str, str]", roles: "list[str]", token: str) -> None:
        """Raises: Failure, when the installation refuses the token or cannot be reached."""
        runner = {
            "token": token,
            "runner_id": env.get("RUNNER_ID") or env["HOST_IP"],
            "host_ip": env["HOST_IP"],
            "roles": roles,
            "version": env["CLOUD_ENTERPRISE_VERSION"],
            "public_hostname": (env.get("RUNNER_EXTERNAL_HOSTNAME") or env["HOST_IP"]).split(",")[0],
            "connected": self.settings["connected"],
            "healthy": self.settings["healthy"],
        }
        if env.get("AVAILABILITY_ZONE"):
            runner["zone"] = env["AVAILABILITY_ZONE"]
        if env.get("CAPACITY"):
            runner["capacity_mb"] = int(env["CAPACITY"])
        for kind in ("allocator_tags", "proxy_tags"):
            runner[kind] = dict(pair.split(":") for pair in env.get(kind.upper(), "").split(",") if pair)
        try:
            status, answer = ask(self.about["control_url"], "/enrol", runner)
        except OSError as error:
            raise Failure(f"The coordinator cannot be reached: {error}") from error
        if status != 200:
            raise Failure(f"The roles token was refused: {answer['error']}")


def ask(url: str, path: str, body: "dict[str, t.Any]") -> "tuple[int, dict[str, t.Any]]":
    """The status and content of the reply of a control interface. Raises OSError, when there is none."""
    # Only where they are needed: importing them takes longer than all that other commands do.
    import http.client
    import socket

    kind, _colon, place = url.partition(":")
    connection = http.client.HTTPConnection("localhost" if kind == "unix" else place.strip("/"), timeout=30)
    try:
        if kind == "unix":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(30)
            connection.sock.connect(place)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read().decode())
    finally:
        connection.close()


def containers() -> "dict[str, str]":
    """The state of each container, running or exited, by its name."""
    states = {}
    for name in os.listdir(os.path.join(FOLDER, "containers")):
        try:
            with open(_record(name), encoding="utf-8") as record:
                states[name] = record.read()
                if states[name] in (ATTACHED, ""):
                    fcntl.flock(record, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    del states[name]
        except BlockingIOError:
            states[name] = "running"
        except FileNotFoundError:
            pass  # it went meanwhile
    return states


def write_container(name: str, state: str) -> None:
    """Whole, at once: others may look at any time."""
    fresh = os.path.join(FOLDER, f"{name}.new")
    with open(fresh, "w", encoding="utf-8") as record:
        record.write(state)
    os.replace(fresh, _record(name))


def _read(name: str) -> "dict[str, t.Any]":
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return dict(json.load(file))


def _record(name: str) -> str:
    return os.path.join(FOLDER, "containers", name)


def _note(entry: "dict[str, object]") -> None:
    with open(os.path.join(FOLDER, "runs.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _fill(template: str, name: str, state: str) -> str:
    """A line of `ps` by a template of Go's."""
    values = {
        "ID": f"{zlib.crc32(name.encode()):012x}",
        "Names": name,
        "State": state,
        "Status": "Up 5 minutes" if state == "running" else "Exited (0) 5 minutes ago",
    }
    line = re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda match: values.get(match.group(1), "<no value>"), template)
    return line.replace("\\t", "\t")


def _options(arguments: "list[str]", with_value: "tuple[str, ...]") -> "tuple[dict[str, str], list[str]]":
    """The options that have a value, and the flags, of a command line."""
    given, flags = {}, []
    queue = list(arguments)
    while queue:
        name, equals, value = queue.pop(0).partition("=")
        if name in with_value:
            given[name] = value if equals else queue.pop(0)
        elif name.startswith("-"):
            flags.append(name)
    return given, flags


def main(arguments: "list[str]") -> int:
    """The exit code of the command line."""
    try:
        return Engine(os.path.basename(arguments[0])).call(arguments[1:])
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
