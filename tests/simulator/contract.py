# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's OpenAPI description, held against each request and reply."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Request, Response
from openapi_core import OpenAPI
from openapi_core.contrib.flask import FlaskOpenAPIRequest, FlaskOpenAPIResponse
from openapi_core.exceptions import OpenAPIError


class Contract:
    """Says what is wrong with a request or a reply, in one sentence, or nothing."""

    def __init__(self) -> None:
        self._description = OpenAPI.from_file_path(str(Path(__file__).with_name("openapi.yaml")))

    def request_error(self, request: Request) -> str | None:
        return _error(lambda: self._description.validate_request(FlaskOpenAPIRequest(request)))

    def reply_error(self, request: Request, response: Response) -> str | None:
        reply = FlaskOpenAPIResponse(response)
        return _error(lambda: self._description.validate_response(FlaskOpenAPIRequest(request), reply))


def _error(check: Callable[[], None]) -> str | None:
    try:
        check()
    except OpenAPIError as error:
        cause = error.__cause__ or error
        # A schema's own sentences, where there are any, say more than what is wrapped around them.
        details = [detail.message for detail in getattr(cause, "schema_errors", ())] or [str(cause)]
        return "; ".join([str(error).partition(":")[0].removesuffix("."), *details])
    return None
