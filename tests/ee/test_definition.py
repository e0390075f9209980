# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-builder reads of the collection, and what it makes of the example that users copy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from testbed.simulator import TESTS

from . import image

COLLECTIONS = Path(os.environ["TESTBED_COLLECTIONS_PATH"])
INSTALLED = COLLECTIONS / "ansible_collections/eceops/platform"
OLDEST = TESTS / "requirements/rhel9-constraints.txt"


def test_the_collection_needs_requests_and_nothing_else() -> None:
    command = [str(Path(sys.executable).with_name("ansible-builder")), "introspect", str(COLLECTIONS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = yaml.safe_load(done.stdout)
    (requirement,) = found["python"]
    name, _space, origin = requirement.partition("  # from collection ")
    assert (origin, found["system"]) == ("eceops.platform", [])
    # The oldest that the tests run with
    assert name.replace(">=", "==") in OLDEST.read_text(encoding="utf-8").splitlines()


def test_the_example_makes_a_context(tmp_path: Path) -> None:
    example = INSTALLED / "examples/execution-environment.yml"
    lines = image.create(example, tmp_path / "context").splitlines()
    definition = yaml.safe_load(example.read_text(encoding="utf-8"))
    base = definition["images"]["base_image"]["name"]
    assert f'ARG EE_BASE_IMAGE="{base}"' in lines
    assert 'ARG ANSIBLE_INSTALL_REFS="ansible-core>=2.16,<2.22 ansible-runner"' in lines
    assert any(line.startswith("RUN $PYCMD /output/scripts/introspect.py introspect") for line in lines)
    files = tmp_path / "context/_build"
    assert "openssh-clients" in (files / "bindep.txt").read_text(encoding="utf-8").splitlines()
    (collection,) = yaml.safe_load((files / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    about = yaml.safe_load((TESTS.parent / "galaxy.yml").read_text(encoding="utf-8"))
    assert collection["name"] == f"{about['repository']}.git"
