# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No persistent token is lost: what is said of one whose minting has an unknown outcome, and of two minted at once."""

from __future__ import annotations

import http.client
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from testbed.play import Runner
from testbed.servers import Target, self_signed, serve

pytestmark = pytest.mark.oldest

TOKEN = "eceops.platform.ece_roles_token"
LIST, MINT = "get-enrollment-tokens", "create-enrollment-token"

# What becomes of the mint, each of other roles, and whether there is a token then; the table of faults has them all.
UNKNOWN = [
    (["proxy"], {"kind": "reset_before"}, False),
    (["director"], {"kind": "reset_after"}, True),
    (["coordinator"], {"kind": "delay", "seconds": 60, "effect": True}, True),
    (["proxy", "director"], {"kind": "reply", "status": 502, "effect": True}, True),
]


def mint(roles, **options):
    return {TOKEN: {"roles": roles, "persistent": True, **options}, "ignore_errors": True}


def test_the_outcome_is_unknown_and_a_run_after_revoking_succeeds(run, simulator):
    for _roles, fault, _minted in UNKNOWN:
        simulator.fault(operation=MINT, **fault)
    failed = run.tasks(
        [mint(roles, timeout=5 if fault["kind"] == "delay" else 60) for roles, fault, _minted in UNKNOWN]
    )
    assert failed.operations == [LIST, MINT, LIST] * len(UNKNOWN), failed.stdout
    there = {token["token_id"]: sorted(token["roles"]) for token in simulator.state()["tokens"]}
    orphans = []
    for entry, (roles, _fault, minted) in zip(failed.results, UNKNOWN, strict=True):
        ids = [token_id for token_id, listed in there.items() if listed == sorted(roles)]
        assert len(ids) == minted
        assert (entry["status"], entry["result"]["possible_orphans"]) == ("failed", ids)
        if minted:
            assert f"Listed with these roles, but not before: {ids[0]}. Unless" in entry["result"]["msg"]
        else:
            assert "No new token with these roles is listed so far" in entry["result"]["msg"]
        orphans += ids
    again = run.tasks([{TOKEN: {"state": "absent", "token_ids": orphans}}, *[mint(roles) for roles, *_rest in UNKNOWN]])
    assert [entry["status"] for entry in again.results] == ["changed"] * (1 + len(UNKNOWN)), again.stdout
    assert again.results[0]["result"]["revoked"] == orphans
    minted = {entry["result"]["token_id"]: entry["result"]["token"] for entry in again.results[1:]}
    assert simulator.token_ids() == set(there) - set(orphans) | set(minted)
    for number, token in enumerate(minted.values()):
        assert simulator.enrol(token, f"192.0.2.{100 + number}")


def test_a_token_that_somebody_else_mints_meanwhile_is_named_too_and_nothing_is_revoked(run, simulator):
    (known,) = simulator.seed_tokens(["proxy"])
    before = simulator.token_ids()
    simulator.fault("reset_after", MINT)
    simulator.fault("mint", LIST, skip=1, roles=["proxy"])
    result = run.tasks([mint(["proxy"], mint="always")])
    both = simulator.token_ids() - before
    assert len(both) == 2
    assert result.last["possible_orphans"] == sorted(both)
    assert all(token_id in result.last["msg"] for token_id in both)
    assert known["token_id"] not in result.last["msg"]
    assert result.operations == [LIST, MINT, LIST]
    assert before < simulator.token_ids()


@pytest.mark.parametrize("fault", [{"kind": "reply", "status": 503}, {"kind": "reset_before"}])
def test_where_they_cannot_be_listed_either_this_is_said_and_a_later_run_names_it(run, simulator, fault):
    before = simulator.token_ids()
    simulator.fault("reset_after", MINT)
    simulator.fault(operation=LIST, skip=1, times=None, **fault)
    failed = run.tasks([mint(["proxy"], retries=0)])
    (orphan,) = simulator.token_ids() - before
    assert failed.last["possible_orphans"] is None
    assert "Whether the token was minted is unknown. The tokens could not be listed either" in failed.last["msg"]
    assert failed.operations == [LIST, MINT, LIST]
    simulator.clear_faults()
    later = run.tasks([mint(["proxy"])])
    assert (later.last["changed"], later.last["token"], later.last["token_id"]) == (False, None, orphan)
    assert "A token with exactly these roles is there, but ECE never shows its value again" in later.last["warnings"][0]
    assert later.operations == [LIST]


class Gate(Target):
    """Stands before the API, and lets no mint through before two have come."""

    simulator: object
    two: threading.Barrier

    def do_GET(self):
        self.forward(None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.two.wait()
        self.forward(body)

    def forward(self, body):
        self.note()
        context = ssl.create_default_context(cafile=self.simulator.ca_path)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        api = http.client.HTTPSConnection(urlsplit(self.simulator.url).netloc, context=context)
        names = ("Authorization", "Content-Type")
        headers = {name: self.headers[name] for name in names if name in self.headers}
        api.request(self.command, self.path, body, headers)
        reply = api.getresponse()
        self.answer(reply.status, {"Content-Type": reply.headers["Content-Type"]}, reply.read())
        api.close()


def test_two_runs_that_mint_at_once_get_a_token_each_and_the_next_one_says_so(run, simulator, tmp_path):
    before = simulator.token_ids()
    certificate = self_signed(tmp_path)
    place = {"simulator": simulator, "two": threading.Barrier(2, timeout=120)}
    with serve(type("GateThere", (Gate,), place), certificate) as gate, ThreadPoolExecutor(2) as pool:
        api = {"url": f"https://127.0.0.1:{gate.port}", "ca_path": str(certificate), "timeout": 240}
        runners = [Runner(run.collections_path, simulator) for _number in range(2)]
        runs = [pool.submit(runner.tasks, [mint(["proxy"], **api)]) for runner in runners]
        results = [started.result().last for started in runs]
    assert [request["method"] for request in gate.seen] == ["GET", "GET", "POST", "POST"]
    assert [entry["operation"] for entry in simulator.journal()] == [LIST, LIST, MINT, MINT]
    ids = [result["token_id"] for result in results]
    assert set(ids) == simulator.token_ids() - before
    assert [result["changed"] for result in results] == [True, True]
    for number, result in enumerate(results):
        assert simulator.enrol(result["token"], f"192.0.2.{100 + number}")
    later = run.tasks([mint(["proxy"])])
    assert (later.last["changed"], later.last["token_id"]) == (False, None)
    assert later.last["matching_token_ids"] == sorted(ids)
    assert "2 tokens with exactly these roles are there" in later.last["warnings"][0]
