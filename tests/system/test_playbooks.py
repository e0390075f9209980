# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks have in common: where they run, whatever the inventory is, and which installation they ask."""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.oldest

LIST, REVOKE = "get-enrollment-tokens", "delete-enrollment-token"
REVOKE_TOKENS, ROTATE_TOKEN = "eceops.platform.revoke_tokens", "eceops.platform.rotate_token"


@pytest.mark.parametrize("limit", [[], ["--limit", "host-2"]])
def test_playbooks_run_once_on_the_controller(run, rotate, simulator, ids, limit, fleet):
    result = run.play(REVOKE_TOKENS, *limit, inventory=fleet, extra_vars={"ece_revoke_token_ids": [ids["allocator"]]})
    assert result.returncode == 0, result.stdout
    assert result.operations == [LIST, REVOKE]
    result = rotate(*limit, inventory=fleet)
    assert result.returncode == 0, result.stdout
    assert result.operations.count(REVOKE) == 1
    assert not {ids["allocator"], ids["proxy"]} & simulator.token_ids()


def test_a_limit_that_matches_nothing_is_a_failure(run, rotate, ids, fleet):
    limit = ("--limit", "nobody")
    revoked = run.play(REVOKE_TOKENS, *limit, inventory=fleet, extra_vars={"ece_revoke_roles": ["proxy"]})
    for result in (revoked, rotate(*limit, inventory=fleet)):
        assert result.returncode != 0
        assert result.operations == []


def test_the_connection_may_come_from_the_environment(run, simulator, ids):
    environ = {"EC_HOST": simulator.url, "EC_USER": simulator.username, "EC_PASS": simulator.password}
    variables = {"ece_revoke_roles": ["proxy"], "ece_api": {"ca_path": simulator.ca_path}}
    result = run.play(REVOKE_TOKENS, extra_vars=variables, env=environ)
    assert result.returncode == 0, result.stdout
    assert ids["proxy"] not in simulator.token_ids()


@pytest.mark.parametrize("name", ["ece_api", "ece_host_api_delegate"])
def test_an_undefined_variable_does_not_choose_another_installation(run, rotate, simulator, ids, name):
    environ = {"EC_HOST": simulator.url, "EC_USER": simulator.username, "EC_PASS": simulator.password}
    value = {
        "ece_api": {**simulator.ece_api, "password": "{{ vault_password }}"},
        "ece_host_api_delegate": "{{ bastion }}",
    }
    before = simulator.state()
    for result in (
        run.play(REVOKE_TOKENS, extra_vars={"ece_revoke_roles": ["proxy"], name: value[name]}, env=environ),
        rotate(env=environ, **{name: value[name]}),
    ):
        assert result.returncode != 0
        assert "undefined" in result.said or "uses a variable that is not defined" in result.said
        assert result.operations == []
    assert simulator.state() == before


def test_playbooks_can_be_imported(run, simulator, ids, tmp_path, fleet):
    store = tmp_path / "token"
    plays = [
        {"import_playbook": REVOKE_TOKENS, "vars": {"ece_revoke_roles": ["allocator"]}},
        {
            "import_playbook": ROTATE_TOKEN,
            "vars": {
                "ece_rotate_roles": ["proxy"],
                "ece_rotate_token_ids": [ids["proxy"]],
                "ece_rotate_dest": str(store),
            },
        },
    ]
    result = run.play(plays, inventory=fleet)
    assert result.returncode == 0, result.stdout
    assert not {ids["allocator"], ids["proxy"]} & simulator.token_ids()
    assert store.read_text().startswith("eyJ")


def test_another_host_may_be_the_api_delegate(run, simulator, ids, fleet):
    gate = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"children": {"fleet": fleet["all"], "gates": {"hosts": {"gate": gate}}}}}
    variables = {"ece_revoke_token_ids": [ids["proxy"]], "ece_host_api_delegate": "gate"}
    result = run.play(REVOKE_TOKENS, inventory=inventory, extra_vars=variables, verbosity=1)
    assert result.returncode == 0, result.stdout
    assert ids["proxy"] not in simulator.token_ids()
    assert "-> gate" in result.stdout


@pytest.mark.parametrize("variables", [{}, {"ansible_connection": "local"}])
def test_a_localhost_of_the_inventory_is_the_controller(run, rotate, simulator, ids, variables):
    inventory = {"all": {"hosts": {"localhost": variables}, "vars": {"ansible_python_interpreter": "/missing/python"}}}
    result = run.play(REVOKE_TOKENS, inventory=inventory, extra_vars={"ece_revoke_token_ids": [ids["allocator"]]})
    assert result.returncode == 0, result.stdout
    assert ids["allocator"] not in simulator.token_ids()
    result = rotate(inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert ids["proxy"] not in simulator.token_ids()
