# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table: each step of the role ece_host x what goes wrong there -> what is said, what was done, the next step.

Pure data: `test_role.py` runs every row, `guide.py` tells users.
"""

from __future__ import annotations

from typing import Any

from .role_rows import ApiRow, HostRow, Row

LIST, VERSION, MINT = "get-runners", "get-platform", "create-enrollment-token"
RUNNER, ALLOCATOR, DELETE = "get-runner", "get-allocator", "delete-runner"

# The batch of each row whose fault is the API's. They have roles of their own, so each needs a token of its own.
NEW, REBUILT = "new", "rebuilt"
BOTH = (NEW, REBUILT)
# Where the API is asked from in rows that lose that host
DELEGATE = "bastion"
# What the role asks before it mints: the list, the version, and, over one connection, for the old runner's deletion
CONNECTIONS_BEFORE_MINT = 3

AT_THE_COORDINATORS = "The API has a problem of its own: look at the coordinators, or try again later."
RESTARTING = "Is the API restarting, or a proxy in between closing connections?"
ADMIN = "The user probably needs the Platform admin role."
AGAIN = "Run this again when it is within reach."
AFTER_DELETION = "Mend that and run this again: it does not matter whether that runner has been deleted by then."
AFTER_A_LOST_START = (
    "Run this again when the host is within reach: an installer that runs is waited for, and is not started twice."
)

# What stands in a message before the API's own words
NO_LIST = "Nothing was done, as the runners could not be listed: "
NO_VERSION = "Nothing was done, as the installation's version could not be had: "
NOT_DELETED = "its old runner could not be deleted: "
NO_TOKEN = "There is no token for this host, which is as it was"
NOT_VERIFIED = "whether these hosts are connected is not known: "
LOST_DELEGATE = "the API delegate "
IS_LOST = "bastion (ece_host_api_delegate) is out of reach ("


def reply(operation: str, status: int, **params: Any) -> dict[str, Any]:
    return {"kind": "reply", "operation": operation, "status": status, "times": None, **params}


# The second list is the one that verifies: the first is the plan's.
LATER = {"skip": 1}

API_ROWS = [
    ApiRow(
        "no list of runners",
        "plan",
        "The API, or a proxy in between, is down or busy.",
        NO_LIST,
        "Nothing.",
        AT_THE_COORDINATORS,
        faults=(reply(LIST, 503),),
        failed=BOTH,
        minted=0,
        deleted=False,
    ),
    ApiRow(
        "no version",
        "plan",
        "The connection ends while the version is asked for.",
        NO_VERSION,
        "Nothing.",
        RESTARTING,
        faults=({"kind": "reset_before", "operation": VERSION},),
        failed=BOTH,
        minted=0,
        deleted=False,
    ),
    ApiRow(
        "no record of the old runner",
        "look, a host that was rebuilt",
        "The API has a problem of its own.",
        NOT_DELETED,
        "The old runner is as it was. The other hosts join.",
        AFTER_DELETION,
        "HTTP 500",
        faults=(reply(RUNNER, 500),),
        failed=(REBUILT,),
        minted=1,
        deleted=False,
    ),
    ApiRow(
        "no record of its allocator",
        "look, a host that was rebuilt",
        "Something else than the API answers, such as a login page.",
        NOT_DELETED,
        "The old runner is as it was: nothing is deleted unless its allocator is known to be empty. The others join.",
        AFTER_DELETION,
        "an HTML page instead of JSON",
        faults=(reply(ALLOCATOR, 200, body="<html>sign in</html>", content_type="text/html"),),
        failed=(REBUILT,),
        minted=1,
        deleted=False,
    ),
    ApiRow(
        "the old runner's deletion refused",
        "look, a host that was rebuilt",
        "The user may not delete runners.",
        NOT_DELETED,
        "The old runner is as it was. The other hosts join.",
        f"{ADMIN} {AFTER_DELETION}",
        "HTTP 403",
        faults=(reply(DELETE, 403),),
        failed=(REBUILT,),
        minted=1,
        deleted=False,
    ),
    ApiRow(
        "no reply to the old runner's deletion",
        "look, a host that was rebuilt",
        "The connection ends after the runner was deleted.",
        NOT_DELETED,
        "The old runner is deleted, no token was minted for the host, and it has not joined. The other hosts join.",
        AFTER_DELETION,
        "the connection ended before the whole reply was there",
        faults=({"kind": "reset_after", "operation": DELETE},),
        failed=(REBUILT,),
        minted=1,
    ),
    ApiRow(
        "a token refused",
        "token",
        "The user may list, but not mint.",
        NO_TOKEN,
        "The old runner of a host that was rebuilt is deleted. Hosts whose token was minted join.",
        ADMIN,
        " but for the installer that it got (its old runner was deleted): ",
        faults=(reply(MINT, 403, **LATER),),
        failed=(REBUILT,),
        minted=1,
    ),
    ApiRow(
        "no API to mint",
        "token",
        "The API is out of reach when it comes to minting.",
        NO_TOKEN,
        "The old runner of a host that was rebuilt is deleted.",
        RESTARTING,
        " but for the installer that it got: ",
        faults=({"kind": "refuse_handshake", "times": None, "skip": CONNECTIONS_BEFORE_MINT},),
        failed=BOTH,
        minted=0,
    ),
    ApiRow(
        "no reply to a mint",
        "token",
        "The connection ends after a token was minted.",
        "hosts joined",
        "The request was sent again. The token whose value was lost is ephemeral, and dies by itself.",
        "",
        "2 of 2",
        faults=({"kind": "reset_after", "operation": MINT},),
        minted=3,
        api={"retries": 1},
        spare=1,
    ),
    ApiRow(
        "no list at the end",
        "verify",
        "The credentials have expired meanwhile.",
        NOT_VERIFIED,
        "The installers have run to their end.",
        "Check username and password, or api_key, which may have expired. Run this again when the API answers: it goes "
        "on where this run stopped.",
        "HTTP 401",
        faults=(reply(LIST, 401, **LATER),),
        failed=BOTH,
    ),
    ApiRow(
        "no list at the end, for a while",
        "verify",
        "The API, or a proxy in between, is down or busy for a while.",
        "hosts joined",
        "The list was asked for again.",
        "",
        "2 of 2",
        faults=(reply(LIST, 503, **{**LATER, "times": 2}),),
    ),
    ApiRow(
        "no reply at the end",
        "verify",
        "The API is overloaded, or a firewall drops packets, until join_timeout is over.",
        f"{NOT_VERIFIED}The list of runners could not be had in all of ",
        "The installers have run to their end.",
        "Run this again when the API answers: it goes on where this run stopped.",
        "in all of 2 seconds",
        faults=({"kind": "delay", "operation": LIST, "seconds": 30, "times": None, **LATER},),
        failed=BOTH,
        api={"timeout": 5},
        variables={"ece_host_join_timeout": 2},
    ),
    ApiRow(
        "no delegate to list",
        "plan",
        "SSH to `ece_host_api_delegate` fails.",
        NO_LIST + LOST_DELEGATE,
        "Nothing.",
        AGAIN,
        IS_LOST,
        loss={"task": "List the runners"},
        failed=BOTH,
        minted=0,
        deleted=False,
    ),
    ApiRow(
        "no delegate to ask for the version",
        "plan",
        "SSH to `ece_host_api_delegate` fails.",
        NO_VERSION + LOST_DELEGATE,
        "Nothing.",
        AGAIN,
        IS_LOST,
        loss={"task": "Ask for the version that hosts are to join with", "after": True},
        failed=BOTH,
        minted=0,
        deleted=False,
    ),
    ApiRow(
        "delegate lost as it deletes",
        "look, a host that was rebuilt",
        "SSH to `ece_host_api_delegate` fails.",
        NOT_DELETED + LOST_DELEGATE,
        "The old runner may be deleted, no token was minted for the host, and it has not joined. The other hosts join.",
        "Run this again when it is within reach: it does not matter whether that runner has been deleted by then.",
        IS_LOST,
        loss={"task": "Delete the old runner of a host that was rebuilt", "after": True},
        failed=(REBUILT,),
        minted=1,
    ),
    ApiRow(
        "delegate lost as it mints",
        "token",
        "SSH to `ece_host_api_delegate` fails.",
        NO_TOKEN,
        "The old runner of a host that was rebuilt is deleted. A token that was minted dies by itself.",
        AGAIN,
        f" but for the installer that it got: {LOST_DELEGATE}{IS_LOST}",
        loss={"task": "Mint a token for each set of roles", "after": True},
        failed=BOTH,
        minted=2,
        spare=2,
    ),
    ApiRow(
        "delegate lost at the end",
        "verify",
        "SSH to `ece_host_api_delegate` fails.",
        NOT_VERIFIED + LOST_DELEGATE,
        "The installers have run to their end.",
        "Run this again when it is within reach: it goes on where this run stopped.",
        IS_LOST,
        loss={"task": "Wait for the runners"},
        failed=BOTH,
    ),
]

WAIT = "Wait until the installer has ended"

# All in one batch: what ails one disturbs none of the others.
HOST_ROWS = [
    HostRow(
        "unknown-address",
        "plan, a host that gives no address",
        "SSH fails.",
        "Nothing was done, as the host is out of reach",
        "Nothing.",
        AGAIN,
        loss={"task": "Gather the network facts"},
        variables={"ece_host_ip": ""},
    ),
    HostRow(
        "never-reached",
        "look",
        "SSH fails.",
        "Nothing was done, as the host is out of reach",
        "Nothing.",
        AGAIN,
        loss={"task": "Look at each host"},
    ),
    HostRow(
        "lost-before-the-copy",
        "look, getting the installer",
        "SSH fails when the installer is copied or downloaded.",
        "The host was not joined: it was lost while it got the installer",
        "The installer may lie on the host. Nothing was started.",
        AGAIN,
        loss={"task": "Copy the installer from the controller, ece_host_installer_src"},
    ),
    HostRow(
        "lost-before-the-start",
        "start",
        "The connection drops before the installer is started.",
        "The connection was lost while the installer was being started, and whether it was is not known.",
        "Nothing was started, but that cannot be told.",
        AFTER_A_LOST_START,
        loss={"task": "Start the installer"},
    ),
    HostRow(
        "lost-after-the-start",
        "start",
        "The connection drops as soon as the installer is started.",
        "The connection was lost while the installer was being started, and whether it was is not known.",
        "The installer runs, but that cannot be told.",
        AFTER_A_LOST_START,
        loss={"task": "Start the installer", "after": True},
        started=True,
    ),
    HostRow(
        "lost-before-the-wait",
        "finish",
        "The connection drops between starting and waiting, and comes back.",
        "hosts joined",
        "The host was asked again.",
        "",
        loss={"task": WAIT, "times": 2},
        started=True,
    ),
    HostRow(
        "lost-during-the-wait",
        "finish",
        "The connection drops while the installer runs, and comes back.",
        "hosts joined",
        "The host was asked again.",
        "",
        loss={"task": WAIT, "skip": 1, "times": 2},
        started=True,
        goes_on=True,
    ),
    HostRow(
        "restarted",
        "finish",
        "The host restarts while the installer runs.",
        "The installer ended without a trace: it was killed, or the host was restarted",
        "The installer was ended with the host.",
        "Look at its logs, remove what it left (its containers, what is in the storage path), and run this again.",
        loss={"task": WAIT},
        started=True,
        restarts=True,
        starts=2,
    ),
]

# Each in a run of its own, as its variables must be the same on all hosts of a batch.
LONE_ROWS = [
    HostRow(
        "lost-for-good",
        "finish",
        "The connection drops while the installer runs, and stays so until install_timeout is over.",
        "The host is out of reach, and was so at the end: ",
        "The installer goes on.",
        "The next run finds the installer as it is then: run this again, with a longer ece_host_install_timeout "
        "(wait_timeout of the module) if need be.",
        loss={"task": WAIT},
        started=True,
        variables={"ece_host_install_timeout": 2},
    ),
    HostRow(
        "lost-at-the-end",
        "verify, without the API",
        "SSH fails when the installer has ended.",
        "The installer has ended well, but whether the host has joined is not known, as it is out of reach",
        "The installer has run to its end.",
        "Run this again when it is within reach: the installer is not started again.",
        loss={"task": "Look at the host again where the API is not asked"},
        started=True,
        variables={"ece_host_use_api": False},
    ),
]

# In the playbook add_hosts, where managers join before all others.
MANAGER_ROW = HostRow(
    "manager",
    "start, of a director or coordinator",
    "The connection drops when the installer of a manager is started.",
    "has not joined, and as it is to be a director or coordinator, the run ends here: nothing further is started",
    "No other host was started.",
    "Run this again when the host is within reach: an installer that runs is waited for, and is not started twice",
    loss={"task": "Start the installer", "after": True},
    started=True,
)

ROWS: list[Row] = [*API_ROWS, *HOST_ROWS, *LONE_ROWS, MANAGER_ROW]
