#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_roles_token_info
short_description: List the persistent roles tokens of Elastic Cloud Enterprise
version_added: 0.1.0
description:
  - Lists the persistent roles tokens of an Elastic Cloud Enterprise (ECE) installation, with their ids and roles.
  - ECE lists neither the value of a token, nor a name, nor when it was made. Ephemeral tokens are not listed at all.
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes
  - eceops.platform._attributes.info_module
  - eceops.platform._connection
options:
  token_ids:
    description: Only tokens with these ids.
    type: list
    elements: str
    aliases: [token_id]
  roles:
    description: Only tokens with exactly these roles. V([]) is those without any role permission.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
  emergency_token_id:
    description:
      - Id of the emergency token, so that RV(tokens[].emergency) marks only this one. See O(eceops.platform.ece_roles_token#module:emergency_token_id).
    type: str
seealso:
  - module: eceops.platform.ece_roles_token
"""

EXAMPLES = r"""
# The connection comes from EC_HOST, EC_USER and EC_PASS (or EC_API_KEY) here.
- name: List all persistent tokens
  eceops.platform.ece_roles_token_info:
  register: all_tokens

- name: List those that permit new hosts to be allocators, and nothing else
  eceops.platform.ece_roles_token_info:
    roles: [allocator]
  register: allocator_tokens

- name: Show their ids
  ansible.builtin.debug:
    msg: "{{ allocator_tokens.tokens | map(attribute='token_id') }}"
"""

RETURN = r"""
tokens:
  description: The tokens, in order of their ids.
  returned: success
  type: list
  elements: dict
  contains:
    token_id:
      description: Id of the token.
      type: str
      sample: 4c8990df-1fb7-4820-b868-6bc9e8860814
    roles:
      description: Roles that the token permits, sorted.
      type: list
      elements: str
      sample: [allocator, proxy]
    emergency:
      description: Whether this is, or may be, the emergency token, which must not be revoked.
      type: bool
      sample: false
  sample:
    - token_id: 4c8990df-1fb7-4820-b868-6bc9e8860814
      roles: [allocator, proxy]
      emergency: false
failure:
  description: What the API said, as far as it is known.
  returned: when a request failed
  type: dict
  contains:
    status:
      description: HTTP status. V(null) where there was no reply.
      type: int
      sample: 403
    code:
      description: ECE's error code.
      type: str
      sample: root.unauthorized.rbac
    message:
      description: ECE's error message, or what went wrong with the connection.
      type: str
      sample: The user may not do this.
    fields:
      description: The fields of the request that ECE names.
      type: list
      elements: str
      sample: null
  sample:
    status: 403
    code: root.unauthorized.rbac
    message: The user may not do this.
    fields: null
"""

import typing as t

from ansible_collections.eceops.platform.plugins.module_utils._emergency_token import (
    suspect_ids,
    unknown_emergency_warning,
)
from ansible_collections.eceops.platform.plugins.module_utils._module import EceModule, run_module
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES
from ansible_collections.eceops.platform.plugins.module_utils._token import check_ids, select_tokens

OPTIONS: dict[str, dict[str, t.Any]] = {
    "token_ids": {"type": "list", "elements": "str", "aliases": ["token_id"], "no_log": False},
    "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
    "emergency_token_id": {"type": "str", "no_log": False},
}


def list_tokens(module: EceModule) -> dict[str, t.Any]:
    emergency_token_id = (module.params["emergency_token_id"] or "").strip() or None
    token_ids = module.params["token_ids"]
    check_ids("emergency_token_id", emergency_token_id and [emergency_token_id])
    check_ids("token_ids", token_ids)
    listed = module.client.tokens()
    if warning := unknown_emergency_warning(listed, emergency_token_id):
        module.warn(warning)
    suspects = suspect_ids(listed, emergency_token_id)
    wanted_ids = None if token_ids is None else {token_id.strip() for token_id in token_ids}
    selected = select_tokens(listed, token_ids=wanted_ids, roles=module.params["roles"])
    return {
        "changed": False,
        "tokens": [
            {"token_id": token.token_id, "roles": sorted(token.roles), "emergency": token.token_id in suspects}
            for token in selected
        ],
    }


def main() -> None:
    run_module(OPTIONS, list_tokens)


if __name__ == "__main__":
    main()
