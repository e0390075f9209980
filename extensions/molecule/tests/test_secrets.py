# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In all scenarios: tokens, the password and the API key are in no file of a host or of the controller, at no time, and
in no command line but the installer's and the container engine's."""

from __future__ import annotations

testinfra_hosts = ["local://"]


def test_no_secret_was_in_any_file_at_any_time(searches):
    assert [place for search in searches for place in search["found"]] == []


def test_only_the_installer_and_the_engine_s_client_are_given_a_token(searches):
    allowed = ("bash /var/lib/eceops/elastic-cloud-enterprise.sh install", "-IS /usr/local/bin/")
    commands = {command for search in searches for command in search["commands"]}
    assert [command for command in commands if not any(words in command for words in allowed)] == []


def test_ansible_wrote_as_much_as_it_can(log):
    assert "SSH: EXEC" in log  # at -vvv only
    assert "this callback always fails, and was given" in log


def test_they_were_looked_for_all_over_and_all_along(searches, addresses):
    for search in searches:
        files = set(search["files"])
        assert {f"{name}:/var/log/syslog" for name in addresses} <= files
        for written in ("/ansible.log", "/dump.jsonl"):
            assert [name for name in files if name.startswith("localhost:") and name.endswith(written)]
        # One that is begun looks twice at least, a run of some seconds is looked at many times.
        assert search["looks"] >= 2
    assert max(search["looks"] for search in searches) > 10
    # What the installer says
    seen = {name for search in searches for name in search["files"]}
    assert [name for name in seen if name.endswith(":/var/lib/eceops/install/log")]
    assert [name for name in seen if name.endswith(":/mnt/data/elastic/logs/bootstrap-logs/bootstrap.log")]
