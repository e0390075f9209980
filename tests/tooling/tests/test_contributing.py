# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CONTRIBUTING and TESTING name what is there: each file, function, list, task, make target and part."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tooling import pythons, stage

ROOT = stage.ROOT
DOCUMENTS = ("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "TESTING.md")
GUIDES = ("CONTRIBUTING.md", "TESTING.md")
SPAN = re.compile(r"`([^`\n]+)`")
# A row of the walks: what happens, in which file, by which names
STEP = re.compile(r"^\| .*? \| `(\S+)` \| (`.*`) \|$", re.MULTILINE)
# In a sentence: `NAME` in `FILE`
NAMED_IN = re.compile(r"((?:`[\w.]+`(?:, | and )?)+) in `([\w./-]+\.\w+)`")
# What make makes, and what is of the machine or an example
ELSEWHERE = (".venv/", ".cache/", ".nox/", ".../", "/run", "/var/")


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def named() -> Iterator[tuple[str, str, str]]:
    """Document, file, and a name that is said to be in it."""
    for document in GUIDES:
        for pattern, file, names in ((STEP, 1, 2), (NAMED_IN, 2, 1)):
            for found in pattern.finditer(read(document)):
                yield from ((document, found[file], name) for name in SPAN.findall(found[names]))


def definitions(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """The functions, classes and constants of a module, methods with their class."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from definitions(node, f"{node.name}.")
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize(("document", "file", "name"), sorted(set(named())))
def test_each_name_is_in_its_file(document: str, file: str, name: str) -> None:
    text = read(file)
    if file.endswith(".py"):
        assert name in set(definitions(ast.parse(text))), f"{document}: {file} has no {name}"
    else:
        # The name of a task or play, or a key
        assert re.search(rf"^ *(- name: {re.escape(name)}|{re.escape(name)}:)", text, re.MULTILINE), (
            f"{document}: {file}"
        )


def test_the_walks_are_found() -> None:
    steps = [(file, name) for document, file, name in named() if document == "CONTRIBUTING.md"]
    assert ("plugins/module_utils/_http.py", "Http._exchange") in steps
    assert ("roles/ece_host/tasks/start.yml", "Start the installer") in steps
    assert ("tests/tooling/tests/test_stage.py", "CONTENTS") in steps
    # All steps of the role
    tasks = re.findall(r"import_tasks: (\S+)", read("roles/ece_host/tasks/main.yml"))
    assert {f"roles/ece_host/tasks/{file}" for file in tasks} <= {file for file, _name in steps}


@pytest.mark.parametrize("document", GUIDES)
def test_each_file_and_folder_is_there(document: str) -> None:
    spans = {span for span in SPAN.findall(read(document)) if re.fullmatch(r"[\w./-]+(/|\.\w+)", span)}
    paths = {span for span in spans if "/" in span and not span.startswith(ELSEWHERE)}
    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_leads_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", read(document)):
        file, _hash, anchor = target.partition("#")
        if not target.startswith("https://"):
            assert (ROOT / file).exists() if file else True, target
            assert not anchor or anchor in anchors(read(file or document)), target


def anchors(text: str) -> set[str]:
    """Those of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def sessions() -> set[str]:
    """Those of the noxfile; of `core`, one for each ansible-core."""
    functions = [node for node in ast.parse(read("noxfile.py")).body if isinstance(node, ast.FunctionDef)]
    decorated = [(function.name, [ast.unparse(each) for each in function.decorator_list]) for function in functions]
    one = {name for name, by in decorated if any(each.startswith("nox.session") for each in by)}
    return one | {f"{name}-{core}" for name, by in decorated if "core" in by for core in pythons.CORES}


@pytest.mark.parametrize("document", GUIDES)
def test_each_command_is_there(document: str) -> None:
    text = read(document)
    targets = set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"nox (?:-R )?-s ([\w.-]+)", text)) <= sessions()
