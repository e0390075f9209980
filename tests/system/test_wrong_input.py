# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrong input ends in one clear sentence, before any request is sent, and shows no secret."""

from __future__ import annotations

import json
import re

from testbed.play import PIPELINING

TOKEN_MODULE = "eceops.platform.ece_roles_token"
PASSWORD = "fake-password-in-the-wrong-place"
# Apart, since Ansible itself shows a task's `environment` at -vvv.
EC_PASS = "fake-password-in-the-environment"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIiwicm9sZXMiOltdfQ.ZmFrZQ"  # none of any installation
URL = "https://127.0.0.1:1"
ADMIN = {"username": "admin", "password": PASSWORD}
PROXY = {"roles": ["proxy"]}

# the connection (None: the simulator's), the other options, the environment, what is said
ROWS = [
    (None, {"roles": ["proxy", "master"]}, {}, "roles.*allocator.*master"),
    (None, {"roles": [TOKEN]}, {}, "roles.*allocator"),
    (
        None,
        {**PROXY, "persistent": True, "validity_seconds": 60},
        {},
        "validity_seconds goes with ephemeral tokens only",
    ),
    (None, {**PROXY, "validity_seconds": 0}, {}, "validity_seconds must be from 1 to 2147483647, not 0"),
    (None, {**PROXY, "token_ids": ["id"]}, {}, "token_ids goes with state: absent only"),
    (None, {}, {}, "state present needs roles"),
    (None, {"state": "absent"}, {}, "state absent needs token_ids or token, or roles"),
    (None, {"state": "absent", **PROXY, "token_ids": ["id"]}, {}, "roles does not go with token_ids or token"),
    (
        None,
        {"state": "absent", **PROXY, "allow_emergency": True},
        {},
        "allow_emergency goes with token_ids or token only",
    ),
    (None, {"state": "absent", "token_ids": [TOKEN]}, {}, "token_ids holds the value of a token"),
    (None, {"state": "absent", "token_ids": "id,"}, {}, "empty id"),
    (None, {"state": "absent", "token": f"{PASSWORD}.x.y"}, {}, "not a roles token"),
    (None, {"state": "absent", "token": TOKEN, "validity_seconds": "soon"}, {}, "validity_seconds"),
    ({"url": URL}, PROXY, {}, "No credentials"),
    ({"url": URL, "username": "admin"}, PROXY, {}, "username is set without password"),
    ({"url": URL, "password": PASSWORD}, PROXY, {}, "password is set without username"),
    ({"url": URL, "username": "admin"}, PROXY, {"EC_PASS": EC_PASS}, "username is set without password"),
    ({"url": URL}, PROXY, {"EC_USER": "admin"}, "EC_USER is set without EC_PASS"),
    ({"url": URL, **ADMIN, "api_key": PASSWORD}, PROXY, {}, "Both kinds of credentials"),
    ({"url": URL}, PROXY, {"EC_USER": "a", "EC_PASS": EC_PASS, "EC_API_KEY": EC_PASS}, "Both kinds of credentials"),
    ({"url": URL, "api_key": f"{PASSWORD}\nX: y"}, PROXY, {}, "api_key is blank, or holds a character"),
    (ADMIN, PROXY, {}, "set url"),
    ({"url": f"https://admin:{PASSWORD}@127.0.0.1", **ADMIN}, PROXY, {}, "url holds user information"),
    ({"url": f"https://admin:{PASSWORD}@127.0.0.1", "username": "admin"}, {"roles": ["master"]}, {}, "roles"),
    ({"url": f"https://admin:{PASSWORD}@127.0.0.1", "timeout": "long"}, PROXY, {}, "timeout"),
    (ADMIN, PROXY, {"EC_HOST": f"https://{EC_PASS}@127.0.0.1"}, "url holds user information"),
    ({"url": "http://coordinator.example.com:12400", **ADMIN}, PROXY, {}, "plain http"),
    ({"url": URL, **ADMIN, "ca_path": "/missing.pem"}, PROXY, {}, "ca_path: no certificate could be read"),
    ({"url": URL, **ADMIN, "timeout": 0}, PROXY, {}, "timeout must be more than 0"),
    ({"url": URL, **ADMIN, "retries": -1}, PROXY, {}, "retries must be from 0 to 100, not -1"),
    ({"url": URL, **ADMIN, "user": "admin"}, PROXY, {}, "Unsupported parameters.*user"),
]


def test_one_clear_sentence_no_request_and_no_secret(run, simulator, subtests):
    """All rows are tasks of one play, and subtests: a play for each would take minutes."""
    tasks = [
        {
            TOKEN_MODULE: {**(simulator.ece_api if connection is None else connection), **options},
            "environment": environ,
            "ignore_errors": True,
        }
        for connection, options, environ, _says in ROWS
    ]
    play = {"hosts": "localhost", "gather_facts": False, "vars": PIPELINING, "tasks": tasks}
    # From 2.19 on, what a module was given is returned only when asked for.
    result = run.play([play], "--diff", env={"ANSIBLE_INJECT_INVOCATION": "true"}, verbosity=3)
    assert len(result.results) == len(ROWS), result.stdout
    for entry, (*_options, says) in zip(result.results, ROWS, strict=True):
        with subtests.test(says):
            message = entry["result"]["msg"]
            assert entry["status"] == "failed"
            assert re.search(says, message), message
            assert "\n" not in message
            assert "module_args" in entry["result"]["invocation"]
    assert result.journal == []
    assert simulator.connections_without_request() == 0
    assert "Traceback" not in result.stdout + result.stderr
    assert result.find([PASSWORD, TOKEN, simulator.password]) == []
    assert EC_PASS not in json.dumps(result.results)


BROKEN_LIBRARY = [
    {"ansible.builtin.file": {"path": "{{ folder }}", "state": "directory", "mode": "0700"}},
    {
        "ansible.builtin.copy": {
            "dest": "{{ folder }}/requests.py",
            "content": "raise ImportError(name='requests')\n",
            "mode": "0600",
        }
    },
]


def without_requests(run, options):
    """Run the module where importing requests fails."""
    task = {TOKEN_MODULE: options, "environment": {"PYTHONPATH": "{{ folder }}"}}
    return run.tasks([*BROKEN_LIBRARY, task], extra_vars={"folder": "{{ lookup('env', 'HOME') }}/broken"})


def test_requests_that_is_missing_is_said(run):
    result = without_requests(run, PROXY)
    assert "requests" in result.last["msg"]
    assert "library" in result.last["msg"]
    assert "Traceback" not in result.stdout


def test_a_task_that_sends_none_does_not_need_the_library(run, simulator):
    held = simulator.mint_ephemeral(["proxy"], 3600)
    assert without_requests(run, {**PROXY, "token": held}).last["token"] == held
