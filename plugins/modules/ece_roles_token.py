#!/usr/bin/python
# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_roles_token
short_description: Mint, keep and revoke roles tokens of Elastic Cloud Enterprise
version_added: 0.1.0
description:
  - A roles token is what a new host shows to join an Elastic Cloud Enterprise (ECE) installation with given roles. ECE's API calls it an enrollment token.
  - An I(ephemeral) token dies by itself, by default after an hour. It is not listed and cannot be revoked.
    A I(persistent) one is listed, without its value, and lives until it is revoked.
  - With O(state=present) the module mints a token unless there is one already. For an ephemeral token that is the one given as O(token),
    for a persistent one what the API lists.
  - With O(state=absent) it revokes persistent tokens, many over one connection.
  - The emergency token, which saves an installation that has lost all its coordinators, is protected. See O(emergency_token_id).
author:
  - The eceops.platform authors (@eceops)
extends_documentation_fragment:
  - eceops.platform._attributes
  - eceops.platform._connection
attributes:
  check_mode:
    support: full
    details:
      - The same decisions are made, nothing is written and no token is minted.
  diff_mode:
    support: full
    details:
      - Shows ids and roles of the tokens that are concerned, never a value.
  idempotent:
    support: partial
    details:
      - An ephemeral token is minted at every run, unless the one of an earlier run is given as O(token).
      - A persistent token is minted at every run with O(mint=always), and as long as a O(token) is given that is not listed with exactly these roles.
options:
  state:
    description:
      - V(present) makes sure that there is a token with exactly O(roles).
      - V(absent) revokes the tokens that O(token_ids) and O(token) name, or every persistent token with exactly O(roles).
    type: str
    choices: [present, absent]
    default: present
  roles:
    description:
      - Roles that the token permits. Order and duplicates do not matter.
      - Required with O(state=present). For a token without any role permission, write V([]).
      - With O(state=absent), every persistent token with exactly these roles is revoked. Not together with O(token_ids) or O(token) then.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
  persistent:
    description:
      - Whether the token lives until it is revoked.
    type: bool
    default: false
  mint:
    description:
      - V(if_missing) mints a token only where there is none yet.
      - V(always) mints one at every run. This is how the value of a persistent token is got whose twin exists already, as for rotation.
    type: str
    choices: [if_missing, always]
    default: if_missing
  validity_seconds:
    description:
      - How long a new ephemeral token lives. ECE's own default is an hour. From 1 to 2147483647, more than a day gives a warning.
      - A warning is given when the new token's expiry is more than a minute off by this machine's clock.
    type: int
  token:
    description:
      - A token that is held already. An empty string counts as none.
      - With O(state=present) it is returned unchanged where it still serves.
      - With O(state=absent) it is revoked by its id. A token's value never stands in a URL.
    type: str
  min_remaining_seconds:
    description:
      - How long a held ephemeral O(token) must still live to be kept.
    type: int
    default: 300
  token_ids:
    description:
      - Ids of persistent tokens to revoke, with O(state=absent). An empty list is nothing to do.
    type: list
    elements: str
    aliases: [token_id]
  emergency_token_id:
    description:
      - Id of the emergency token. The API's list does not mark it, other tokens can have its roles (coordinator, director and proxy).
      - That token never counts as the wanted one and is never revoked, unless it is named and O(allow_emergency) is set.
      - Where this is not given, or names no listed token with these roles, all tokens with these roles are protected like that. Nothing is guessed.
        To mint if missing, or to revoke by O(roles), with just these roles, it has to be given then.
      - It is the C(sub) claim of C(emergency_all_roles_except_allocator_token) in the installation's secrets file
        (C(bootstrap-secrets.json) on the first host). The filter P(eceops.platform.roles_token_claims#filter) prints it.
    type: str
  allow_emergency:
    description:
      - Whether a token that is, or may be, the emergency token is revoked when O(token_ids) or O(token) names it. Not together with O(roles).
    type: bool
    default: false
seealso:
  - module: eceops.platform.ece_roles_token_info
  - plugin: eceops.platform.roles_token_claims
    plugin_type: filter
  - name: Manage roles tokens
    description: Elastic's documentation of roles tokens.
    link: https://www.elastic.co/docs/deploy-manage/security/manage-roles-tokens
"""

EXAMPLES = r"""
# The examples take the connection from EC_HOST, EC_USER and EC_PASS (or EC_API_KEY). To give it by variable instead,
# put it into a dictionary and hand it to all tasks of a block, as the first one does.
- name: Mint a token for new allocators, with the connection in a variable
  vars:
    ansible_pipelining: true
    ansible_ssh_pipelining: true
  module_defaults:
    group/eceops.platform.ece: "{{ ece_api }}"
  block:
    - name: Mint an ephemeral token that lives half an hour
      eceops.platform.ece_roles_token:
        roles: [allocator]
        validity_seconds: 1800
      no_log: true
      register: allocator_token

- name: Keep that token while it is good for ten minutes more, else mint another
  eceops.platform.ece_roles_token:
    roles: [allocator]
    token: "{{ allocator_token.token }}"
    min_remaining_seconds: 600
  vars:
    ansible_pipelining: true
    ansible_ssh_pipelining: true
  no_log: true
  register: allocator_token

- name: Make sure that there is a persistent token for proxies
  eceops.platform.ece_roles_token:
    roles: [proxy]
    persistent: true
  no_log: true
  register: proxy_token

- name: Revoke it by its id
  eceops.platform.ece_roles_token:
    state: absent
    token_ids: ["{{ proxy_token.token_id }}"]

- name: Revoke all persistent tokens for proxies that are allocators, too
  eceops.platform.ece_roles_token:
    state: absent
    roles: [allocator, proxy]

- name: Mint a management token, beside the emergency token with the same roles
  eceops.platform.ece_roles_token:
    roles: [coordinator, director, proxy]
    persistent: true
    emergency_token_id: "{{ ece_emergency_token_id }}"
  no_log: true
  register: management_token
"""

RETURN = r"""
token:
  description:
    - The token, B(a secret). Set C(no_log) for the task.
    - V(null) in check mode, with O(state=absent), and for a persistent token that was there already and was not given as O(token). ECE never shows it again.
  returned: success
  type: str
  sample: eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOi...
token_id:
  description: Id of the persistent token. V(null) for an ephemeral one, in check mode for a new one, and where several match.
  returned: success
  type: str
  sample: 4c8990df-1fb7-4820-b868-6bc9e8860814
matching_token_ids:
  description: Ids of all persistent tokens that have exactly these roles now, sorted, those that may be the emergency token left out. Empty for ephemeral ones.
  returned: success
  type: list
  elements: str
  sample: [4c8990df-1fb7-4820-b868-6bc9e8860814]
roles:
  description: The roles that were asked for, sorted. V(null) where there were none.
  returned: success
  type: list
  elements: str
  sample: [allocator, proxy]
persistent:
  description: Whether a persistent token was asked for. V(null) with O(state=absent).
  returned: success
  type: bool
  sample: false
expires_at:
  description: When the token expires, by its own claims. ISO 8601, UTC. V(null) for a persistent one and where no token is returned.
  returned: success
  type: str
  sample: '2026-11-24T18:00:00Z'
revoked:
  description: Ids of the tokens that were revoked, or would be in check mode.
  returned: success, and when revoking failed in part
  type: list
  elements: str
  sample: [4c8990df-1fb7-4820-b868-6bc9e8860814]
not_revoked:
  description:
    - The tokens that could not be revoked, and why.
    - Those that were not tried any more are among them, where the API is out of reach, stays busy or does not accept the credentials.
  returned: when revoking failed
  type: list
  elements: dict
  contains:
    token_id:
      description: Id of the token.
      type: str
      sample: 4c8990df-1fb7-4820-b868-6bc9e8860814
    reason:
      description: Why it was not revoked.
      type: str
      sample: not tried
  sample:
    - token_id: 4c8990df-1fb7-4820-b868-6bc9e8860814
      reason: not tried
possible_orphans:
  description:
    - Ids of persistent tokens with these roles that were not there before. One of them may be the token that was asked for, whose value got lost.
      They are for a person to revoke, the module does not guess.
    - V(null) when the tokens could not be listed either.
  returned: when it is unknown whether a persistent token was minted
  type: list
  elements: str
  sample: [4c8990df-1fb7-4820-b868-6bc9e8860814]
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

import time
import typing as t
from collections.abc import Iterable

from ansible_collections.eceops.platform.plugins.module_utils._module import EceModule, run_module
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES
from ansible_collections.eceops.platform.plugins.module_utils._roles_token import (
    Plan,
    Wanted,
    check_wanted,
    clock_warning,
    needs_list,
    plan_ephemeral,
)
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken, claims_or_none, iso_time

if t.TYPE_CHECKING:
    from ansible_collections.eceops.platform.plugins.module_utils._client import Client, MintedToken

OPTIONS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
    "persistent": {"type": "bool", "default": False},
    "mint": {"type": "str", "choices": ["if_missing", "always"], "default": "if_missing"},
    "validity_seconds": {"type": "int"},
    "token": {"type": "str", "no_log": True},
    "min_remaining_seconds": {"type": "int", "default": 300},
    "token_ids": {"type": "list", "elements": "str", "aliases": ["token_id"], "no_log": False},
    "emergency_token_id": {"type": "str", "no_log": False},
    "allow_emergency": {"type": "bool", "default": False},
}


def manage_token(module: EceModule) -> dict[str, t.Any]:
    """Read what is wanted and what is there, ask the plan, carry it out: the return values."""
    wanted = read_wanted(module.params)
    check_wanted(wanted)
    now = time.time()
    listed = module.client.tokens() if needs_list(wanted, now) else []
    plan = make_plan(wanted, listed, now)
    for warning in plan.warnings:
        module.warn(warning)
    minted = carry_out(module.client, wanted, plan, listed) if plan.changed and not module.check_mode else None
    if plan.keep:
        # The one no_log value that is meant to be returned; EceModule masks the invocation.
        module.no_log_values.discard(plan.keep)
    return result(module, wanted, plan, minted)


def read_wanted(params: dict[str, t.Any]) -> Wanted:
    """The options without stray white space; an empty string counts as not given."""
    options = {name: params[name] for name in OPTIONS}
    options["roles"] = None if params["roles"] is None else frozenset(params["roles"])
    options["token"] = (params["token"] or "").strip() or None
    options["emergency_token_id"] = (params["emergency_token_id"] or "").strip() or None
    return Wanted(**options)


def make_plan(wanted: Wanted, listed: list[ListedToken], now: float) -> Plan:
    if wanted.state == "present" and not wanted.persistent:
        return plan_ephemeral(wanted, now)
    # Loaded for the tasks that need it
    from ansible_collections.eceops.platform.plugins.module_utils._listed_tokens import plan_absent, plan_persistent

    return plan_persistent(wanted, listed) if wanted.state == "present" else plan_absent(wanted, listed, now)


def carry_out(client: Client, wanted: Wanted, plan: Plan, listed: list[ListedToken]) -> MintedToken | None:
    """Revoke and mint what the plan wants: the new token. `listed` are the tokens that were there before."""
    if plan.mint and not wanted.persistent:
        return client.mint_ephemeral_token(wanted.roles or (), wanted.validity_seconds)
    # Loaded for the tasks that need it
    from ansible_collections.eceops.platform.plugins.module_utils._persistent_token import mint, revoke

    revoke(client, plan.revoke)
    return mint(client, wanted.roles or frozenset(), listed) if plan.mint else None


def result(module: EceModule, wanted: Wanted, plan: Plan, minted: MintedToken | None) -> dict[str, t.Any]:
    """The return values, from the plan and, outside check mode, what was minted."""
    token = minted.token if minted else plan.keep
    claims = claims_or_none(token)
    if minted and not claims:
        module.warn("The new token is none by its shape, so its expiry is not known.")
    expires_at = claims.expires_at if claims else None
    if minted and (warning := clock_warning(expires_at, wanted.validity_seconds, time.time())):
        module.warn(warning)
    matching = set(plan.matching_token_ids) | ({minted.token_id} if minted and minted.token_id else set())
    return {
        "changed": plan.changed,
        "token": token,
        "token_id": minted.token_id if minted else plan.token_id,
        "matching_token_ids": sorted(matching),
        "roles": None if wanted.roles is None else sorted(wanted.roles),
        "persistent": wanted.persistent if wanted.state == "present" else None,
        "expires_at": iso_time(expires_at),
        "revoked": [token.token_id for token in plan.revoke],
        "diff": diff(wanted, plan, minted),
    }


def diff(wanted: Wanted, plan: Plan, minted: MintedToken | None) -> dict[str, t.Any]:
    """The tokens that are concerned before and after, by id (null for an ephemeral or not yet minted one) and roles."""

    def shown(token_id: str | None, roles: Iterable[str]) -> dict[str, t.Any]:
        return {"token_id": token_id, "roles": sorted(roles)}

    roles = wanted.roles or frozenset()
    before = [shown(token_id, roles) for token_id in plan.matching_token_ids]
    if plan.keep and not wanted.persistent:
        before.append(shown(None, roles))
    after = [*before, shown(minted.token_id if minted else None, roles)] if plan.mint else before
    before = before + [shown(token.token_id, token.roles) for token in plan.revoke]
    return {"before": {"tokens": before}, "after": {"tokens": after}}


def main() -> None:
    run_module(OPTIONS, manage_token)


if __name__ == "__main__":
    main()
