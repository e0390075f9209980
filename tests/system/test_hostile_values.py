# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hostile value in any variable that becomes an argument of the installer is refused, before anything is done."""

from __future__ import annotations

import importlib

import pytest

pytestmark = pytest.mark.oldest

INSTALLER = "ansible_collections.eceops.platform.plugins.module_utils._installer"


@pytest.fixture
def variables(run, monkeypatch):
    """The variables that become an argument: those that own a flag, and extra_args."""
    monkeypatch.syspath_prepend(run.collections_path)
    return sorted({*importlib.import_module(INSTALLER).OWNED.values(), "extra_args"})


def forms(variable, value):
    """The values of a variable that hold this one."""
    if variable in ("roles", "external_hostname"):
        return [[value]]
    if variable in ("allocator_tags", "proxy_tags"):
        return [{value: "a"}, {"a": value}]
    if variable == "memory_settings":
        return [{value: {"xms": "1G"}}, {"runner": {"xms": value}}]
    if variable == "extra_args":
        # A flag is none there.
        return [] if value == "--force" else [["--debug", value]]
    return [value]


def test_a_hostile_value_is_refused_by_the_name_of_its_variable(run, simulator, variables, tmp_path):
    token = simulator.secrets()["allocator_only_token"]["token"]
    simulator.clear_journal()
    pwned = tmp_path / "pwned"
    values = [f"'; touch {pwned}; '", "zone\n", "--force", "$(id)", "*", "a" * 10000]
    cases = [(variable, form) for variable in variables for value in values for form in forms(variable, value)]
    cases.append(("roles_token", f"{token}'; touch {pwned}; '"))
    # No host is there: one that is contacted is unreachable.
    everywhere = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
        "ece_host_coordinator_host": "coordinator.example.org",
        "ece_host_roles": ["allocator"],
        "ece_host_runner_id": "{{ inventory_hostname }}",
    }
    hosts = {f"host-{number}": {f"ece_host_{variable}": form} for number, (variable, form) in enumerate(cases)}
    play = {"hosts": "all", "gather_facts": False, "roles": ["eceops.platform.ece_host"]}
    result = run.play([play], inventory={"all": {"hosts": hosts, "vars": everywhere}})
    assert result.returncode == 2
    said = result.failures
    assert [
        case for host, case in zip(hosts, cases, strict=True) if f"ece_host_{case[0]}" not in said.get(host, "")
    ] == []
    assert {entry["status"] for entry in result.results} <= {"ok", "changed", "skipped", "failed"}
    assert [host for host in hosts if result.executed_on(host)] == []
    assert result.operations == []
    assert result.find([token]) == []
    assert not pwned.exists()
