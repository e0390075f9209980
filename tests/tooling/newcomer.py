# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody does who has just found the project: a fresh clone, and in it whatever its README shows for one.

``python -m tooling.newcomer FOLDER``, with HOME an empty folder. Takes minutes, and the internet.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tooling import documents, stage

# They run this.
LEFT_OUT = ("make test", "make test-all")
# It removes what the others have made.
LAST = "make clean"


def plan(readme: Path) -> list[str]:
    """What a shell is to run, one after the other."""
    blocks = [block for block in documents.read(readme) if block.is_for_a_clone]
    scripts = ["\n".join(command for command in block.commands if command not in LEFT_OUT) for block in blocks]
    return sorted(dict.fromkeys(filter(None, scripts)), key=LAST.__eq__)


def main(folder: Path) -> int:
    stage.remove(folder)
    with tempfile.TemporaryDirectory() as origin:
        stage.git(stage.ROOT, "clone", "--quiet", str(stage.repository(stage.ROOT, Path(origin))), str(folder))
    failed = []
    for script in plan(folder / "README.md"):
        print(f"\n=== {script}", flush=True)
        # What it has started is ended by its last line, whatever happens before.
        last = script.splitlines()[-1]
        kept = f"trap {shlex.quote(last)} EXIT\n" if "testbed down" in last else ""
        if subprocess.run(["bash", "-ec", kept + script], cwd=folder, check=False).returncode != 0:
            failed.append(script)
    if left := stage.git(folder, "status", "--porcelain", "--ignored"):
        print(f"\nIt is not clean:\n{left}")
        failed.append("git status")
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nAll that the README shows for a clone has run.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
