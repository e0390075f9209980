# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests' own interface: put the simulator into a state, order faults, look at what happened. Plain HTTP, JSON."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import BadRequest

from .faults import Fault
from .state import Refusal
from .world import World


def create_app(world: World) -> Flask:
    """The control interface as a WSGI application; it takes the world's lock for each request."""
    app = Flask("simulator.control", static_folder=None)

    # Handlers are short and run whole under the lock.
    @app.before_request
    def lock() -> None:
        world.lock.acquire()

    @app.teardown_request
    def unlock(_error: BaseException | None) -> None:
        world.lock.release()

    @app.errorhandler(KeyError)
    @app.errorhandler(TypeError)
    @app.errorhandler(ValueError)
    def misused(error: Exception) -> tuple[dict[str, str], int]:
        return {"error": str(error)}, 400

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> tuple[dict[str, str], int]:
        return {"error": refusal.message, "code": refusal.code}, refusal.status

    @app.get("/")
    def about() -> dict[str, int]:
        return {"pid": os.getpid()}

    @app.post("/reset")
    def reset() -> dict[str, object]:
        world.reset()
        return {}

    @app.get("/journal")
    def journal() -> dict[str, object]:
        return world.journal.report()

    @app.delete("/journal")
    def clear_journal() -> dict[str, object]:
        world.journal.clear()
        return {}

    @app.get("/violations")
    def violations() -> list[dict[str, object]]:
        return world.violations

    @app.get("/clock")
    def clock() -> dict[str, float]:
        return {"offset_seconds": world.installation.clock_offset}

    @app.put("/clock")
    def set_clock() -> dict[str, object]:
        world.installation.clock_offset = float(_body()["offset_seconds"])
        return {}

    @app.get("/faults")
    def faults() -> list[dict[str, object]]:
        return world.faults.report()

    @app.post("/faults")
    def arm() -> dict[str, object]:
        world.faults.arm(Fault(**_body()))
        return {}

    @app.delete("/faults")
    def clear_faults() -> dict[str, object]:
        world.faults.clear()
        return {}

    @app.get("/state")
    def state() -> dict[str, object]:
        installation = world.installation
        return {
            "version": installation.version,
            "tokens": [{"token_id": token_id, "roles": roles} for token_id, roles in installation.tokens.items()],
            "runners": [asdict(runner) for runner in installation.runners.values()],
            "minted": installation.minted,
        }

    @app.post("/tokens")
    def seed_tokens() -> list[dict[str, str]]:
        body = _body()
        wanted = body.get("token_ids") or [None] * body["count"]
        ids = [world.installation.add_persistent(body["roles"], token_id) for token_id in wanted]
        return [{"token_id": token_id, "token": world.installation.persistent_value(token_id)} for token_id in ids]

    @app.post("/tokens/ephemeral")
    def hold_ephemeral() -> dict[str, str]:
        body = _body()
        return {"token": world.installation.ephemeral_value(body["roles"], body["validity_seconds"])}

    @app.delete("/tokens/<token_id>")
    def revoke(token_id: str) -> dict[str, object]:
        world.installation.revoke(token_id)
        return {}

    @app.get("/secrets")
    def bootstrap_secrets() -> dict[str, dict[str, str]]:
        installation = world.installation
        return {
            name: {"token_id": token_id, "token": installation.persistent_value(token_id)}
            for name, token_id in installation.bootstrap_token_ids.items()
        }

    @app.post("/enrol")
    def enrol() -> dict[str, object]:
        return asdict(world.installation.enrol(**_body()))

    @app.put("/runners/<runner_id>")
    def put_runner(runner_id: str) -> dict[str, object]:
        return asdict(world.installation.put_runner(runner_id, **_body()))

    @app.delete("/runners/<runner_id>")
    def remove_runner(runner_id: str) -> dict[str, object]:
        del world.installation.runners[world.installation.runner(runner_id).runner_id]
        return {}

    @app.put("/settings")
    def settings() -> dict[str, object]:
        body = _body()
        world.api_key_expiration = body.get("api_key_expiration", world.api_key_expiration)
        world.installation.version = body.get("version", world.installation.version)
        world.checked = bool(body.get("checked", world.checked))
        return {}

    return app


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest("an object is wanted")
    return body
