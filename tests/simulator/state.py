# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an ECE installation knows: its release, roles tokens, runners and the time. No HTTP."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt

ASSIGNABLE_ROLES = ("allocator", "coordinator", "director", "proxy")
# ECE lists these too; nobody assigns them.
SYSTEM_ROLES = ("beats-runner", "services-forwarder")
DEFAULT_ZONE = "ece-zone-1"
DEFAULT_VERSION = "4.2.0"
DEFAULT_VALIDITY_SECONDS = 3600


class Refusal(Exception):
    """The installation does not do it. ``status`` is HTTP's, ``code`` one of ECE's error codes."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, fields


@dataclass
class Runner:
    """A host of the installation. ``instances``: how many its allocator holds; ``capacity_mb``: the memory that this
    offers."""

    runner_id: str
    host_ip: str
    public_hostname: str
    version: str
    roles: list[str] = field(default_factory=list)
    zone: str = DEFAULT_ZONE
    connected: bool = True
    healthy: bool = True
    instances: int = 0
    capacity_mb: int = 65536
    allocator_tags: dict[str, str] = field(default_factory=dict)
    proxy_tags: dict[str, str] = field(default_factory=dict)

    def overview(self) -> dict[str, object]:
        """The shape in which the API shows it."""
        container = {"container_name": "frc-runners-runner", "container_set_name": "runners"}
        return {
            "runner_id": self.runner_id,
            "host_ip": self.host_ip,
            "public_hostname": self.public_hostname,
            "zone": self.zone,
            "roles": [{"role_name": role} for role in self.roles],
            "containers": [container],
            "connected": self.connected,
            "healthy": self.healthy,
            "build_info": {"version": self.version, "commit_hash": "0" * 40},
        }

    def allocator(self) -> dict[str, Any]:
        """The shape in which the API shows its allocator."""
        instances = [
            {
                "cluster_id": f"cluster-{number}",
                "cluster_type": "elasticsearch",
                "instance_name": f"instance-{number:010}",
                "node_memory": 1024,
            }
            for number in range(self.instances)
        ]
        return {
            "allocator_id": self.runner_id,
            "zone_id": self.zone,
            "host_ip": self.host_ip,
            "public_hostname": self.public_hostname,
            "capacity": {
                "memory": {"total": self.capacity_mb, "used": 1024 * self.instances},
                "storage": {"total": 2097152},
            },
            "settings": {},
            "instances": instances,
            "metadata": [{"key": name, "value": value} for name, value in self.allocator_tags.items()],
            "features": [],
            "external_links": [],
            "status": {"connected": self.connected, "healthy": self.healthy, "maintenance_mode": False},
        }

    def matches(self, term: str) -> bool:
        """Whether one term of a query, ``VALUE`` or ``FIELD:VALUE``, is true of it."""
        name, colon, value = term.rpartition(":")
        values = {
            "runner_id": [self.runner_id],
            "host_ip": [self.host_ip],
            "public_hostname": [self.public_hostname],
            "zone": [self.zone],
            "roles.role_name": self.roles,
            "connected": [str(self.connected).lower()],
            "healthy": [str(self.healthy).lower()],
        }
        return any(value in known for field_name, known in values.items() if not colon or field_name == name)


class Installation:
    """A fresh installation: a first host with all roles, and the three persistent tokens that every one begins with."""

    def __init__(self, version: str = DEFAULT_VERSION) -> None:
        self.version = version
        self.clock_offset = 0.0
        self.tokens: dict[str, list[str]] = {}
        self.minted = {"ephemeral": 0, "persistent": 0}
        self.runners: dict[str, Runner] = {}
        # Each installation has a key of its own: a token of another one is a forged one here.
        self._key = secrets.token_bytes(32)
        self.put_runner("192.0.2.1", roles=[*ASSIGNABLE_ROLES, *SYSTEM_ROLES], public_hostname="ece-1.example.org")
        self.bootstrap_token_ids = {
            "bootstrap_runner_roles_token": self.add_persistent([]),
            "allocator_only_token": self.add_persistent(["allocator"]),
            "emergency_all_roles_except_allocator_token": self.add_persistent(["coordinator", "proxy", "director"]),
        }

    def now(self) -> float:
        """Seconds since the epoch by the installation's clock, which tests may move."""
        return time.time() + self.clock_offset

    # Tokens

    def mint(self, persistent: bool, roles: list[str], validity_seconds: int | None = None) -> dict[str, str]:
        """What a request to mint gives: ``token``, and ``token_id`` of a persistent one.

        Raises:
            Refusal: 400, for a role that no token can hold, and for a life that a persistent token cannot have.
        """
        if unknown := sorted(set(roles) - set(ASSIGNABLE_ROLES)):
            raise _bad_request(f"Unknown roles: {', '.join(unknown)}", "roles")
        if persistent and validity_seconds is not None:
            raise _bad_request("Only an ephemeral token has a validity", "validity_in_seconds")
        self.minted["persistent" if persistent else "ephemeral"] += 1
        if persistent:
            token_id = self.add_persistent(roles)
            return {"token": self.persistent_value(token_id), "token_id": token_id}
        seconds = DEFAULT_VALIDITY_SECONDS if validity_seconds is None else validity_seconds
        return {"token": self.ephemeral_value(roles, seconds)}

    def add_persistent(self, roles: list[str], token_id: str | None = None) -> str:
        """The id of a new persistent token, as if it had been there already; none given: a random one."""
        token_id = token_id or str(uuid.uuid4())
        self.tokens[token_id] = roles
        return token_id

    def persistent_value(self, token_id: str) -> str:
        """The token itself: the same claims always give the same value, so none is kept."""
        return self._sign({"sub": token_id, "roles": self.tokens[token_id], "iss": "current", "persistent": True})

    def ephemeral_value(self, roles: list[str], validity_seconds: int) -> str:
        """A new ephemeral token."""
        exp = int(self.now()) + validity_seconds
        return self._sign({"sub": str(uuid.uuid4()), "roles": roles, "iss": "bootstrap-initial", "exp": exp})

    def revoke(self, token: str) -> None:
        """Revoke a persistent token, given by id or value.

        Raises:
            Refusal: 404, for one that is not listed; an ephemeral one never is.
        """
        claims = self._claims(token)
        if self.tokens.pop(claims["sub"] if claims else token, None) is None:
            raise Refusal(404, "enrollment_tokens.invalid_token_id", "There is no such token")

    def enrol(self, token: str, runner_id: str, **values: Any) -> Runner:
        """Let a host join. A token that is too narrow is not refused, as with ECE.

        Raises:
            Refusal: 403, for a forged, an expired or a revoked token.
        """
        claims = self._claims(token)
        if claims is None:
            raise Refusal(403, "simulator.forged", "The token is not one of this installation")
        if "exp" in claims and claims["exp"] <= self.now():
            raise Refusal(403, "simulator.expired", "The token has expired")
        if "exp" not in claims and claims["sub"] not in self.tokens:
            raise Refusal(403, "simulator.revoked", "The token has been revoked")
        return self.put_runner(runner_id, **values)

    def _sign(self, claims: dict[str, object]) -> str:
        return jwt.encode(claims, self._key, "HS256")

    def _claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that this installation signed, else nothing; expiry goes by the movable clock."""
        try:
            return jwt.decode(token, self._key, ["HS256"], options={"verify_exp": False})
        except jwt.InvalidTokenError:
            return None

    # Runners

    def put_runner(self, runner_id: str, **values: Any) -> Runner:
        """Make a runner, or change what is given of one that is there.

        Raises:
            TypeError: for a value that a runner does not have.
        """
        known = self.runners.get(runner_id)
        old = vars(known) if known else {"host_ip": runner_id, "public_hostname": runner_id, "version": self.version}
        self.runners[runner_id] = Runner(**{**old, **values, "runner_id": runner_id})
        return self.runners[runner_id]

    def runner(self, runner_id: str) -> Runner:
        """Raises: Refusal: 404, when it is not there."""
        if runner_id not in self.runners:
            raise Refusal(404, "runners.runner_not_found", f"There is no runner {runner_id}")
        return self.runners[runner_id]

    def find_runners(self, query: str | None) -> list[Runner]:
        """All runners, or those of which every term of ``query`` is true."""
        terms = [term for term in (query or "").split() if term not in ("AND", "*")]
        return [runner for runner in self.runners.values() if all(runner.matches(term) for term in terms)]

    def delete_runner(self, runner_id: str) -> None:
        """Raises: Refusal: 404 when it is not there, 400 as long as it is connected."""
        if self.runner(runner_id).connected:
            raise Refusal(400, "runners.runner_deletion_failed", f"Runner {runner_id} is connected")
        del self.runners[runner_id]

    def allocator(self, allocator_id: str) -> dict[str, Any]:
        """Raises: Refusal: 404, when no runner of that id holds the role."""
        runner = self.runners.get(allocator_id)
        if runner is None or "allocator" not in runner.roles:
            raise Refusal(404, "allocators.allocator_not_found", f"There is no allocator {allocator_id}")
        return runner.allocator()


def _bad_request(message: str, field_name: str) -> Refusal:
    return Refusal(400, "enrollment_tokens.invalid_token_request", message, (field_name,))
