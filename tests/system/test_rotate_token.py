# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rotate_token: what is minted, stored and revoked, in this order, and what is said where it stops."""

from __future__ import annotations

import os
import re
import stat
import sys

import pytest

pytestmark = pytest.mark.oldest

LIST, MINT, REVOKE = "get-enrollment-tokens", "create-enrollment-token", "delete-enrollment-token"


def test_a_token_is_rotated(rotate, simulator, ids, tmp_path, fleet):
    before = simulator.token_ids()
    result = rotate(inventory=fleet)
    assert result.returncode == 0, result.stdout
    (new,) = simulator.token_ids() - before
    assert before - simulator.token_ids() == {ids["proxy"]}
    assert result.operations == [LIST, LIST, MINT, LIST, REVOKE]
    assert new in result.last["msg"]
    assert ids["proxy"] in result.last["msg"]
    store = tmp_path / "a folder" / "token"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert simulator.enrol(store.read_text().strip(), "192.0.2.50", roles=["proxy"])
    assert os.listdir(store.parent) == ["token"]


def test_the_old_token_may_be_named_by_the_file_that_gets_the_new_one(rotate, simulator, tmp_path):
    store = tmp_path / "a folder" / "token"
    (old,) = simulator.seed_tokens(["proxy"])
    store.write_text(old["token"])
    claims = f"lookup('ansible.builtin.file', {str(store)!r}) | eceops.platform.roles_token_claims"
    before = simulator.token_ids()
    result = rotate(ece_rotate_token_ids="{{ [(" + claims + ").token_id] }}")
    assert result.returncode == 0, result.stdout
    assert before - simulator.token_ids() == {old["token_id"]}
    assert len(simulator.token_ids() - before) == 1


def test_two_rotations_of_one_run_have_nothing_in_common(run, simulator, tmp_path):
    (first, second) = simulator.seed_tokens(["proxy"], count=2)
    plays = [
        {
            "import_playbook": "eceops.platform.rotate_token",
            "vars": {
                "ece_rotate_roles": ["proxy"],
                "ece_rotate_token_ids": [token["token_id"]],
                "ece_rotate_dest": str(tmp_path / token["token_id"]),
            },
        }
        for token in (first, second)
    ]
    before = simulator.token_ids()
    result = run.play(plays)
    assert result.returncode == 0, result.stdout
    assert before - simulator.token_ids() == {first["token_id"], second["token_id"]}
    assert "Not listed" not in result.stdout


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
    before = simulator.token_ids()
    result = rotate(ece_rotate_token_ids=[])
    assert result.returncode == 0, result.stdout
    assert before < simulator.token_ids()
    assert result.operations == [LIST, MINT]


def test_an_old_id_that_is_not_listed_is_said(rotate):
    result = rotate(ece_rotate_token_ids=["mistyped"])
    assert "Not listed: mistyped" in result.last["msg"]


@pytest.mark.parametrize(
    "missing",
    [
        {"ece_rotate_roles": ...},
        {"ece_rotate_roles": None},
        {"ece_rotate_token_ids": ...},
        {"ece_rotate_token_ids": None},
        {"ece_rotate_dest": ...},
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
    assert f"Nothing was minted: {'set ' if value in (None, ...) else name}" in result.said
    assert result.operations == []


def test_a_suspect_is_refused_before_minting(rotate, simulator, ids):
    before = simulator.state()
    result = rotate(ece_rotate_token_ids=[ids["proxy"], ids["management"]])
    assert result.returncode == 2
    assert f"Nothing was revoked: {ids['management']} is, or may be, the emergency token" in result.said
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
    assert re.search(says, result.said), result.stdout
    assert ids["proxy"] in simulator.token_ids()
    assert result.find([simulator.password]) == []


@pytest.fixture
def lose(tmp_path):
    """The variables of a run that loses its API delegate: `lose(task, **how)`, as `dropping.py` has it."""

    def lose(task, **how):
        loss = {"task": task, "note": str(tmp_path / "note"), **how}
        bastion = {"ansible_connection": "dropping", "ansible_python_interpreter": sys.executable, "testbed_loss": loss}
        return {"inventory": {"all": {"hosts": {"bastion": bastion}}}, "ece_host_api_delegate": "bastion"}

    return lose


OUT_OF_REACH = r"the API delegate bastion \(ece_host_api_delegate\) is out of reach \(.*connection was dropped\)\."


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ({"after": True}, OUT_OF_REACH),
        ({"dies": True}, "MODULE FAILURE|Module result deserialization failed"),
    ],
)
def test_a_mint_of_which_nothing_is_heard_may_have_left_a_token(rotate, lose, simulator, ids, how, cause):
    before = simulator.token_ids()
    result = rotate(**lose("Mint the new token", **how))
    assert result.returncode == 2, result.stdout
    (said,) = result.failures.values()
    assert re.search(f"^Nothing was revoked, but whether a token was minted is not known: ({cause})", said), said
    assert "List the tokens with the roles proxy (eceops.platform.ece_roles_token_info), and revoke those" in said
    assert len(simulator.token_ids() - before) == 1
    assert ids["proxy"] in simulator.token_ids()
    assert result.find([simulator.password, simulator.mint_ephemeral([], 60).partition(".")[0]]) == []


@pytest.mark.parametrize("task", ["Ask whether the file can be written", "Ask whether the old tokens may be revoked"])
def test_a_delegate_that_is_lost_before_the_mint_is_said(rotate, lose, simulator, task):
    before = simulator.state()
    result = rotate(**lose(task, after=True))
    assert result.returncode == 2, result.stdout
    (said,) = result.failures.values()
    assert re.search(f"^Nothing was minted: {OUT_OF_REACH} Run this again when it is within reach", said), said
    assert simulator.state() == before


@pytest.mark.parametrize(
    ("task", "says"),
    [("Mint the new token", "Nothing was revoked, no token was minted"), ("Revoke the old tokens", "Nothing was done")],
)
def test_a_delegate_that_is_lost_in_check_mode_has_done_nothing(rotate, lose, simulator, task, says):
    before = simulator.state()
    result = rotate(check=True, **lose(task, after=True))
    assert result.returncode == 2, result.stdout
    (said,) = result.failures.values()
    assert re.search(f"^{says}: {OUT_OF_REACH} Run this again when it is within reach", said), said
    assert simulator.state() == before


def test_a_delegate_that_is_lost_as_it_stores_is_said(rotate, lose, simulator, ids):
    before = simulator.token_ids()
    result = rotate(**lose("Write the token to a file", after=True))
    assert result.returncode == 2, result.stdout
    (new,) = simulator.token_ids() - before
    assert f"The new token {new} was minted, but not stored" in result.said
    assert re.search(f"The token could not be written to .*/token: {OUT_OF_REACH}", result.said)
    assert ids["proxy"] in simulator.token_ids()


@pytest.mark.parametrize("how", [{}, {"after": True}])
def test_a_delegate_that_is_lost_as_it_revokes_does_not_lead_to_another_mint(rotate, lose, simulator, ids, how):
    before = simulator.token_ids()
    result = rotate(**lose("Revoke the old tokens", **how))
    assert result.returncode == 2, result.stdout
    (new,) = simulator.token_ids() - before
    (said,) = result.failures.values()
    told = (
        f"The new token {new} is minted and stored, but whether all old ones are revoked is not known: {OUT_OF_REACH}"
    )
    assert re.search(f"^{told}", said), said
    assert "Do not run this again, which would mint another. " in said
    assert f"-e ece_revoke_token_ids={ids['proxy']}" in said


def test_the_value_of_a_token_in_the_place_of_its_id_is_not_shown(rotate, simulator):
    (seeded,) = simulator.seed_tokens(["proxy"])
    before = simulator.state()
    result = rotate(ece_rotate_token_ids=[seeded["token"]], watch=True)
    assert result.returncode == 2
    assert "value of a token instead of its id" in result.said
    assert result.find([seeded["token"]]) == []
    assert simulator.state() == before


def tasks_file(tmp_path, text):
    path = tmp_path / "store.yml"
    path.write_text(text)
    return {"ece_rotate_tasks": str(path), "ece_rotate_dest": ...}


def test_your_own_tasks_store_the_token(rotate, simulator, ids, tmp_path, fleet):
    own = """
- name: Store the token
  ansible.builtin.command:
    argv: [tee, "{{ own_store }}"]
    stdin: "{{ ece_rotated_token }}"
  no_log: true
"""
    result = rotate(own_store=str(tmp_path / "own"), inventory=fleet, **tasks_file(tmp_path, own))
    assert result.returncode == 0, result.stdout
    assert simulator.enrol((tmp_path / "own").read_text().strip(), "192.0.2.50", roles=["proxy"])
    assert ids["proxy"] not in simulator.token_ids()


def test_nothing_is_revoked_when_your_tasks_fail(rotate, simulator, ids, tmp_path):
    own = """
- name: Store the token somewhere
  ansible.builtin.fail:
    msg: "the store is closed"
"""
    before = simulator.token_ids()
    result = rotate(verbosity=3, **tasks_file(tmp_path, own))
    assert result.returncode == 2
    (new,) = simulator.token_ids() - before
    assert ids["proxy"] in simulator.token_ids()
    assert "the store is closed" in result.said
    assert result.find([simulator.mint_ephemeral([], 60).partition(".")[0]]) == []  # how every token here begins
    assert re.search(f"The new token {new} was minted, but not stored .*Store the token somewhere", result.said)


@pytest.mark.parametrize("own", ["{}\n", "---\n# - name: Store it\n", "---\n[]\n"])
def test_a_file_without_tasks_is_refused_before_minting(rotate, tmp_path, own):
    result = rotate(**tasks_file(tmp_path, own))
    assert result.returncode == 2
    assert "Nothing was minted: ece_rotate_tasks" in result.said
    assert result.operations == []


@pytest.mark.parametrize("own", ["- name: Fail\n  no.such.module:\n", "- name: [\n"])
def test_the_new_token_is_named_whatever_becomes_of_your_tasks(rotate, simulator, ids, tmp_path, own):
    before = simulator.token_ids()
    result = rotate(**tasks_file(tmp_path, own))
    assert result.returncode != 0
    (new,) = simulator.token_ids() - before
    assert ids["proxy"] in simulator.token_ids()
    assert f"Minted {new}. If this run ends before it is stored, revoke it" in result.said


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
    assert "not stored (failed: Become somebody)" in result.said, result.stdout
    assert ids["proxy"] in simulator.token_ids()


def test_an_old_token_that_is_not_revoked_is_said(rotate, simulator, ids):
    simulator.fault("reply", REVOKE, status=403)
    result = rotate()
    assert result.returncode == 2
    assert ids["proxy"] in simulator.token_ids()
    assert "is minted and stored, but not all old ones are revoked" in result.said
    assert f"-e ece_revoke_token_ids={ids['proxy']}" in result.said


def test_the_file_s_path_may_be_a_link_a_home_or_a_variable(rotate, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "a folder" / "token")
    assert rotate(ece_rotate_dest=str(tmp_path / "link")).returncode == 0
    assert (tmp_path / "a folder" / "token").read_text().startswith("eyJ")
    result = rotate(ece_rotate_dest="$HOME/token", watch=False)
    assert result.written["home/token"].startswith(b"eyJ")


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
    assert ids["proxy"] in simulator.token_ids()
