# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No value that the rules accept changes what the installer's shell does. A real bash runs the installer's stand-in,
which assigns and uses values as Elastic's script does. Not in `test__installer.py`: Python 3.6 has no hypothesis."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.eceops.platform.plugins.module_utils._installer import FLAGS, OWNED, argument_problems, command
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES

INSTALLER = Path(__file__).parents[3] / "testbed" / "installer" / "elastic-cloud-enterprise.sh"
# Behind the functions of the installer: for each command line on stdin, what its shell has done with it.
HARNESS = r"""
CLOUD_ENTERPRISE_VERSION=999999999.0
HOST_IP=192.0.2.1
engine() { printf '%s\0' "$@"; }
id() { echo 1000; }
ran=0
set -T
while IFS= read -r -d '' count; do
  words=()
  while ((${#words[@]} < count)); do
    IFS= read -r -d '' word
    words+=("$word")
  done
  (
    trap 'ran=$((ran + 1))' DEBUG
    parse_arguments "${words[@]}"
    run_installation_image
    trap - DEBUG
    printf '%s\0' "API_BASE_URL=${API_BASE_URL-}" "commands: $ran" "folder: $PWD"
    compgen -v
    printf '\0\036'
  )
done
"""

# What means something to a shell, or to the installer: what is left alone there, and what is not, or not everywhere.
HARMLESS = [*"a1./_=+^]#~", "x=1", "IFS=a", ";a", "&a", "|a", "<a", ">a", "(a)", "@(a)", "{}", "{a..b}", "!!", "%s"]
HARMLESS += ["\u00e4", "\u200b", "\uffff"]
HARMFUL = ["'", "';a;'", '"', "`a`", "$a", "$(a)", "\\", "*", "?", "[a]", *" \t\n\r\x00\x01\x1e\x7f\u00a0"]
SPECIAL = ["-", "--help", ",", "{a,b}", ":", "unix:/", "eyJ"]
GOOD_WORDS = st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=6).map("".join)
BAD_WORDS = st.lists(st.sampled_from([*HARMLESS, *HARMFUL, *SPECIAL]), max_size=4).map("".join)
WORDS = GOOD_WORDS | BAD_WORDS | st.sampled_from([*HARMFUL, *SPECIAL]) | st.text(max_size=12)
NUMBERS = st.integers(8192, 10**9) | st.floats() | WORDS
TAGS = st.dictionaries(GOOD_WORDS, GOOD_WORDS | st.integers(), max_size=3) | st.dictionaries(WORDS, WORDS, max_size=3)
SETTINGS = st.dictionaries(GOOD_WORDS, TAGS, max_size=3) | st.dictionaries(WORDS, WORDS | TAGS, max_size=3)
VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){1,3}", fullmatch=True)
FLAGS_WITH_VALUE = ["--config-file", "--environment-metadata", "--api-base-url", "--client-forwarder-observers-tag"]
FLAGS_WITH_VALUE += ["--latest-stack-pre-release", "--previous-stack-pre-release", "--proxy-protocol-version"]
FLAGS_ALONE = ["--debug", "--force", "--overwrite-existing-image", "--skip-cloud-enterprise-version-check"]
# What begins with dashes is another flag.
FLAG_VALUES = WORDS.map(lambda word: word.lstrip("-"))
EXTRA_ARGS = st.lists(
    st.tuples(st.sampled_from(FLAGS_WITH_VALUE), FLAG_VALUES) | st.tuples(st.sampled_from(FLAGS_ALONE)), max_size=3
)
OPTIONS: dict[str, st.SearchStrategy[t.Any]] = {
    **dict.fromkeys(["coordinator_host", "runner_id", "ip", "availability_zone"], WORDS),
    **dict.fromkeys(["docker_registry", "docker_repository"], WORDS),
    **dict.fromkeys(["storage_path", "engine_socket"], WORDS | WORDS.map("/".__add__)),
    **dict.fromkeys(["capacity", "timeout_factor"], NUMBERS),
    **dict.fromkeys(["allocator_tags", "proxy_tags"], TAGS),
    "version": VERSIONS | st.tuples(VERSIONS, WORDS).map("".join) | st.tuples(WORDS, VERSIONS).map("".join) | WORDS,
    "roles": st.lists(st.sampled_from(ROLES)) | st.lists(WORDS, max_size=3),
    "external_hostname": st.lists(GOOD_WORDS, max_size=3) | st.lists(WORDS, max_size=3),
    "memory_settings": SETTINGS,
    "container_engine": st.sampled_from(["docker", "podman", "podman", "podman", "podman;a"]),
    "selinux": st.booleans() | st.sampled_from(["yes", "no"]) | WORDS,
    "extra_args": EXTRA_ARGS.map(lambda pairs: [word for pair in pairs for word in pair]),
    "roles_token": st.from_regex(r"eyJ[\w.-]{,20}", fullmatch=True) | WORDS,
}
ARGUMENTS = st.fixed_dictionaries(OPTIONS)


def test_all_that_is_passed_is_generated():
    assert {name for name, _flag in FLAGS} <= set(OPTIONS)


def run_bash(lines: list[list[str]], folder: Path) -> list[list[str]]:
    """What the installer's shell has done with each command line: all words that reached the engine, the one value that
    does not, how many commands ran, the folder, and the names of all variables."""
    functions, _main = INSTALLER.read_text().split("\ncase ${1-help} in\n")
    result = subprocess.run(
        [str(shutil.which("bash")), "-c", functions + HARNESS],
        input="".join(f"{word}\0" for line in lines for word in (len(line), *line)),
        cwd=folder,
        # No command but bash's own can run.
        env={"PATH": str(folder / "no-commands"), "LANG": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return [record.split("\0") for record in result.stdout.split("\x1e")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the shell runs. What patterns would be expanded to is there."""
    folder = tmp_path_factory.mktemp("shell")
    for name in ("a", "b", "1", "RUNNER_ID=a"):
        (folder / name).touch()
    return folder


def accepted(options: dict[str, t.Any]) -> dict[str, t.Any]:
    podman = {"container_engine": "podman"}  # selinux goes with it only.
    arguments = {name: value for name, value in options.items() if not argument_problems(podman | {name: value})}
    return arguments if not argument_problems(arguments) else arguments | podman


def command_line(arguments: dict[str, t.Any]) -> list[str]:
    """What follows the word `install`."""
    given = {name: value for name, value in arguments.items() if name != "roles_token"}
    return command(given, "installer.sh", arguments.get("roles_token") or "eyJ.fake")[3:]


def harmless(words: list[str]) -> list[str]:
    """The same flags with other values, each of its own. As the installer compares one of them, all are versions."""
    return [word if word.startswith("--") else f"0.{1000 + at}" for at, word in enumerate(words)]


def put_back(text: str, words: list[str]) -> str:
    return re.sub(r"0\.(1\d{3})", lambda found: words[int(found[1]) - 1000], text)


def test_no_value_that_is_accepted_changes_what_the_shell_does(folder):
    files = sorted(folder.iterdir())
    kinds: Counter[str] = Counter()

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(ARGUMENTS, min_size=1, max_size=8))
    def check(batch):
        arguments = [accepted(options) for options in batch]
        kinds.update(name for given_values in arguments for name, value in given_values.items() if value)
        lines = [command_line(given_values) for given_values in arguments]
        kinds.update(flag for line in lines for flag in set(line) & set(OWNED))
        *done, end = run_bash([*lines, *map(harmless, lines)], folder)
        assert end == [""]
        for words, did, did_harmless in zip(lines, done[: len(lines)], done[len(lines) :], strict=True):
            assert did == [put_back(word, words) for word in did_harmless]
        assert sorted(folder.iterdir()) == files

    check()
    # Each kind was accepted and passed on, or this would say nothing of it.
    assert {kind for kind in [*OPTIONS, *OWNED] if not kinds[kind]} == set()
