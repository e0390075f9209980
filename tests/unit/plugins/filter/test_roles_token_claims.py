# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter's shape and its one error; what a token is, is tested with `_token.py`."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.eceops.platform.plugins.filter.roles_token_claims import FilterModule

# From Elastic's documentation ("Manage roles tokens"), expired since 2017.
TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0Njk3N2I3ZC1hM2U2LTQ2MDUtYjcwZC0xNzIzMTI5YWY4ZTQiLCJyb2xlcyI6WyJwcm94"
    "eSIsImFsbG9jYXRvciJdLCJpc3MiOiJib290c3RyYXAtaW5pdGlhbCIsImV4cCI6MTQ5MzY0NjIxM30.xsaRb72CsNMuXKy6Y-PJgqLc0qmjCljlB4Smcx"
    "_MRxg"
)
roles_token_claims = FilterModule().filters()["roles_token_claims"]


@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN}\n", TOKEN.encode()])
def test_claims(token):
    assert roles_token_claims(token) == {
        "token_id": "46977b7d-a3e6-4605-b70d-1723129af8e4",
        "roles": ["allocator", "proxy"],
        "persistent": False,
        "issuer": "bootstrap-initial",
        "expires_at": "2017-05-01T13:43:33Z",
    }


@pytest.mark.parametrize(
    "value", ["fake-secret", "", None, 5, ["fake-secret"], {"token": "fake-secret"}, b"fake-secret\xff"]
)
def test_anything_else_is_an_error_that_does_not_repeat_it(value):
    with pytest.raises(AnsibleFilterError, match="not a roles token") as error:
        roles_token_claims(value)
    assert "fake-secret" not in str(error.value)
