# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trees that tests run in: copies below `.cache`, so that nothing works only from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Folders of the artifact
FOLDERS = ("docs/", "examples/", "meta/", "playbooks/", "plugins/", "roles/")
COLLECTION = Path("ansible_collections/eceops/platform")


def git(root: Path, *arguments: str) -> str:
    """Git's answer about that folder, whoever owns it and whatever a hook has set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", f"safe.directory={root}", "-c", "init.defaultBranch=main", "-C", str(root), *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def tracked(root: Path) -> list[str]:
    """The files of a release: those that git tracks or has staged, as they are in the folder now."""
    return _existing(root, git(root, "ls-files", "-z", "--cached"))


def known(root: Path) -> list[str]:
    """The files of a developer: also those that are new, but none that git ignores."""
    return _existing(root, git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"))


def _existing(root: Path, listing: str) -> list[str]:
    return sorted({name for name in listing.split("\0") if name and os.path.lexists(root / name)})


def remove(folder: Path) -> None:
    """Remove a folder, where it is there. What cannot be removed is an error, as it would be taken for what is new."""
    if folder.exists():
        shutil.rmtree(folder)


def export(root: Path, names: Iterable[str], target: Path) -> Path:
    """Copy these files into a new folder."""
    remove(target)
    target.mkdir(parents=True)
    for name in names:
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, copy, follow_symlinks=False)
    return target


def release_files(root: Path) -> list[str]:
    """What the artifact is built from. New files that would belong to it are named, as git does not track them yet."""
    files = tracked(root)
    for name in sorted(set(known(root)) - set(files)):
        if name.startswith(FOLDERS):
            print(f"not in the artifact, git does not track it: {name}", file=sys.stderr)
    return files


def build(root: Path, galaxy: Path, target: Path) -> Path:
    """The artifact, from the release's files alone."""
    source = export(root, release_files(root), target / "source")
    _galaxy(galaxy, target, "build", str(source), "--output-path", str(target), "--force")
    shutil.rmtree(source)
    (artifact,) = target.glob("eceops-platform-*.tar.gz")
    return artifact


def install(artifact: Path, galaxy: Path, collections: Path) -> Path:
    """The artifact as a user has it."""
    remove(collections)
    _galaxy(galaxy, collections, "install", str(artifact), "--offline", "--force", "-p", str(collections))
    return collections / COLLECTION


def _galaxy(galaxy: Path, target: Path, *arguments: str) -> None:
    target.mkdir(parents=True, exist_ok=True)
    # Its own HOME and no configuration: nothing of the user's takes part, nothing is written outside of the checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {
        "HOME": str(target),
        "ANSIBLE_HOME": str(target / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(target),
    }
    subprocess.run(
        [galaxy, "collection", *arguments], env=environment, cwd=target, check=True, stdout=subprocess.DEVNULL
    )


def checkout(root: Path, base: Path) -> Path:
    """The whole checkout where Ansible's tools want it: below ansible_collections, in a git tree of its own."""
    tree = export(root, known(root), base / COLLECTION)
    git(tree, "init", "--quiet")
    return tree


def repository(root: Path, target: Path) -> Path:
    """A repository of its own, with the developer's files as its one commit, on `main`. (That of the checkout cannot be
    cloned where it is another user's.)"""
    export(root, known(root), target)
    git(target, "init", "--quiet")
    git(target, "add", "--all", "--force")
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    git(target, *identity, "commit", "--quiet", "--message", "All of it")
    return target


def installed(root: Path, artifact: Path, galaxy: Path, base: Path) -> Path:
    """The installed artifact with the tests beside it."""
    tree = install(artifact, galaxy, base)
    tests = [name for name in known(root) if name.startswith("tests/")]
    export(root / "tests", (name.removeprefix("tests/") for name in tests), tree / "tests")
    git(tree, "init", "--quiet")
    return tree
