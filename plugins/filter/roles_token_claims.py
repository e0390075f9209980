# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: roles_token_claims
short_description: Read what a roles token of Elastic Cloud Enterprise says about itself
version_added: 0.1.0
description:
  - Reads the claims of a roles token of Elastic Cloud Enterprise (ECE), without asking the API.
  - The signature is not checked. The key is ECE's own.
author:
  - The eceops.platform authors (@eceops)
options:
  _input:
    description:
      - The token.
      - Anything that is no roles token by its shape is an error, whose message does not repeat it.
    type: str
    required: true
seealso:
  - module: eceops.platform.ece_roles_token
"""

EXAMPLES = r"""
# This is the emergency token that Elastic's documentation prints. Yours is a secret: keep it in a vault.
- name: Print the id of the emergency token, for the option emergency_token_id
  ansible.builtin.debug:
    msg: "{{ (emergency_token | eceops.platform.roles_token_claims).token_id }}"
  vars:
    emergency_token: "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.\
      eyJzdWIiOiIyZGVlYjlkZS01MDkzLTQxNGItYmI5NS0zNmJhZTQxMWI0YzgiLCJyb2xlcyI6WyJjb29yZGluYXRvciIsInByb3h5IiwiZGlyZWN0b3IiXSwi\
      aXNzIjoiY3VycmVudCIsInBlcnNpc3RlbnQiOnRydWV9.\
      5tIVQxEluSjtJ7qiwE8OWzy5O4l1GJ0urTFs_l1x5bU"
"""

RETURN = r"""
_value:
  description: The claims.
  type: dict
  contains:
    token_id:
      description: Id of the token, its C(sub) claim.
      type: str
      sample: 46977b7d-a3e6-4605-b70d-1723129af8e4
    roles:
      description: Roles that the token permits, sorted.
      type: list
      elements: str
      sample: [allocator, proxy]
    persistent:
      description: Whether the token lives until it is revoked, which is so when it has no C(exp) claim.
      type: bool
      sample: false
    issuer:
      description: Its C(iss) claim. V(null) where there is none.
      type: str
      sample: bootstrap-initial
    expires_at:
      description: When it expires. ISO 8601, UTC. V(null) for a persistent token.
      type: str
      sample: '2017-05-01T13:43:33Z'
  sample:
    token_id: 46977b7d-a3e6-4605-b70d-1723129af8e4
    roles: [allocator, proxy]
    persistent: false
    issuer: bootstrap-initial
    expires_at: '2017-05-01T13:43:33Z'
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.text.converters import to_text

from ansible_collections.eceops.platform.plugins.module_utils._token import NotARolesToken, iso_time, read_claims


def roles_token_claims(token: t.Any) -> dict[str, t.Any]:
    try:
        # A vaulted variable is no str on ansible-core 2.16, to_text decrypts it.
        claims = read_claims(to_text(token).strip())
    except NotARolesToken as error:
        raise AnsibleFilterError(f"roles_token_claims: {error}") from None
    return {
        "token_id": claims.token_id,
        "roles": sorted(claims.roles),
        "persistent": claims.persistent,
        "issuer": claims.issuer,
        "expires_at": iso_time(claims.expires_at),
    }


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"roles_token_claims": roles_token_claims}
