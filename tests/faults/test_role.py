# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each row of the role's table: what the run says and has done, and that a run after mending finishes."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from .role_table import API_ROWS, BOTH, DELEGATE, HOST_ROWS, LONE_ROWS, MANAGER_ROW, NEW, REBUILT

ALLOCATOR, PROXY = {"ece_host_roles": ["allocator"]}, {"ece_host_roles": ["proxy"]}
MANAGER = {"ece_host_roles": ["coordinator", "director", "proxy"]}
ADD_HOSTS = "eceops.platform.add_hosts"
WELL = "well"
PATIENCE_SECONDS = 240
POLL_SECONDS = 0.05


# What `make test` runs on the newest ansible-core, a row of each kind; the others run on the oldest
ON_NEWEST = ("no reply to the old runner's deletion", "delegate lost as it mints")


def by_name(rows):
    return [
        pytest.param(row, id=row.name, marks=pytest.mark.newest if row.name in ON_NEWEST else pytest.mark.oldest)
        for row in rows
    ]


def assert_secrets_are_kept(simulator, *results):
    beginning = simulator.mint_ephemeral([], 60).partition(".")[0]  # how every token here begins
    for result in results:
        assert result.find([simulator.password, beginning]) == []
        assert "Traceback" not in result.stdout + result.stderr


def said_of(result, host):
    """What the run says of a host, and at its end of all."""
    lines = [line for line in result.stdout.splitlines() if f"[{host}]" in line]
    return " ".join([*lines, result.failures.get(host, ""), summary(result)])


def summary(result):
    told = [
        entry["result"]["msg"] for entry in result.results if entry["task"].endswith("Say what has become of the hosts")
    ]
    return " ".join(line for lines in told for line in lines)


def hosts_that_failed(result):
    return {name for name, recap in result.stats.items() if recap["failures"] or recap["unreachable"]}


def connected(simulator, hosts):
    """The names of the hosts that are listed as connected."""
    runners = {runner["host_ip"]: runner["connected"] for runner in simulator.state()["runners"]}
    return {name for name, host in hosts.items() if runners.get(host.ip)}


def assert_a_run_after_mending_finishes(simulator, hosts, result, starts=None):
    assert result.returncode == 0, result.stdout
    assert hosts_that_failed(result) == set()
    assert connected(simulator, hosts) == set(hosts)
    assert {name: len(host.runs()) for name, host in hosts.items()} == dict.fromkeys(hosts, 1) | (starts or {})


@pytest.fixture
def losses(tmp_path):
    """How often the host of a row was lost: `losses(row)`."""

    def losses(row):
        note = tmp_path / row.name
        return len(note.read_text().splitlines()) if note.exists() else 0

    return losses


@pytest.fixture
def until(tmp_path):
    """A host that restarts is lost until this file is there: `until(row)`."""
    return lambda row: tmp_path / f"{row.name} is back"


@pytest.fixture
def lost(tmp_path, until):
    """The variables of a host that is lost as its row says: `lost(row)`."""

    def lost(row):
        loss = {**row.loss, "note": str(tmp_path / row.name)}
        if getattr(row, "restarts", False):
            loss["until"] = str(until(row))
        return {"ansible_connection": "dropping", "testbed_loss": loss, **row.variables}

    return lost


# What a row says that has left the world as it was
NOTHING_DONE = "Nothing."
# Of all hosts, in the run after mending
NOT_LOST = {"testbed_loss": {}}


@pytest.mark.parametrize("row", by_name(API_ROWS))
def test_the_api_fails(join, simulator, lost, losses, row):
    wanted = {NEW: PROXY, REBUILT: {**ALLOCATOR, "ece_host_replace_disconnected": True}}
    made, play = join({**wanted, **({DELEGATE: lost(row)} if row.loss else {})})
    hosts = {name: made[name] for name in wanted}
    asked_from = {"ece_host_api_delegate": DELEGATE} if row.loss else {}
    old = hosts[REBUILT].ip
    simulator.put_runner(old, roles=["allocator"], connected=False)
    before = simulator.state()
    for fault in row.faults:
        simulator.fault(**fault)
    api = {**simulator.ece_api, "retries": 0, **row.api}
    result = play("--limit", f"{NEW},{REBUILT}", extra_vars={"ece_api": api, **asked_from, **row.variables})
    assert result.returncode == (2 if row.failed else 0), result.stdout
    assert row.passes is not bool(row.failed)
    for words in (row.symptom, row.also, row.next_step):
        assert words in result.said, result.said
    # A failure of what is done once for all is the first host's, and stops all.
    assert hosts_that_failed(result) <= set(row.failed)
    for name in row.failed[:1]:
        for words in (row.symptom, row.also, row.next_step):
            assert words in result.failures[name]
    assert simulator.state()["minted"] == {"ephemeral": row.minted, "persistent": 0}
    happened = any(entry["fault"] for entry in result.journal) or simulator.connections_without_request()
    assert losses(row) if row.loss else happened
    listed = {runner["host_ip"] for runner in simulator.state()["runners"] if not runner["connected"]}
    assert (old not in listed) is row.deleted
    # Each has a token of its own.
    started = {name for name in BOTH if hosts[name].runs()}
    assert started >= set(BOTH) - set(row.failed)
    assert len(started) == row.minted - row.spare
    assert_secrets_are_kept(simulator, result)

    if row.done == NOTHING_DONE:
        # The next run is as the first one then.
        assert simulator.state() == before
        assert [name for name, host in made.items() if host.executed() and name != DELEGATE] == []
        return
    simulator.clear_faults()
    # What has passed by itself leaves nothing to be finished.
    again = result if row.passes else play("--limit", f"{NEW},{REBUILT}", extra_vars={**asked_from, **NOT_LOST})
    assert_a_run_after_mending_finishes(simulator, hosts, again)
    assert simulator.state()["minted"] == {"ephemeral": len(hosts) + row.spare, "persistent": 0}
    assert_secrets_are_kept(simulator, again)


def assert_said(rows, result, losses):
    # Ansible has a code of its own for a run in which a host was unreachable.
    code = 4 if any(recap["unreachable"] for recap in result.stats.values()) else 2
    assert result.returncode == code, result.stdout
    assert hosts_that_failed(result) == {row.name for row in rows if not row.passes}
    for row in rows:
        assert losses(row) > 0, row.name
        assert row.loss.get("times") in (None, losses(row)), row.name
        said = said_of(result, row.name)
        for words in (row.symptom, row.also, row.next_step):
            assert words in said, f"{row.name}: {said}"


@contextmanager
def as_soon_as(condition, act):
    """Meanwhile, act when the condition holds, or when there is no patience any more."""

    def watch():
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition() and time.monotonic() < end:
            time.sleep(POLL_SECONDS)  # nothing tells of the two conditions
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def restart(host, back):
    """It ends, with all that runs on it, and is within reach again. No module runs there while it is lost."""
    try:
        host.end_processes()
        host.behave()
    finally:
        back.touch()


@pytest.mark.newest
def test_hosts_are_lost(join, simulator, lost, losses, until):
    hosts, play = join({row.name: {**ALLOCATOR, **lost(row)} for row in HOST_ROWS} | {WELL: ALLOCATOR})
    with ExitStack() as meanwhile:
        for row in HOST_ROWS:
            if row.restarts or row.goes_on:
                host = hosts[row.name]
                host.behave(hold=True)
                act = partial(restart, host, until(row)) if row.restarts else host.release
                meanwhile.enter_context(as_soon_as(lambda host=host, row=row: host.runs() and losses(row), act))
        result = play()
    assert_said(HOST_ROWS, result, losses)
    passing = {row.name for row in HOST_ROWS if row.passes} | {WELL}
    assert connected(simulator, hosts) >= passing
    assert f"{len(passing)} of {len(hosts)} hosts joined" in summary(result)
    started = {row.name for row in HOST_ROWS if row.started} | {WELL}
    assert {name for name, host in hosts.items() if host.runs()} == started

    again = play(extra_vars=NOT_LOST)
    assert_a_run_after_mending_finishes(simulator, hosts, again, {row.name: row.starts for row in HOST_ROWS})
    assert simulator.state()["minted"] == {"ephemeral": 2, "persistent": 0}
    assert_secrets_are_kept(simulator, result, again)


@pytest.mark.parametrize("row", by_name(LONE_ROWS))
def test_a_host_is_lost_until_the_end(join, simulator, lost, losses, row):
    given = {"ece_host_version": "4.2.0", "ece_host_roles_token": simulator.secrets()["allocator_only_token"]["token"]}
    hosts, play = join({row.name: {**ALLOCATOR, **lost(row)}})
    result = play(extra_vars=given)
    assert_said([row], result, losses)
    again = play(extra_vars={**given, **NOT_LOST})
    assert_a_run_after_mending_finishes(simulator, hosts, again)
    assert simulator.state()["minted"] == {"ephemeral": 0, "persistent": 0}
    assert_secrets_are_kept(simulator, result, again)


@pytest.mark.oldest
def test_a_manager_is_lost(run, simulator, make_hosts, lost, losses):
    row = MANAGER_ROW
    hosts = {host.name: host for host in make_hosts(row.name, "other")}
    wanted = {row.name: {**MANAGER, **lost(row)}, "other": ALLOCATOR}
    inventory = {"ece_hosts": {"hosts": {name: {**host.variables, **wanted[name]} for name, host in hosts.items()}}}
    result = run.play(ADD_HOSTS, inventory=inventory)
    assert_said([row], result, losses)
    assert hosts["other"].executed() == []
    again = run.play(ADD_HOSTS, inventory=inventory, extra_vars=NOT_LOST)
    assert_a_run_after_mending_finishes(simulator, hosts, again)
    assert_secrets_are_kept(simulator, result, again)
