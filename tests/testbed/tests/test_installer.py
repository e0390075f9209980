# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installer's stand-in; with ``ECE_INSTALLER`` in the environment, that script of Elastic's in the same tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed import platforms
from testbed.hosts import DirectoryHost, as_install_user, install_user
from testbed.simulator import Simulator

pytest_plugins = ["testbed.fixtures"]

Install = Callable[..., "subprocess.CompletedProcess[str]"]
IP = """#!/bin/sh
case "$*" in
  'route show default') echo 'default via 192.0.2.1 dev eth9 proto static' ;;
  '-4 addr show eth9') echo '    inet 192.0.2.77/24 brd 192.0.2.255 scope global eth9' ;;
esac
"""


@pytest.fixture
def host(make_hosts: Callable[..., list[DirectoryHost]]) -> DirectoryHost:
    [host] = make_hosts("host")
    return host


@pytest.fixture
def version(host: DirectoryHost, simulator: Simulator) -> str:
    """The installation's, which is the installer's: the host was made for it."""
    return str(simulator.state()["version"])


@pytest.fixture
def script(host: DirectoryHost) -> Path:
    """The installer on the host: where it comes from may be out of the install user's reach."""
    return Path(shutil.copy(host.variables["ece_host_installer_src"], host.state / "installer.sh"))


@pytest.fixture
def call(host: DirectoryHost, script: Path) -> Install:
    """Run the installer with these arguments, as its user and in a clean environment."""
    user = install_user()

    def call(*arguments: str, as_root: bool = False) -> subprocess.CompletedProcess[str]:
        identity = {} if as_root else as_install_user()
        return subprocess.run(
            ["bash", str(script), *arguments],
            cwd="/",
            env={"PATH": f"{host.folder}/bin:{os.defpath}:/usr/sbin:/sbin", "HOME": user.pw_dir, "USER": user.pw_name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **identity,
        )

    return call


@pytest.fixture
def install(host: DirectoryHost, simulator: Simulator, version: str, call: Install) -> Install:
    """Join the host with more arguments; a keyword replaces a value that is always given, None drops it."""
    token = simulator.mint_ephemeral(["allocator"], 600)

    def install(*more: str, as_root: bool = False, **changes: str | None) -> subprocess.CompletedProcess[str]:
        given: dict[str, str | None] = {
            "coordinator_host": host.variables["ece_host_coordinator_host"],
            "roles_token": token,
            "roles": "allocator",
            "cloud_enterprise_version": version,
            "host_ip": host.ip,
            "host_docker_host": host.variables["ece_host_engine_socket"],
            "host_storage_path": str(host.storage),
            **changes,
        }
        words = [word for name, value in given.items() if value is not None for word in (_flag(name), value)]
        return call("install", *words, *host.variables.get("ece_host_extra_args", []), *more, as_root=as_root)

    return install


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def test_joins_a_host_with_all_that_it_is_given(host: DirectoryHost, simulator: Simulator, install: Install) -> None:
    flags = {
        "runner_id": ("RUNNER_ID", "runner-1"),
        "external_hostname": ("RUNNER_EXTERNAL_HOSTNAME", "a.example,b.example"),
        "availability_zone": ("AVAILABILITY_ZONE", "ece-zone-2"),
        "capacity": ("CAPACITY", "8192"),
        "memory_settings": ("MEMORY_SETTINGS", '{"runner":{"xms":"1G","xmx":"1G"}}'),
        "allocator_tags": ("ALLOCATOR_TAGS", "disk:ssd,rack:r1"),
        "proxy_tags": ("PROXY_TAGS", "edge:yes"),
        "timeout_factor": ("ECE_TIMEOUT_FACTOR", "2.0"),
        "docker_registry": ("DOCKER_REGISTRY", "registry.example"),
        "ece_docker_repository": ("ECE_DOCKER_REPOSITORY", "cloud-mirror"),
        "config_file": ("CONFIG_FILE", "/etc/ece.conf"),
    }
    done = install("--debug", "--overwrite-existing-image", **{name: value for name, (_env, value) in flags.items()})
    assert done.returncode == 0, done.stdout + done.stderr
    [run] = host.runs()
    expected = dict(flags.values())
    assert {name: run["env"][name] for name in expected} == expected
    assert run["env"]["COORDINATOR_HOST"] == host.variables["ece_host_coordinator_host"]
    assert (run["env"]["ROLE"], run["env"]["ENABLE_DEBUG_LOGGING"]) == ("bootstrap-initiator", "true")
    assert (run["uid"], run["gid"]) == (int(run["env"]["UID"]), int(run["env"]["GID"]))
    assert run["uid"] == install_user().pw_uid
    assert run["volumes"] == [f"{run['socket']}:/run/docker.sock", f"{host.storage}:{host.storage}"]
    assert run["ports"] == ["22000:22000", "21000:21000", "20000:20000"]
    assert run["image"][0].startswith("registry.example/cloud-mirror/elastic-cloud-enterprise:")
    runner = next(runner for runner in simulator.state()["runners"] if runner["runner_id"] == "runner-1")
    assert (runner["host_ip"], runner["zone"], runner["roles"]) == (host.ip, "ece-zone-2", ["allocator"])
    assert (runner["capacity_mb"], runner["version"]) == (8192, simulator.state()["version"])
    assert (runner["allocator_tags"], runner["proxy_tags"]) == ({"disk": "ssd", "rack": "r1"}, {"edge": "yes"})


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["frobnicate"], 2),
        (["install", "--frobnicate"], 3),
        (["install", "--roles"], 3),
        (["install", "--roles", ""], 3),
        (["install", "--roles", "--podman"], 3),
        (["--roles"], 3),
        (["install", "--host-docker-host", "/missing/docker.sock"], 5),
        (["install", "--cloud-enterprise-version", "99.0.0"], 1),
        (["help"], 0),
        (["install", "--help"], 0),
    ],
)
def test_ends_with_the_code_of_what_is_wrong(
    host: DirectoryHost, call: Install, arguments: list[str], code: int
) -> None:
    assert call(*arguments).returncode == code
    assert host.runs() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="this user is not root")
def test_refuses_root(host: DirectoryHost, install: Install) -> None:
    assert install(as_root=True).returncode == 4
    assert host.runs() == []


def test_wants_a_plain_docker_that_works_or_force(host: DirectoryHost, install: Install) -> None:
    host.behave(plain_docker_fails=True)
    assert install().returncode == 4
    assert host.runs() == []
    assert install("--force").returncode == 0


# The original looks at this machine's system, so there its check is skipped.
CHECKS_PLATFORM = not platforms.is_original()


@pytest.mark.skipif(not CHECKS_PLATFORM, reason="ECE_INSTALLER looks at this machine, not at the host")
@pytest.mark.parametrize(
    ("system", "release", "code"),
    [("Ubuntu", "24.04", 0), ("Ubuntu", "18.04", 1), ("Debian GNU/Linux", "12", 1), ("SLES", "15.5", 1)],
)
def test_wants_a_system_that_ece_supports(
    host: DirectoryHost, install: Install, system: str, release: str, code: int
) -> None:
    (host.folder / "bin" / "os-release.docker").write_text(f'NAME="{system}"\nVERSION_ID="{release}"\n')
    assert install("--force").returncode == code
    assert len(host.runs()) == (code == 0)
    if code:
        assert install("--skip-cloud-enterprise-version-check").returncode == 0


def test_takes_podman_only_for_what_it_is(host: DirectoryHost, install: Install) -> None:
    host.behave(podman=True)
    if CHECKS_PLATFORM:
        assert install().returncode == 1
        assert host.runs() == []
    done = install("--podman")
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.runs()[-1]["engine"] == "podman-remote"


@pytest.mark.parametrize("code", [1, 125, 137])
def test_ends_as_the_engine_does(host: DirectoryHost, install: Install, code: int) -> None:
    host.behave(exit_code=code, says=["something went wrong"])
    done = install()
    assert (done.returncode, "something went wrong" in done.stdout) == (code, True)
    assert len(host.runs()) == 1


def test_a_token_that_is_refused_fails_it(host: DirectoryHost, simulator: Simulator, install: Install) -> None:
    simulator.set_clock(601)
    done = install()
    assert (done.returncode, "expired" in done.stderr) == (1, True)


def test_executes_a_value_that_holds_a_quote(host: DirectoryHost, install: Install) -> None:
    evil = host.storage / "evil"
    assert install(availability_zone=f"zone';id>{evil};:'").returncode == 0
    assert evil.read_text(encoding="utf-8").startswith("uid=")
    assert host.runs()[0]["env"]["AVAILABILITY_ZONE"] == "zone"


def test_loses_what_follows_white_space_and_expands_patterns(host: DirectoryHost, install: Install) -> None:
    (host.storage / "file-1").touch()
    assert install(availability_zone="zone 1", runner_id=f"{host.storage}/file-?").returncode == 0
    [run] = host.runs()
    assert run["env"]["AVAILABILITY_ZONE"] == "zone"
    assert run["env"]["RUNNER_ID"] == f"{host.storage}/file-1"


def test_makes_a_missing_storage_path(host: DirectoryHost, install: Install) -> None:
    storage = host.storage / "to-be-made"
    assert install(host_storage_path=str(storage)).returncode == 0
    assert (storage / "logs/bootstrap-logs/elastic-cloud-enterprise.log").exists()
    assert (storage / host.ip).is_dir()


def test_finds_the_address_of_the_default_route(host: DirectoryHost, install: Install) -> None:
    ip = host.folder / "bin" / "ip"
    ip.write_text("#!/bin/sh\n", encoding="utf-8")
    ip.chmod(0o755)
    assert install(host_ip=None).returncode == 1
    assert host.runs() == []
    ip.write_text(IP, encoding="utf-8")
    assert install(host_ip=None).returncode == 0
    assert host.runs()[0]["env"]["HOST_IP"] == "192.0.2.77"
