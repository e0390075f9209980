# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installation by itself."""

from __future__ import annotations

import jwt
import pytest

from simulator.state import ASSIGNABLE_ROLES, SYSTEM_ROLES, Installation, Refusal


@pytest.fixture
def installation() -> Installation:
    return Installation()


def claims(token: str) -> dict[str, object]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_begins_with_a_first_host_and_three_tokens(installation: Installation) -> None:
    [runner] = installation.runners.values()
    assert set(runner.roles) == {*ASSIGNABLE_ROLES, *SYSTEM_ROLES}
    assert (runner.connected, runner.healthy, runner.zone, runner.version) == (True, True, "ece-zone-1", "4.2.0")
    assert list(installation.bootstrap_token_ids.values()) == list(installation.tokens)
    assert [sorted(roles) for roles in installation.tokens.values()] == [
        [],
        ["allocator"],
        ["coordinator", "director", "proxy"],
    ]
    assert installation.minted == {"ephemeral": 0, "persistent": 0}


def test_an_ephemeral_token_expires_and_is_never_listed(installation: Installation) -> None:
    listed = list(installation.tokens)
    reply = installation.mint(False, ["proxy"])
    token = claims(reply["token"])
    assert list(reply) == ["token"]
    assert list(token) == ["sub", "roles", "iss", "exp"]
    assert token["exp"] == pytest.approx(installation.now() + 3600, abs=2)
    assert list(installation.tokens) == listed
    assert installation.minted == {"ephemeral": 1, "persistent": 0}


def test_a_persistent_token_is_listed_under_its_subject(installation: Installation) -> None:
    reply = installation.mint(True, ["proxy"])
    token_id = reply["token_id"]
    assert claims(reply["token"]) == {"sub": token_id, "roles": ["proxy"], "iss": "current", "persistent": True}
    assert installation.tokens[token_id] == ["proxy"]
    assert installation.persistent_value(token_id) == reply["token"]


@pytest.mark.parametrize(
    ("persistent", "roles", "validity", "field"),
    [(True, [], 60, "validity_in_seconds"), (True, ["beats-runner"], None, "roles"), (False, ["king"], None, "roles")],
)
def test_refuses_what_no_token_can_be(
    installation: Installation, persistent: bool, roles: list[str], validity: int | None, field: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        installation.mint(persistent, roles, validity)
    assert refusal.value.status == 400
    assert refusal.value.code == "enrollment_tokens.invalid_token_request"
    assert refusal.value.fields == (field,)
    assert installation.minted == {"ephemeral": 0, "persistent": 0}


@pytest.mark.parametrize("by_value", [False, True])
def test_revokes_by_id_and_by_value_once(installation: Installation, by_value: bool) -> None:
    reply = installation.mint(True, [])
    given = reply["token" if by_value else "token_id"]
    installation.revoke(given)
    assert reply["token_id"] not in installation.tokens
    with pytest.raises(Refusal, match="no such token"):
        installation.revoke(given)


def test_cannot_revoke_an_ephemeral_token(installation: Installation) -> None:
    with pytest.raises(Refusal) as refusal:
        installation.revoke(installation.mint(False, [])["token"])
    assert refusal.value.status == 404


def test_a_host_joins_until_its_token_expires(installation: Installation) -> None:
    token = installation.ephemeral_value(["allocator"], 60)
    installation.clock_offset = 55
    # Roles that the token does not hold are listed all the same.
    assert installation.enrol(token, "192.0.2.7", roles=["director"]).roles == ["director"]
    installation.clock_offset = 61
    with pytest.raises(Refusal) as refusal:
        installation.enrol(token, "192.0.2.8")
    assert refusal.value.code == "simulator.expired"
    assert list(installation.runners) == ["192.0.2.1", "192.0.2.7"]


def test_a_host_cannot_join_with_a_revoked_or_another_installations_token(installation: Installation) -> None:
    reply = installation.mint(True, [])
    installation.revoke(reply["token_id"])
    forged = Installation().ephemeral_value([], 60)
    for token, code in [(reply["token"], "revoked"), (forged, "forged"), ("nonsense", "forged")]:
        with pytest.raises(Refusal) as refusal:
            installation.enrol(token, "192.0.2.7")
        assert refusal.value.code == f"simulator.{code}"


def test_changes_only_what_is_given_of_a_runner(installation: Installation) -> None:
    installation.put_runner("host", roles=["proxy"], zone="z2")
    runner = installation.put_runner("host", connected=False)
    assert (runner.roles, runner.zone, runner.connected, runner.host_ip) == (["proxy"], "z2", False, "host")
    with pytest.raises(TypeError):
        installation.put_runner("host", colour="blue")


def test_deletes_a_runner_that_is_not_connected(installation: Installation) -> None:
    installation.put_runner("host")
    with pytest.raises(Refusal, match="connected"):
        installation.delete_runner("host")
    installation.put_runner("host", connected=False)
    installation.delete_runner("host")
    with pytest.raises(Refusal, match="no runner"):
        installation.runner("host")


def test_an_allocator_holds_its_instances(installation: Installation) -> None:
    installation.put_runner("host", roles=["allocator"], instances=2)
    assert len(installation.allocator("host")["instances"]) == 2
    installation.put_runner("host", roles=["proxy"])
    with pytest.raises(Refusal, match="no allocator"):
        installation.allocator("host")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (None, ["192.0.2.1", "b"]),
        ("*", ["192.0.2.1", "b"]),
        ("b", ["b"]),
        ("connected:false", ["b"]),
        ("roles.role_name:proxy AND zone:ece-zone-1", ["192.0.2.1", "b"]),
        ("roles.role_name:director AND b", []),
        ("colour:blue", []),
    ],
)
def test_finds_runners(installation: Installation, query: str | None, found: list[str]) -> None:
    installation.put_runner("b", roles=["proxy"], connected=False)
    assert [runner.runner_id for runner in installation.find_runners(query)] == found
