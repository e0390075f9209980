# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installer: every rule for values, its command line, exit codes and what is masked. Runs on Python 3.6, too."""

import json
import re

import pytest

from ansible_collections.eceops.platform.plugins.module_utils._installer import (
    FLAGS,
    MASK,
    MAX_LENGTH,
    OWNED,
    argument_problems,
    command,
    engine_client,
    environment,
    is_pipelined,
    job_folder,
    meaning,
    redact,
)

# How every token that ECE signs looks; this one is nobody's.
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIn0.c2lnbmF0dXJlLW9mLW5vYm9keQ"
EVIL = [
    "'",
    '"',
    "`",
    "$",
    "\\",
    " ",
    "\t",
    "\n",
    "\x00",
    "\x1b",
    "\x7f",
    "\x85",
    "\u00a0",
    "\u2028",
    "\ud800",
    "*",
    "?",
    "[",
]
GOOD = {
    "coordinator_host": "ece.example.org",
    "roles": ["allocator", "proxy"],
    "version": "4.2.0",
    "runner_id": "runner-1",
    "ip": "2001:db8::1",
    "availability_zone": "zone_1",
    "external_hostname": ["a.example.org", "b.example.org"],
    "capacity": 8192,
    "memory_settings": {"runner": {"xms": "1G", "xmx": "1G"}},
    "allocator_tags": {"disk": "ssd", "rack": 7},
    "proxy_tags": {"edge": "a"},
    "storage_path": "/mnt/data/elastic",
    "install_user": "elastic",
    "container_engine": "podman",
    "engine_socket": "/run/podman/podman.sock",
    "selinux": True,
    "docker_registry": "registry.example.org:5000",
    "docker_repository": "cloud-enterprise",
    "timeout_factor": 1.5,
    "extra_args": ["--debug", "--proxy-protocol-version", "2"],
    "state_path": "/var/lib/eceops",
    "installer": "/var/lib/eceops/elastic-cloud-enterprise.sh",
}


def test_good_arguments_have_no_problem():
    assert argument_problems(GOOD, "ece_host_") == []


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_not_given_is_no_problem(nothing):
    assert argument_problems(dict.fromkeys(GOOD, nothing)) == []
    assert argument_problems({}) == []


def words(value):
    """The variables that take text, each with a value that holds `value`."""
    return [
        ("coordinator_host", value),
        ("version", "4.2." + value),
        ("runner_id", value),
        ("ip", value),
        ("availability_zone", value),
        ("external_hostname", ["a", value]),
        ("memory_settings", {"runner": {"xms": value}}),
        ("memory_settings", {value: {}}),
        ("allocator_tags", {"name": value}),
        ("proxy_tags", {value: "value"}),
        ("storage_path", "/mnt/" + value),
        ("engine_socket", "/run/" + value),
        ("state_path", "/var/" + value),
        ("installer", "/var/" + value),
        ("docker_registry", value),
        ("docker_repository", value),
        ("install_user", value),
        ("extra_args", ["--flag", value]),
    ]


@pytest.mark.parametrize("character", EVIL)
def test_what_the_installer_s_shell_would_change_is_refused_everywhere(character):
    for name, value in words("a" + character + "b"):
        problems = argument_problems({name: value}, "ece_host_")
        assert len(problems) == 1, (name, value)
        assert problems[0].startswith("ece_host_" + name + " may not hold "), problems
        assert problems[0].isprintable()


def hostile(name, value):
    """The values of a variable that hold this one."""
    if name in ("roles", "external_hostname"):
        return [[value]]
    if name in ("allocator_tags", "proxy_tags"):
        return [{value: "a"}, {"a": value}]
    if name == "memory_settings":
        return [{value: {"xms": "1G"}}, {"runner": {"xms": value}}, {"runner": [value]}]
    if name == "extra_args":
        # A flag is none there.
        return [] if value == "--force" else [[value], ["--debug", value]]
    return [value]


@pytest.mark.parametrize("name", sorted({*OWNED.values(), "extra_args", "install_user", "state_path", "installer"}))
@pytest.mark.parametrize("value", ["'; touch /tmp/pwned; '", "a\n", "--force", "$(id)", "*", "a" * 10000, TOKEN + "'"])
def test_a_hostile_value_is_refused_by_the_name_of_its_variable(name, value):
    for form in hostile(name, value):
        problems = argument_problems({name: form}, "ece_host_")
        assert problems
        assert all(problem.startswith("ece_host_" + name + " ") for problem in problems)
        assert all(len(problem) < 200 and problem.isprintable() for problem in problems)
        assert TOKEN.rpartition(".")[2] not in " ".join(problems)


def test_other_characters_are_left_to_the_user():
    for character in "!#%&()+./;<=>@]^_{|}~-\u00e4":
        for name, value in words("a" + character + "b"):
            assert argument_problems({name: value}) == [], (name, value)


@pytest.mark.parametrize("name", ["coordinator_host", "runner_id", "availability_zone", "docker_registry"])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-a", "may not begin with a dash"),
        ("--roles", "may not begin with a dash"),
        ("a" * (MAX_LENGTH + 1), "may not be longer than 1000 characters, and has 1001"),
        (["a"], "must be text, not a list"),
        ({"a": 1}, "must be text, not a dictionary"),
        (True, "must be text, not a truth value"),
    ],
)
def test_a_word_is_one_word(name, value, says):
    (problem,) = argument_problems({name: value}, "ece_host_")
    assert problem.startswith("ece_host_" + name + " " + says)
    assert len(problem) < 300


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("roles", "allocator", "must be a list"),
        ("roles", ["allocators"], "may hold allocator, coordinator, director and proxy, not 'allocators'"),
        ("roles", [None], "may not hold an empty item"),
        ("version", "4", "must be a version such as 4.2.0, not '4'"),
        ("version", "x=4.2.0", "must be a version"),
        ("version", "4.x", "must be a version"),
        ("version", "4.2-x", "must be a version"),
        ("version", "4.08", "must be a version"),
        ("external_hostname", "a", "must be a list"),
        ("external_hostname", ["a,b"], "may not hold a comma"),
        ("external_hostname", ["-a"], "may not begin with a dash"),
        ("external_hostname", [""], "may not hold an empty item"),
        ("external_hostname", ["a" * 500] * 2, "may not be longer than 1000 characters together"),
        ("capacity", 8191, "must be at least 8192"),
        ("capacity", "8191", "must be at least 8192"),
        ("capacity", "16G", "must be at least 8192"),
        ("capacity", 9000.5, "must be at least 8192"),
        ("capacity", True, "must be at least 8192"),
        ("capacity", -9000, "must be at least 8192"),
        ("capacity", "9" * 5000, "must be at least 8192"),
        ("capacity", "\uff19" * 5, "must be at least 8192"),
        ("timeout_factor", 0, "must be a number above 0"),
        ("timeout_factor", "fast", "must be a number above 0"),
        ("timeout_factor", True, "must be a number above 0"),
        ("timeout_factor", "9" * 5000, "must be a number above 0"),
        ("memory_settings", "{}", "must be a dictionary"),
        ("memory_settings", {"runner": ["1G"]}, "may not hold ["),
        ("memory_settings", {"runner": {1, 2}}, "must hold what JSON can hold"),
        ("memory_settings", {"a" * MAX_LENGTH: "1G"}, "may not be longer than 1000 characters as JSON"),
        ("allocator_tags", ["a:b"], "must be a dictionary of tags"),
        ("allocator_tags", {"a:b": "c"}, "may not hold a colon or a comma"),
        ("allocator_tags", {"a": "b,c"}, "may not hold a colon or a comma"),
        ("allocator_tags", {"a": ""}, "may not hold an empty name or value"),
        ("allocator_tags", {"a": None}, "may not hold an empty name or value"),
        ("allocator_tags", {"a": ["b"]}, "must be text, not a list"),
        ("allocator_tags", {"a": True}, "must be text, not a truth value"),
        (
            "proxy_tags",
            {str(number): "a" * 400 for number in range(3)},
            "may not be longer than 1000 characters together",
        ),
        ("storage_path", "relative", "must be an absolute path"),
        ("storage_path", "/a:b", "may not hold a colon"),
        ("engine_socket", "unix:///run/docker.sock", "must be an absolute path"),
        ("container_engine", "containerd", "must be docker or podman"),
        ("install_user", "root", "may not be root"),
        ("selinux", "maybe", "must be true or false"),
        ("extra_args", "--debug", "must be a list of flags and their values"),
        ("extra_args", [["--debug"]], "must hold flags and values"),
        ("extra_args", ["--flag", None], "may not hold an empty value"),
        ("extra_args", ["value"], "may not hold 'value', which follows no flag"),
        ("extra_args", ["--flag", "one", "two"], "may not hold 'two', which follows no flag"),
        ("extra_args", ["-d"], "may not hold '-d': a flag has two dashes"),
        ("extra_args", ["--flag=value"], "may not hold '--flag=value': a flag has two dashes"),
        ("extra_args", ["--flag", ""], "may not hold an empty value"),
        (
            "extra_args",
            ["--roles-token", "a"],
            "may not hold --roles-token: that is what the variable roles_token is for",
        ),
    ],
)
def test_every_other_rule(name, value, says):
    problems = argument_problems({name: value}, "ece_host_")
    assert any(problem.startswith("ece_host_" + name + " " + says) for problem in problems), problems


@pytest.mark.parametrize("version", ["4.2.0", "4.10", 4.2, "10.0.0-SNAPSHOT"])
def test_a_version_has_two_numbers_at_least(version):
    assert argument_problems({"version": version}) == []


@pytest.mark.parametrize("flag", sorted(OWNED))
def test_a_flag_that_a_variable_owns_is_not_for_extra_args(flag):
    assert OWNED[flag] in argument_problems({"extra_args": [flag, "value"]})[0]


def test_selinux_goes_with_podman_only():
    (problem,) = argument_problems({"selinux": True}, "ece_host_")
    assert problem.startswith("ece_host_selinux goes with ece_host_container_engine: podman only")
    assert argument_problems({"selinux": "yes", "container_engine": "docker"}) != []
    assert argument_problems({"selinux": False, "container_engine": "docker"}) == []


def test_all_problems_are_said():
    assert len(argument_problems({"capacity": 1, "runner_id": "a b", "roles": ["x", "y"]})) == 4


def test_no_sentence_repeats_a_token():
    # The last one is wrapped, as by YAML: what follows the white space looks like no token.
    for value in (TOKEN, "'" + TOKEN, TOKEN + " " + TOKEN, TOKEN[:30] + " " + TOKEN[30:]):
        for name, given in words(value):
            assert TOKEN not in str(argument_problems({name: given}))
            assert TOKEN.split(".")[1] not in str(argument_problems({name: given}))
            assert TOKEN.split(".")[2] not in str(argument_problems({name: given}))


def flags(**arguments):
    return command(arguments, "/i.sh", "fake")[5:]


@pytest.mark.parametrize("value", ["'" + TOKEN, TOKEN + " ", "--" + TOKEN, "a;id", TOKEN + "\n", "\u00e4"])
def test_a_token_is_a_token(value):
    assert argument_problems({"roles_token": TOKEN}) == []
    assert argument_problems({"roles_token": value}, "ece_host_") == [
        "ece_host_roles_token may hold what a token does only (a JWT)."
    ]


def test_the_command_line():
    assert command(GOOD, "/i.sh", "fake") == [
        *["bash", "/i.sh", "install", "--roles-token", "fake", "--coordinator-host", "ece.example.org"],
        *["--roles", "allocator,proxy", "--cloud-enterprise-version", "4.2.0", "--runner-id", "runner-1"],
        *["--host-ip", "2001:db8::1", "--availability-zone", "zone_1"],
        *["--external-hostname", "a.example.org,b.example.org", "--capacity", "8192"],
        *["--memory-settings", '{"runner":{"xms":"1G","xmx":"1G"}}', "--allocator-tags", "disk:ssd,rack:7"],
        *["--proxy-tags", "edge:a", "--host-storage-path", "/mnt/data/elastic"],
        *["--host-docker-host", "/run/podman/podman.sock", "--docker-registry", "registry.example.org:5000"],
        *["--ece-docker-repository", "cloud-enterprise", "--timeout-factor", "1.5", "--podman", "--selinux"],
        *["--debug", "--proxy-protocol-version", "2"],
    ]


def test_what_is_not_given_is_not_passed():
    assert flags() == []
    assert flags(roles=[], external_hostname=[], memory_settings={}, allocator_tags={}, selinux=False) == []
    assert flags(**dict.fromkeys([name for name, _flag in FLAGS])) == []


def test_a_role_is_passed_once():
    assert flags(roles=["proxy", "allocator", "proxy"]) == ["--roles", "proxy,allocator"]


def test_json_is_one_word():
    (_flag, text) = flags(memory_settings={"runner": {"xms": "1G"}, "proxy": {"xmx": "8G"}})
    assert re.search(r"\s", text) is None
    assert json.loads(text) == {"runner": {"xms": "1G"}, "proxy": {"xmx": "8G"}}


def test_the_engine_is_asked_as_the_installer_does():
    assert engine_client("docker", "/s") == ["docker", "-H", "unix:///s"]
    assert engine_client("podman", "/s") == ["podman-remote", "--url", "unix:///s"]


def test_the_environment_is_clean():
    class User:
        pw_name, pw_dir = "elastic", "/home/elastic"

    given = {"PATH": "/own/bin", "DOCKER_HOST": "evil", "CLOUD_FEATURE_X": "1", "EC_PASS": "fake", "LANG": "de_DE"}
    expected = {"HOME": "/home/elastic", "USER": "elastic", "LOGNAME": "elastic", "LANG": "C.UTF-8"}
    assert environment(User, given) == dict(expected, PATH="/own/bin")
    assert environment(User, {})["PATH"].startswith("/usr/local/sbin:")


def test_the_job_s_folder():
    assert job_folder("/var/lib/eceops/") == job_folder("/var/lib/eceops") == "/var/lib/eceops/install"


def test_pipelining_shows_in_the_command_line():
    assert is_pipelined(b"/usr/bin/python3\x00")
    assert not is_pipelined(b"/usr/bin/python3\x00/home/ansible/.ansible/tmp/x/AnsiballZ_ece_installer_info.py\x00")


def test_secrets_are_masked():
    assert redact("token=" + TOKEN + "!") == "token=" + MASK + "!"
    assert redact("half " + TOKEN[:40]) == "half " + MASK
    assert redact("a fake one", "fake") == "a " + MASK + " one"
    assert redact("nothing", None) == redact("nothing", "") == "nothing"


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 125, 126, 127, 137])
def test_exit_codes_have_a_meaning(code):
    assert (str(code) in meaning(code)) == (code != 0)
    assert meaning(code)[-1] in ".?"


def test_other_ends_have_one_too():
    assert "exit code 77" in meaning(77)
    assert "without a trace" in meaning(None)
