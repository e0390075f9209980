# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of an execution environment, made of what has been fetched beforehand: a base image, and Python packages.

``python -m ee.image`` fetches it, and installs what containers need. On a failure it says why there can be none: 1.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from testbed import containers
from testbed.containers import LIMITS, podman
from testbed.simulator import TESTS
from tooling import stage

FOLDER = TESTS.parent / ".cache" / "ee"
REQUIREMENTS = TESTS / "requirements" / "ee_image.txt"
DEFINITION = Path(__file__).with_name("execution-environment.yml")
BASE_PACKAGES = ("openssh-client", "python3", "python3-pip")
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
# In the containers that build. So pip needs no network there, and none of the settings that a site may have for it.
PIP_SETTINGS = "[global]\nno-index = true\nfind-links = /wheels\n"


def fetch() -> None:
    """Make the base image, and download the Python packages for the Python that it has, where there are none yet."""
    containers.need_packages(containers.PACKAGES, install=True)
    containers.need_image(install=True)
    base = _need_base(install=True)
    if (wheels := _wheels(base)).exists():
        return
    stage.remove(wheels.parent)
    unfinished = wheels.with_suffix(".new")
    version = podman("run", "--rm", *LIMITS, "--network", "none", base, "python3", "-c", VERSION)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(unfinished)]
    command += ["--only-binary=:all:", f"--python-version={version}", "--requirement", str(REQUIREMENTS)]
    subprocess.run(command, check=True)
    unfinished.rename(wheels)


def create(definition: Path, context: Path) -> str:
    """Let ansible-builder create the context of a build: the Containerfile."""
    command = [str(Path(sys.executable).with_name("ansible-builder")), "create", "--output-filename", "Containerfile"]
    subprocess.run([*command, "--file", str(definition), "--context", str(context)], check=True)
    return (context / "Containerfile").read_text(encoding="utf-8")


def build(artifact: Path, folder: Path, name: str) -> None:
    """Build an image of that name with that artifact of the collection. ``folder``: for what it is built of."""
    shutil.copy(DEFINITION, folder)
    shutil.copy(artifact, folder / "eceops-platform.tar.gz")
    create(folder / DEFINITION.name, folder / "context")
    (folder / "pip.conf").write_text(PIP_SETTINGS, encoding="utf-8")
    base = _need_base()
    # No layers, that is, nothing that stays beside the image
    command = ["build", "--layers=false", *LIMITS, "--security-opt", "label=disable", "--network", "none"]
    command += ["--volume", f"{_wheels(base)}:/wheels:ro", "--volume", f"{folder}/pip.conf:/etc/pip.conf:ro"]
    command += ["--build-arg", f"EE_BASE_IMAGE={base}", "--pull=never", "--tag", name]
    podman(*command, "--file", str(folder / "context/Containerfile"), str(folder / "context"))


def _need_base(install: bool = False) -> str:
    return containers.need_image(install, "ee-base", BASE_PACKAGES)


def _wheels(base: str) -> Path:
    kind = hashlib.sha256(REQUIREMENTS.read_bytes() + base.encode()).hexdigest()[:12]
    return FOLDER / "wheels" / kind


if __name__ == "__main__":
    try:
        fetch()
    except (containers.NoEngine, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"no execution environment: {error}")
        sys.exit(1)
