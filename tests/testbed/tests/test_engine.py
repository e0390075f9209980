# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container engine's stand-in, called as the installer and an administrator call it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.hosts import DirectoryHost
from testbed.simulator import Simulator
from tooling import pythons

pytest_plugins = ["testbed.fixtures"]

INSTALLER = "elastic-cloud-enterprise-installer"
IMAGE = "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.2.0"
PATIENCE_SECONDS = 20


@pytest.fixture
def host(make_hosts: Callable[..., list[DirectoryHost]]) -> DirectoryHost:
    [host] = make_hosts("host")
    return host


def arguments(host: DirectoryHost, token: str, roles: str = "allocator", **env: str) -> list[str]:
    """`run` as the installer calls it."""
    values = {
        "HOST_STORAGE_PATH": str(host.storage),
        "CLOUD_ENTERPRISE_VERSION": "4.2.0",
        "RUNNER_ROLES": roles,
        "RUNNER_ROLES_TOKEN": token,
        "HOST_IP": host.ip,
        **env,
    }
    options = [word for name, value in values.items() for word in ("--env", f"{name}={value}")]
    return [
        "-H",
        socket(host),
        "run",
        *options,
        "-p",
        "22000:22000",
        "--name",
        INSTALLER,
        "--rm",
        "-i",
        IMAGE,
        INSTALLER,
    ]


def socket(host: DirectoryHost) -> str:
    return f"unix://{host.variables['ece_host_engine_socket']}"


@contextmanager
def held(host: DirectoryHost, token: str) -> Iterator[subprocess.Popen[str]]:
    """An installation that goes on until it is released."""
    host.behave(hold=True)
    command = [str(host.folder / "bin" / "docker"), *arguments(host, token)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: INSTALLER in host.containers())
            yield process
        finally:
            host.release()
            process.communicate()  # to the end: leaving the block would close the pipes first


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def others(simulator: Simulator) -> list[dict[str, Any]]:
    """The runners but for the installation's first."""
    return [runner for runner in simulator.state()["runners"] if runner["host_ip"] != "192.0.2.1"]


def test_an_installation_enrols_the_host_and_leaves_its_containers(host: DirectoryHost, simulator: Simulator) -> None:
    token = simulator.mint_ephemeral(["allocator", "proxy"], 60)
    more = {
        "RUNNER_ID": "runner-1",
        "AVAILABILITY_ZONE": "zone",
        "RUNNER_EXTERNAL_HOSTNAME": "a.example,b.example",
        "CAPACITY": "8192",
        "ALLOCATOR_TAGS": "disk:ssd,rack:r1",
    }
    done = host.docker(*arguments(host, token, "allocator,proxy", **more))
    assert (done.returncode, done.stderr) == (0, "")
    assert "completed successfully" in done.stdout
    [runner] = others(simulator)
    assert runner == {
        "runner_id": "runner-1",
        "host_ip": host.ip,
        "public_hostname": "a.example",
        "version": "4.2.0",
        "roles": ["allocator", "proxy"],
        "zone": "zone",
        "connected": True,
        "healthy": True,
        "instances": 0,
        "capacity_mb": 8192,
        "allocator_tags": {"disk": "ssd", "rack": "r1"},
        "proxy_tags": {},
    }
    names = ["frc-allocators-allocator", "frc-proxies-proxyv2", "frc-runners-runner"]
    assert host.containers() == dict.fromkeys(names, "running")
    assert sorted(path.name for path in host.storage.iterdir()) == sorted([host.ip, "logs"])
    assert "completed successfully" in (host.storage / "logs/bootstrap-logs/bootstrap.log").read_text(encoding="utf-8")


def test_by_default_a_runner_is_named_by_its_address(host: DirectoryHost, simulator: Simulator) -> None:
    assert host.docker(*arguments(host, simulator.mint_ephemeral([], 60), roles="")).returncode == 0
    [runner] = others(simulator)
    assert (runner["runner_id"], runner["zone"], runner["roles"]) == (host.ip, "ece-zone-1", [])


@pytest.mark.parametrize("why", ["expired", "revoked", "forged", "none"])
def test_a_token_that_is_no_good_is_refused(host: DirectoryHost, simulator: Simulator, why: str) -> None:
    token = "forged"
    if why == "expired":
        token = simulator.mint_ephemeral(["allocator"], 60)
        simulator.set_clock(61)
    elif why == "revoked":
        [seeded] = simulator.seed_tokens(["allocator"])
        token = seeded["token"]
        simulator.revoke(seeded["token_id"])
    elif why == "none":
        token = ""
    done = host.docker(*arguments(host, token))
    assert done.returncode == 1
    assert "roles token was refused" in done.stderr
    assert why == "none" or why in done.stderr or "not one of this installation" in done.stderr
    assert others(simulator) == []
    assert host.containers() == {}


def test_a_token_that_is_too_narrow_is_not_refused(host: DirectoryHost, simulator: Simulator) -> None:
    assert host.docker(*arguments(host, simulator.mint_ephemeral(["proxy"], 60))).returncode == 0
    assert [runner["roles"] for runner in others(simulator)] == [["allocator"]]


def test_each_run_is_noted_and_its_token_is_nowhere(host: DirectoryHost, simulator: Simulator) -> None:
    token = simulator.mint_ephemeral(["allocator"], 60)
    host.behave(exit_code=125, says=["denied: no access"], echo_token=True)
    failed = host.docker(*arguments(host, token, CAPACITY="8192"))
    assert failed.returncode == 125
    assert "denied: no access" in failed.stdout
    assert token in failed.stdout
    host.behave()
    assert host.docker(*arguments(host, token)).returncode == 0
    first, second = host.runs()
    assert first["time"] < second["time"]
    assert (first["uid"], first["engine"], first["image"]) == (os.getuid(), "docker", [IMAGE])
    assert (first["env"]["CAPACITY"], first["ports"]) == ("8192", ["22000:22000"])
    assert "RUNNER_ROLES_TOKEN" in first["names"]
    assert "RUNNER_ROLES_TOKEN" not in first["env"]
    assert "PATH" in first["environment"]
    assert not any(token.encode() in content for content in host.files().values())


def test_the_installer_is_a_container_while_it_runs(host: DirectoryHost, simulator: Simulator) -> None:
    token = simulator.mint_ephemeral(["allocator"], 60)
    with held(host, token) as process:
        assert (
            host.docker("ps", "--format", "{{.Names}} {{.State}} {{.Status}}").stdout
            == f"{INSTALLER} running Up 5 minutes\n"
        )
        assert host.docker("rm", INSTALLER).returncode == 1
        taken = host.docker(*arguments(host, token))
        assert (taken.returncode, "already in use" in taken.stderr) == (125, True)
        assert others(simulator) == []
    assert process.returncode == 0
    assert INSTALLER not in host.containers()
    assert len(others(simulator)) == 1
    again = host.docker(*arguments(host, token))
    assert (again.returncode, "installed already" in again.stderr) == (1, True)


def test_an_installer_whose_container_is_removed_ends(host: DirectoryHost, simulator: Simulator) -> None:
    with held(host, simulator.mint_ephemeral(["allocator"], 60)) as process:
        assert host.docker("rm", "-f", INSTALLER).returncode == 0
        assert process.wait(PATIENCE_SECONDS) == 137
    assert (host.containers(), others(simulator)) == ({}, [])


def test_an_installer_that_is_killed_leaves_no_container(host: DirectoryHost, simulator: Simulator) -> None:
    with held(host, simulator.mint_ephemeral(["allocator"], 60)) as process:
        process.kill()
        process.wait()
        assert host.containers() == {}
    host.behave()
    assert host.docker(*arguments(host, simulator.mint_ephemeral(["allocator"], 60))).returncode == 0


def test_a_host_joins_as_it_is_ordered_to(host: DirectoryHost, simulator: Simulator) -> None:
    token = simulator.mint_ephemeral(["allocator"], 60)
    host.behave(join=False)
    assert host.docker(*arguments(host, token)).returncode == 0
    assert others(simulator) == []
    assert host.containers()["frc-runners-runner"] == "running"
    host.rebuild()
    host.behave(connected=False, healthy=False, slow_seconds=0.1)
    assert host.docker(*arguments(host, token)).returncode == 0
    assert [(runner["connected"], runner["healthy"]) for runner in others(simulator)] == [(False, False)]


def test_containers_stop_start_and_go(host: DirectoryHost, simulator: Simulator) -> None:
    assert host.docker(*arguments(host, simulator.mint_ephemeral([], 60), roles="")).returncode == 0
    runner = "frc-runners-runner"
    assert runner in host.docker("ps").stdout
    assert host.docker("stop", runner).stdout == f"{runner}\n"
    assert host.containers() == {runner: "exited"}
    assert runner not in host.docker("ps").stdout
    assert host.docker("ps", "--filter", "status=exited", "--format={{.Names}}").stdout == f"{runner}\n"
    assert host.docker("start", runner).returncode == 0
    assert host.docker("ps", "--filter", "status=running", "--format", "{{ .Names }}").stdout == f"{runner}\n"
    assert host.docker("rm", runner).returncode == 1
    assert host.docker("rm", "--force", runner).returncode == 0
    assert host.containers() == {}
    missing = host.docker("rm", runner)
    assert (missing.returncode, "No such container" in missing.stderr) == (1, True)


def test_an_engine_that_cannot_be_reached_says_so(host: DirectoryHost) -> None:
    assert host.docker("ps").returncode == 0
    for name in ("/missing/docker.sock", "/etc/passwd"):
        gone = host.docker("-H", f"unix://{name}", "ps")
        assert gone.returncode == 1
        assert gone.stderr == f"Cannot connect to the Docker daemon at unix://{name}. Is the docker daemon running?\n"
    host.behave(plain_docker_fails=True)
    assert host.docker("ps").returncode == 1
    assert host.docker("-H", socket(host), "ps").returncode == 0
    host.stop_engine()
    assert host.docker("-H", socket(host), "ps").returncode == 1
    assert host.docker("-H", socket(host), "--version").stdout.startswith("Docker version 27.0.3, build ")
    assert host.docker(*arguments(host, "token")).returncode == 125
    assert podman(host, "--url", socket(host), "ps").returncode == 125


def test_podman_goes_by_its_own_name_and_by_dockers(host: DirectoryHost, simulator: Simulator) -> None:
    assert podman(host, "--url", socket(host), "version", "--format", "{{.Version}}").stdout == "4.9.4\n"
    assert podman(host, "--version").stdout == "podman-remote version 4.9.4\n"
    command = ["--url", *arguments(host, simulator.mint_ephemeral(["allocator"], 60))[1:]]
    assert podman(host, *command).returncode == 0
    assert "frc-runners-runner" in podman(host, "--url", socket(host), "ps", "--format", "{{.Names}}").stdout
    host.behave(podman=True)
    shown = host.docker("--version")
    assert (shown.stdout, "Emulate Docker" in shown.stderr) == ("podman version 4.9.4\n", True)


def test_what_it_does_not_know_it_refuses(host: DirectoryHost) -> None:
    assert host.docker("exec").returncode == 1
    assert host.docker("--frobnicate").returncode == 125
    assert host.docker("run", "--frobnicate").returncode == 125
    assert host.docker("run", "--name", "x", "busybox").returncode == 125
    assert host.docker("run", "--name", "x", IMAGE, "sh").returncode == 127
    assert host.docker("-H", socket(host), "pull", IMAGE).returncode == 0
    with pytest.raises(ValueError, match="sloth"):
        host.behave(sloth=True)


def test_it_runs_on_the_oldest_python_of_a_host(host: DirectoryHost, simulator: Simulator) -> None:
    found = pythons.discover(pythons.candidates(["3.6"], os.environ, Path.home()), ["3.6"])
    if not found:
        pytest.skip("there is no Python 3.6 on this machine")
    engine = [found["3.6"], str(host.folder / "bin" / "docker")]
    command = [*engine, *arguments(host, simulator.mint_ephemeral(["allocator"], 60))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(others(simulator)) == 1
    listed = subprocess.run([*engine, "ps", "-a"], capture_output=True, text=True, check=True)
    assert "frc-runners-runner" in listed.stdout


def podman(host: DirectoryHost, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(host.folder / "bin" / "podman-remote"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
