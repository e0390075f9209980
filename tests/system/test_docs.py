# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `ansible-doc` shows is complete, and its examples run as they stand."""

from __future__ import annotations

import json

import pytest
import yaml

from testbed.play import ECE_GROUP

pytestmark = pytest.mark.oldest

PLUGINS = [
    ("module", "ece_installer"),
    ("module", "ece_installer_info"),
    ("module", "ece_platform_info"),
    ("module", "ece_roles_token"),
    ("module", "ece_roles_token_info"),
    ("module", "ece_runner"),
    ("module", "ece_runner_info"),
    ("filter", "ece_host_plan"),
    ("filter", "ece_host_problems"),
    ("filter", "roles_token_claims"),
]


# They work on a host, and call no API.
ON_HOSTS = {"ece_installer", "ece_installer_info"}


def documentation(run, kind, name):
    result = run.command(["ansible-doc", "--json", "--type", kind, f"eceops.platform.{name}"])
    assert result.returncode == 0, result.stderr
    assert "[WARNING]" not in result.stderr
    return json.loads(result.stdout)[f"eceops.platform.{name}"]


def test_there_is_no_other_plugin(run):
    for kind in ("module", "filter"):
        result = run.command(["ansible-doc", "--list", "--json", "--type", kind, "eceops.platform"])
        listed = {name.removeprefix("eceops.platform.") for name in json.loads(result.stdout)}
        assert listed == {name for other, name in PLUGINS if other == kind}


def test_playbooks_are_found_by_name(run):
    for name in ("add_hosts", "recover_with_emergency_token", "revoke_tokens", "rotate_token"):
        result = run.command(["ansible-playbook", "--list-tasks", "-i", "localhost,", f"eceops.platform.{name}"])
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_documentation_is_complete(run, kind, name):
    found = documentation(run, kind, name)
    about = found["doc"]
    assert about["version_added"]
    assert about["short_description"]
    assert about["author"]
    assert about["seealso"]
    assert found["examples"].strip()
    for option, described in about["options"].items():
        assert described["description"], option
        assert described["type"], option
    assert found["return"]
    for value, described in walk(found["return"]):
        assert described["description"], value
        assert described["type"], value
        assert "sample" in described, value
    for value, described in found["return"].items():
        assert kind == "filter" or described["returned"], value
    if kind == "module":
        assert set(about["attributes"]) >= {"action_group", "check_mode", "diff_mode", "idempotent", "platform"}


def test_the_roles_documentation_is_complete(run):
    result = run.command(["ansible-doc", "--json", "--type", "role", "eceops.platform.ece_host"])
    assert result.returncode == 0, result.stderr
    (entry,) = json.loads(result.stdout)["eceops.platform.ece_host"]["entry_points"].values()
    assert entry["version_added"]
    assert entry["short_description"]
    assert entry["description"]
    assert entry["author"]
    for option, described in entry["options"].items():
        assert described["description"], option
        assert described["type"], option


def test_failures_are_described_alike(run):
    modules = [name for kind, name in PLUGINS if kind == "module" and name not in ON_HOSTS]
    described = [documentation(run, "module", name)["return"]["failure"] for name in modules]
    assert all(each == described[0] for each in described)


def walk(values):
    for name, described in values.items():
        yield name, described
        yield from walk(described.get("contains") or {})


# That of ece_installer would install: its integration target has an installer of its own.
@pytest.mark.parametrize(("kind", "name"), [plugin for plugin in PLUGINS if plugin[1] != "ece_installer"])
def test_examples_run_as_they_stand(run, simulator, kind, name):
    examples = yaml.safe_load(documentation(run, kind, name)["examples"])
    emergency = simulator.secrets()["emergency_all_roles_except_allocator_token"]["token_id"]
    environ = {"EC_HOST": simulator.url, "EC_USER": simulator.username, "EC_PASS": simulator.password}
    # The examples name no CA, and the system's store does not know the simulator's.
    defaults = {ECE_GROUP: {"ca_path": simulator.ca_path}}
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": examples}
    result = run.play([play], env=environ, extra_vars={"ece_emergency_token_id": emergency}, verbosity=1, watch=True)
    assert result.returncode == 0, result.stdout
    assert {entry["status"] for entry in result.results} <= {"ok", "changed"}
    assert result.find([simulator.password]) == []
    assert result.journal or kind == "filter" or name in ON_HOSTS
