# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole plays from the built artifact, through Ansible, against the simulator."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from testbed import platforms

pytest_plugins = ["testbed.fixtures"]


@pytest.fixture
def fleet():
    """An inventory of hosts that cannot be reached, with settings of a fleet that may not reach the controller."""
    return {
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


@pytest.fixture
def rotate(run, ids, tmp_path):
    """Run rotate_token for the proxies' token, with the token's file in a folder with a space.

    Variables are keyword arguments, as are some of `Runner.play`'s options; `...` leaves a variable out.
    """
    (tmp_path / "a folder").mkdir()
    options = ("check", "env", "inventory", "verbosity", "watch")

    def rotate(*args, **given):
        variables = {
            "ece_rotate_roles": ["proxy"],
            "ece_rotate_token_ids": [ids["proxy"]],
            "ece_rotate_dest": str(tmp_path / "a folder" / "token"),
            **{name: value for name, value in given.items() if name not in options},
        }
        return run.play(
            "eceops.platform.rotate_token",
            *args,
            extra_vars={name: value for name, value in variables.items() if value is not ...},
            **{name: value for name, value in given.items() if name in options},
        )

    return rotate


@pytest.fixture
def role(run):
    """The folder of the role ece_host."""
    return run.collections_path / "ansible_collections/eceops/platform/roles/ece_host"


@pytest.fixture
def described(role):
    """Its variables, as argument_specs.yml describes them."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    return specs["argument_specs"]["main"]["options"]


@pytest.fixture
def served():
    """The URL of the installer on a web server."""
    installer = platforms.installer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=installer.parent))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{installer.name}"
    server.shutdown()
    server.server_close()
    thread.join()
