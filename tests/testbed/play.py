# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Ansible from the built collection, in a HOME of its own, and tell everything about the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import meanwhile
from .hosts import PRELOADED
from .needles import Needles
from .simulator import Simulator
from .watch import Watch

ECE_GROUP = "group/eceops.platform.ece"
PIPELINING = {"ansible_pipelining": True, "ansible_ssh_pipelining": True}
PLAYBOOK = "run/project/playbook.yml"
TIMEOUT_SECONDS = 300


@dataclass
class Result:
    """One finished run.

    ``results``: by task and host ``{host, on, task, action, status, result}``, in the order in which they came, where
    ``on`` is the host that it ran on, which ``delegate_to`` may have named, and none for what was skipped or is the
    controller's own, such as ``set_fact``; ``status`` is ok, changed, failed (ignored ones too), skipped or
    unreachable; ``callback_plugins/record.py`` says what they hold under ``no_log``. ``stats``: the recap, by host.
    ``journal``: the simulator's requests of this run. ``written``: what files stood under HOME, the temporary folder
    and the working directory, by path within the run's folder: after the run, and with ``watch`` during it; further
    contents of one path are keyed ``PATH#2`` and on. ``seconds``: how long it took. ``durations``: of each task, in
    order, its name and the seconds until its last result.
    """

    returncode: int
    stdout: str
    stderr: str
    results: list[dict[str, Any]] = field(default_factory=list)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)
    journal: list[dict[str, Any]] = field(default_factory=list)
    written: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0
    durations: list[tuple[str, float]] = field(default_factory=list)

    def read(self, record: Path) -> None:
        """Take ``results``, ``stats`` and ``durations`` from what ``callback_plugins/record.py`` has written."""
        begun = None
        for line in record.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            self.stats = entry.get("stats", self.stats)
            if "begins" in entry:
                begun = entry["at"]
                self.durations.append((entry["begins"], 0))
            if "result" in entry:
                self.results.append(entry)
                # A scenario's record may begin in the middle of a playbook.
                if begun is not None:
                    self.durations[-1] = (self.durations[-1][0], entry["at"] - begun)

    @property
    def last(self) -> dict[str, Any]:
        """The last task's result.

        Raises:
            LookupError: when no task ran; the message holds the output.
        """
        if not self.results:
            raise LookupError(f"no task ran:\n{self.stdout}\n{self.stderr}")
        return dict(self.results[-1]["result"])

    @property
    def operations(self) -> list[str | None]:
        """The operations that were asked of the simulator, in order."""
        return [entry["operation"] for entry in self.journal]

    @property
    def failures(self) -> dict[str, str]:
        """By host, what the last of its tasks that failed said."""
        return {entry["host"]: entry["result"]["msg"] for entry in self.results if entry["status"] == "failed"}

    def executed_on(self, host: str) -> list[str]:
        """The names of the tasks that were run on a host, in order, those of other hosts among them."""
        return [entry["task"].rpartition(" : ")[2] for entry in self.results if entry["on"] == host]

    @property
    def said(self) -> str:
        """All that stands in the output, its lines joined."""
        return " ".join((self.stdout + self.stderr).split())

    def find(self, secrets: list[str]) -> list[str]:
        """Where a secret stands, plainly, URL-encoded or in base64: ``stdout``, ``stderr`` and paths of ``written``.
        Packed modules are looked into. A place never holds the secret itself."""
        places = {"stdout": self.stdout.encode(), "stderr": self.stderr.encode(), **self.written}
        needles = Needles(secrets)
        found = (name.partition("#")[0] for name, content in places.items() if needles.are_in(content))
        return list(dict.fromkeys(found))


class Runner:
    """Runs Ansible command lines with the collections of ``collections_path`` and no others."""

    def __init__(
        self,
        collections_path: Path,
        simulator: Simulator,
        timeout_seconds: float = TIMEOUT_SECONDS,
        shortcuts: bool = True,
    ) -> None:
        """``shortcuts``: whether what Ansible's processes make anew each time is kept from one run to the next, which
        changes nothing but the time that it takes. Who measures that does without."""
        self.collections_path = collections_path
        self.simulator = simulator
        self.timeout_seconds = timeout_seconds
        self.shortcuts = shortcuts
        self._process: subprocess.Popen[str] | None = None

    def play(
        self,
        plays: list[dict[str, Any]] | str | Path,
        *args: str,
        extra_vars: dict[str, Any] | None = None,
        check: bool = False,
        inventory: dict[str, Any] | str | Path | None = None,
        env: dict[str, str] | None = None,
        verbosity: int = 0,
        watch: bool = False,
    ) -> Result:
        """Run a playbook: plays as data, or an absolute path, or a full name (``eceops.platform.add_hosts``).

        ``ece_api`` is an extra variable of every run, unless ``extra_vars`` brings another. ``inventory``: data or an
        absolute path; none: an empty one. ``watch``: also catch files that only live during the run.

        Raises:
            subprocess.TimeoutExpired: when it takes too long.
        """
        options = [*args, *(["--check"] if check else []), *(["-" + "v" * verbosity] if verbosity else [])]
        variables = {"ece_api": self.simulator.ece_api, **(extra_vars or {})}
        with _Folder.temporary() as folder:
            if inventory is None or isinstance(inventory, dict):
                inventory = folder.write("inventory.yml", inventory or {"all": {"hosts": {}}})
            command = ["ansible-playbook", f"--inventory={inventory}"]
            command += [f"--extra-vars=@{folder.write('variables.json', variables)}", *options]
            # Ansible's local connection works where the playbook is.
            command.append(str(plays) if isinstance(plays, (str, Path)) else folder.write(PLAYBOOK, plays))
            return self._run(folder, command, env, watch)

    def tasks(self, tasks: list[dict[str, Any]], *args: str, pipelining: bool = True, **kwargs: Any) -> Result:
        """Run tasks on localhost, with the connection's options as module defaults; ``kwargs`` as for ``play``."""
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": PIPELINING if pipelining else {},
            "module_defaults": {ECE_GROUP: "{{ ece_api }}"},
            "tasks": tasks,
        }
        return self.play([play], *args, **kwargs)

    def command(self, command: list[str], env: dict[str, str] | None = None, watch: bool = False) -> Result:
        """Run any command of this interpreter's environment (``ansible``, ``ansible-doc``, ...); see ``play``."""
        with _Folder.temporary() as folder:
            return self._run(folder, command, env, watch)

    @contextmanager
    def place(self) -> Iterator[tuple[Path, dict[str, str]]]:
        """A new folder, with ``home`` and ``project`` in it, and the environment of commands that follow one another
        there."""
        with _Folder.temporary() as folder:
            yield folder.run, {**self._environment(folder), **self._kept()}

    def kill(self) -> None:
        """Kill the run that another thread waits for, as if the controller had died; its exit code is -9."""
        if self._process:
            meanwhile.kill(self._process.pid)

    def _run(self, folder: _Folder, command: list[str], env: dict[str, str] | None, watch: bool) -> Result:
        seen = len(self.simulator.journal())
        with Watch(folder.run, during=watch) as watcher:
            # One that is watched shows what Ansible itself writes.
            kept = self._kept(packed=not watch) if self.shortcuts else {}
            variables = {**self._environment(folder), **kept, **(env or {})}
            begin = time.monotonic()
            process = self._execute(command, folder.run / "project", variables)
            seconds = time.monotonic() - begin
        written = watcher.contents()
        written.pop(PLAYBOOK.removeprefix("run/"), None)  # ours, not Ansible's
        result = Result(process.returncode, process.stdout, process.stderr, written=written, seconds=seconds)
        result.read(folder.record)
        result.journal = self.simulator.journal()[seen:]
        return result

    def _execute(self, command: list[str], directory: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run to the end, or to the end of the time; then everything that it started ends with it."""
        with subprocess.Popen(
            command,
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            self._process = process
            try:
                stdout, stderr = process.communicate(timeout=self.timeout_seconds)
            except BaseException:
                self.kill()
                raise
            finally:
                self._process = None
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def _keep(self, what: str) -> str:
        """The folder for what one run makes and the next ones use again: of all workers where ``TESTBED_KEPT`` is set,
        else as long as there is this simulator."""
        folder = Path(os.environ.get("TESTBED_KEPT") or self.simulator.directory) / what
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _kept(self, packed: bool = True) -> dict[str, str]:
        """The environment with which a run keeps what the next ones would make again: see ``preloaded/quick.py`` and,
        with ``packed``, ``callback_plugins/packed.py``."""
        kept = {"PYTHONPATH": str(PRELOADED), "TESTBED_COMPILED": self._keep("compiled")}
        if packed:
            kept["TESTBED_PACKED"] = self._keep(f"packed{self.collections_path.resolve()}")
        return kept

    def _environment(self, folder: _Folder) -> dict[str, str]:
        """Nothing of this machine's or user's: no proxies, no CA bundles, no Ansible settings."""
        if self.shortcuts:
            # Ansible looks a thousand times a second whether a task has ended, even where it waits for minutes.
            folder.config.write_text("[defaults]\ninternal_poll_interval = 0.01\n", encoding="utf-8")
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
            "HOME": str(folder.run / "home"),
            "TMPDIR": str(folder.run / "tmp"),
            "LANG": "C.UTF-8",
            # The defaults' ~ is the user's own home whatever HOME says. A shell expands the one, on any host, nothing
            # the other.
            "ANSIBLE_REMOTE_TMP": "$HOME/.ansible/tmp",
            "ANSIBLE_ASYNC_DIR": str(folder.run / "home" / ".ansible_async"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ANSIBLE_CONFIG": str(folder.config),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections_path),
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
            "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).with_name("connection_plugins")),
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true",  # for ad hoc commands, which load none of themselves
            "TESTBED_RECORD": str(folder.record),
            # Set where coverage is measured
            **{name: os.environ[name] for name in ("TESTBED_COVERAGE", "COVERAGE_FILE") if name in os.environ},
        }


class _Folder:
    """A run's files: what is Ansible's in ``run``, what is the testbed's beside it."""

    def __init__(self, path: Path) -> None:
        self.path, self.run = path, path / "run"
        self.record, self.config = path / "record.jsonl", path / "ansible.cfg"
        for name in ("home", "tmp", "project"):
            (self.run / name).mkdir(parents=True)
        self.record.touch()
        self.config.touch()

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[_Folder]:
        # A job that a run left behind may still write while all is removed.
        with tempfile.TemporaryDirectory(prefix="testbed-", ignore_cleanup_errors=True) as name:
            yield cls(Path(name))

    def write(self, name: str, data: Any) -> str:
        """Write data as JSON, which is YAML; the path."""
        (self.path / name).write_text(json.dumps(data), encoding="utf-8")
        return str(self.path / name)
