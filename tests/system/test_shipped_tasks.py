# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All tasks that are shipped are read, those of the role, the playbooks, the examples and the documentation: each that
can return a token, or hands one on, has `no_log`, and each that carries a credential is pipelined."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from tooling import documents

COLLECTION = Path(os.environ["TESTBED_COLLECTIONS_PATH"]) / "ansible_collections" / "eceops" / "platform"
FULL = "eceops.platform."
ROLE = COLLECTION / "roles/ece_host/tasks"
DOCUMENTS = [COLLECTION / "README.md", COLLECTION / "roles/ece_host/README.md"]
DOCUMENTS += sorted(COLLECTION.glob("docs/docsite/rst/*.rst"))
ON_HOSTS = {"ece_installer", "ece_installer_info"}
API_MODULES = set(yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]["ece"])
NESTED = ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always")
FOLLOWED = {"ansible.builtin.import_tasks": True, "ansible.builtin.include_tasks": False}
# An expression that gives a token, or all variables of the role, a token and the API's password among them; not one
# that reads what a token says about itself.
SECRET = re.compile(
    r"\.token\b(?! \| eceops\.platform\.roles_token_claims)|attribute='token'|\bece_rotated_token\b"
    r"|\bece_host_roles_token\b|'\^ece_host_'|\b_ece_host_arguments \|"
)
# What needs no host, and so no file there
CONTROLLERS_OWN = {f"ansible.builtin.{name}" for name in ("debug", "fail", "set_fact")}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def inherit(outer, item, keywords=("no_log", "module_defaults", "environment", "async")):
    """What the tasks in it get, and a task has: the innermost counts, of variables and module defaults each one's."""
    own = {**outer, **{name: item[name] for name in keywords if name in item}}
    for name in ("vars", "module_defaults"):
        own[name] = {**outer.get(name, {}), **item.get(name, {})}
    return own


def tasks_of(items, folder, outer=None):
    """Every task of a list of plays, blocks and tasks, with its keywords as they are inherited, and in `own` as they
    stand; the tasks of a file that is imported or included, too."""
    for item in items:
        inherited = inherit(outer or {}, item)
        nested = [item[name] for name in NESTED if name in item]
        for deeper in nested:
            yield from tasks_of(deeper, folder, inherited)
        if not nested and not set(FOLLOWED) & set(item):
            yield {**item, **inherited, "own": item}
        for action, imported in FOLLOWED.items():
            if action in item:
                options = item[action] if isinstance(item[action], dict) else {"file": item[action]}
                # A keyword of an include is its own, but for the variables.
                given = inherited if imported else inherit({**(outer or {}), "vars": inherited["vars"]}, {})
                path = folder / re.search(r"[\w/]+\.yml", options["file"])[0]
                yield from tasks_of(load(path), path.parent, inherit(given, options.get("apply", {})))


def sources():
    """All lists of plays and tasks: where each stands, its folder, and the list."""
    entries = [path for path in ROLE.glob("*.yml") if path.name in ("main.yml", "fleet.yml", "fleet_outcome.yml")]
    for path in sorted([*entries, *COLLECTION.glob("playbooks/*.yml"), *COLLECTION.glob("examples/*.yml")]):
        yield path.name, path.parent, load(path)
    for path in sorted([*COLLECTION.glob("plugins/modules/*.py"), *COLLECTION.glob("plugins/filter/*.py")]):
        examples = path.read_text(encoding="utf-8").partition('EXAMPLES = r"""')[2].partition('"""')[0]
        yield path.name, path.parent, yaml.safe_load(examples)
    for path in DOCUMENTS:
        for block in documents.read(path):
            if block.language == documents.YAML:
                yield path.name, path.parent, yaml.safe_load(block.text)


def by_name(named):
    """The tasks by their names; a further one of the same name by `NAME (2)`, and so on."""
    tasks = {}
    for name, task in named:
        same = sum(1 for other in tasks if other.partition(" (")[0] == name)
        tasks[f"{name} ({same + 1})" if same else name] = task
    return tasks


TASKS = by_name(
    (f"{place}: {task.get('name')}", task)
    for place, folder, content in sources()
    if isinstance(content, list)
    for task in tasks_of(content, folder)
)


def action_of(task):
    (action,) = [name for name in task["own"] if "." in name] or [None]
    return action


def gives_a_token(task):
    """Whether it returns one, or its arguments are made of one. Those of ece_installer are masked by Ansible."""
    action = action_of(task)
    if action == f"{FULL}ece_roles_token":
        return task[action].get("state", "present") == "present"
    own = {name: task["own"].get(name) for name in (action, "loop", "vars")}
    expressions = re.findall(r"\{\{.*?\}\}", json.dumps(own), re.DOTALL)
    return action != f"{FULL}ece_installer" and any(SECRET.search(expression) for expression in expressions)


def carries_a_credential(task):
    action = action_of(task)
    options = task.get(action) or {}
    if action and action.removeprefix(FULL) in API_MODULES:
        return f"group/{FULL}ece" in task["module_defaults"] or {"password", "api_key", "token"} & set(options)
    if action == f"{FULL}ece_installer":
        return "roles_token" in options
    return action not in CONTROLLERS_OWN and gives_a_token(task)


SECRET_TASKS = {name: task for name, task in TASKS.items() if gives_a_token(task)}
CREDENTIAL_TASKS = {name: task for name, task in TASKS.items() if carries_a_credential(task)}


def test_all_are_read():
    read = {path.name for path in ROLE.glob("*.yml")}
    named = {task["name"] for path in ROLE.glob("*.yml") for task in flat(load(path))}
    assert len(read) > 10
    seen = {name.partition(": ")[2] for name in TASKS}
    assert named - seen == set()
    modules = {path.stem for path in COLLECTION.glob("plugins/modules/*.py")}
    assert modules - ON_HOSTS == API_MODULES
    assert {action_of(task) for task in TASKS.values()} >= {FULL + module for module in modules}


def flat(items):
    """The tasks of one file."""
    for item in items:
        nested = [item[name] for name in NESTED if name in item]
        yield from [task for deeper in nested for task in flat(deeper)]
        if not nested and not set(FOLLOWED) & set(item):
            yield item


def test_those_that_are_known_to_are_seen_to_give_a_token():
    assert set(SECRET_TASKS) >= {
        "main.yml: Take the variables as they are for each host",
        "main.yml: Take its default IPv4 address",
        "main.yml: Mint a token for each set of roles",
        "main.yml: Keep the tokens for the next batch",
        "rotate_token.yml: Mint the new token",
        "rotate_token.yml: Write the token to a file",
        "ephemeral_token.yml: Mint a token that lives half an hour",
        "ephemeral_token.yml: Keep it as long as it is good for ten minutes more",
        "persistent_token.yml: Make sure that the token in the file is listed, or mint one",
        "persistent_token.yml: Write a new token to the file",
        "ece_roles_token.py: Mint an ephemeral token that lives half an hour",
        "README.md: Mint a token that lives half an hour",
        "guide_tokens.rst: Store the token encrypted, as ansible-vault does",
    }


def test_those_that_are_known_to_are_seen_to_carry_a_credential():
    assert set(CREDENTIAL_TASKS) >= {
        "main.yml: List the runners",
        "fleet.yml: List the runners",
        "main.yml: Ask for the version that hosts are to join with",
        "main.yml: Delete the old runner of a host that was rebuilt",
        "main.yml: Mint a token for each set of roles",
        "main.yml: Start the installer",
        "main.yml: Wait for the runners",
        "rotate_token.yml: Ask whether the old tokens may be revoked",
        "rotate_token.yml: Mint the new token",
        "rotate_token.yml: Write the token to a file",
        "rotate_token.yml: Revoke the old tokens",
        "revoke_tokens.yml: List all tokens",
        "revoke_tokens.yml: Revoke the tokens",
        "persistent_token.yml: Write a new token to the file",
        "ece_installer.py: Start the installer",
        "README.md: Mint a token that lives half an hour",
        "guide_tokens.rst: List the tokens",
    }


@pytest.mark.parametrize("name", SECRET_TASKS)
def test_a_task_that_gives_a_token_hides_it(name):
    assert SECRET_TASKS[name]["no_log"] is True


# A file for rotate_token, which includes it with pipelining
INCLUDED = "guide_tokens.rst: Store the token encrypted, as ansible-vault does"


@pytest.mark.parametrize("name", sorted(set(CREDENTIAL_TASKS) - {INCLUDED}))
def test_a_task_that_carries_a_credential_is_pipelined(name):
    task = CREDENTIAL_TASKS[name]
    assert task["vars"]["ansible_pipelining"] is True
    assert task["vars"]["ansible_ssh_pipelining"] is True
    assert "async" not in task  # it writes a module's arguments to a file
    assert "environment" not in task  # it is shown at -vvv


def test_no_command_line_of_the_documentation_holds_a_credential():
    commands = [command for path in DOCUMENTS for block in documents.read(path) for command in block.commands]
    assert len(commands) > 50
    assert [line for line in commands if re.search(r"\b(password|api_key|(?<!_)token|roles_token)=", line)] == []
