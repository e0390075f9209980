# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host costs: the tasks that run on it, as a callback counts them."""

from __future__ import annotations

from hashlib import sha256

import pytest

from testbed import platforms

pytestmark = pytest.mark.oldest

ROLE = [{"hosts": "ece_hosts", "gather_facts": False, "roles": ["eceops.platform.ece_host"]}]
ADD_HOSTS = "eceops.platform.add_hosts"
MAX_TASKS = 6
MAX_TASKS_WITH_LOGIN = 8


@pytest.mark.parametrize(
    ("plays", "use_api", "kinds"),
    [
        (ADD_HOSTS, True, ["src", "url", "src-login", "url-login", "connected"]),
        (ADD_HOSTS, False, ["src", "url-login"]),
        (ROLE, True, ["url-login", "connected"]),
    ],
)
def test_a_new_host_costs_few_tasks_and_a_connected_one_none(
    run, simulator, make_hosts, served, tmp_path, plays, use_api, kinds
):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    checksum = sha256(platforms.installer().read_bytes()).hexdigest()
    # Those that cost most: they have to be asked for their address.
    new = {"ece_host_ip": "", "ece_host_installer_checksum": f"sha256:{checksum}"}
    url = {**new, "ece_host_installer_src": "", "ece_host_installer_url": served}
    login = {"ece_host_docker_config": str(tmp_path / "config.json")}
    costly = {"src": new, "url": url, "src-login": {**new, **login}, "url-login": {**url, **login}, "connected": {}}
    wanted = {name: costly[name] for name in kinds}
    variables = {"ece_host_roles": ["allocator"], "ece_host_use_api": use_api}
    if not use_api:
        variables["ece_host_roles_token"] = simulator.secrets()["allocator_only_token"]["token"]
        variables["ece_host_version"] = "4.2.0"
    hosts = {host.name: host for host in make_hosts(*wanted)}
    if "connected" in hosts:
        simulator.put_runner(hosts["connected"].ip, roles=["allocator"])
    entries = {name: {**host.variables, **wanted[name]} for name, host in hosts.items()}
    result = run.play(plays, inventory={"ece_hosts": {"hosts": entries, "vars": variables}})
    assert result.returncode == 0, result.stdout
    costs = {name: result.executed_on(name) for name in hosts}
    assert costs.pop("connected", []) == []
    for name, tasks in costs.items():
        assert len(tasks) <= (MAX_TASKS_WITH_LOGIN if "login" in name else MAX_TASKS), tasks
        assert "Start the installer" in tasks
        (started,) = hosts[name].runs()
        assert started["env"]["HOST_IP"] == hosts[name].ip
    # What the callback counts is what the hosts saw.
    assert {name for name, host in hosts.items() if host.executed()} == set(costs)
