# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials stay home: which of them were sent where, by what the API and every other server in reach have noted."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests.utils

from testbed.servers import Proxy, Target, self_signed, serve

pytestmark = pytest.mark.newest

VERSION, TOKEN = "eceops.platform.ece_platform_info", "eceops.platform.ece_roles_token"
GET, LIST, MINT, REVOKE = "get-platform", "get-enrollment-tokens", "create-enrollment-token", "delete-enrollment-token"
PROXY_PASSWORD = "fake-password-of-the-proxy"
OTHER_PASSWORD = "fake-password-from-elsewhere"
INVOCATION = {"ANSIBLE_INJECT_INVOCATION": "true"}  # from 2.19 on, what a module was given is shown only then


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ask(**options):
    """A task that asks for the version once, whatever comes of it; `environment` is the task's."""
    environment = options.pop("environment", {})
    return {VERSION: {"retries": 0, **options}, "environment": environment, "ignore_errors": True}


def statuses(result):
    return [entry["status"] for entry in result.results]


def senders(result):
    """Whose credentials the API got, request by request, and whether it knew them."""
    return [(entry["scheme"], entry["user"], entry["authenticated"]) for entry in result.journal]


@pytest.fixture
def own(simulator):
    """The header that the given credentials make."""
    return basic(simulator.username, simulator.password)


@pytest.fixture
def certificate(tmp_path):
    return self_signed(tmp_path)


@pytest.fixture
def both(simulator, certificate, tmp_path):
    """A file that trusts the API and the other host alike."""
    path = tmp_path / "both.pem"
    path.write_text("".join(Path(part).read_text(encoding="ascii") for part in (simulator.ca_path, certificate)))
    return str(path)


# Redirects

REDIRECTS = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("operation", [GET, MINT, REVOKE])
def test_a_redirect_is_not_followed(run, simulator, certificate, both, own, operation):
    """Neither to the API itself, nor to another host that is trusted, nor to plain http; not even a mint's."""
    (seeded,) = simulator.seed_tokens(["allocator"])
    before = simulator.token_ids()
    task = {
        GET: {VERSION: {}},
        MINT: {TOKEN: {"roles": ["proxy"], "persistent": True}},
        REVOKE: {TOKEN: {"state": "absent", "token_ids": [seeded["token_id"]]}},
    }[operation]
    with serve(Target, certificate) as other, serve(Target) as plain:
        hosts = [simulator.url, f"https://localhost:{other.port}", f"http://127.0.0.1:{plain.port}"]
        # Each status leads to another one of them for the next operation.
        first = [GET, MINT, REVOKE].index(operation)
        targets = [f"{hosts[(first + number) % 3]}/api/v1/platform?a=b" for number in range(len(REDIRECTS))]
        for status, target in zip(REDIRECTS, targets, strict=True):
            simulator.fault("reply", operation, status=status, headers={"Location": target})
        tasks = [{**task, "ignore_errors": True} for _status in REDIRECTS]
        # The other host would have been trusted with them, had it been asked.
        result = run.tasks([*tasks, ask(url=hosts[1])], extra_vars={"ece_api": {**simulator.ece_api, "ca_path": both}})
    assert statuses(result) == ["failed"] * 5 + ["ok"], result.stdout
    for entry, status, target in zip(result.results, REDIRECTS, targets, strict=False):
        assert f"HTTP {status}, a redirect to {target.partition('?')[0]}. " in entry["result"]["msg"]
    assert result.operations == ([operation] if operation == GET else [LIST, operation]) * 5
    assert set(senders(result)) == {("basic", simulator.username, True)}
    assert simulator.token_ids() == before
    assert [request["Authorization"] for request in other.seen] == [own]
    assert (other.connections, plain.connections) == (1, 0)


# ~/.netrc


def test_netrc_neither_replaces_nor_completes_what_was_given(run, simulator, tmp_path, monkeypatch):
    entries = [f"{name} login netrc-user password {OTHER_PASSWORD}\n" for name in ("machine 127.0.0.1", "default")]
    for name, text in {".netrc": entries[0], "default": entries[1]}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    home = {"HOME": str(tmp_path)}
    named = {"NETRC": str(tmp_path / "default")}
    for environment in (home, named):
        with monkeypatch.context() as patch:
            patch.delenv("NETRC", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            assert requests.utils.get_netrc_auth(simulator.url) == ("netrc-user", OTHER_PASSWORD)
    basic_user = {"username": simulator.username, "password": simulator.password}
    with serve(Proxy) as proxy:
        proxied = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        tasks = [
            ask(environment=environment, **given)
            for environment in ({}, named, proxied)
            for given in (basic_user, {"api_key": simulator.api_key}, {})
        ]
        api = {"url": simulator.url, "ca_path": simulator.ca_path}
        result = run.tasks(tasks, extra_vars={"ece_api": api}, env=home)
    assert statuses(result) == ["ok", "ok", "failed"] * 3, result.stdout
    assert all("No credentials" in message for message in result.failures.values())
    assert senders(result) == [("basic", simulator.username, True), ("apikey", None, True)] * 3
    assert [[name for name in request if "uthorization" in name] for request in proxy.seen] == [[], []]


# Proxies


def test_a_proxy_gets_its_own_credentials_and_the_api_gets_the_given_ones(run, simulator, certificate, both, own):
    with serve(Proxy) as proxy, serve(Target, certificate) as other:
        tasks = [ask(), {TOKEN: {"roles": ["proxy"]}, "no_log": True}, ask(url=f"https://127.0.0.1:{other.port}")]
        result = run.tasks(
            tasks,
            extra_vars={"ece_api": {**simulator.ece_api, "ca_path": both}},
            env={"HTTPS_PROXY": f"http://proxy-user:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}", **INVOCATION},
            verbosity=3,
        )
    assert result.returncode == 0, result.stdout
    own_port = urlsplit(simulator.url).port
    assert [request["path"] for request in proxy.seen] == [f"127.0.0.1:{p}" for p in (own_port, own_port, other.port)]
    assert {request["Proxy-Authorization"] for request in proxy.seen} == {basic("proxy-user", PROXY_PASSWORD)}
    assert not any("Authorization" in request for request in proxy.seen)
    assert senders(result) == [("basic", simulator.username, True)] * 2
    assert [request["Authorization"] for request in other.seen] == [own]
    assert "Proxy-Authorization" not in other.seen[0]
    assert result.find([PROXY_PASSWORD, simulator.password, own.split()[1]]) == []


def test_which_variables_name_a_proxy(run, simulator, own):
    """By the name through which it asks, one sees in the proxy's notes which task went there."""
    with serve(Proxy) as proxy, serve(Target) as plain:
        address = f"http://127.0.0.1:{proxy.port}"
        through = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
        direct = (
            {"HTTP_PROXY": address, "http_proxy": address},
            {"HTTPS_PROXY": address, "NO_PROXY": "localhost"},
            {"https_proxy": address, "no_proxy": "example.com,localhost"},
        )
        all_names = dict.fromkeys((*through, "HTTP_PROXY", "http_proxy"), address)
        result = run.tasks(
            [
                *[ask(environment={name: address}) for name in through],
                *[ask(url=simulator.url.replace("127.0.0.1", "localhost"), environment=names) for names in direct],
                # Plain http to this machine does not leave it.
                ask(url=f"http://127.0.0.1:{plain.port}", environment=all_names),
            ]
        )
    assert result.stats["localhost"]["ignored"] == 0, result.stdout
    assert [request["path"] for request in proxy.seen] == [simulator.url.removeprefix("https://")] * len(through)
    assert not any("uthorization" in name for request in proxy.seen for name in request)
    assert senders(result) == [("basic", simulator.username, True)] * (len(through) + len(direct))
    assert [request["Authorization"] for request in plain.seen] == [own]


class AskingProxy(Proxy):
    """One that wants credentials."""

    def do_CONNECT(self):
        self.note()
        self.answer(407, {"Proxy-Authenticate": 'Basic realm="proxy"'})


class RedirectingProxy(Proxy):
    """One that leads elsewhere, as a network's login page does."""

    location: str

    def do_CONNECT(self):
        self.note()
        self.answer(302, {"Location": self.location})


def test_a_proxy_that_refuses_gets_nothing(run, simulator, certificate, both):
    with serve(Target, certificate) as other:
        place = {"location": f"https://127.0.0.1:{other.port}/api/v1/platform"}
        with serve(AskingProxy) as asking, serve(type("Leading", (RedirectingProxy,), place)) as leading:
            proxies = (asking, leading)
            tasks = [ask(environment={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}) for proxy in proxies]
            result = run.tasks(tasks, extra_vars={"ece_api": {**simulator.ece_api, "ca_path": both}})
    for entry, status in zip(result.results, (407, 302), strict=True):
        assert re.search(f"the proxy refused to connect .*{status}.*Check HTTPS_PROXY", entry["result"]["msg"])
    for proxy in proxies:
        assert [request["method"] for request in proxy.seen] == ["CONNECT"]
        assert not any("uthorization" in name for name in proxy.seen[0])
    assert (result.journal, other.connections) == ([], 0)
    assert simulator.connections_without_request() == 0


# Trust


def test_nobody_gets_credentials_whom_ca_path_or_the_system_s_store_does_not_trust(run, simulator, certificate, own):
    bundles = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    with serve(Target, certificate) as other:
        elsewhere = f"https://127.0.0.1:{other.port}"
        result = run.tasks(
            [
                ask(environment=dict.fromkeys(bundles, simulator.ca_path)),
                ask(ca_path=str(certificate), environment=dict.fromkeys(bundles, simulator.ca_path)),
                ask(ca_path=str(certificate), environment={"SSL_CERT_FILE": simulator.ca_path}),
                ask(url=elsewhere, ca_path=simulator.ca_path, environment={"SSL_CERT_FILE": str(certificate)}),
                ask(ca_path=simulator.ca_path, environment=dict.fromkeys(bundles, "/missing.pem")),
                # By OpenSSL's own variable, this is the system's store.
                ask(url=elsewhere, environment={"SSL_CERT_FILE": str(certificate)}),
            ],
            extra_vars={"ece_api": {**simulator.ece_api, "ca_path": None}},
        )
    assert statuses(result) == ["failed"] * 4 + ["ok"] * 2, result.stdout
    assert all("is not trusted" in entry["result"]["msg"] for entry in result.results[:4])
    assert senders(result) == [("basic", simulator.username, True)]
    assert [request["Authorization"] for request in other.seen] == [own]
    assert other.connections == 2


def test_a_chain_like_ece_s_own_is_trusted_through_ca_path(run, simulator):
    shown = subprocess.run(
        ["openssl", "x509", "-in", simulator.ca_path, "-noout", "-ext", "basicConstraints"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "CA:TRUE" in shown
    assert "critical" not in shown
    # Python's own settings refuse it from 3.13 on.
    assert shakes_hands(simulator, ssl.create_default_context(cafile=simulator.ca_path)) is (sys.version_info < (3, 13))
    facts = {"ansible.builtin.setup": {"gather_subset": ["!all", "!min", "python"]}}
    result = run.tasks([facts, {TOKEN: {"roles": ["proxy"]}, "no_log": True}])
    assert result.returncode == 0, result.stdout
    version = result.results[0]["result"]["ansible_facts"]["ansible_python"]["version"]
    assert (version["major"], version["minor"]) == sys.version_info[:2]
    assert senders(result) == [("basic", simulator.username, True)]


def shakes_hands(simulator, context):
    address = urlsplit(simulator.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        try:
            context.wrap_socket(connection, server_hostname=address.hostname).close()
        except ssl.SSLCertVerificationError as error:
            assert error.verify_message == "Basic Constraints of CA cert not marked critical"
            return False
    return True


# URLs


def test_a_url_with_user_information_is_refused_and_not_shown(run, simulator):
    with serve(Target) as plain:
        urls = [
            simulator.url.replace("https://", f"https://{simulator.username}:{OTHER_PASSWORD}@"),
            simulator.url.replace("https://", f"https://{OTHER_PASSWORD}@"),
            f"http://{simulator.username}:{OTHER_PASSWORD}@127.0.0.1:{plain.port}",
        ]
        api = {name: value for name, value in simulator.ece_api.items() if name != "url"}
        result = run.tasks(
            [*[ask(url=url) for url in urls], ask(url=urls[0], username=None, password=None), ask()],
            extra_vars={"ece_api": api},
            env={"EC_HOST": urls[0], **INVOCATION},
            verbosity=3,
        )
    assert [("url holds user information" in entry["result"]["msg"]) for entry in result.results] == [True] * 5
    assert (result.journal, simulator.connections_without_request(), plain.connections) == ([], 0, 0)
    assert result.find([OTHER_PASSWORD, simulator.password]) == []


def test_plain_http_leaves_this_machine_only_when_it_is_allowed(run, simulator, own):
    with serve(Target) as plain:
        # The client cannot know that it is loopback, too: it is no IP address, and not the name localhost.
        elsewhere = f"http://127.1:{plain.port}"
        refused = run.tasks([ask(url=elsewhere)])
        assert plain.connections == 0
        allowed = run.tasks(
            [
                ask(url=elsewhere, allow_plain_http=True),
                ask(url=f"http://127.0.0.1:{plain.port}"),
                ask(url=f"http://localhost:{plain.port}"),
            ]
        )
    assert "url is plain http" in refused.last["msg"]
    assert statuses(allowed) == ["ok"] * 3, allowed.stdout
    assert [request["Authorization"] for request in plain.seen] == [own] * 3


# The environment's credentials


def test_what_is_exported_goes_nowhere_beside_what_is_given(run, simulator):
    basic_user = {"username": simulator.username, "password": simulator.password}
    exported = {"EC_USER": "somebody", "EC_PASS": OTHER_PASSWORD, "EC_API_KEY": f"{OTHER_PASSWORD}-key"}
    result = run.tasks(
        [
            ask(**basic_user),
            ask(api_key=simulator.api_key),
            ask(username=simulator.username),
            ask(),
        ],
        extra_vars={"ece_api": {"url": simulator.url, "ca_path": simulator.ca_path}},
        env={**exported, **INVOCATION},
        verbosity=3,
    )
    assert statuses(result) == ["ok", "ok", "failed", "failed"], result.stdout
    assert "username is set without password" in result.results[2]["result"]["msg"]
    assert "use either EC_API_KEY, or EC_USER and EC_PASS" in result.results[3]["result"]["msg"]
    assert senders(result) == [("basic", simulator.username, True), ("apikey", None, True)]
    assert result.find([OTHER_PASSWORD, simulator.password, simulator.api_key]) == []


def test_what_is_exported_serves_where_nothing_is_given(run, simulator):
    by_name = {"EC_USER": simulator.username, "EC_PASS": simulator.password}
    result = run.tasks(
        [ask(environment=by_name), ask(environment={"EC_API_KEY": simulator.api_key})],
        extra_vars={"ece_api": {"url": simulator.url, "ca_path": simulator.ca_path}},
    )
    assert senders(result) == [("basic", simulator.username, True), ("apikey", None, True)]


def test_a_role_s_run_reads_the_environment_on_localhost_and_hands_it_to_no_host(run, simulator, make_hosts):
    (host,) = make_hosts("a1")
    result = run.play(
        [{"hosts": "all", "gather_facts": False, "roles": ["eceops.platform.ece_host"]}],
        inventory={"all": {"hosts": {"a1": {**host.variables, "ece_host_roles": ["allocator"]}}}},
        extra_vars={"ece_api": {"url": simulator.url, "ca_path": simulator.ca_path}},
        env={"EC_USER": simulator.username, "EC_PASS": simulator.password, **INVOCATION},
        verbosity=3,
    )
    assert result.returncode == 0, result.stdout
    assert MINT in result.operations
    assert set(senders(result)) == {("basic", simulator.username, True)}
    asking = [
        entry["on"] for entry in result.results if re.search("ece_(roles_token|platform|runner)", entry["action"])
    ]
    assert host.name not in asking
    assert set(re.findall(r"^(?:ok|changed): \[a1 -> (\S+?)\]", result.stdout, re.MULTILINE)) == {"localhost"}
    assert [name for started in host.runs() for name in started["environment"] if name.startswith("EC_")] == []
    assert result.find([simulator.password]) == []
    assert not any(simulator.password.encode() in content for content in host.files().values())
