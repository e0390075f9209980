# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens, passwords and API keys appear nowhere, with all on that makes Ansible write (`testbed.loud`): not in the
output, not in a file of the controller or of a host, not during a run, not after it."""

from __future__ import annotations

import base64
import json
import shutil

import pytest

from testbed import platforms
from testbed.loud import LOUD, log_modules, silent
from testbed.needles import Needles
from testbed.play import PIPELINING
from testbed.watch import Watch

TOKEN = "eceops.platform.ece_roles_token"
INSTALLER = "eceops.platform.ece_installer"
MINT = "create-enrollment-token"
ROLE = [{"hosts": "ece_hosts", "gather_facts": False, "roles": ["eceops.platform.ece_host"]}]
ADD_HOSTS = "eceops.platform.add_hosts"
RECOVER = "eceops.platform.recover_with_emergency_token"
REVOKE = "eceops.platform.revoke_tokens"
LOGIN = "fake-login-of-a-registry"


@pytest.fixture
def secrets(simulator):
    """The credentials, and how every token of this world begins: it finds also one that nobody here knows."""
    beginning = simulator.mint_ephemeral([], 60).partition(".")[0]
    return [simulator.password, simulator.readonly_password, simulator.api_key, beginning]


@pytest.fixture
def by_password(simulator):
    return simulator.ece_api


@pytest.fixture
def by_api_key(simulator):
    return {"url": simulator.url, "ca_path": simulator.ca_path, "api_key": simulator.api_key}


# Modules


@pytest.mark.parametrize(
    "credentials",
    [pytest.param("by_password", marks=pytest.mark.oldest), pytest.param("by_api_key", marks=pytest.mark.newest)],
)
def test_api_modules_leave_no_secret(run, simulator, secrets, request, credentials):
    (seeded,) = simulator.seed_tokens(["allocator", "proxy"])
    simulator.put_runner("gone", connected=False, roles=[])
    wait = {"wait": True, "wait_timeout": 1}
    tokens = [
        {TOKEN: {"roles": ["proxy"], "token": "{{ held }}"}, "no_log": True, "register": "kept"},
        {TOKEN: {"roles": ["{{ item }}"]}, "loop": ["allocator", "proxy"], "no_log": True, "register": "minted"},
        {TOKEN: {"roles": ["director"], "persistent": True}, "no_log": True, "register": "persistent"},
        {TOKEN: {"roles": ["director"], "persistent": True}, "no_log": True},
        {TOKEN: {"state": "absent", "token": "{{ seeded }}"}},
        # What is wrong, and said so
        {TOKEN: {"state": "absent", "token": "{{ held }}"}},
        {TOKEN: {"state": "absent", "token_ids": ["{{ seeded }}"]}},
        {TOKEN: {"roles": ["proxy"], "token": "{{ held }}", "retries": "many"}},
    ]
    others = [
        ("ece_platform_info", {}),
        ("ece_roles_token_info", {}),
        ("ece_runner_info", {}),
        ("ece_runner_info", {"runner_ids": ["gone", "{{ held }}"], **wait}),
        ("ece_runner", {"runner_id": "{{ held }}", "state": "absent"}),
        ("ece_runner", {"runner_id": "gone", "state": "absent"}),
    ]
    result = run.tasks(
        [
            {"ansible.builtin.setup": {"gather_subset": ["!all"]}},
            *[{**task, "ignore_errors": True} for task in tokens],
            *[{f"eceops.platform.{module}": options, "ignore_errors": True} for module, options in others],
            # The lengths tell this test that there were tokens, and the searched files nothing.
            {"vars": {"got": "{{ [kept, persistent] + minted.results }}"}}
            | {"ansible.builtin.fail": {"msg": "{{ got | map(attribute='token') | map('length') | min }}"}},
        ],
        "--diff",
        extra_vars={
            "ece_api": request.getfixturevalue(credentials),
            "held": simulator.mint_ephemeral(["proxy"], 3600),
            "seeded": seeded["token"],
        },
        **LOUD,
    )
    assert int(result.last["msg"]) > 100
    assert {entry["action"] for entry in result.results} >= {
        TOKEN,
        *(f"eceops.platform.{name}" for name, _options in others),
    }
    assert simulator.state()["minted"] == {"ephemeral": 2, "persistent": 1}
    assert silent(result) == []
    assert result.find(secrets) == []


def test_host_modules_leave_no_secret(run, simulator, make_hosts, secrets):
    (host,) = make_hosts("a1")
    host.behave(exit_code=1, echo_token=True)
    log_modules(host)
    shutil.copy(platforms.installer(), host.folder / "installer.sh")
    where = {
        name: host.variables[f"ece_host_{name}"]
        for name in ("coordinator_host", "ip", "storage_path", "state_path", "install_user", "engine_socket")
    }
    start = {"state": "started", "installer": str(host.folder / "installer.sh"), "roles": ["proxy"], **where}
    finish = {"state": "finished", "storage_path": where["storage_path"], "state_path": where["state_path"]}
    tasks = [
        {"ansible.builtin.setup": {"gather_subset": ["!all"]}},
        {"eceops.platform.ece_installer_info": where},
        # What is wrong, and said so
        {INSTALLER: {**start, "roles_token": "{{ held }}", "version": "4 2"}, "ignore_errors": True},
        {INSTALLER: {**start, "roles_token": "{{ held }}", "version": simulator.state()["version"]}},
        {INSTALLER: finish},
    ]
    play = {"hosts": "a1", "gather_facts": False, "vars": PIPELINING, "tasks": tasks}
    with Watch(host.folder, during=True) as on_host:
        result = run.play(
            [play],
            "--diff",
            inventory={"all": {"hosts": {"a1": host.variables}}},
            extra_vars={"held": simulator.mint_ephemeral(["proxy"], 3600)},
            **LOUD,
        )
    assert "RUNNER_ROLES_TOKEN=" in result.failures["a1"]  # the installer told it
    assert silent(result) == []
    assert result.find(secrets) + found_in(on_host, secrets) == []


def test_a_server_that_echoes_its_request_reveals_nothing(run, simulator):
    pair = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
    body = {"errors": [{"code": "echo", "message": f"Bad request: Authorization: Basic {pair}"}]}
    simulator.fault("reply", status=400, body=json.dumps(body))
    result = run.tasks([{"eceops.platform.ece_platform_info": {}, "ignore_errors": True}], verbosity=3, watch=True)
    assert "Authorization: Basic ****" in result.last["failure"]["message"]
    assert result.find([pair]) == []


# The role and the playbooks


@pytest.fixture
def fleet(make_hosts, tmp_path):
    """Two hosts that have to be asked for their address, and their inventory. The installer on `broken` tells the
    token, and fails."""
    login = tmp_path / "config.json"
    login.write_text(json.dumps({"auths": {"registry.example.com": {"auth": LOGIN}}}), encoding="utf-8")
    good, broken = make_hosts("good", "broken")
    broken.behave(exit_code=1, echo_token=True)
    for host in (good, broken):
        log_modules(host)
    variables = {"ece_host_ip": "", "ece_host_roles": ["proxy"], "ece_host_docker_config": str(login)}
    entries = {host.name: {**host.variables, **variables} for host in (good, broken)}
    return good, broken, {"ece_hosts": {"hosts": entries}}


def found_in(watch, secrets):
    """The names of the files that held a secret at any time."""
    needles = Needles(secrets)
    return [name for name, content in watch.contents().items() if needles.are_in(content)]


@pytest.mark.parametrize(
    ("plays", "credentials", "quiet"),
    [
        pytest.param(ROLE, "by_password", set(), id="role", marks=pytest.mark.oldest),
        pytest.param(ADD_HOSTS, "by_api_key", set(), id="add_hosts", marks=pytest.mark.newest),
        # Without the API, the address is the installer's business, and no facts are gathered.
        pytest.param(RECOVER, None, {"fact cache"}, id="recover", marks=pytest.mark.oldest),
    ],
)
def test_joining_leaves_no_secret(run, simulator, fleet, secrets, request, plays, credentials, quiet):
    good, broken, inventory = fleet
    if credentials:
        given = {"ece_api": request.getfixturevalue(credentials)}
    else:
        emergency = simulator.secrets()["emergency_all_roles_except_allocator_token"]
        given = {"ece_host_roles_token": emergency["token"], "ece_host_version": simulator.state()["version"]}
    with Watch(good.folder.parent, during=True) as on_hosts:
        result = run.play(plays, "--diff", inventory=inventory, extra_vars=given, **LOUD)
    assert result.returncode == 2
    assert set(result.failures) == {"broken"}, result.failures
    assert [len(host.runs()) for host in (good, broken)] == [1, 1]
    assert "RUNNER_ROLES_TOKEN=" in result.said
    assert set(silent(result)) <= quiet
    assert result.find([*secrets, LOGIN]) + found_in(on_hosts, secrets) == []
    # The registry's login lies where it belongs, and on its way there.
    afterwards = [
        name for host in (good, broken) for name, content in host.files().items() if LOGIN.encode() in content
    ]
    assert afterwards == ["home/.docker/config.json"] * 2


def test_a_mint_that_is_refused_leaves_no_secret(run, simulator, fleet, secrets):
    pair = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
    body = {"errors": [{"code": "root.unauthorized", "message": f"Not allowed: Authorization: Basic {pair}"}]}
    simulator.fault("reply", MINT, times=None, status=403, body=json.dumps(body))
    good, broken, inventory = fleet
    with Watch(good.folder.parent, during=True) as on_hosts:
        result = run.play(ROLE, "--diff", inventory=inventory, **LOUD)
    assert set(result.failures) == {"good", "broken"}
    assert "Not allowed: Authorization: Basic ****" in result.failures["good"]
    assert good.runs() + broken.runs() == []
    assert silent(result) == []
    assert result.find([*secrets, LOGIN, pair]) + found_in(on_hosts, secrets) == []


def test_rotating_and_revoking_leave_no_secret(run, simulator, secrets, by_api_key, tmp_path):
    (old,) = simulator.seed_tokens(["proxy"])
    variables = {
        "ece_rotate_roles": ["proxy"],
        "ece_rotate_token_ids": [old["token_id"]],
        "ece_rotate_dest": str(tmp_path / "token"),
    }
    rotated = run.play(
        "eceops.platform.rotate_token", "--diff", extra_vars={**variables, "ece_api": by_api_key}, **LOUD
    )
    revoked = run.play(REVOKE, "--diff", extra_vars={"ece_revoke_all_except": []}, **LOUD)
    assert (tmp_path / "token").read_text().startswith(secrets[-1])
    # And what stands in the wrong place
    refused = run.play(REVOKE, "--diff", extra_vars={"ece_revoke_token_ids": [old["token"]]}, **LOUD)
    for result, code in ((rotated, 0), (revoked, 0), (refused, 2)):
        assert result.returncode == code, result.stdout
        assert set(silent(result)) <= {"fact cache", "retry file", "syslog"}
        assert result.find(secrets) == []


@pytest.mark.parametrize("plays", [ROLE, ADD_HOSTS, REVOKE, "eceops.platform.rotate_token"])
def test_where_ansible_keeps_modules_files_the_api_is_not_asked(run, simulator, fleet, tmp_path, plays):
    """It does without pipelining then, whatever is set, and a module's file holds the password."""
    good, broken, inventory = fleet
    variables = {
        "ece_revoke_roles": ["proxy"],
        "ece_rotate_roles": ["proxy"],
        "ece_rotate_token_ids": [],
        "ece_rotate_dest": str(tmp_path / "token"),
    }
    keep = {"env": {"ANSIBLE_KEEP_REMOTE_FILES": "true"}, "watch": True}
    with Watch(good.folder.parent, during=True) as on_hosts:
        result = run.play(plays, inventory=inventory, extra_vars=variables, **keep)
    assert result.returncode == 2
    (said,) = set(result.failures.values())
    assert "ANSIBLE_KEEP_REMOTE_FILES" in said
    assert "keep_remote_files" in said
    assert result.journal == []
    assert result.find([simulator.password]) + found_in(on_hosts, [simulator.password]) == []
    assert good.runs() + broken.runs() == []


def test_the_search_would_find_them(run, simulator):
    """Without pipelining Ansible writes a module's arguments into a file: the watch must see it."""
    result = run.tasks([{"eceops.platform.ece_platform_info": {}}], pipelining=False, watch=True)
    assert result.find([simulator.password]) != []
