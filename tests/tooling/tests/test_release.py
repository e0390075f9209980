# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make release`: what it refuses, what it makes, and that the commands that it tells publish just that."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tooling import release, stage
from tooling.release import MAJOR, MINOR, PATCH, Tree

HOOKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE")
SUMMARY = {"summary.yml": ["release_summary"]}
FIRST = Tree("0.1.0", fragments=SUMMARY, added={"plugins/modules/x.py:3": "0.1.0"})
LATER = replace(FIRST, released=["1.2.9", "1.2.10", "0.1.0"])


def test_a_first_release_is_what_the_documentation_says() -> None:
    assert release.problems("0.1.0", FIRST) == []
    (problem,) = release.problems("1.0.0", FIRST)
    assert problem == "plugins/modules/x.py:3: version_added 0.1.0 is neither 1.0.0 nor a released version: correct it."


@pytest.mark.parametrize("wanted", ["", "1", "1.2", "v1.2.11", "1.2.11-rc1", "01.2.3", "1.2.11\n", "one"])
def test_what_is_no_version_is_refused_with_the_command(wanted: str) -> None:
    (problem,) = release.problems(wanted, LATER)
    assert problem.startswith(f"'{wanted}' is no version: ")
    assert problem.endswith("make release VERSION=X.Y.Z, such as VERSION=1.2.0.")


@pytest.mark.parametrize(
    ("last", "sections", "new", "kind"),
    [
        ((1, 2, 3), ["bugfixes", "security_fixes", "known_issues", "trivial", "release_summary"], False, PATCH),
        ((1, 2, 3), ["bugfixes"], True, MINOR),
        ((1, 2, 3), ["bugfixes", "minor_changes"], False, MINOR),
        ((1, 2, 3), ["deprecated_features"], False, MINOR),
        ((1, 2, 3), ["minor_changes", "breaking_changes"], True, MAJOR),
        ((1, 2, 3), ["removed_features"], False, MAJOR),
        ((0, 2, 3), ["removed_features"], False, MINOR),
    ],
)
def test_the_changes_ask_for_a_kind_of_release(
    last: tuple[int, int, int], sections: list[str], new: bool, kind: str
) -> None:
    assert release.needed(last, sections, new) == kind


@pytest.mark.parametrize(
    ("kind", "versions"),
    [(PATCH, ["1.2.11", "1.3.0", "2.0.0"]), (MINOR, ["1.3.0", "2.0.0"]), (MAJOR, ["2.0.0"])],
)
def test_only_the_next_versions_may_follow(kind: str, versions: list[str]) -> None:
    assert release.candidates((1, 2, 10), kind) == versions


@pytest.mark.parametrize("wanted", ["1.2.10", "1.2.9", "1.2.12", "0.9.0", "1.4.0", "12.0.0"])
def test_a_slip_of_the_pen_is_no_next_version(wanted: str) -> None:
    (problem,) = release.problems(wanted, LATER)
    assert problem.startswith(f"{wanted} cannot follow 1.2.10: ")
    assert problem.endswith("a patch release at least: 1.2.11, or 1.3.0, or 2.0.0.")


def test_what_is_new_is_no_patch() -> None:
    (problem,) = release.problems("1.2.11", replace(LATER, added={"plugins/filter/y.py:9": "1.2.11"}))
    assert problem.endswith("a minor release at least: 1.3.0, or 2.0.0.")


def test_all_problems_are_said_at_once() -> None:
    tree = replace(LATER, fragments={}, added={"a:1": "2.0.0"}, uncommitted=["README.md", "new.txt"], tags=["1.2.11"])
    tree = replace(tree, branch="feature")
    found = release.problems("1.2.11", tree)
    assert [problem.split()[0] for problem in found] == ["There", "This", "The", "a:1:", "changelogs/fragments"]
    assert "(README.md, new.txt): commit or remove it." in found[0]
    assert "branch feature" in found[1]
    assert "1.2.11-summary.yml" in found[4]


@pytest.mark.parametrize(
    ("tag", "tree", "says"),
    [
        ("v1.3.0", Tree("1.3.0", ["1.3.0"]), ["tag is v1.3.0, but galaxy.yml", "last release", "make release"]),
        ("1.3.0", Tree("1.2.0", ["1.3.0"]), ["galaxy.yml says version 1.2.0", "make release"]),
        ("1.3.0", Tree("1.3.0"), ["The last release in changelogs/changelog.yaml is none", "make release"]),
        ("1.3.0", Tree("1.3.0", ["1.10.0", "1.3.0"]), ["is 1.10.0, not 1.3.0", "make release"]),
        ("1.3.0", Tree("1.3.0", ["1.3.0"], {"x.yml": []}), ["still holds x.yml", "make release"]),
        ("1.3.0", Tree("1.3.0", ["1.2.0", "1.3.0"]), []),
    ],
)
def test_a_tag_is_that_of_a_release(tag: str, tree: Tree, says: list[str]) -> None:
    found = release.tag_problems(tag, tree)
    assert len(found) == len(says)
    assert all(words in problem for words, problem in zip(says, found, strict=True))


def test_only_the_version_of_galaxy_yml_is_changed() -> None:
    text = "# version: 1\nname: x\nversion: 1.2.3  \nother:\n  version: 4\n"
    assert release.with_version(text, "1.3.0") == text.replace("1.2.3", "1.3.0")
    for wrong in ("name: x\n", "version: 1\nversion: 2\n"):
        with pytest.raises(release.CannotRelease):
            release.with_version(wrong, "1.3.0")


# With a checkout, and somewhere to push to


def git(root: Path, *arguments: str) -> str:
    return stage.git(root, "-c", "user.name=nobody", "-c", "user.email=nobody@example.com", *arguments)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A change")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "nobody")
        monkeypatch.setenv(f"{name}_EMAIL", "nobody@example.com")
    root = stage.export(stage.ROOT, stage.known(stage.ROOT), tmp_path / "checkout")
    # As before the first release
    (root / release.CHANGES).write_text("ancestor: null\nreleases: {}\n", encoding="utf-8")
    for old in (root / release.FRAGMENTS).glob("*"):
        old.unlink()
    (root / release.FRAGMENTS).mkdir(exist_ok=True)
    write_fragment(root, "first.yml", "release_summary: Hosts join by playbook.\n")
    galaxy = root / release.GALAXY
    galaxy.write_text(release.with_version(galaxy.read_text(encoding="utf-8"), "0.1.0"), encoding="utf-8")
    git(root, "init", "--quiet")
    commit(root)
    remote = tmp_path / "remote"
    remote.mkdir()
    git(remote, "init", "--quiet", "--bare")
    git(root, "remote", "add", "origin", str(remote))
    return root


def write_fragment(root: Path, name: str, text: str) -> None:
    (root / release.FRAGMENTS / name).write_text(f"---\n{text}", encoding="utf-8")


def test_releases_from_the_first_command_to_the_tag(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert release.main("check", "0.1.0", checkout) == 1
    assert release.main("prepare", "0.1.0", checkout) == 0
    said = capfd.readouterr().out
    assert git(checkout, "status", "--porcelain").split("\n")[:-1] == [
        " M CHANGELOG.md",
        " M changelogs/changelog.yaml",
        " D changelogs/fragments/first.yml",
    ]
    assert "Hosts join by playbook" in (checkout / release.CHANGELOG).read_text(encoding="utf-8")
    first = yaml.safe_load((checkout / release.CHANGES).read_text(encoding="utf-8"))["releases"]["0.1.0"]
    assert "ece_roles_token" in [module["name"] for module in first["modules"]]
    artifact = checkout / ".cache/artifact/eceops-platform-0.1.0.tar.gz"
    with tarfile.open(artifact) as archive:
        packed = archive.extractfile("changelogs/changelog.yaml")
        assert packed
        assert packed.read() == (checkout / release.CHANGES).read_bytes()
    publish(checkout, said)
    assert git(checkout, "status", "--porcelain") == ""
    assert release.main("check", "0.1.0", checkout) == 0
    assert git(checkout, "ls-remote", "--tags", "origin", "0.1.0").endswith("refs/tags/0.1.0\n")

    # The next one: its changes say what it is to be.
    (checkout / release.FRAGMENTS).mkdir(exist_ok=True)
    write_fragment(checkout, "2.yml", "release_summary: More.\nminor_changes:\n  - ece_runner - Can do more.\n")
    commit(checkout)
    capfd.readouterr()
    assert release.main("prepare", "0.1.1", checkout) == 1
    assert "a minor release at least: 0.2.0, or 1.0.0." in capfd.readouterr().err
    assert git(checkout, "status", "--porcelain") == ""
    assert release.main("prepare", "0.2.0", checkout) == 0
    changed = git(checkout, "diff", "--unified=0", "--", release.GALAXY).splitlines()[-2:]
    assert changed == ["-version: 0.1.0", "+version: 0.2.0"]
    releases = yaml.safe_load((checkout / release.CHANGES).read_text(encoding="utf-8"))["releases"]
    assert set(releases) == {"0.1.0", "0.2.0"}
    assert "modules" not in releases["0.2.0"]

    # And back
    (undo,) = re.findall(r"git restore .*", capfd.readouterr().out)
    run(checkout, undo)
    assert git(checkout, "status", "--porcelain") == ""


def publish(checkout: Path, said: str) -> None:
    """Run the commands as they stand."""
    commands = re.findall(r"^  (git .*)$", said, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["add", "commit", "tag", "push"]
    run(checkout, "\n".join(commands))


def run(checkout: Path, commands: str) -> None:
    # Within a hook of git's, these would lead elsewhere.
    environment = {name: value for name, value in os.environ.items() if name not in HOOKS}
    subprocess.run(["bash", "-e", "-c", commands], cwd=checkout, env=environment, check=True)


def test_a_release_that_fails_changes_nothing(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_fragment(checkout, "wrong.yml", "no_such_section:\n  - A change.\n")
    assert release.main("prepare", "0.1.0", checkout) == 1
    assert "There is what is not committed (changelogs/fragments/wrong.yml)" in capfd.readouterr().err
    commit(checkout)
    assert release.main("prepare", "0.1.0", checkout) == 1
    said = capfd.readouterr().err
    assert "no_such_section" in said
    assert said.endswith("antsibull-changelog lint failed, see above. Nothing was changed.\n")
    assert git(checkout, "status", "--porcelain") == ""
