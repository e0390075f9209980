# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks by their full names: what they do to the platform, and what they say, whatever the inventory is."""

from __future__ import annotations

import os
import re
import stat
import sys

import pytest

LIST, MINT, REVOKE = "get-enrollment-tokens", "create-enrollment-token", "delete-enrollment-token"
REVOKE_TOKENS, ROTATE_TOKEN = "eceops.platform.revoke_tokens", "eceops.platform.rotate_token"

# A variable that is not given at all
ABSENT = object()

# Hosts that cannot be reached, and settings of a fleet that may not reach the controller.
FLEET = {
    "all": {
        "hosts": {f"host-{number}": {"ansible_host": f"192.0.2.{number}"} for number in (1, 2, 3)},
        "vars": {
            "ansible_become": True,
            "ansible_become_method": "ansible.builtin.su",
            "ansible_connection": "ansible.builtin.ssh",
            "ansible_python_interpreter": "/missing/python",
        },
    }
}


def operations(result):
    return [entry["operation"] for entry in result.journal]


def listed(simulator):
    return {token["token_id"] for token in simulator.state()["tokens"]}


def said(result):
    """All that stands in the output, its lines joined."""
    return re.sub(r"\s+", " ", result.stdout + result.stderr)


@pytest.fixture
def ids(simulator):
    """The ids of a fresh installation's tokens and of two more, by what they are."""
    secrets = simulator.secrets()
    ids = {
        "none": secrets["bootstrap_runner_roles_token"]["token_id"],
        "allocator": secrets["allocator_only_token"]["token_id"],
        "emergency": secrets["emergency_all_roles_except_allocator_token"]["token_id"],
        "proxy": simulator.seed_tokens(["proxy"])[0]["token_id"],
        "management": simulator.seed_tokens(["director", "proxy", "coordinator"])[0]["token_id"],
    }
    simulator.clear_journal()
    return ids


# revoke_tokens


@pytest.mark.parametrize(
    ("variables", "revoked"),
    [
        ({"ece_revoke_token_ids": ["{proxy}", "{allocator}", "unknown"]}, ["proxy", "allocator"]),
        ({"ece_revoke_token_ids": "{proxy}, {allocator}"}, ["proxy", "allocator"]),
        ({"ece_revoke_token_ids": "[{proxy}, {allocator}]"}, ["proxy", "allocator"]),
        ({"ece_revoke_token_ids": []}, []),
        ({"ece_revoke_token_ids": "[]"}, []),
        ({"ece_revoke_roles": "coordinator, proxy"}, []),
        ({"ece_revoke_roles": ["allocator"]}, ["allocator"]),
        ({"ece_revoke_roles": []}, ["none"]),
        (
            {"ece_revoke_roles": ["coordinator", "director", "proxy"], "ece_emergency_token_id": "{emergency}"},
            ["management"],
        ),
        ({"ece_revoke_all_except": ["{proxy}", "{none}"]}, ["allocator"]),
        ({"ece_revoke_all_except": "{proxy}, {none}"}, ["allocator"]),
        ({"ece_revoke_all_except": []}, ["allocator", "none", "proxy"]),
        (
            {"ece_revoke_all_except": ["{proxy}"], "ece_emergency_token_id": "{emergency}"},
            ["allocator", "none", "management"],
        ),
    ],
)
def test_tokens_are_revoked(run, simulator, ids, variables, revoked):
    before = listed(simulator)
    result = run.play(REVOKE_TOKENS, extra_vars=fill(variables, ids))
    assert result.returncode == 0, result.stdout
    gone = {ids[name] for name in revoked}
    assert before - listed(simulator) == gone
    assert operations(result).count(REVOKE) == len(revoked)
    assert result.last["msg"].startswith("Revoked: ")
    assert all(token_id in result.last["msg"] for token_id in gone)


@pytest.mark.parametrize(
    ("variables", "revoked"),
    [
        ({"ece_revoke_roles": ["allocator"]}, ["allocator"]),
        ({"ece_revoke_all_except": []}, ["allocator", "none", "proxy"]),
    ],
)
def test_check_mode_says_what_would_be_revoked(run, simulator, ids, variables, revoked):
    before = simulator.state()
    result = run.play(REVOKE_TOKENS, "--diff", extra_vars=variables, check=True)
    assert result.returncode == 0, result.stdout
    assert simulator.state() == before
    assert result.last["msg"].startswith("Would be revoked: ")
    assert all(ids[name] in result.last["msg"] for name in revoked)


def fill(value, words):
    if isinstance(value, dict):
        return {name: fill(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    return value.format(**words) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("playbook", "variables"),
    [
        (REVOKE_TOKENS, {"ece_revoke_token_ids": ["Bearer {token}"]}),
        (REVOKE_TOKENS, {"ece_revoke_all_except": ["{token}"]}),
        (REVOKE_TOKENS, {"ece_revoke_roles": ["{token}"]}),
        (
            ROTATE_TOKEN,
            {"ece_rotate_token_ids": ["{token}"], "ece_rotate_roles": ["proxy"], "ece_rotate_dest": "{dest}"},
        ),
    ],
)
def test_the_value_of_a_token_in_the_place_of_its_id_is_not_shown(run, simulator, ids, tmp_path, playbook, variables):
    (seeded,) = simulator.seed_tokens(["proxy"])
    before = simulator.state()
    words = {"token": seeded["token"], "dest": str(tmp_path / "token")}
    result = run.play(playbook, extra_vars=fill(variables, words), watch=True)
    assert result.returncode == 2
    assert "value of a token instead of its id" in said(result)
    assert result.find([seeded["token"]]) == []
    assert simulator.state() == before


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
        assert "undefined" in said(result) or "uses a variable that is not defined" in said(result)
        assert operations(result) == []
    assert simulator.state() == before


def test_an_id_that_is_not_listed_is_said(run, ids):
    result = run.play(REVOKE_TOKENS, extra_vars={"ece_revoke_token_ids": [ids["proxy"], "mistyped"]})
    assert result.last["msg"] == f"Revoked: {ids['proxy']}. Not listed: mistyped."


def test_what_is_kept_for_an_emergency_is_said(run, ids):
    result = run.play(REVOKE_TOKENS, extra_vars={"ece_revoke_all_except": []})
    (kept,) = [entry["result"]["msg"] for entry in result.results if "Kept" in str(entry["result"].get("msg"))]
    assert ids["emergency"] in kept
    assert ids["management"] in kept


@pytest.mark.parametrize(
    ("variables", "says", "requests"),
    [
        ({}, "set just one of", []),
        ({"ece_revoke_roles": ["proxy"], "ece_revoke_token_ids": []}, "ece_revoke_roles and ece_revoke_token_ids", []),
        ({"ece_revoke_all_except": ["{proxy}", "mistyped"]}, "names mistyped, which is not listed", [LIST]),
        ({"ece_revoke_all_except": None}, "ece_revoke_all_except is empty or no list", []),
        ({"ece_revoke_all_except": ""}, "ece_revoke_all_except is empty or no list", []),
        ({"ece_revoke_all_except": {"proxy": "{proxy}"}}, "ece_revoke_all_except is empty or no list", []),
        ({"ece_revoke_token_ids": None}, "ece_revoke_token_ids is empty or no list", []),
        ({"ece_revoke_roles": ["proxy"], "ece_api": "https://ece:12443"}, "ece_api is no dictionary", []),
        ({"ece_revoke_roles": ["proxy", "master"]}, "Got no match for: master", []),
        ({"ece_revoke_token_ids": ["{proxy}", "{emergency}"]}, "Nothing was revoked.*emergency_token_id", [LIST]),
        ({"ece_revoke_roles": ["proxy"], "ece_api": {"url": "https://127.0.0.1:1"}}, "No credentials", []),
    ],
)
def test_revoke_tokens_stops_before_anything_is_revoked(run, simulator, ids, variables, says, requests):
    before = listed(simulator)
    result = run.play(REVOKE_TOKENS, extra_vars=fill(variables, ids) if "ece_api" not in variables else variables)
    assert result.returncode == 2
    assert re.search(says, said(result)), result.stdout
    assert operations(result) == requests
    assert listed(simulator) == before


@pytest.mark.parametrize("limit", [[], ["--limit", "host-2"]])
def test_playbooks_run_once_on_the_controller(run, simulator, ids, limit):
    result = run.play(REVOKE_TOKENS, *limit, inventory=FLEET, extra_vars={"ece_revoke_token_ids": [ids["proxy"]]})
    assert result.returncode == 0, result.stdout
    assert operations(result) == [LIST, REVOKE]
    assert ids["proxy"] not in listed(simulator)


def test_a_limit_that_matches_nothing_is_a_failure(run, ids):
    result = run.play(REVOKE_TOKENS, "--limit", "nobody", inventory=FLEET, extra_vars={"ece_revoke_roles": ["proxy"]})
    assert result.returncode != 0
    assert operations(result) == []


def test_the_connection_may_come_from_the_environment(run, simulator, ids):
    environ = {"EC_HOST": simulator.url, "EC_USER": simulator.username, "EC_PASS": simulator.password}
    variables = {"ece_revoke_roles": ["proxy"], "ece_api": {"ca_path": simulator.ca_path}}
    result = run.play(REVOKE_TOKENS, extra_vars=variables, env=environ)
    assert result.returncode == 0, result.stdout
    assert ids["proxy"] not in listed(simulator)


def test_playbooks_can_be_imported(run, simulator, ids, tmp_path):
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
    result = run.play(plays, inventory=FLEET)
    assert result.returncode == 0, result.stdout
    assert not {ids["allocator"], ids["proxy"]} & listed(simulator)
    assert store.read_text().startswith("eyJ")


def test_a_failure_of_the_api_is_shown(run, simulator):
    api = {**simulator.ece_api, "password": "fake-wrong-password"}
    for variables in ({"ece_revoke_roles": ["proxy"]}, {"ece_revoke_all_except": []}):
        result = run.play(REVOKE_TOKENS, extra_vars={**variables, "ece_api": api})
        assert result.returncode == 2
        assert "HTTP 401" in said(result)
        assert result.find(["fake-wrong-password"]) == []


# rotate_token


@pytest.fixture
def rotate(run, ids, tmp_path):
    """Run rotate_token for the proxies' token, with the token's file in a folder with a space."""
    (tmp_path / "a folder").mkdir()

    def rotate(*args, check=False, verbosity=0, watch=False, inventory=None, env=None, **variables):
        wanted = {
            "ece_rotate_roles": ["proxy"],
            "ece_rotate_token_ids": [ids["proxy"]],
            "ece_rotate_dest": str(tmp_path / "a folder" / "token"),
            **variables,
        }
        wanted = {name: value for name, value in wanted.items() if value is not ABSENT}
        return run.play(
            ROTATE_TOKEN,
            *args,
            extra_vars=wanted,
            check=check,
            verbosity=verbosity,
            watch=watch,
            inventory=inventory,
            env=env,
        )

    return rotate


def test_a_token_is_rotated(rotate, simulator, ids, tmp_path):
    before = listed(simulator)
    result = rotate(inventory=FLEET)
    assert result.returncode == 0, result.stdout
    (new,) = listed(simulator) - before
    assert before - listed(simulator) == {ids["proxy"]}
    assert operations(result) == [LIST, LIST, MINT, LIST, REVOKE]
    assert new in result.last["msg"]
    assert ids["proxy"] in result.last["msg"]
    store = tmp_path / "a folder" / "token"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert simulator.enrol(store.read_text().strip(), "192.0.2.50", roles=["proxy"])
    assert os.listdir(store.parent) == ["token"]


def test_an_earlier_file_is_replaced_whole(rotate, tmp_path):
    store = tmp_path / "a folder" / "token"
    store.write_text("x" * 10_000)
    store.chmod(0o644)
    result = rotate()
    assert result.returncode == 0, result.stdout
    assert store.read_text().count("\n") == 1
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_check_mode_says_what_would_be_rotated(rotate, simulator, ids, tmp_path):
    before = simulator.state()
    result = rotate("--diff", check=True)
    assert result.returncode == 0, result.stdout
    assert simulator.state() == before
    assert not (tmp_path / "a folder" / "token").exists()
    assert re.search(f"Would be minted.*proxy.*Would be revoked: {ids['proxy']}", result.last["msg"])


def test_nothing_old_is_needed(rotate, simulator):
    before = listed(simulator)
    result = rotate(ece_rotate_token_ids=[])
    assert result.returncode == 0, result.stdout
    assert before < listed(simulator)
    assert operations(result) == [LIST, MINT]


def test_an_old_id_that_is_not_listed_is_said(rotate):
    result = rotate(ece_rotate_token_ids=["mistyped"])
    assert "Not listed: mistyped" in result.last["msg"]


@pytest.mark.parametrize(
    "missing",
    [
        {"ece_rotate_roles": ABSENT},
        {"ece_rotate_roles": None},
        {"ece_rotate_token_ids": ABSENT},
        {"ece_rotate_token_ids": None},
        {"ece_rotate_dest": ABSENT},
        {"ece_rotate_dest": None},
        {"ece_rotate_dest": "relative/token"},
        {"ece_rotate_dest": "rotate_token.yml"},  # which is there, where the local connection works
        {"ece_rotate_dest": "/missing/folder/token"},
        {"ece_rotate_dest": "/"},
        {"ece_rotate_dest": "/dev/null"},
        {"ece_rotate_tasks": "relative.yml"},
        {"ece_rotate_tasks": "/missing/tasks.yml"},
        {"ece_rotate_tasks": "/dev/null"},
        {"ece_api": "https://ece:12443"},
    ],
)
def test_nothing_is_minted_when_a_variable_cannot_serve(rotate, missing):
    ((name, value),) = missing.items()
    result = rotate(**missing)
    assert result.returncode == 2
    assert f"Nothing was minted: {'set ' if value in (None, ABSENT) else name}" in said(result)
    assert operations(result) == []


def test_a_suspect_is_refused_before_minting(rotate, simulator, ids):
    before = simulator.state()
    result = rotate(ece_rotate_token_ids=[ids["proxy"], ids["management"]])
    assert result.returncode == 2
    assert f"Nothing was revoked: {ids['management']} is, or may be, the emergency token" in said(result)
    assert simulator.state() == before
    result = rotate(ece_rotate_token_ids=[ids["management"]], ece_emergency_token_id=ids["emergency"])
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "reply", "status": 403}, "Nothing was revoked, no token was minted: .*HTTP 403"),
        (
            {"kind": "reset_after"},
            "Nothing was revoked, and no token was got: .*Listed with these roles, but not before",
        ),
    ],
)
def test_a_mint_that_fails_shows_its_cause(rotate, simulator, ids, fault, says):
    simulator.fault(operation=MINT, **fault)
    result = rotate(verbosity=3)
    assert result.returncode == 2
    assert re.search(says, said(result)), result.stdout
    assert ids["proxy"] in listed(simulator)
    assert result.find([simulator.password]) == []


def tasks_file(tmp_path, text):
    path = tmp_path / "store.yml"
    path.write_text(text)
    return {"ece_rotate_tasks": str(path), "ece_rotate_dest": ABSENT}


def test_your_own_tasks_store_the_token(rotate, simulator, ids, tmp_path):
    own = """
- name: Store the token
  ansible.builtin.command:
    argv: [tee, "{{ own_store }}"]
    stdin: "{{ ece_rotated_token }}"
  no_log: true
"""
    result = rotate(own_store=str(tmp_path / "own"), inventory=FLEET, **tasks_file(tmp_path, own))
    assert result.returncode == 0, result.stdout
    assert simulator.enrol((tmp_path / "own").read_text().strip(), "192.0.2.50", roles=["proxy"])
    assert ids["proxy"] not in listed(simulator)


def test_nothing_is_revoked_when_your_tasks_fail(rotate, simulator, ids, tmp_path):
    own = """
- name: Store the token somewhere
  ansible.builtin.fail:
    msg: "the store is closed"
"""
    before = listed(simulator)
    result = rotate(verbosity=3, **tasks_file(tmp_path, own))
    assert result.returncode == 2
    (new,) = listed(simulator) - before
    assert ids["proxy"] in listed(simulator)
    assert "the store is closed" in said(result)
    assert result.find([simulator.mint_ephemeral([], 60).partition(".")[0]]) == []  # how every token here begins
    assert re.search(f"The new token {new} was minted, but not stored .*Store the token somewhere", said(result))


@pytest.mark.parametrize("own", ["{}\n", "---\n# - name: Store it\n", "---\n[]\n"])
def test_a_file_without_tasks_is_refused_before_minting(rotate, tmp_path, own):
    result = rotate(**tasks_file(tmp_path, own))
    assert result.returncode == 2
    assert "Nothing was minted: ece_rotate_tasks" in said(result)
    assert operations(result) == []


@pytest.mark.parametrize("own", ["- name: Fail\n  no.such.module:\n", "- name: [\n"])
def test_the_new_token_is_named_whatever_becomes_of_your_tasks(rotate, simulator, ids, tmp_path, own):
    before = listed(simulator)
    result = rotate(**tasks_file(tmp_path, own))
    assert result.returncode != 0
    (new,) = listed(simulator) - before
    assert ids["proxy"] in listed(simulator)
    assert f"Minted {new}. If this run ends before it is stored, revoke it" in said(result)


def test_your_tasks_may_become_somebody_else(rotate, ids, simulator, tmp_path):
    # It would be silently ignored if become were off for them, too, and succeed.
    own = """
- name: Become somebody
  ansible.builtin.command: whoami
  become: true
  become_method: ansible.builtin.su
  become_user: nobody
  vars:
    ansible_become_exe: /missing/su
  changed_when: false
"""
    result = rotate(**tasks_file(tmp_path, own))
    assert "not stored (failed: Become somebody)" in said(result), result.stdout
    assert ids["proxy"] in listed(simulator)


def test_an_old_token_that_is_not_revoked_is_said(rotate, simulator, ids):
    simulator.fault("reply", REVOKE, status=403)
    result = rotate()
    assert result.returncode == 2
    assert ids["proxy"] in listed(simulator)
    assert "is minted and stored, but not all old ones are revoked" in said(result)
    assert f"-e ece_revoke_token_ids={ids['proxy']}" in said(result)


def test_the_file_s_path_may_be_a_link_a_home_or_a_variable(rotate, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "a folder" / "token")
    assert rotate(ece_rotate_dest=str(tmp_path / "link")).returncode == 0
    assert (tmp_path / "a folder" / "token").read_text().startswith("eyJ")
    result = rotate(ece_rotate_dest="$HOME/token", watch=False)
    assert result.written["home/token"].startswith(b"eyJ")


def test_another_host_may_be_the_api_delegate(run, simulator, ids):
    gate = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"children": {"fleet": FLEET["all"], "gates": {"hosts": {"gate": gate}}}}}
    variables = {"ece_revoke_token_ids": [ids["proxy"]], "ece_host_api_delegate": "gate"}
    result = run.play(REVOKE_TOKENS, inventory=inventory, extra_vars=variables, verbosity=1)
    assert result.returncode == 0, result.stdout
    assert ids["proxy"] not in listed(simulator)
    assert "-> gate" in result.stdout


@pytest.mark.parametrize("variables", [{}, {"ansible_connection": "local"}])
def test_a_localhost_of_the_inventory_is_the_controller(run, rotate, simulator, ids, variables):
    inventory = {"all": {"hosts": {"localhost": variables}, "vars": {"ansible_python_interpreter": "/missing/python"}}}
    result = run.play(REVOKE_TOKENS, inventory=inventory, extra_vars={"ece_revoke_token_ids": [ids["allocator"]]})
    assert result.returncode == 0, result.stdout
    assert ids["allocator"] not in listed(simulator)
    result = rotate(inventory=inventory)
    assert result.returncode == 0, result.stdout
    assert ids["proxy"] not in listed(simulator)


def test_a_file_that_cannot_be_written_after_all_is_said(run, rotate, simulator, ids, tmp_path):
    own = """
- name: Take the folder away
  ansible.builtin.file:
    path: "{{ ece_rotate_dest | dirname }}"
    state: absent
  become: false

- name: Store it as shipped
  ansible.builtin.include_tasks: "{{ shipped }}"
"""
    shipped = f"{run.collections_path}/ansible_collections/eceops/platform/playbooks/tasks/write_rotated_token.yml"
    variables = tasks_file(tmp_path, own) | {
        "ece_rotate_dest": str(tmp_path / "a folder" / "token"),
        "shipped": shipped,
    }
    result = rotate(**variables)
    assert result.returncode == 2
    # mktemp's own words, and none of what would have come after it
    messages = [str(entry["result"].get("msg")) for entry in result.results]
    (cause,) = [message for message in messages if message.startswith("The token could not be written to ")]
    assert re.search(": mktemp: [^:]*: No such file or directory$", cause)
    assert ids["proxy"] in listed(simulator)
