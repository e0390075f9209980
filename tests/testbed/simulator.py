# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running ECE simulator, and everything that a test can ask of it."""

# mypy: disable-error-code="no-any-return"
# What comes over the wire has the shapes that the docstrings tell.

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

TESTS = Path(__file__).resolve().parent.parent
START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 10


class Simulator:
    """One simulator: ``with Simulator.start(directory) as simulator: ...``.

    ``directory`` then holds ``ca.pem``, ``simulator.json``, ``simulator.log`` and ``control.sock``, by which hosts that
    are containers reach the control interface.
    """

    def __init__(self, directory: Path, process: subprocess.Popen[str] | None = None) -> None:
        described = directory / "simulator.json"
        about = json.loads(described.read_text(encoding="utf-8"))
        # When it was started: nobody was told its secrets before.
        self.since_ns = described.stat().st_mtime_ns
        self._process = process
        self.directory = directory
        self.control_url: str = about["control_url"]
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy of this machine's may come between
        self.url: str = about["url"]
        self.coordinator_host: str = about["coordinator_host"]
        self.ca_path: str = about["ca_path"]
        self.username: str = about["username"]
        self.password: str = about["password"]
        self.readonly_username: str = about["readonly_username"]
        self.readonly_password: str = about["readonly_password"]
        self.api_key: str = about["api_key"]
        self.pid: int = about["pid"]

    @classmethod
    def start(cls, directory: Path, detached: bool = False) -> Simulator:
        """Start one that ends with this process, or, ``detached``, when it is told to.

        Raises:
            RuntimeError: when it is not ready in time; the message holds its log.
        """
        directory = directory.resolve()
        directory.mkdir(parents=True, exist_ok=True)
        python = os.environ.get("SIMULATOR_PYTHON") or sys.executable
        command = [python, "-m", "simulator", "--dir", str(directory)]
        if not detached:
            command += ["--parent", str(os.getpid())]
        log = directory / "simulator.log"
        with log.open("w", encoding="utf-8") as stderr:
            process = subprocess.Popen(
                command,
                cwd=TESTS,  # not whatever this process stands in: ``-m`` looks there first
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=detached,
            )
        assert process.stdout is not None
        with process.stdout as stdout:
            if not wait([stdout.fileno()], START_TIMEOUT_SECONDS) or not stdout.readline().startswith("ready: "):
                process.kill()
                process.wait()
                raise RuntimeError(f"the simulator did not start:\n{log.read_text(encoding='utf-8')}")
        return cls(directory, process)

    @classmethod
    def attach(cls, directory: Path) -> Simulator:
        """The one that was started in ``directory`` by another process; ``stop`` ends that.

        Raises:
            LookupError: when none is running there.
        """
        try:
            simulator = cls(directory)
            running = simulator._call("GET", "/")["pid"] == simulator.pid
        except (FileNotFoundError, requests.RequestException):
            running = False
        if not running:
            raise LookupError(f"no simulator is running in {directory}")
        return simulator

    def stop(self) -> None:
        """End it, and wait until it has gone.

        Raises:
            TimeoutError: when it is still there after a while.
        """
        self._session.close()
        if self._process and self._process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            # A handle of exactly this process: its number may be another's by the time that it is used.
            handle = os.pidfd_open(self.pid)
            try:
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                if not wait([handle], STOP_TIMEOUT_SECONDS):
                    raise TimeoutError(f"the simulator (process {self.pid}) does not end")
            finally:
                os.close(handle)
        if self._process:
            self._process.wait()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def ece_api(self) -> dict[str, str]:
        """The dictionary of connection options that the playbooks call ``ece_api``."""
        return {"url": self.url, "username": self.username, "password": self.password, "ca_path": self.ca_path}

    # Observe

    def journal(self) -> list[dict[str, Any]]:
        """The requests so far: ``number``, ``at``, ``connection``, ``method``, ``path``, ``operation``, ``body``,
        ``scheme``, ``user``, ``authenticated``, ``status``, ``fault``; null where there is none. No secrets."""
        return self._call("GET", "/journal")["requests"]

    def connections_without_request(self) -> int:
        """How many connections were opened and brought no request (yet): refused handshakes, for one."""
        return self._call("GET", "/journal")["connections"]

    def violations(self) -> list[dict[str, Any]]:
        """Where the OpenAPI description was broken: ``side`` (request, reply), ``operation``, ``method``, ``path``,
        ``error``. And where the simulator itself was: ``side`` (simulator), ``error``."""
        return self._call("GET", "/violations")

    def state(self) -> dict[str, Any]:
        """``version``, ``tokens`` (the persistent ones: ``token_id``, ``roles``), ``runners`` and ``minted`` (how many
        ``ephemeral`` and ``persistent`` tokens the API gave)."""
        return self._call("GET", "/state")

    def token_ids(self) -> set[str]:
        """The ids of the persistent tokens."""
        return {token["token_id"] for token in self.state()["tokens"]}

    def secrets(self) -> dict[str, dict[str, str]]:
        """The tokens of a fresh installation, by their names in ECE's file of secrets: ``token_id``, ``token``."""
        return self._call("GET", "/secrets")

    def clock(self) -> float:
        """How many seconds the installation's clock is ahead of the true time."""
        return self._call("GET", "/clock")["offset_seconds"]

    def faults(self) -> list[dict[str, Any]]:
        """The faults that can still strike."""
        return self._call("GET", "/faults")

    # Order

    def reset(self) -> None:
        """A fresh installation: new ids and tokens, an empty journal, no faults, the true time."""
        self._call("POST", "/reset")

    def clear_journal(self) -> None:
        self._call("DELETE", "/journal")

    def set_clock(self, offset: float) -> None:
        """Let the installation's clock be ``offset`` seconds ahead of the true time."""
        self._call("PUT", "/clock", {"offset_seconds": offset})

    def fault(self, kind: str, operation: str | None = None, times: int | None = 1, **params: Any) -> None:
        """Arm a fault; kinds and parameters: ``simulator.faults.Fault``. ``times`` null: for ever."""
        self._call("POST", "/faults", {"kind": kind, "operation": operation, "times": times, **params})

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def seed_tokens(self, roles: list[str], count: int = 1, token_ids: list[str] | None = None) -> list[dict[str, str]]:
        """Add persistent tokens, as if they had always been there: ``token_id`` and ``token`` of each. Either as many
        as ``count``, or with these ids."""
        return self._call("POST", "/tokens", {"roles": roles, "count": count, "token_ids": token_ids})

    def mint_ephemeral(self, roles: list[str], validity_seconds: int) -> str:
        """An ephemeral token that somebody holds, by the installation's present clock."""
        return self._call("POST", "/tokens/ephemeral", {"roles": roles, "validity_seconds": validity_seconds})["token"]

    def revoke(self, token_id: str) -> None:
        self._call("DELETE", f"/tokens/{token_id}")

    def enrol(self, token: str, runner_id: str, **values: Any) -> dict[str, Any]:
        """Let a host join, as its installer would; ``values`` as in ``put_runner``.

        Raises:
            requests.HTTPError: 403, when the token is expired, revoked or forged.
        """
        return self._call("POST", "/enrol", {"token": token, "runner_id": runner_id, **values})

    def put_runner(self, runner_id: str, **values: Any) -> dict[str, Any]:
        """Make a runner or change one: ``roles``, ``connected``, ``healthy``, ``zone``, ``host_ip``,
        ``public_hostname``, ``version``, ``instances`` (of its allocator), ``capacity_mb``, ``allocator_tags``,
        ``proxy_tags``."""
        return self._call("PUT", f"/runners/{runner_id}", values)

    def remove_runner(self, runner_id: str) -> None:
        """Take a runner off the list, connected or not."""
        self._call("DELETE", f"/runners/{runner_id}")

    def settings(self, **values: Any) -> None:
        """``version``; ``api_key_expiration``: the raw value of the reply's header, null for none; ``checked``: whether
        what is sent is held against the OpenAPI description, which those do without who measure."""
        self._call("PUT", "/settings", values)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._session.request(method, self.control_url + path, json=body, timeout=30)
        if not response.ok:
            raise requests.HTTPError(f"{method} {path}: {response.status_code} {response.text}", response=response)
        return response.json()
