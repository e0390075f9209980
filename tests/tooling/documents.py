# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a document, in Markdown or reStructuredText, gives its readers to run."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

SHELL, YAML = "sh", "yaml"
# What is only shown
SHOWN = ("text", "ini", "jinja", "mermaid")
FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
DIRECTIVE = re.compile(r"( *)\.\. ([a-z-]+):: *(.*)")
# What holds no code of its own
TEXT_DIRECTIVES = ("contents", "list-table", "note", "seealso", "warning")
# Commands within a sentence: a program's name alone is none.
PROGRAMS = re.compile(r"(ansible(-[a-z]+)?|\.venv/bin/\w+|curl|docker|git|make|pip3?|podman|python3?|ss|sudo)\s+\S")
# Not within quotes
COMMENT = re.compile(r"""(?<!\S)#[^"']*$""")
SPANS = {".md": re.compile(r"(?<!`)`([^`]+)`(?!`)"), ".rst": re.compile(r"``(.+?)``", re.DOTALL)}


@dataclass(frozen=True)
class Block:
    """One code block, or one command within a sentence. ``line``: where it stands in the document."""

    line: int
    language: str
    text: str
    in_sentence: bool = False

    @property
    def commands(self) -> list[str]:
        """Those of a shell's block: one for each line, continued ones joined, without comments."""
        if self.language != SHELL:
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        commands = (" ".join(COMMENT.sub("", line).split()) for line in lines)
        return [command for command in commands if command]

    @property
    def is_for_a_clone(self) -> bool:
        """Whether it works in a clone of this project only."""
        return any(command.split()[0] == "make" or "python -m testbed" in command for command in self.commands)


def read(document: Path) -> list[Block]:
    """What stands in it, in order.

    Raises:
        ValueError: where something might be left out unseen. The message says where.
    """
    lines = document.read_text(encoding="utf-8").splitlines()
    try:
        blocks = _markdown(lines) if document.suffix == ".md" else _restructured_text(lines)
        for block in blocks:
            _check(block)
    except _Wrong as error:
        raise ValueError(f"{document}:{error.line}: {error}") from None
    if not any(block.language in (SHELL, YAML) for block in blocks):
        raise ValueError(f"{document}: there is no example")
    # What is left are sentences.
    spans = SPANS[document.suffix].finditer("\n".join(lines))
    for span in spans:
        line = span.string.count("\n", 0, span.start()) + 1
        if PROGRAMS.match(span[1]):
            blocks.append(Block(line, SHELL, " ".join(span[1].split()), in_sentence=True))
    return sorted(blocks, key=lambda block: block.line)


class _Wrong(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _markdown(lines: list[str]) -> list[Block]:
    """The blocks, which are blanked in ``lines``."""
    blocks = []
    at = 0
    while at < len(lines):
        fence = FENCE.fullmatch(lines[at])
        if fence:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[2]), None)
            if end is None:
                raise _Wrong(at + 1, "this fence is not closed")
            blocks.append(_take(lines, at, at + 1, end, fence[3].strip()))
            at = end
            lines[at] = ""
        elif lines[at].startswith(("    ", "\t")):
            raise _Wrong(at + 1, "an indented block: use a fence")
        elif "```" in lines[at] or "~~~" in lines[at]:
            raise _Wrong(at + 1, "a fence within a quote or a list: put it outside")
        at += 1
    return blocks


def _restructured_text(lines: list[str]) -> list[Block]:
    """The blocks, which are blanked in ``lines``."""
    blocks = []
    for at in range(len(lines)):
        directive = DIRECTIVE.fullmatch(lines[at])
        if directive and directive[2] == "code-block":
            indent = len(directive[1])
            end = at + 1
            while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > indent):
                end += 1
            begin = at + 1
            while begin < end and re.match(r" +:[a-z-]+:", lines[begin]):
                begin += 1
            blocks.append(_take(lines, at, begin, end, directive[3].strip()))
        elif directive and directive[2] not in TEXT_DIRECTIVES:
            raise _Wrong(at + 1, f"{directive[2]}: what is to be run is a code-block; what is not, see TEXT_DIRECTIVES")
        elif not directive and lines[at].rstrip().endswith("::"):
            raise _Wrong(at + 1, "a literal block: use code-block")
    return blocks


def _take(lines: list[str], at: int, begin: int, end: int, language: str) -> Block:
    text = textwrap.dedent("\n".join(lines[begin:end])).strip("\n")
    lines[at:end] = [""] * (end - at)
    return Block(at + 1, language, text + "\n")


def _check(block: Block) -> None:
    if block.language not in (SHELL, YAML, *SHOWN):
        raise _Wrong(block.line, f"unknown language {block.language!r}: {', '.join((SHELL, YAML, *SHOWN))}")
    if not block.text.strip():
        raise _Wrong(block.line, "an empty block")
    if block.language == SHELL and re.search(r"^\s*\$ ", block.text, re.MULTILINE):
        raise _Wrong(block.line, "a prompt: it cannot be copied")
