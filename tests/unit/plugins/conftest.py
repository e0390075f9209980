# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For all unit tests, those that run on the oldest Python of a host among them."""

import os
import posix

import pytest


@pytest.fixture(autouse=True)
def a_child_ends_in_any_case(monkeypatch):
    """Where ansible-test measures coverage, `os._exit` writes it first. That fails in a child that has become another
    user, which would then go on with the tests."""
    as_it_is = os._exit

    def _exit(status):
        try:
            as_it_is(status)
        finally:
            posix._exit(status)

    monkeypatch.setattr(os, "_exit", _exit)
