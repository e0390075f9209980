# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the guide "When it fails" from the tables that the tests run: ``python -m faults.guide`` writes it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import role_table
from .api_faults import FAULTS, Fault, Mint

GUIDE = Path(__file__).resolve().parents[2] / "roles/ece_host/WHEN_IT_FAILS.md"

INTRODUCTION = """\
<!-- Rendered from tests/faults/api_faults.py and role_table.py by `make guide`: change those. -->
# When it fails

Search this page for words of the message. Each line of its tables is a test: the fault was made to happen, the message
was read, and what was left behind was looked at. What the role `ece_host` finds wrong with a host or its variables, and
what ECE's installer says, is in [the role's README](README.md#when-something-fails).

After a failure, the same command can be run again: what is done is not done twice, and an installer that still runs is
waited for. Look first where a persistent token may have been minted ([possible orphans](#possible-orphans)), and where
each run mints one: `rotate_token` and `mint: always`. Do then what their message says.
"""
REQUESTS = """\
## A request to the API failed

This is of all modules, of the role and the playbooks. The message begins with the request and its address, such as
`GET https://coordinator.example.com:12443/api/v1/platform`; modules return `failure: {status, code, message, fields}`,
too. *Sent again* means: up to `retries` times, with growing pauses or those that `Retry-After` asks for, of at most 30
seconds each. *What was done* is said of the last try. An earlier one may have taken effect, which does no harm: what is
gone counts as revoked or deleted.
"""
PASSES = """\
## What passes by itself

These are no failures:

"""
ORPHANS = """\
## Possible orphans

A persistent token is asked for again only where the first request surely did not arrive, or was refused with 429.
Where its outcome is unknown, the module lists the tokens once more, and fails with `possible_orphans`: the ids of those
with these roles that were not there before. Nobody holds their values, unless somebody else made them just now. Revoke
them, then run again; your `ece_api` is in the two files, as in the
[project's README](../../README.md#revoke):

```sh
ansible-playbook eceops.platform.revoke_tokens -e @ece_api.yml -e @vault.yml --ask-vault-pass \\
  -e ece_revoke_token_ids=ID
```

Where it is empty, no such token is there so far: list them again (`eceops.platform.ece_roles_token_info`) before you
run again. `null` says that the tokens could not be listed either: when the API is back, list them, and revoke what
nobody holds.

An ephemeral token whose value was lost on the way dies by itself.

## Some of many tokens were not revoked

The failure has `revoked`, and `not_revoked` with the reason of each. Where the API is out of reach, stays busy or does
not accept the credentials, the rest are `not tried`. Run it again: those that are gone are left alone.
"""
ROLE = """\
## A step of the role ece_host failed

The steps are those of [the role's README](README.md#what-it-does-in-this-order). A host that failed stops no other of
its batch. Where the API failed, its reply follows the message, and the next step is in there: it is as
[above](#a-request-to-the-api-failed), and what stands here is that of the fault in *cause*.

"""
UNKNOWN_OUTCOME = "[possible orphans](#possible-orphans)"


def render() -> str:
    parts = [
        INTRODUCTION,
        REQUESTS,
        table(("message", "cause", "what was done", "next step"), requests_rows()),
        ORPHANS,
        ROLE + table(("step", "message", "cause", "what was done", "next step"), role_rows()),
        PASSES + "".join(f"- {cause} {done}\n" for cause, done in passing()),
    ]
    return "\n".join(parts)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def requests_rows() -> list[tuple[str, ...]]:
    """A line for each message; the causes of faults that say the same stand together."""
    alike: dict[tuple[str, str], list[Fault]] = {}
    for fault in FAULTS:
        if fault.says:
            alike.setdefault((fault.says, fault.advises), []).append(fault)
    return [
        (
            f"`{says}`",
            " ".join(dict.fromkeys(fault.cause for fault in faults)),
            what_was_done(faults),
            sentence(advises),
        )
        for (says, advises), faults in alike.items()
    ]


def passing() -> list[tuple[str, str]]:
    """Cause, and what was done, of what makes nothing fail."""
    faults = [(fault.cause, fault.done) for fault in FAULTS if not fault.says]
    return faults + [(row.cause, row.done) for row in role_table.ROWS if row.passes]


def what_was_done(faults: list[Fault]) -> str:
    """Of those that say the same, what holds for all."""
    passes = faults[0].passes
    if all(fault.mint is not Mint.UNKNOWN for fault in faults):
        return "It was sent again, and never took effect." if passes else "It was not sent again, and took no effect."
    if passes:
        return (
            f"It was sent again, unless it was to mint a persistent token. It may have taken effect: {UNKNOWN_OUTCOME}."
        )
    return f"It was not sent again. Whether it took effect is unknown: {UNKNOWN_OUTCOME}."


def role_rows() -> list[tuple[str, ...]]:
    return [
        (row.step, f"`{row.symptom.strip()}`", row.cause, row.done, sentence(row.next_step))
        for row in role_table.ROWS
        if not row.passes
    ]


def sentence(fragment: str) -> str:
    """What stands somewhere in a message, as a sentence."""
    return fragment[0].upper() + fragment[1:] + ("" if fragment[-1] in ".?" else ".")


def main() -> None:
    GUIDE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
