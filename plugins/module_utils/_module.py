# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""AnsibleModule glue: the connection options, secrets kept out of every output, domain errors as `fail_json`."""

from __future__ import annotations

import atexit
import gc
import os
import re
import time
import typing as t
from collections.abc import Callable, Mapping

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection, read_connection
from ansible_collections.eceops.platform.plugins.module_utils._errors import EceError
from ansible_collections.eceops.platform.plugins.module_utils._token import JWT_IN_TEXT

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._client import Client

# No `fallback` for the environment: `_connection.py` reads it, for credentials only when none is given.
CONNECTION_OPTIONS: dict[str, dict[str, t.Any]] = {
    "url": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "api_key": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "allow_plain_http": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 30},
    "retries": {"type": "int", "default": 3},
}

MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

# Secrets in the wrong place: the value of a token given as an id or a role, user information in a URL.
_MISPLACED = re.compile(rf"{JWT_IN_TEXT}|(?<=://)\S*(?=@)")


def mask(value: t.Any) -> t.Any:
    """The same value, with every token and every URL's user information in its strings masked."""
    if isinstance(value, str):
        return _MISPLACED.sub(MASK, value)
    if isinstance(value, Mapping):
        return {name: mask(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(item) for item in value]
    return value


class EceModule(AnsibleModule):
    """A module with the connection options. What it says and logs of its arguments holds no secret."""

    # Set by `run_module`, as what is wrong with it is told as any error is.
    connection: Connection

    def __init__(self, options: Mapping[str, t.Any]) -> None:
        super().__init__(argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True)
        # Ansible masks what was given. The environment's are secrets, too, and so is each without space around it.
        secrets = {*self.no_log_values, *(os.environ.get(name, "") for name in ("EC_PASS", "EC_API_KEY"))}
        self.no_log_values.update(secrets, {secret.strip() for secret in secrets})
        self.no_log_values.discard("")
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """ECE's API. What it takes to ask it is loaded at the first use: who asks nothing does not pay for it."""
        if self._client is None:
            from ansible_collections.eceops.platform.plugins.module_utils._client import Client
            from ansible_collections.eceops.platform.plugins.module_utils._http import Http

            self._client = Client(Http(self.connection))
        return self._client

    def warn_about_key(self) -> None:
        """Warn where the API has said that the key with which it was asked expires soon."""
        if self._client is None or self._client.key_expiration is None:
            return
        from ansible_collections.eceops.platform.plugins.module_utils._key_expiration import key_expires_soon

        if expires := key_expires_soon(self._client.key_expiration, time.time()):
            self.warn(f"The API key expires at {expires:%Y-%m-%dT%H:%M:%SZ}: make a new one in time.")

    def log(self, msg: str, log_args: Mapping[str, t.Any] | None = None) -> None:
        super().log(mask(msg), mask(log_args))

    def warn(self, warning: str, **kwargs: t.Any) -> None:
        super().warn(mask(warning), **kwargs)

    # Both add an `invocation`, so that Ansible does not add its own: that would show a misplaced secret, also where an
    # option of a wrong type makes AnsibleModule fail before any check of ours, and a token that is handed back.

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        super().exit_json(invocation=self._invocation(), **kwargs)

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        super().fail_json(mask(msg), invocation=self._invocation(), **mask(kwargs))

    def _invocation(self) -> dict[str, t.Any]:
        return {"module_args": {name: self._shown(name, value) for name, value in self.params.items()}}

    def _shown(self, name: str, value: t.Any) -> t.Any:
        names = {
            alias: option for option, spec in self.argument_spec.items() for alias in [option, *spec.get("aliases", [])]
        }
        # A misspelt option may have been meant for a secret.
        secret = name not in names or self.argument_spec[names[name]].get("no_log")
        if value is not None and (secret or (name == "url" and "@" in str(value))):
            return MASK
        return mask(value)


def run_module(options: Mapping[str, t.Any], work: Callable[[EceModule], dict[str, t.Any]]) -> t.NoReturn:
    """Run a module: `work` gets it, with its options and its `client`, and gives what it returns."""
    # It lives for a moment, and Python looks for garbage in it for a tenth of that: while it loads, and once more, in
    # all that it has loaded, at the end. (Who waits for long turns it on again.)
    gc.disable()
    atexit.register(gc.freeze)
    module = EceModule(options)
    try:
        module.connection = read_connection(module.params, os.environ)
        if not module.connection.validate_certs:
            module.warn(
                "The API's certificate is not checked (validate_certs: false): anybody in between can read along."
            )
        # What is sent of user and password is not what was given: a server that echoes its request would show it.
        module.no_log_values.add(module.connection.authorization.partition(" ")[2])
        try:
            result = work(module)
        finally:
            module.warn_about_key()
    except EceError as error:
        module.fail_json(error.message, **error.details)
    except ImportError as error:
        import traceback

        module.fail_json(missing_required_lib(error.name or "requests"), exception=traceback.format_exc())
    module.exit_json(**result)
