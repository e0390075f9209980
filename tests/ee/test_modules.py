# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An execution environment is built, and the modules do in it what they do elsewhere. As in AWX, it is ansible-runner
that runs the playbook, as a user who is not root, in a folder of its own. EE_WORLD: the test world, with one host."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed import containers, fleet, hosts, platforms
from testbed.containers import LIMITS, podman
from testbed.simulator import TESTS, Simulator

from . import image

WORLD = Path(os.environ["EE_WORLD"])
ARTIFACT = Path(os.environ["ARTIFACT"])
NAME = "localhost/eceops-ee:test"
PLAYBOOK = Path(__file__).with_name("every_module.yml")
RUNNER = "ansible-runner run /runner --ident run --playbook every_module.yml >&2"


@pytest.fixture(scope="module")
def ee(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image."""
    image.build(ARTIFACT, tmp_path_factory.mktemp("build"), NAME)
    yield NAME
    podman("rmi", "--force", NAME)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator.attach(WORLD)


@pytest.fixture
def folder(simulator: Simulator, tmp_path: Path) -> Path:
    """What ansible-runner works in: the playbook, an inventory of the world's hosts, how to reach the API."""
    made = fleet.find_hosts(WORLD)
    for host in made:
        shutil.copytree(host.folder / "ssh", tmp_path / "ssh" / host.name)
        keys = f"/runner/ssh/{host.name}"
        host.variables |= {
            "ansible_ssh_private_key_file": f"{keys}/client_key",
            "ansible_ssh_common_args": f"{containers.SSH_OPTIONS} -o UserKnownHostsFile={keys}/known_hosts",
            "ece_host_installer_src": f"/runner/project/{platforms.installer().name}",
            "ece_host_roles": ["allocator"],
        }
    for name in ("env", "inventory", "project"):
        (tmp_path / name).mkdir()
    shutil.copy(PLAYBOOK, tmp_path / "project")
    shutil.copy(platforms.installer(), tmp_path / "project")
    shutil.copy(simulator.ca_path, tmp_path / "project/ca.pem")
    variables = {"ece_api": {**simulator.ece_api, "ca_path": "/runner/project/ca.pem"}}
    (tmp_path / "env/extravars").write_text(json.dumps(variables), encoding="utf-8")
    (tmp_path / "inventory/hosts.json").write_text(json.dumps(hosts.inventory(made)), encoding="utf-8")
    return tmp_path


def test_every_module_runs_in_one(ee: str, simulator: Simulator, folder: Path) -> None:
    # It is the image's user's, then.
    mount = f"{folder}:/runner:U"
    # The host has an address of its own; the API listens on this machine's loopback alone.
    command = ["run", "--rm", *LIMITS, "--security-opt", "label=disable", "--network", "host", "--volume", mount]
    podman(*command, ee, "sh", "-c", RUNNER)
    events = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("artifacts/run/job_events/*.json")]
    done = [event["event_data"] for event in events if event["event"] == "runner_on_ok"]
    assert {file.stem for file in (TESTS.parent / "plugins/modules").glob("*.py")} == {
        data["task_action"].removeprefix("eceops.platform.")
        for data in done
        if data["task_action"].startswith("eceops.platform.")
    }

    def told(task: str) -> Any:
        (result,) = [data["res"] for data in done if data["task"] == task]
        return result

    assert told("Ask for the version")["version"] == simulator.state()["version"]
    claims = told("Read what it says about itself")["msg"]
    assert (claims["roles"], claims["persistent"]) == (["proxy"], True)
    assert [token["token_id"] for token in told("List it")["tokens"]] == [claims["token_id"]]
    assert told("Revoke it")["changed"]
    state = simulator.state()
    assert claims["token_id"] not in {token["token_id"] for token in state["tokens"]}
    assert state["minted"] == {"ephemeral": 1, "persistent": 1}
    # Of the two that were there, one was not connected.
    joined = [runner for runner in state["runners"] if runner["roles"] == ["allocator"]]
    assert [runner["connected"] for runner in state["runners"]] == [True, True]
    assert [runner["runner_id"] for runner in joined] == [
        host.variables["ece_host_ip"] for host in fleet.find_hosts(WORLD)
    ]
    assert simulator.violations() == []
