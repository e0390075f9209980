# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In all scenarios: tokens, the password and the API key are in no file of a host or of the controller, at no time."""

from __future__ import annotations

testinfra_hosts = ["local://"]


def test_no_secret_was_in_any_file_at_any_time(searches):
    assert [place for search in searches for place in search["found"]] == []


def test_they_were_looked_for_all_over_and_all_along(searches, addresses):
    for search in searches:
        files = set(search["files"])
        assert {f"{name}:/var/log/syslog" for name in addresses} <= files
        assert [name for name in files if name.startswith("localhost:") and name.endswith("/ansible.log")]
    assert max(search["looks"] for search in searches) > 10
    # What the installer says
    seen = {name for search in searches for name in search["files"]}
    assert [name for name in seen if name.endswith(":/var/lib/eceops/install/log")]
    assert [name for name in seen if name.endswith(":/mnt/data/elastic/logs/bootstrap-logs/bootstrap.log")]
