# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens, passwords and API keys appear nowhere: not in the output, not in a file, not during a run, not after it."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(os.environ["TESTBED_COLLECTIONS_PATH"]) / "ansible_collections" / "eceops" / "platform"
API_MODULES = ("ece_platform_info", "ece_roles_token", "ece_roles_token_info", "ece_runner_info")
LOGGED = {
    "ANSIBLE_LOG_PATH": "ansible.log",  # in the run's own folder, where it is searched like everything else
    "ANSIBLE_INJECT_INVOCATION": "true",  # from 2.19 on, what a module was given is returned only when asked for
}


@pytest.mark.parametrize("credentials", ["password", "api_key"])
def test_modules_leave_no_secret(run, simulator, credentials):
    held = simulator.mint_ephemeral(["proxy"], 3600)
    (seeded,) = simulator.seed_tokens(["allocator", "proxy"])
    api = {"url": simulator.url, "ca_path": simulator.ca_path}
    if credentials == "api_key":
        api["api_key"] = simulator.api_key
    else:
        api |= {"username": simulator.username, "password": simulator.password}
    token = "eceops.platform.ece_roles_token"
    result = run.tasks(
        [
            {token: {"roles": ["proxy"], "token": held}, "no_log": True, "register": "kept"},
            {token: {"roles": ["allocator"]}, "no_log": True, "register": "minted"},
            {token: {"roles": ["director"], "persistent": True}, "no_log": True, "register": "persistent"},
            {token: {"state": "absent", "token": seeded["token"]}},
            {token: {"state": "absent", "token": held}, "ignore_errors": True},
            {token: {"state": "absent", "token_ids": [seeded["token"]]}, "ignore_errors": True},
            {token: {"roles": ["proxy"], "token": held, "retries": "many"}, "ignore_errors": True},
            *[{f"eceops.platform.{module}": {}} for module in API_MODULES if module != "ece_roles_token"],
            # A digest tells this test what the tokens were, and the searched files nothing.
            {"ansible.builtin.debug": {"msg": "{{ [kept.token, minted.token, persistent.token] | map('length') }}"}},
        ],
        "--diff",
        extra_vars={"ece_api": api},
        env=LOGGED,
        verbosity=3,
        watch=True,
    )
    assert result.returncode == 0, result.stdout
    assert min(result.last["msg"]) > 100
    assert any("ansible.log" in name for name in result.written)
    assert result.find([held, seeded["token"], simulator.password, simulator.api_key]) == []
    # Any other token of this world would begin as these do.
    assert result.find([held.partition(".")[0]]) == []


def test_a_server_that_echoes_its_request_reveals_nothing(run, simulator):
    pair = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
    body = {"errors": [{"code": "echo", "message": f"Bad request: Authorization: Basic {pair}"}]}
    simulator.fault("reply", status=400, body=json.dumps(body))
    result = run.tasks([{"eceops.platform.ece_platform_info": {}, "ignore_errors": True}], verbosity=3, watch=True)
    assert "Authorization: Basic ****" in result.last["failure"]["message"]
    assert result.find([pair]) == []


def test_playbooks_leave_no_secret(run, simulator, tmp_path):
    (old,) = simulator.seed_tokens(["proxy"])
    variables = {
        "ece_rotate_roles": ["proxy"],
        "ece_rotate_token_ids": [old["token_id"]],
        "ece_rotate_dest": str(tmp_path / "token"),
    }
    options = {"env": LOGGED, "verbosity": 3, "watch": True}
    by_key = {name: simulator.ece_api[name] for name in ("url", "ca_path")} | {"api_key": simulator.api_key}
    rotated = run.play("eceops.platform.rotate_token", "--diff", extra_vars={**variables, "ece_api": by_key}, **options)
    revoked = run.play("eceops.platform.revoke_tokens", "--diff", extra_vars={"ece_revoke_all_except": []}, **options)
    token = (tmp_path / "token").read_text().strip()
    for result in (rotated, revoked):
        assert result.returncode == 0, result.stdout
        assert any("ansible.log" in name for name in result.written)
        assert result.find([token, simulator.password, simulator.api_key, token.partition(".")[0]]) == []


def test_the_search_would_find_them(run, simulator):
    """Without pipelining Ansible writes a module's arguments into a file: the watch must see it."""
    result = run.tasks([{"eceops.platform.ece_platform_info": {}}], pipelining=False, watch=True)
    assert result.find([simulator.password]) != []


# What is shipped: every task that gets or returns a token hides it, every one that carries a credential is pipelined.


INHERITED = ("no_log", "module_defaults")


def tasks_of(items, inherited=None):
    """Every task of a list of plays, blocks and tasks, with what its blocks and play give it."""
    for item in items:
        own = {**(inherited or {}), **{name: item[name] for name in INHERITED if name in item}}
        own["vars"] = {**(inherited or {}).get("vars", {}), **item.get("vars", {})}
        nested = [item[name] for name in ("tasks", "block", "rescue", "always") if name in item]
        for deeper in nested:
            yield from tasks_of(deeper, own)
        if not nested:
            yield {**item, **own}


def shipped_tasks():
    """All tasks of playbooks, examples and documentation, by where they stand."""
    for path in sorted([*COLLECTION.glob("playbooks/**/*.yml"), *COLLECTION.glob("examples/*.yml")]):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(content, list):
            yield from ((f"{path.name}: {task['name']}", task) for task in tasks_of(content))
    for path in sorted([*COLLECTION.glob("plugins/modules/*.py"), *COLLECTION.glob("plugins/filter/*.py")]):
        examples = path.read_text(encoding="utf-8").partition('EXAMPLES = r"""')[2].partition('"""')[0]
        yield from ((f"{path.name}: {task['name']}", task) for task in tasks_of(yaml.safe_load(examples)))


def handles_a_token(task):
    options = task.get("eceops.platform.ece_roles_token")
    mints = options is not None and options.get("state", "present") == "present"
    return mints or "stdin" in task.get("ansible.builtin.command", {})


def carries_a_credential(task):
    calls_the_api = any(f"eceops.platform.{module}" in task for module in API_MODULES)
    given = {"password", "api_key", "token"} & set(task.get("eceops.platform.ece_roles_token") or ())
    return (calls_the_api and ("module_defaults" in task or given)) or "stdin" in task.get(
        "ansible.builtin.command", {}
    )


def parameters(concerned):
    chosen = [pytest.param(task, id=name) for name, task in shipped_tasks() if concerned(task)]
    assert len(chosen) > 5
    return chosen


@pytest.mark.parametrize("task", parameters(handles_a_token))
def test_a_task_that_handles_a_token_hides_it(task):
    assert task["no_log"] is True


@pytest.mark.parametrize("task", parameters(carries_a_credential))
def test_a_task_that_carries_a_credential_is_pipelined(task):
    assert task["vars"]["ansible_pipelining"] is True
    assert task["vars"]["ansible_ssh_pipelining"] is True
