# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artifact holds, and what it does not."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tooling import stage

GALAXY = Path(sys.executable).parent / "ansible-galaxy"
# All of it. A new name here is a decision: does a user need it?
CONTENTS = {
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "TESTING.md",
    "changelogs/changelog.yaml",
    "docs/benchmarks.md",
    "docs/benchmarks/growth.svg",
    "docs/benchmarks/ratios.svg",
    "docs/benchmarks/results.json",
    "docs/docsite/extra-docs.yml",
    "docs/docsite/links.yml",
    "docs/docsite/rst/guide_add_hosts.rst",
    "docs/docsite/rst/guide_automation.rst",
    "docs/docsite/rst/guide_connect.rst",
    "docs/docsite/rst/guide_failures.rst",
    "docs/docsite/rst/guide_golden_image.rst",
    "docs/docsite/rst/guide_migrate.rst",
    "docs/docsite/rst/guide_recover.rst",
    "docs/docsite/rst/guide_tokens.rst",
    "examples/ephemeral_token.yml",
    "examples/execution-environment.yml",
    "examples/group_vars/all/ece.yml",
    "examples/group_vars/ece_allocators.yml",
    "examples/group_vars/ece_hosts.yml",
    "examples/group_vars/ece_managers.yml",
    "examples/inventory.yml",
    "examples/persistent_token.yml",
    "meta/ee-requirements.txt",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "playbooks/add_hosts.yml",
    "playbooks/recover_with_emergency_token.yml",
    "playbooks/revoke_tokens.yml",
    "playbooks/rotate_token.yml",
    "playbooks/tasks/write_rotated_token.yml",
    "playbooks/vars/api.yml",
    "plugins/action/ece_installer.py",
    "plugins/doc_fragments/_attributes.py",
    "plugins/doc_fragments/_connection.py",
    "plugins/filter/ece_host_plan.py",
    "plugins/filter/ece_host_problems.py",
    "plugins/filter/roles_token_claims.py",
    "plugins/module_utils/_client.py",
    "plugins/module_utils/_connection.py",
    "plugins/module_utils/_detached.py",
    "plugins/module_utils/_ece_host.py",
    "plugins/module_utils/_ece_host_arguments.py",
    "plugins/module_utils/_emergency_token.py",
    "plugins/module_utils/_errors.py",
    "plugins/module_utils/_http.py",
    "plugins/module_utils/_installer.py",
    "plugins/module_utils/_key_expiration.py",
    "plugins/module_utils/_listed_tokens.py",
    "plugins/module_utils/_module.py",
    "plugins/module_utils/_no_reply.py",
    "plugins/module_utils/_persistent_token.py",
    "plugins/module_utils/_refusal.py",
    "plugins/module_utils/_roles.py",
    "plugins/module_utils/_roles_token.py",
    "plugins/module_utils/_runner.py",
    "plugins/module_utils/_token.py",
    "plugins/modules/ece_installer.py",
    "plugins/modules/ece_installer_info.py",
    "plugins/modules/ece_platform_info.py",
    "plugins/modules/ece_roles_token.py",
    "plugins/modules/ece_roles_token_info.py",
    "plugins/modules/ece_runner.py",
    "plugins/modules/ece_runner_info.py",
    "roles/ece_host/README.md",
    "roles/ece_host/WHEN_IT_FAILS.md",
    "roles/ece_host/defaults/main.yml",
    "roles/ece_host/meta/argument_specs.yml",
    "roles/ece_host/meta/main.yml",
    "roles/ece_host/tasks/address.yml",
    "roles/ece_host/tasks/arguments.yml",
    "roles/ece_host/tasks/finish.yml",
    "roles/ece_host/tasks/fleet.yml",
    "roles/ece_host/tasks/fleet_outcome.yml",
    "roles/ece_host/tasks/login.yml",
    "roles/ece_host/tasks/look.yml",
    "roles/ece_host/tasks/main.yml",
    "roles/ece_host/tasks/plan.yml",
    "roles/ece_host/tasks/prepare.yml",
    "roles/ece_host/tasks/replace.yml",
    "roles/ece_host/tasks/runners.yml",
    "roles/ece_host/tasks/start.yml",
    "roles/ece_host/tasks/summary.yml",
    "roles/ece_host/tasks/token.yml",
    "roles/ece_host/tasks/verify.yml",
    "roles/ece_host/vars/main/api_delegate.yml",
    "roles/ece_host/vars/main/main.yml",
}
DEBRIS = (
    ".ansible/x",
    ".cache/x",
    ".mypy_cache/x",
    ".nox/lint/bin/x",
    ".venv/lib/x.py",
    "changelogs/.plugin-cache.yaml",
    "eceops-platform-0.0.1.tar.gz",
    "plugins/modules/.x.py.swp",
    "plugins/modules/__pycache__/x.pyc",
    "tests/output/x",
)


def contents(artifact: Path) -> set[str]:
    with tarfile.open(artifact) as archive:
        return {member.name for member in archive if not member.isdir()}


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy in which everything is staged, as a clone's is."""
    root = stage.export(stage.ROOT, stage.known(stage.ROOT), tmp_path / "any name")
    stage.git(root, "init", "--quiet")
    stage.git(root, "add", "--all")
    return root


def test_the_artifact_holds_what_users_need_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    write(checkout, "stray.txt", "plugins/modules/stray.py", *DEBRIS)
    tracked = stage.tracked(checkout)
    assert {"Makefile", "tests/config.yml", ".ci/run", "galaxy.yml"} <= set(tracked)
    assert contents(stage.build(checkout, GALAXY, tmp_path / "built")) == CONTENTS


def test_a_plain_build_in_the_checkout_packs_the_same(checkout: Path, tmp_path: Path) -> None:
    write(checkout, *DEBRIS)
    command = [str(GALAXY), "collection", "build", str(checkout), "--output-path", str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (built,) = tmp_path.glob("*.tar.gz")
    assert contents(built) == CONTENTS


def test_a_file_that_is_gone_is_not_missed(checkout: Path) -> None:
    (checkout / "LICENSE").unlink()
    assert "LICENSE" not in stage.tracked(checkout)


def test_the_tests_lie_beside_what_users_install(checkout: Path, tmp_path: Path) -> None:
    artifact = stage.build(checkout, GALAXY, tmp_path / "built")
    tree = stage.installed(checkout, artifact, GALAXY, tmp_path / "staged")
    assert tree == tmp_path / "staged/ansible_collections/eceops/platform"
    assert (tree / "MANIFEST.json").is_file()
    assert (tree / "tests/config.yml").is_file()
    assert not (tree / "Makefile").exists()
    assert stage.git(tree, "rev-parse", "--show-toplevel").strip() == str(tree.resolve())


def test_a_hooks_variables_do_not_lead_git_astray(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/does/not/exist")
    assert "galaxy.yml" in stage.tracked(checkout)
