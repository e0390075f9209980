# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ECE's operations over HTTP: authentication, the contract and the shape of errors around ``state``.

An endpoint's name is the operation's id.
"""

from __future__ import annotations

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from .contract import Contract
from .credentials import identify
from .journal import masked
from .state import Refusal
from .world import World

BASE = "/api/v1"
TOKENS = f"{BASE}/platform/configuration/security/enrollment-tokens"
RUNNERS = f"{BASE}/platform/infrastructure/runners"
ALLOCATORS = f"{BASE}/platform/infrastructure/allocators"


def create_app(world: World) -> Flask:
    """The API as a WSGI application; its caller holds the world's lock."""
    app = Flask("simulator.api", static_folder=None)
    contract = Contract()

    @app.before_request
    def check_request() -> None:
        g.caller = identify(request.headers.get("Authorization"))
        if not g.caller.authenticated:
            raise Refusal(401, "root.unauthenticated", "The request is not authenticated")
        if request.url_rule is None:
            raise Refusal(404, "root.resource_not_found", "There is nothing here")
        if world.checked and (error := contract.request_error(request)):
            violate(world, "request", error)
            raise Refusal(400, "root.invalid_request", error)
        if request.method != "GET" and not g.caller.may_write:
            raise Refusal(403, "root.unauthorized.rbac", "This user may not do that")

    @app.after_request
    def check_reply(response: Response) -> Response:
        checked = world.checked and request.url_rule is not None
        if checked and (error := contract.reply_error(request, response)):
            violate(world, "reply", error)
            response = failure(Refusal(500, "simulator.violation", error))
        if g.caller.authenticated and g.caller.scheme == "apikey" and world.api_key_expiration is not None:
            response.headers["X-Elastic-Api-Key-Expiration"] = world.api_key_expiration
        return response

    app.register_error_handler(Refusal, failure)

    @app.get(f"{BASE}/platform", endpoint="get-platform")
    def get_platform() -> dict[str, object]:
        parts: dict[str, object] = {"services": [], "regions": [], "unreachable_regions": []}
        return {"version": world.installation.version, "eula_accepted": True, "phone_home_enabled": False, **parts}

    @app.get(TOKENS, endpoint="get-enrollment-tokens")
    def get_tokens() -> dict[str, object]:
        tokens = world.installation.tokens.items()
        return {"tokens": [{"token_id": token_id, "roles": roles} for token_id, roles in tokens]}

    @app.post(TOKENS, endpoint="create-enrollment-token")
    def create_token() -> dict[str, str]:
        body = request.get_json()
        return world.installation.mint(body["persistent"], body.get("roles", []), body.get("validity_in_seconds"))

    @app.delete(f"{TOKENS}/<token>", endpoint="delete-enrollment-token")
    def delete_token(token: str) -> dict[str, object]:
        world.installation.revoke(token)
        return {}

    @app.get(RUNNERS, endpoint="get-runners")
    def get_runners() -> dict[str, object]:
        return {"runners": [runner.overview() for runner in world.installation.find_runners(request.args.get("q"))]}

    @app.get(f"{RUNNERS}/<runner_id>", endpoint="get-runner")
    def get_runner(runner_id: str) -> dict[str, object]:
        return world.installation.runner(runner_id).overview()

    @app.delete(f"{RUNNERS}/<runner_id>", endpoint="delete-runner")
    def delete_runner(runner_id: str) -> dict[str, object]:
        world.installation.delete_runner(runner_id)
        return {}

    @app.get(f"{ALLOCATORS}/<allocator_id>", endpoint="get-allocator")
    def get_allocator(allocator_id: str) -> dict[str, object]:
        return world.installation.allocator(allocator_id)

    return app


def operation_of(app: Flask, method: str, path: str) -> str | None:
    """The id of the operation that a request asks for; nothing when there is none."""
    try:
        return str(app.url_map.bind("").match(path, method)[0])
    except (NotFound, MethodNotAllowed):
        return None


def failure(refusal: Refusal) -> Response:
    """ECE's error body."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    if refusal.fields:
        error["fields"] = list(refusal.fields)
    response = jsonify(errors=[error])
    response.status_code = refusal.status
    return response


def violate(world: World, side: str, error: str) -> None:
    """Note that the contract was broken, for the tests to fail on."""
    where = {"operation": request.endpoint, "method": request.method, "path": masked(request.path)}
    world.violations.append({"side": side, "error": error, **where})
