# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens, passwords and API keys appear nowhere: not in the output, not in a file, not during a run, not after it."""

from __future__ import annotations

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


def test_playbooks_leave_no_secret(run, simulator, tmp_path):
    (old,) = simulator.seed_tokens(["proxy"])
    variables = {
        "ece_rotate_roles": ["proxy"],
        "ece_rotate_token_ids": [old["token_id"]],
        "ece_rotate_dest": str(tmp_path / "token"),
    }
    options = {"env": LOGGED, "verbosity": 3, "watch": True}
    rotated = run.play("eceops.platform.rotate_token", "--diff", extra_vars=variables, **options)
    revoked = run.play("eceops.platform.revoke_tokens", "--diff", extra_vars={"ece_revoke_all_except": []}, **options)
    token = (tmp_path / "token").read_text().strip()
    for result in (rotated, revoked):
        assert result.returncode == 0, result.stdout
        assert any("ansible.log" in name for name in result.written)
        assert result.find([token, simulator.password, token.partition(".")[0]]) == []


def test_the_search_would_find_them(run, simulator):
    """Without pipelining Ansible writes a module's arguments into a file: the watch must see it."""
    result = run.tasks([{"eceops.platform.ece_platform_info": {}}], pipelining=False, watch=True)
    assert result.find([simulator.password]) != []


# What is shipped: every task that can return a token hides it, every one that carries a credential is pipelined.


def tasks_of(items, inherited=None):
    """Every task of a list of plays, blocks and tasks, with what its blocks and play give it."""
    for item in items:
        own = {**(inherited or {}), **{name: item[name] for name in ("no_log",) if name in item}}
        own["vars"] = {**(inherited or {}).get("vars", {}), **item.get("vars", {})}
        nested = [item[name] for name in ("tasks", "block", "rescue", "always") if name in item]
        for deeper in nested:
            yield from tasks_of(deeper, own)
        if not nested:
            yield {**item, **own}


def shipped_tasks():
    for path in sorted(COLLECTION.glob("playbooks/**/*.yml")):
        for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield pytest.param(task, True, id=f"{path.name}: {task['name']}")
    for path in sorted([*COLLECTION.glob("plugins/modules/*.py"), *COLLECTION.glob("plugins/filter/*.py")]):
        examples = path.read_text(encoding="utf-8").partition('EXAMPLES = r"""')[2].partition('"""')[0]
        for task in tasks_of(yaml.safe_load(examples)):
            yield pytest.param(task, False, id=f"{path.name}: {task['name']}")


@pytest.mark.parametrize(("task", "playbook"), shipped_tasks())
def test_shipped_tasks_are_careful(task, playbook):
    options = task.get("eceops.platform.ece_roles_token", {})
    handles_a_token = "ece_rotated_token" in str(task) and "ansible.builtin.include_tasks" not in task
    if (options and options.get("state", "present") == "present") or handles_a_token:
        assert task.get("no_log") is True
    carries_a_credential = {"password", "api_key", "token"} & set(options) or "ece_api" in str(task)
    calls_the_api = any(f"eceops.platform.{module}" in task for module in API_MODULES)
    if carries_a_credential or (playbook and calls_the_api):
        assert task["vars"]["ansible_pipelining"] is True
        assert task["vars"]["ansible_ssh_pipelining"] is True
