# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The look at a host, item by item, on this machine: what stands in the way, and what does not."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.eceops.platform.plugins.modules import ece_installer_info

USER = pwd.getpwuid(os.geteuid())


@pytest.fixture
def look(tmp_path, monkeypatch):
    """A look with these options. Commands are those of `bin` in tmp_path, and of the system after them."""
    commands = tmp_path / "bin"
    commands.mkdir()
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")

    def run_command(command, cwd, handle_exceptions):
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def look(**options):
        defaults = {name: spec.get("default") for name, spec in ece_installer_info.OPTIONS.items()}
        warnings = []
        module = SimpleNamespace(params={**defaults, **options}, warn=warnings.append, run_command=run_command)
        made = ece_installer_info.Look(module)
        made.warnings = warnings
        return made

    return look


@pytest.fixture
def program(tmp_path):
    """Put a program on PATH: its name, and what the shell is to do."""

    def program(name, script):
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return program


@pytest.mark.parametrize("address", ["127.0.0.1", ""])
def test_a_port_that_someone_listens_on_is_in_use(look, monkeypatch, address):
    with socket.socket() as listener:
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        monkeypatch.setattr(ece_installer_info, "PORTS", (port,))
        looked = look()
        looked.try_ports()
    assert looked.problems == [f"Port {port} is in use, and ECE needs it: find out by what (ss -ltnp) and end it."]


def test_two_looks_at_once_do_not_disturb_each_other(look, monkeypatch):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("", 0))
        monkeypatch.setattr(ece_installer_info, "PORTS", (other.getsockname()[1],))
        looked = look()
        looked.try_ports()
    assert looked.problems == []


@pytest.mark.parametrize(
    ("ip", "is_ours"), [(None, True), ("127.0.0.1", True), ("192.0.2.7", False), ("2001:db8::7", False), ("x", False)]
)
def test_the_address_has_to_be_one_of_this_host(look, ip, is_ours):
    looked = look(ip=ip)
    looked.try_address()
    assert (looked.problems == []) == is_ours
    assert is_ours or "set ece_host_ip" in looked.problems[0]


def has_ipv6():
    path = Path("/proc/net/if_inet6")
    return path.exists() and "00000000000000000000000000000001" in path.read_text()


@pytest.mark.skipif(not has_ipv6(), reason="the loopback has no IPv6 address here")
def test_an_address_may_be_of_the_sixth_version(look):
    looked = look(ip="::1")
    looked.try_address()
    assert looked.problems == []


def test_a_storage_path_may_be_missing_where_it_can_be_made(look, tmp_path):
    looked = look(storage_path=str(tmp_path / "not" / "there"))
    looked.try_storage(USER)
    assert looked.problems == []
    assert not (tmp_path / "not").exists()
    assert looked.storage() == []


def test_a_storage_path_has_to_be_a_folder(look, tmp_path):
    (tmp_path / "file").touch()
    for path in ("file", "file/below"):
        looked = look(storage_path=str(tmp_path / path))
        looked.try_storage(USER)
        assert "give it to the user" in looked.problems[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_a_storage_path_is_tried_as_the_install_user(look, tmp_path):
    looked = look(storage_path=str(tmp_path))  # pytest's folders are root's alone
    looked.try_storage(pwd.getpwnam("nobody"))
    assert len(looked.problems) == 1


def test_logs_are_no_left_overs(look, tmp_path):
    for name in ("logs", "lost+found", *(f"f{number:02}" for number in range(30))):
        (tmp_path / "s" / name).mkdir(parents=True)
    assert look(storage_path=str(tmp_path / "s")).storage() == [f"f{number:02}" for number in range(20)]


@pytest.mark.parametrize("extra_args", [[], ["--debug", "--force"]])
def test_plain_docker_ps_has_to_work_but_for_force(look, program, extra_args):
    program("docker", 'test "$1" = ps && { echo cannot connect >&2; exit 1; }; echo Docker version 27')
    looked = look(extra_args=extra_args)
    looked.try_plain_docker(USER, answers=True)
    assert bool(looked.problems) == (not extra_args)
    (said,) = looked.problems or looked.warnings
    assert "cannot connect" in said


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_docker_that_does_not_answer_is_said_once(look, program, engine):
    program("docker", "exit 1")
    looked = look(container_engine=engine)
    looked.try_plain_docker(USER, answers=False)
    assert bool(looked.problems) == (engine == "podman")


def test_a_state_path_that_others_can_write_to_is_said(look, tmp_path):
    looked = look(state_path=str(tmp_path))
    looked.try_state_path()
    assert looked.problems == []
    tmp_path.chmod(0o777)
    looked.try_state_path()
    assert "ece_host_state_path" in looked.problems[0]


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_docker_that_is_podman_is_said(look, program, engine):
    program("docker", 'test "$1" = ps || echo podman version 4.9.4')
    looked = look(container_engine=engine)
    looked.try_plain_docker(USER, answers=True)
    assert bool(looked.problems) == (engine == "docker")
    assert engine == "podman" or "ece_host_container_engine: podman" in looked.problems[0]


@pytest.mark.parametrize(("engine", "client"), [("docker", "docker"), ("podman", "podman-remote")])
def test_ece_s_containers_are_found_by_their_names(look, program, engine, client):
    names = (
        "frc-runners-runner,alias other fac-1 elastic-cloud-enterprise-installer elastic-cloud-enterprise-installer-2"
    )
    program(client, f"test \"$2\" = unix:///s && printf '%s\\n' {names}")
    looked = look(container_engine=engine, engine_socket="/s")
    assert looked.containers(USER) == ["elastic-cloud-enterprise-installer", "fac-1", "frc-runners-runner"]
    assert looked.problems == []


def test_an_engine_that_cannot_be_used_is_said(look, program):
    program("docker", "echo permission denied >&2; exit 1")
    looked = look(engine_socket="/s")
    assert looked.containers(USER) is None
    assert "permission denied" in looked.problems[0]
    assert "is its socket /s" in looked.problems[0]


def test_what_does_not_answer_is_ended_even_if_it_ignores_signals(look, program, monkeypatch):
    monkeypatch.setattr(ece_installer_info, "COMMAND_SECONDS", 1)
    monkeypatch.setattr(ece_installer_info, "KILL_SECONDS", 1)
    program("docker", "trap '' TERM; while :; do sleep 0.1; done")
    looked = look()
    assert looked.containers(USER) is None
    assert "no answer within 1 seconds" in looked.problems[0]


def test_what_is_run_has_a_clean_environment(look, program, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere")
    program("docker", "env")
    _code, said = look().run(USER, "docker")
    assert "DOCKER_HOST" not in said
    assert f"HOME={USER.pw_dir}" in said.splitlines()


def test_selinux_needs_sudo_and_the_policy_tools(look, program, monkeypatch, tmp_path):
    monkeypatch.setattr(ece_installer_info.shutil, "which", lambda tool, path: tool != "semanage" and tool)
    program("sudo", "echo a password is required >&2; exit 1")
    looked = look(selinux=True)
    looked.try_policy_tools(USER)
    sudo, tools = looked.problems
    assert "sudo without a password (a password is required)" in sudo
    assert "needs semanage:" in tools


def test_the_install_user_has_to_be_there_and_no_system_user(look, monkeypatch):
    looked = look(install_user="nobody-by-this-name")
    assert looked.find_user() is None
    assert "There is no user nobody-by-this-name" in looked.problems[0]
    small = pwd.struct_passwd(("small", "x", 999, 1000, "", "/", "/bin/sh"))
    monkeypatch.setattr(ece_installer_info.pwd, "getpwnam", lambda name: small)
    monkeypatch.setattr(ece_installer_info.os, "geteuid", lambda: 0)
    looked = look(install_user="small")
    assert looked.find_user() is small
    assert "uid 999 and the gid 1000" in looked.problems[0]


def test_only_root_can_start_it_as_another_user(look, monkeypatch):
    other = pwd.struct_passwd(("other", "x", 54321, 54321, "", "/", "/bin/sh"))
    monkeypatch.setattr(ece_installer_info.pwd, "getpwnam", lambda name: other)
    monkeypatch.setattr(ece_installer_info.os, "geteuid", lambda: USER.pw_uid or 1)
    looked = look(install_user="other")
    assert looked.find_user() is None
    assert "let Ansible become root" in looked.problems[0]


def test_what_the_network_lacks_is_a_warning(look, program, monkeypatch):
    program("systemctl", "exit 0")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        monkeypatch.setattr(ece_installer_info, "COORDINATOR_PORT", silent.getsockname()[1])
        looked = look(coordinator_host="127.0.0.1")
        looked.warn_about_the_network()
    assert looked.problems == []
    port, firewall = looked.warnings
    assert "out of reach" in port
    assert "firewalld is active" in firewall
