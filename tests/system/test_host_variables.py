# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each variable of ece_host reaches the installer, the host or the API."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from testbed import hosts, platforms

pytestmark = pytest.mark.oldest

MINT = "create-enrollment-token"
VALIDITY_SECONDS = 7200
# By variable: a value, the setting of ECE's container that it becomes, and how it stands there
SETTINGS = {
    "coordinator_host": ("localhost", "COORDINATOR_HOST", "localhost"),
    "roles": (["proxy", "allocator"], "RUNNER_ROLES", "proxy,allocator"),
    "version": ("3.8.0", "CLOUD_ENTERPRISE_VERSION", "3.8.0"),
    "runner_id": ("runner-1", "RUNNER_ID", "runner-1"),
    "availability_zone": ("zone-7", "AVAILABILITY_ZONE", "zone-7"),
    "external_hostname": (
        ["a.example.org", "b.example.org"],
        "RUNNER_EXTERNAL_HOSTNAME",
        "a.example.org,b.example.org",
    ),
    "capacity": (16384, "CAPACITY", "16384"),
    "memory_settings": (
        {"runner": {"xms": "1G", "xmx": "1G"}},
        "MEMORY_SETTINGS",
        '{"runner":{"xms":"1G","xmx":"1G"}}',
    ),
    "allocator_tags": ({"disk": "ssd", "rack": "r1"}, "ALLOCATOR_TAGS", "disk:ssd,rack:r1"),
    "proxy_tags": ({"edge": "a"}, "PROXY_TAGS", "edge:a"),
    "docker_registry": ("registry.example.org:5000", "DOCKER_REGISTRY", "registry.example.org:5000"),
    "docker_repository": ("mirror/ece", "ECE_DOCKER_REPOSITORY", "mirror/ece"),
    "timeout_factor": (2.5, "ECE_TIMEOUT_FACTOR", "2.5"),
    "extra_args": (
        ["--skip-cloud-enterprise-version-check", "--client-forwarder-observers-tag", "tag-1"],
        "CLIENT_FORWARDER_OBSERVERS_TAG",
        "tag-1",
    ),
}
# Those that need a course of events of their own: the tests of test_ece_host.py that show them
ELSEWHERE = {
    "install_user": "test_the_installer_runs_as_the_configured_user_and_never_as_one_of_the_system",
    "installer_checksum": "test_an_installer_of_another_checksum_is_not_run_copied_or_downloaded",
    "install_timeout": "test_an_installer_that_takes_too_long_is_left_running_and_the_next_run_waits_for_it",
    "join_timeout": "test_a_host_that_has_not_joined_as_it_should_says_why",
    "roles_token": "test_a_token_that_is_given_is_used",
    "replace_disconnected": "test_a_rebuilt_host_is_replaced_when_that_is_wanted",
    "use_api": "test_without_the_api_a_token_is_given_and_the_host_tells",
}


def test_each_variable_reaches_the_installer_the_host_or_the_api(
    run, simulator, make_hosts, served, described, tmp_path
):
    # On the oldest Python that hosts may have, where there is one here
    python = os.environ.get("TESTBED_HOST_PYTHON") or sys.executable
    many, podman, loaded, linked = make_hosts("many", "podman", "loaded", "linked", python=python)
    (bastion,) = make_hosts("bastion")
    installer, login = tmp_path / "own.sh", tmp_path / "login.json"
    installer.write_bytes(platforms.installer().read_bytes() + b"\n# A copy\n")
    login.write_text('{"auths": {}}', encoding="utf-8")
    state, storage, socket = many.state / "deep", many.storage / "deep", many.folder / "other.sock"
    socket.symlink_to("engine.sock")
    for name in ("sudo", "setsebool", "checkmodule", "semodule_package", "semodule", "semanage", "restorecon"):
        (podman.folder / "bin" / name).symlink_to("/bin/true")
    (loaded.home / ".docker").mkdir()
    (loaded.home / ".docker" / "config.json").write_text("before", encoding="utf-8")
    (linked.home / ".docker").symlink_to(tmp_path)

    wanted = {
        many: {
            **{name: value for name, (value, _setting, _text) in SETTINGS.items()},
            "state_path": str(state),
            "storage_path": str(storage),
            "engine_socket": str(socket),
            "installer_src": str(installer),
        },
        podman: {"container_engine": "podman", "selinux": True},
        loaded: {"roles": [], "docker_config": str(login), "installer_src": "", "installer_url": served},
        linked: {"docker_config": str(login)},
    }
    inventory = {
        "ece_hosts": {
            "hosts": {
                host.name: {**host.variables, **{f"ece_host_{name}": value for name, value in given.items()}}
                for host, given in wanted.items()
            },
            "vars": {
                "ece_host_roles": ["allocator"],
                "ece_host_api": simulator.ece_api,
                "ece_host_api_delegate": "bastion",
                "ece_host_token_validity_seconds": VALIDITY_SECONDS,
            },
        },
        **hosts.inventory([bastion], "others"),
    }
    play = {"hosts": "ece_hosts", "gather_facts": False, "roles": ["eceops.platform.ece_host"]}
    result = run.play([play], inventory=inventory, extra_vars={"ece_api": {"url": "https://127.0.0.1:1"}})

    assert list(result.failures) == ["linked"], result.stdout
    assert ".docker is a link, which is not followed for ece_host_docker_config" in result.failures["linked"]
    assert linked.runs() == []
    (run_many,), (run_podman,), (run_loaded,) = many.runs(), podman.runs(), loaded.runs()
    config = loaded.home / ".docker" / "config.json"
    minted = [entry["body"] for entry in result.journal if entry["operation"] == MINT]
    seen = {
        **{name: (run_many["env"].get(setting), text) for name, (_value, setting, text) in SETTINGS.items()},
        "ip": (run_many["env"]["HOST_IP"], many.ip),
        "storage_path": (run_many["env"]["HOST_STORAGE_PATH"], str(storage)),
        "engine_socket": (run_many["socket"], str(socket)),
        "state_path": ((state / "install" / "arguments.json").exists(), True),
        "installer_src": ((state / "elastic-cloud-enterprise.sh").read_bytes(), installer.read_bytes()),
        "installer_url": (
            (loaded.state / "elastic-cloud-enterprise.sh").read_bytes(),
            platforms.installer().read_bytes(),
        ),
        "container_engine": (run_podman["engine"], "podman-remote"),
        "selinux": (run_podman["volumes"][-1][-2:], ":z"),
        "docker_config": (
            (config.read_text(encoding="utf-8"), config.stat().st_mode & 0o777, config.stat().st_uid),
            ('{"auths": {}}', 0o600, hosts.install_user().pw_uid),
        ),
        "api": (len(minted), 3),
        # The list, the version, the tokens, and the wait
        "api_delegate": (len(bastion.executed()), 6),
        "token_validity_seconds": ({body["validity_in_seconds"] for body in minted}, {VALIDITY_SECONDS}),
    }
    assert {name: is_there for name, (is_there, _wanted) in seen.items()} == {
        name: wanted for name, (_is_there, wanted) in seen.items()
    }
    assert {f"ece_host_{name}" for name in [*seen, *ELSEWHERE]} == set(described)

    assert [path.read_text(encoding="utf-8") for path in config.parent.glob("config.json.*~")] == ["before"]
    # A host may get no role: it joins with a token that permits none.
    assert sorted(body["roles"] for body in minted) == [[], ["allocator"], ["allocator", "proxy"]]
    assert run_loaded["env"].get("RUNNER_ROLES", "") == ""


def test_the_tests_elsewhere_are_there():
    tests = (Path(__file__).parent / "test_ece_host.py").read_text(encoding="utf-8")
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []
