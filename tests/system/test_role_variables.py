# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of ece_host are described in one place, and what else tells of them agrees with it."""

from __future__ import annotations

import re

import yaml

REQUIRED = {"ece_host_coordinator_host", "ece_host_roles"}
FOUND_OUT = {"ece_host_ip", "ece_host_runner_id", "ece_host_version"}


def test_defaults_are_as_described(role, described):
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text(encoding="utf-8"))
    assert set(described) - set(defaults) == REQUIRED | FOUND_OUT
    assert set(defaults) <= set(described)
    assert {name for name, option in described.items() if option.get("required")} == REQUIRED
    for name, default in defaults.items():
        # That of the API is ece_api, which only a run can tell.
        if name != "ece_host_api":
            assert described[name].get("default") == default, name


def test_the_readme_s_table_has_them_all(role, described):
    rows = re.findall(r"^\| `(.*?)` \| (.*?) \|", (role / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    names = [name for cell, _default in rows for name in cell.split("`, `") if f"ece_host_{name}" in described]
    assert sorted(names) == sorted(name.removeprefix("ece_host_") for name in described)
    for cell, default in rows:
        for name in cell.split("`, `"):
            option = described.get(f"ece_host_{name}", {})
            if "default" in option:
                assert yaml.safe_load(default.strip("`")) == option["default"], name


def test_the_tasks_use_them_all(role, described):
    tasks = "".join(path.read_text(encoding="utf-8") for path in sorted((role / "tasks").iterdir()))
    used = tasks + "".join(path.read_text(encoding="utf-8") for path in sorted((role / "vars/main").iterdir()))
    # Decided by ece_host_plan, which gets all of them
    decided = {"ece_host_replace_disconnected"}
    assert {name for name in described if not re.search(rf"\b{name}\b", used)} == decided
