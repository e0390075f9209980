# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts without internet join: the installer comes from the controller, images from a private registry."""

from __future__ import annotations

import json

JOINED = ("manager-1", "allocator-1")
testinfra_hosts = [f"ansible://{name}" for name in JOINED]


def test_all_have_joined(simulator, addresses):
    assert {addresses[name] for name in JOINED} <= {runner["host_ip"] for runner in simulator.state()["runners"]}


def test_nothing_was_downloaded(record):
    ran = {entry["action"] for entry in record.results if entry["on"] in JOINED}
    assert "ansible.builtin.copy" in ran
    assert "ansible.builtin.get_url" not in ran


def test_the_image_comes_from_the_private_registry(host, runs):
    (run,) = runs(host)
    version = run["env"]["CLOUD_ENTERPRISE_VERSION"]
    assert run["image"] == [f"registry.example.com:5000/mirror/ece/elastic-cloud-enterprise:{version}"]
    assert run["env"]["DOCKER_REGISTRY"] == "registry.example.com:5000"
    assert run["env"]["ECE_DOCKER_REPOSITORY"] == "mirror/ece"


def test_the_install_user_has_the_login_of_the_registry(host):
    user = host.user("elastic")
    folder, login = host.file(f"{user.home}/.docker"), host.file(f"{user.home}/.docker/config.json")
    assert (folder.user, folder.group, folder.mode) == (user.name, user.group, 0o700)
    assert (login.user, login.group, login.mode) == (user.name, user.group, 0o600)
    assert list(json.loads(login.content_string)["auths"]) == ["registry.example.com:5000"]
