# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release: `python -m tooling.release prepare VERSION` is `make release`, `check TAG` is for the release's workflow.

What is to be decided is decided by pure functions. All is made in a copy, so that a release that fails changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tooling import stage

TOOLS = Path(sys.executable).parent
GALAXY, CHANGELOG, CHANGES, FRAGMENTS = (
    "galaxy.yml",
    "CHANGELOG.md",
    "changelogs/changelog.yaml",
    "changelogs/fragments",
)
# What a release changes
OWN = (GALAXY, CHANGELOG, CHANGES, FRAGMENTS)
OWN_FOR_GIT = f"{GALAXY} {CHANGELOG} changelogs"

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_GALAXY_VERSION = re.compile(r"^version: *(\S+) *$", re.MULTILINE)
_VERSION_ADDED = re.compile(r"^ *version_added: *[\"']?([^\s\"']+)", re.MULTILINE)
_SECTION = re.compile(r"^(\w+):", re.MULTILINE)
# By semantic versioning, what the sections of the changelog ask for; all others: a patch release
BREAKING = {"breaking_changes", "removed_features"}
FEATURES = {"major_changes", "minor_changes", "deprecated_features"}
PATCH, MINOR, MAJOR = "a patch", "a minor", "a major"

NEXT_STEPS = """
{version} is ready, its artifact is {artifact}. Read what has changed (git diff), run
make test, then publish it:

  git add {own}
  git commit --quiet --message 'Release {version}'
  git tag --annotate --message 'Release {version}' {version}
  git push --quiet --atomic origin HEAD {version}

The tag starts .github/workflows/release.yml: it tests that commit, publishes its artifact on Ansible Galaxy, and makes
the release on GitHub. To take back what was done here, as long as nothing is committed:
git restore {own}
"""


class CannotRelease(Exception):
    """Why not, and what to do."""


@dataclass(frozen=True)
class Tree:
    """What a checkout tells. `fragments`: the sections of each; `added`: each `version_added`, by where it stands."""

    galaxy_version: str
    released: list[str] = field(default_factory=list)
    fragments: Mapping[str, list[str]] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    uncommitted: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    branch: str = "main"


def numbers(version: str) -> tuple[int, int, int] | None:
    """The three numbers of X.Y.Z; None for anything else."""
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def last_release(released: Iterable[str]) -> str | None:
    return max(released, key=lambda version: numbers(version) or (0, 0, 0), default=None)


def needed(last: tuple[int, int, int], sections: Iterable[str], new: bool) -> str:
    """The kind of release that changes ask for, after `last`. `new`: some of what is described is new in this one."""
    found = set(sections)
    if found & BREAKING:
        # As long as nothing is promised, a minor release may break things.
        return MAJOR if last[0] else MINOR
    return MINOR if new or found & FEATURES else PATCH


def candidates(last: tuple[int, int, int], kind: str) -> list[str]:
    """The versions that may follow, the next one first."""
    major, minor, patch = last
    following = {PATCH: (major, minor, patch + 1), MINOR: (major, minor + 1, 0), MAJOR: (major + 1, 0, 0)}
    kinds = list(following)
    return [".".join(map(str, following[each])) for each in kinds[kinds.index(kind) :]]


def problems(wanted: str, tree: Tree) -> list[str]:
    """All that stands in the way of this release, each with what to do."""
    if not numbers(wanted):
        return [f"'{wanted}' is no version: make release VERSION=X.Y.Z, such as VERSION=1.2.0."]
    found = []
    if tree.uncommitted:
        found.append(
            f"There is what is not committed ({', '.join(tree.uncommitted)}): commit or remove it. What an earlier "
            f"make release has made is taken back by git restore {OWN_FOR_GIT}"
        )
    if not re.fullmatch(r"main|stable-\d+", tree.branch):
        found.append(f"This is the branch {tree.branch or '(none)'}: a release is made on main or stable-X. Go there.")
    if wanted in tree.tags:
        found.append(f"The tag {wanted} is there already. What is published is never changed: take the next version.")
    found += _order_problems(wanted, tree)
    for place, version in tree.added.items():
        if version not in {wanted, *tree.released}:
            found.append(f"{place}: version_added {version} is neither {wanted} nor a released version: correct it.")
    if "release_summary" not in [section for sections in tree.fragments.values() for section in sections]:
        found.append(
            f"{FRAGMENTS} has no release_summary: tell there, in {wanted}-summary.yml, in some sentences what is new."
        )
    return found


def _order_problems(wanted: str, tree: Tree) -> list[str]:
    """Whether this version may follow the last one, by semantic versioning and by what has changed."""
    last = last_release(tree.released)
    before = numbers(last) if last else None
    if last is None or before is None:
        return []
    kind = needed(
        before, (section for sections in tree.fragments.values() for section in sections), wanted in tree.added.values()
    )
    allowed = candidates(before, kind)
    says = (
        f"by what {FRAGMENTS} and version_added say, the next one is {kind} release at least: {', or '.join(allowed)}."
    )
    return [] if wanted in allowed else [f"{wanted} cannot follow {last}: {says}"]


def tag_problems(tag: str, tree: Tree) -> list[str]:
    """Why a commit with this tag is no release."""
    found = []
    if tag != tree.galaxy_version:
        found.append(f"The tag is {tag}, but {GALAXY} says version {tree.galaxy_version}.")
    if tag != last_release(tree.released):
        found.append(f"The last release in {CHANGES} is {last_release(tree.released) or 'none'}, not {tag}.")
    if tree.fragments:
        found.append(f"{FRAGMENTS} still holds {', '.join(tree.fragments)}.")
    advice = "Remove the tag, run make release VERSION=X.Y.Z, and tag the commit that it tells to make."
    return [*found, advice] if found else []


def with_version(galaxy: str, version: str) -> str:
    """The text of galaxy.yml with this version, and nothing else changed."""
    found = list(_GALAXY_VERSION.finditer(galaxy))
    if len(found) != 1:
        raise CannotRelease(f"{GALAXY} has no line, or several, that begin with `version:`: make it one.")
    return galaxy[: found[0].start(1)] + version + galaxy[found[0].end(1) :]


# What touches files


def read(root: Path) -> Tree:
    galaxy = _GALAXY_VERSION.search((root / GALAXY).read_text(encoding="utf-8"))
    changes = yaml.safe_load((root / CHANGES).read_text(encoding="utf-8"))
    fragments = sorted(path for path in (root / FRAGMENTS).glob("*") if path.suffix in (".yml", ".yaml"))
    described = [name for name in stage.known(root) if name.startswith("plugins/") or "/argument_specs." in name]
    return Tree(
        galaxy[1] if galaxy else "none",
        [str(version) for version in changes["releases"]],
        {path.name: _SECTION.findall(path.read_text(encoding="utf-8")) for path in fragments},
        {
            f"{name}:{text.count(chr(10), 0, found.start()) + 1}": found[1]
            for name in described
            for text in [(root / name).read_text(encoding="utf-8")]
            for found in _VERSION_ADDED.finditer(text)
        },
        [line[3:] for line in stage.git(root, "status", "--porcelain").splitlines()],
        stage.git(root, "tag", "--list").split(),
        stage.git(root, "branch", "--show-current").strip(),
    )


def prepare(root: Path, wanted: str) -> str:
    """Make the release's files and its artifact; what to do next."""
    tree = read(root)
    found = problems(wanted, tree)
    if found:
        raise CannotRelease("\n".join(found))
    base = root / ".cache" / "stage" / "release"
    copy = stage.checkout(root, base)
    galaxy = copy / GALAXY
    galaxy.write_text(with_version(galaxy.read_text(encoding="utf-8"), wanted), encoding="utf-8")
    for step in ("lint", "release"):
        _changelog(copy, base, step)
    stage.git(copy, "add", "--all")
    target = root / ".cache" / "artifact"
    stage.remove(target)
    artifact = stage.build(copy, TOOLS / "ansible-galaxy", target)
    _take_over(copy, root, tree.fragments)
    return NEXT_STEPS.format(version=wanted, artifact=artifact.relative_to(root), own=OWN_FOR_GIT)


def _changelog(tree: Path, base: Path, *arguments: str) -> None:
    """Run antsibull-changelog, which asks ansible-doc for what is new; without anything of the user's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {
        "HOME": str(base),
        "ANSIBLE_HOME": str(base / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(base),
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(TOOLS / "antsibull-changelog"), *arguments]
    done = subprocess.run(
        command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise CannotRelease(f"{done.stdout}antsibull-changelog {arguments[0]} failed, see above. Nothing was changed.")


def _take_over(copy: Path, root: Path, fragments: Iterable[str]) -> None:
    """What the release has changed, from the copy to the checkout."""
    for name in OWN:
        if (copy / name).is_file():
            shutil.copyfile(copy / name, root / name)
    for name in fragments:
        if not (copy / FRAGMENTS / name).exists():
            (root / FRAGMENTS / name).unlink()


def main(command: str, version: str, root: Path) -> int:
    try:
        if command == "check":
            found = tag_problems(version, read(root))
            if found:
                raise CannotRelease("\n".join(found))
            print(f"This is the release {version}.")
        else:
            print(prepare(root, version))
    except CannotRelease as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], stage.ROOT))
