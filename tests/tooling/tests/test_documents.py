# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is taken out of documents to be run, and that make has what they name."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tooling import documents, newcomer, stage
from tooling.documents import Block

MARKDOWN = """\
Run `make demo`, or `ansible-doc
eceops.platform.x`; `make` alone is no command.

- In a list:

  ```sh
  ls -l \\
    /tmp   # a comment

  export A=b
  ```

```yaml
# a.yml
a: `make it`
```
"""
RESTRUCTURED_TEXT = """\
.. note::

   Run ``make demo``.

   .. code-block:: sh
      :caption: What comes

      ls -l \\
        /tmp   # a comment

      export A=b

Then ``ansible-doc
eceops.platform.x``.

.. code-block:: yaml

   # a.yml
   a: ``make it``
"""


def written(folder: Path, suffix: str, text: str) -> Path:
    document = folder / f"document{suffix}"
    document.write_text(textwrap.dedent(text), encoding="utf-8")
    return document


@pytest.mark.parametrize(
    ("suffix", "text", "lines"), [(".md", MARKDOWN, (1, 1, 6, 13)), (".rst", RESTRUCTURED_TEXT, (3, 13, 5, 16))]
)
def test_blocks_and_commands_are_found_in_order(
    tmp_path: Path, suffix: str, text: str, lines: tuple[int, int, int, int]
) -> None:
    make, doc, shell, file = lines
    expected = [
        Block(make, "sh", "make demo", in_sentence=True),
        Block(doc, "sh", "ansible-doc eceops.platform.x", in_sentence=True),
        Block(shell, "sh", "ls -l \\\n  /tmp   # a comment\n\nexport A=b\n"),
        Block(file, "yaml", "# a.yml\na: `make it`\n" if suffix == ".md" else "# a.yml\na: ``make it``\n"),
    ]
    found = documents.read(written(tmp_path, suffix, text))
    assert found == sorted(expected, key=lambda block: block.line)
    assert [block.commands for block in found if block.line == shell] == [["ls -l /tmp", "export A=b"]]


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (".md", "```sh\nls\n", ":1: this fence is not closed"),
        (".md", "\n```\nls\n```\n", ":2: unknown language ''"),
        (".md", "```bash\nls\n```\n", "unknown language 'bash'"),
        (".md", "```sh\n\n```\n", "an empty block"),
        (".md", "```sh\n$ ls\n```\n", "a prompt"),
        (".md", "A list:\n\n    ls -l\n", ":3: an indented block"),
        (".md", "Run `make demo`.\n\n```text\nls\n```\n", "no example"),
        (".md", "> ```sh\n> ls\n> ```\n", ":1: a fence within a quote"),
        (".rst", ".. code-block::\n\n   ls\n", ":1: unknown language ''"),
        (".rst", "A\n\n.. code-block:: console\n\n   ls\n", ":3: unknown language 'console'"),
        (".rst", ".. code-block:: sh\n\nText\n", "an empty block"),
        (".rst", "Run it::\n\n   ls\n", ":1: a literal block"),
        (".rst", ".. literalinclude:: a.yml\n", "literalinclude"),
        (".rst", ".. prompt:: bash\n\n   ls\n", "prompt"),
        (".rst", "Nothing\n", "no example"),
    ],
)
def test_what_might_be_left_out_unseen_is_an_error(tmp_path: Path, suffix: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        documents.read(written(tmp_path, suffix, text))


def test_a_comment_is_none_within_quotes() -> None:
    block = Block(1, "sh", "ansible -a 'msg=\"a #b\"'  # so\n")
    assert block.commands == ["ansible -a 'msg=\"a #b\"'"]


def test_make_has_what_the_documents_name() -> None:
    makefile = (stage.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):.* ## ", makefile, re.MULTILINE))
    names = ["README.md", "CONTRIBUTING.md", "TESTING.md", "roles/ece_host/README.md"]
    named: dict[str, Path] = {}
    for document in [*map(stage.ROOT.joinpath, names), *stage.ROOT.glob("docs/docsite/rst/*.rst")]:
        for words in [command.split() for block in documents.read(document) for command in block.commands]:
            if words[0] == "make":
                named |= dict.fromkeys((word for word in words[1:] if "=" not in word), document)
    assert {"demo", "test"} <= targets & named.keys()
    assert {target: document for target, document in named.items() if target not in targets} == {}


def test_a_newcomer_runs_all_that_the_readme_shows_for_a_clone_and_ends_clean(tmp_path: Path) -> None:
    shell = "```sh\nexport A=b\npython -m testbed up  # it begins\n```\n```sh\nls\n```\n"
    text = f"`make clean` removes what `make demo` makes; `make test-all`, `make demo`.\n{shell}"
    assert newcomer.plan(written(tmp_path, ".md", text)) == [
        "make demo",
        "export A=b\npython -m testbed up",
        "make clean",
    ]
