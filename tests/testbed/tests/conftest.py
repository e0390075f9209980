# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A collection of the tests' own under the real one's name: the testbed is tested without the product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.play import Runner
from testbed.simulator import Simulator

PLAYBOOK = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}]
RUNTIME = "action_groups: {ece: [probe]}"
# Takes the connection's options, as a module that calls the API does.
PROBE = """
from ansible.module_utils.basic import AnsibleModule

options = {"url": {}, "username": {}, "password": {"no_log": True}, "ca_path": {}, "fail": {"type": "bool"}}
module = AnsibleModule(options, supports_check_mode=True)
if module.params["fail"]:
    module.fail_json(msg="as ordered")
module.exit_json(changed=not module.check_mode, url=module.params["url"])
"""


@pytest.fixture(scope="session")
def collections_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("collections")
    platform = root / "ansible_collections" / "eceops" / "platform"
    for name, text in {
        "meta/runtime.yml": RUNTIME,
        "plugins/modules/probe.py": PROBE,
        "playbooks/hello.yml": json.dumps(PLAYBOOK),
    }.items():
        (platform / name).parent.mkdir(parents=True, exist_ok=True)
        (platform / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def run(collections_path: Path, simulator: Simulator) -> Runner:
    """Instead of the one that runs the real collection."""
    return Runner(collections_path, simulator)
