# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of hosts: how they are read, and what is wrong with them, alone and together."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.eceops.platform.plugins.module_utils._ece_host_arguments import (
    KNOWN,
    PREFIX,
    USED_ONCE,
    find_problems,
    read_arguments,
)


def token(roles):
    parts = ({"alg": "HS256"}, {"sub": "fake", "roles": roles})
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts] + ["fake"]
    )


GOOD = {"coordinator_host": "ece.example.org", "roles": ["allocator"]}


def problems(**variables):
    return find_problems({"host": {**GOOD, **variables}})["host"]


@pytest.mark.parametrize("prefix", ["", "ece_host_"])
def test_names_may_have_the_prefix(prefix):
    given = read_arguments(
        {f"{prefix}ip": "192.0.2.5", f"{prefix}roles": ["proxy"], f"{prefix}replace_disconnected": "yes"}
    )
    assert (given.ip, given.runner_id, given.roles, given.replace_disconnected) == (
        "192.0.2.5",
        "192.0.2.5",
        ("proxy",),
        True,
    )


@pytest.mark.parametrize("nothing", [{}, {"ip": None}, {"ip": ""}])
def test_without_an_address_there_is_no_id(nothing):
    given = read_arguments(nothing)
    assert (given.ip, given.runner_id) == (None, None)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"ip": ["192.0.2.5"]},
        {"runner_id": {}},
        {"roles": "allocator"},
        {"roles": [{}, "nobody"]},
        {"install_timeout": []},
    ],
)
def test_reading_never_fails(nonsense):
    given = read_arguments(nonsense)
    assert (given.ip, given.runner_id, given.roles, given.install_timeout) == (None, None, (), 1800)


def test_good_arguments_have_no_problem():
    assert problems() == []
    assert problems(roles=[], api={"url": "https://ece:12443"}, install_timeout="900", use_api="yes") == []
    assert problems(use_api=False, roles_token=token(["allocator", "proxy"]), version="4.2.0") == []


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"coordinator_host": None}, "ece_host_coordinator_host is required"),
        ({"roles": None}, "ece_host_roles is required"),
        ({"api": "https://ece:12443"}, "ece_host_api must be a dictionary"),
        ({"install_timeout": 0}, "ece_host_install_timeout must be"),
        ({"join_timeout": "soon"}, "ece_host_join_timeout must be"),
        ({"install_timeout": 2**31 - 600}, "ece_host_install_timeout must be a number of seconds from 1 to 2147483047"),
        ({"token_validity_seconds": 2**31}, "ece_host_token_validity_seconds must be"),
        (
            {"installer_checksum": "1a2b"},
            "ece_host_installer_checksum must name its algorithm (md5, sha1, sha224, sha256",
        ),
        ({"installer_checksum": "sha3_256:1a2b"}, "ece_host_installer_checksum must name its algorithm"),
        ({"installer_checksum": "sha256: "}, "ece_host_installer_checksum must name its algorithm"),
        ({"roles_token": "none"}, "ece_host_roles_token cannot be read: This is not a roles token"),
        ({"roles_token": token(["proxy"])}, "ece_host_roles_token does not permit allocator, which"),
        ({"use_api": False, "roles_token": token(["allocator"])}, "ece_host_version is required"),
        ({"use_api": "no", "version": "4.2.0"}, "ece_host_roles_token is required"),
    ],
)
def test_what_is_wrong_on_the_controllers_side(variables, sentence):
    (said,) = problems(**variables)
    assert said.startswith(sentence)


def test_a_checksum_that_the_controller_cannot_compute_is_refused_where_it_would_have_to(monkeypatch):
    def new(algorithm):
        raise ValueError(f"unsupported hash type {algorithm}")

    monkeypatch.setattr("hashlib.new", new)  # as in FIPS mode
    given = {"installer_checksum": "md5:1a2b"}
    assert problems(**given) == []
    (said,) = problems(**given, installer_src="/elastic-cloud-enterprise.sh")
    assert said == "ece_host_installer_checksum: this controller cannot compute md5, give one of sha256."


def test_what_is_wrong_with_the_installer_s_values_has_the_variable_s_name():
    (said,) = problems(ece_host_capacity=4096)
    assert said.startswith("ece_host_capacity ")


def test_what_is_nearly_a_variable_is_said():
    assert problems(ece_host_avaliability_zone="zone-1") == [
        "ece_host_avaliability_zone is no variable of the role: is ece_host_availability_zone meant?"
    ]
    assert problems(ece_host_rack="one of the user's own", avaliability_zone="not of the role") == []


def test_all_variables_of_the_role_are_known():
    specs = Path(__file__).parents[4] / "roles/ece_host/meta/argument_specs.yml"
    described = yaml.safe_load(specs.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert {PREFIX + name for name in KNOWN} == set(described)


def test_all_problems_of_a_host_are_said_and_none_of_others():
    said = find_problems(
        {"bad": {**GOOD, "capacity": 1, "availability_zone": "a'b", "coordinator_host": None}, "good": GOOD}
    )
    assert len(said["bad"]) == 3
    assert said["good"] == []


def test_a_token_s_value_is_never_repeated():
    secret = token(["proxy"])
    assert secret not in str(problems(roles_token=secret, coordinator_host=secret, availability_zone=f"'{secret}"))


def test_two_hosts_may_not_be_the_same_runner():
    hosts = {
        "a": {"ip": "192.0.2.1"},
        "b": {"ip": "192.0.2.1"},
        "c": {"ip": "192.0.2.3", "runner_id": "same"},
        "d": {"ip": "192.0.2.4", "runner_id": "same"},
        "e": {"ip": "192.0.2.5"},
        "f": {},
        "g": {},
    }
    said = find_problems({host: {**GOOD, **variables} for host, variables in hosts.items()})
    assert [len(sentences) for sentences in said.values()] == [1, 1, 1, 1, 0, 0, 0]
    assert said["a"] == ["ece_host_ip (192.0.2.1) of a is also that of b."]
    assert said["d"] == ["ece_host_runner_id (same) of d is also that of c."]


@pytest.mark.parametrize("name", USED_ONCE)
def test_what_is_used_once_must_be_equal(name):
    values = {
        "api": ({"password": "fake-1"}, {"password": "fake-2"}),
        "use_api": (True, False),
        "api_delegate": ("a", "b"),
    }
    one, two = values.get(name, (700, 800))
    more = {"roles_token": token(["allocator"]), "version": "4.2.0"}
    said = find_problems(
        {"a": {**GOOD, name: one, **more}, "b": {**GOOD, name: one, **more}, "c": {**GOOD, name: two, **more}}
    )
    for sentences in said.values():
        (sentence,) = sentences
        assert re.match(f"ece_host_{name} is used once .* differs between a and c.", sentence)
        assert "fake" not in sentence


def test_the_same_value_may_be_text_or_not():
    assert find_problems(
        {"a": {**GOOD, "join_timeout": 60, "use_api": True}, "b": {**GOOD, "join_timeout": "60", "use_api": "true"}}
    ) == {
        "a": [],
        "b": [],
    }


def test_a_default_that_is_given_is_not_another_value():
    given = {"join_timeout": 600, "install_timeout": "1800", "use_api": "yes", "api_delegate": "localhost"}
    assert find_problems({"a": GOOD, "b": {**GOOD, **given}}) == {"a": [], "b": []}


def test_the_api_is_that_of_the_playbooks_where_no_other_is_given():
    api = {"url": "https://ece:12443"}
    same = {"a": {**GOOD, "ece_api": api}, "b": {**GOOD, "ece_host_api": api}}
    assert find_problems(same) == {"a": [], "b": []}
    other = {"a": {**GOOD, "ece_api": api}, "b": {**GOOD, "ece_api": {"url": "https://other:12443"}}}
    assert "ece_host_api is used once" in find_problems(other)["a"][0]


def test_coordinator_hosts_may_differ():
    assert find_problems({"a": GOOD, "b": {**GOOD, "coordinator_host": "another"}}) == {"a": [], "b": []}
