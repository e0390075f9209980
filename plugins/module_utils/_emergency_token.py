# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Pure: which of the listed tokens is, or may be, the emergency token, which must survive.

Nothing in the list marks it but its roles, which other tokens may have, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ansible_collections.eceops.platform.plugins.module_utils._errors import Refused
from ansible_collections.eceops.platform.plugins.module_utils._roles import ROLES
from ansible_collections.eceops.platform.plugins.module_utils._token import ListedToken

# All roles but allocator. Nothing else in the API's list marks the emergency token.
EMERGENCY_ROLES = frozenset(ROLES) - {"allocator"}

WHERE_EMERGENCY_ID_STANDS = (
    "It is the sub claim of emergency_all_roles_except_allocator_token in the installation's secrets file "
    "(bootstrap-secrets.json on the first host); the filter eceops.platform.roles_token_claims prints it as token_id."
)


def suspect_ids(listed: Iterable[ListedToken], emergency_token_id: str | None) -> frozenset[str]:
    """The ids of the tokens that are, or may be, the emergency token.

    An `emergency_token_id` that names no listed token with exactly the emergency token's roles counts as not given: a
    slip of the pen may not remove the protection.
    """
    candidates = frozenset(token.token_id for token in listed if token.roles == EMERGENCY_ROLES)
    return candidates & {emergency_token_id} or candidates


def _emergency_token_is_known(listed: Iterable[ListedToken], emergency_token_id: str | None) -> bool:
    return emergency_token_id is not None and emergency_token_id in suspect_ids(listed, emergency_token_id)


def refuse_to_guess(
    roles: frozenset[str] | None, listed: Collection[ListedToken], emergency_token_id: str | None
) -> None:
    """Raise `Refused` where the wanted roles are the emergency token's, and which token that is, is not known."""
    suspects = suspect_ids(listed, emergency_token_id)
    if roles != EMERGENCY_ROLES or not suspects or _emergency_token_is_known(listed, emergency_token_id):
        return
    given = "is not given" if emergency_token_id is None else "names no listed token with these roles"
    raise Refused(
        "Nothing was written: coordinator, director and proxy are also the roles of the emergency token, which must "
        f"survive, and emergency_token_id {given}. Set it (for a playbook, ece_emergency_token_id) to the id of the "
        "emergency token. "
        f"{WHERE_EMERGENCY_ID_STANDS} "
        f"Listed with these roles: {', '.join(sorted(suspects))}."
    )


def unknown_emergency_warning(listed: Collection[ListedToken], emergency_token_id: str | None) -> str | None:
    """What to say when `emergency_token_id` is given and names no token that could be the emergency token."""
    if emergency_token_id is None or _emergency_token_is_known(listed, emergency_token_id):
        return None
    return (
        f"emergency_token_id ({emergency_token_id}) names no listed token with the roles coordinator, director and "
        "proxy. Every token with these roles is protected instead."
    )
