# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong with a request to the API, and what is said then. Pure data; `api_table.py` puts it to requests."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_SECONDS = 10.0
# Of the rows whose fault is that nothing comes
SHORT_TIMEOUT_SECONDS = 2.0
# A token that each row finds, and its roles; and the roles of those that rows mint
TOKEN_ID, TOKEN_ROLES, MINTED_ROLES = "4c8990df-0000-4000-8000-000000000000", ["proxy"], ["director"]


class Mint(enum.Enum):
    """What a fault lets be known of a persistent token that was asked for."""

    REFUSED = "it was not minted"
    UNSENT = "it was not minted, as the request surely did not arrive"
    UNKNOWN = "it may have been minted"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a request.

    `orders`: the simulator's fault (`simulator/faults.py`); `options`: the connection's that are wrong;
    `environment`: variables of the task; `clock`: how many seconds the installation's is ahead. `says` and `advises`
    stand in the message; none: the request succeeds all the same. `status` and `code` are those of `failure`.
    `passes`: it may pass by itself, so the request is sent again, after `pause` seconds at least. `effect`: the request
    takes effect all the same. `only`: it goes with this request alone. `cause` and `done` are for the guide.
    """

    name: str
    cause: str
    orders: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    advises: str = ""
    status: int | None = None
    code: str | None = None
    passes: bool = False
    pause: float = 0
    effect: bool = False
    mint: Mint = Mint.UNKNOWN
    timeout: float = TIMEOUT_SECONDS
    options: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    clock: float = 0
    only: str = ""
    done: str = ""

    @property
    def elsewhere(self) -> bool:
        """Whether the request does not get as far as the simulator."""
        return bool(self.options or self.environment)

    @property
    def unseen(self) -> bool:
        """Whether the API never reads the request."""
        return self.elsewhere or self.orders.get("kind") in ("refuse_handshake", "reset_unread", "certificate")


def reply(status: int, **params: Any) -> dict[str, Any]:
    return {"kind": "reply", "status": status, **params}


def unreachable(name: str, cause: str, says: str, advises: str, passes: bool = True, **values: Any) -> Fault:
    return Fault(name, cause, says=says, advises=advises, passes=passes, mint=Mint.UNSENT, **values)


def lost(name: str, orders: dict[str, Any], **values: Any) -> Fault:
    cause = "A coordinator restarts, or something in between ends connections."
    says = "the connection ended before the whole reply was there"
    advises = "Is the API restarting, or a proxy in between closing connections?"
    return Fault(name, cause, orders, says, advises, passes=True, **values)


def slow(name: str, cause: str, orders: dict[str, Any]) -> Fault:
    says = "no complete reply within"
    advises = "Is the API overloaded, or a firewall dropping packets? A longer timeout gives it more time."
    return Fault(name, cause, orders, says, advises, passes=True, effect=True, timeout=SHORT_TIMEOUT_SECONDS)


def refusal(status: int, cause: str, advises: str, *, name: str = "", also: Any = None, **values: Any) -> Fault:
    """The API says no, in its own words; `also`: more of the reply."""
    body = json.dumps({"errors": [{"code": "some.code", "message": "ECE says why."}]})
    orders = reply(status, body=body, **(also or {}))
    mint = Mint.UNKNOWN if status >= 500 else Mint.REFUSED
    says, values = f"HTTP {status}", {"status": status, "code": "some.code", "mint": mint, **values}
    return Fault(name or says, cause, orders, says, advises, **values)


def busy(name: str, **values: Any) -> Fault:
    advises = "The API is asked too often: try again later, or with more retries."
    return refusal(429, "Others ask as well, or many tasks at once.", advises, name=name, passes=True, **values)


def page(status: int, cause: str, effect: bool = False) -> Fault:
    """A proxy's own page, instead of the API's reply."""
    orders = reply(status, body="<html>no</html>", content_type="text/html", effect=effect)
    says, advises = f"HTTP {status}", "The API has a problem of its own: look at the coordinators, or try again later."
    return Fault(says, cause, orders, says, advises, status=status, passes=True, effect=effect)


def redirect(name: str, cause: str, says: str, **params: Any) -> Fault:
    advises = "Redirects are not followed, so that the credentials reach no other host: set url to the API itself."
    return Fault(name, cause, reply(307, **params), says, advises, status=307, mint=Mint.REFUSED)


def distrust(name: str, cause: str, which: str, says: str, advises: str) -> Fault:
    orders = {"kind": "certificate", "which": which}
    return Fault(name, cause, orders, says, advises, mint=Mint.REFUSED)


def unreadable(name: str, cause: str, says: str, advises: str, **params: Any) -> Fault:
    """A reply that would be a good one, but for its body."""
    return Fault(name, cause, reply(200, **params), says, advises, status=200)


# What is advised, where it is long
RIGHT_ADDRESS = "Is the address in url right (ECE's port is 12443), a coordinator up, and no firewall in between?"
RIGHT_PROXY = "Check HTTPS_PROXY and NO_PROXY, and the proxy itself."
WITH_TLS = "Is it https that listens there? ECE's https port is 12443."
CHANGE_IT = "The API did not accept the request: change what it names, and run this again."
AGAIN = "Run this again; if the same comes back, something else changes what this task does."
CREDENTIALS = "Check username and password, or api_key, which may have expired."
BROKEN = "The API has a problem of its own: look at the coordinators, or try again later."
NO_PAGE = "Is it ECE's API that url points at (port 12443), and not a login page or a proxy?"
CUTS = "Is it ECE's API that url points at (port 12443), and does a proxy in between cut replies?"
RENEW = "Renew the certificate of the installation, or mend the clock of this machine."
OTHER_CA = "Put the installation's CA certificate into ca_path"
NAME_CA = "Name the installation's CA certificate in ca_path."
# What is said, where it is long
REFUSED = "is out of reach (Connection refused)"
NO_PROXY = "the proxy that the environment names is out of reach"
NO_TLS = "no TLS connection could be made or kept"
NOT_JSON = "a reply that is not JSON, or cut short"
NOT_TRUSTED = "the certificate of the API is not trusted ("
EXPIRED = f"{NOT_TRUSTED}certificate has expired)"
OTHER_NAME = "the certificate does not hold this name or address"
# The simulator's faults, and other places
LATE = {"kind": "delay", "seconds": 30, "effect": True}
HEADERS, BODY = {"kind": "drip_headers", "seconds": 1.5}, {"kind": "drip_body", "seconds": 1.5}
REVOKED = {"kind": "revoke", "token_id": TOKEN_ID}
MINTED = {"kind": "mint", "roles": MINTED_ROLES}
CLOSED, SILENT = {"url": "https://127.0.0.1:{closed_port}"}, {"url": "https://127.0.0.1:{silent_port}"}
NOBODY, PLAIN = {"url": "https://coordinator.invalid:12443"}, {"url": "https://{control_address}"}
CLOSED_PROXY = {"HTTPS_PROXY": "http://127.0.0.1:{closed_port}"}
LOCATION = {"Location": "https://another-host.example.org/api"}
HTML = {"body": "<html>sign in</html>", "content_type": "text/html"}
# What causes it, where that is long
WRONG_PORT = "Nothing listens there: a wrong port, or a coordinator that is down."
HTTP_PORT = "Something without TLS listens there, such as ECE's http port, 12400."
DROPPED = "A firewall drops what is sent to this port."
DRIPS = "Something in between hands on byte by byte."
FIREWALL = "The API is overloaded, or a firewall drops packets."
MANY_NAMES = "A load balancer that wants to be called by another address."
NOT_ITS_NAME = "`url` has a name or address that is not in the certificate."
OLD = "The installation's certificate has expired, or a clock is wrong."
NEW_CA = "With `ca_path`: the installation has a new CA, or something in between shows a certificate of its own."
OWN_CA = "Without `ca_path`: ECE's own CA is not in this system's store."
CLOCKS = "This machine's clock and the installation's differ."
GONE = "Somebody else revoked a token between the list and the revocation."
TWICE = "Two runs mint a persistent token with the same roles at once."
EACH_ITS_OWN = "Each run has a token of its own. The next one says that there are several."

# fmt: off
FAULTS = [
    unreachable("connection refused", WRONG_PORT, REFUSED, RIGHT_ADDRESS, options=CLOSED),
    unreachable("unknown name", "No name server knows the host in `url`.", "is out of reach (", RIGHT_ADDRESS, options=NOBODY),
    unreachable("packets dropped", DROPPED, "no connection to the API within", RIGHT_ADDRESS, options=SILENT, timeout=SHORT_TIMEOUT_SECONDS),
    unreachable("no TLS", HTTP_PORT, NO_TLS, WITH_TLS, options=PLAIN, passes=False),
    unreachable("no proxy", "The proxy is down, or its address is wrong.", NO_PROXY, RIGHT_PROXY, environment=CLOSED_PROXY),
    lost("reset in the handshake", {"kind": "refuse_handshake"}, mint=Mint.UNSENT),
    lost("reset before the request is read", {"kind": "reset_unread"}),
    lost("reset before the effect", {"kind": "reset_before"}),
    lost("reset after the effect", {"kind": "reset_after"}, effect=True),
    lost("reply cut in the middle", {"kind": "cut"}, effect=True),
    slow("slow reply", FIREWALL, LATE),
    slow("dripping headers", DRIPS, HEADERS),
    slow("dripping body", DRIPS, BODY),
    refusal(400, "ECE does not accept what was asked for.", CHANGE_IT),
    refusal(401, "A wrong password, or an API key that has expired.", CREDENTIALS),
    refusal(403, "The user may not do this.", "The user probably needs the Platform admin role."),
    refusal(404, "Something else than ECE's API answers.", "Is it ECE's API that url points at (port 12443)?"),
    refusal(409, "Somebody else changed the same thing meanwhile.", AGAIN),
    busy("HTTP 429", pause=1),
    busy("HTTP 429 with Retry-After in seconds", also={"headers": {"Retry-After": "2"}}, pause=2),
    busy("HTTP 429 with Retry-After as a date", also={"retry_date": 4.0}, pause=2),
    refusal(500, "An error inside ECE.", BROKEN),
    page(502, "A proxy in between cannot reach the API."),
    page(503, "A proxy in between knows no API that is up."),
    page(504, "A proxy in between waited for the API in vain.", effect=True),
    unreadable("HTML instead of JSON", "A login page, or another service.", "an HTML page instead of JSON", NO_PAGE, **HTML),
    unreadable("JSON of another shape", "Another service.", "not what ECE's API describes", "Is it ECE's API that url points at?", body="[]"),
    unreadable("empty reply", "Another service, or a proxy that cuts replies.", "an empty reply instead of JSON", CUTS),
    unreadable("10 MB of nonsense", "Another service.", NOT_JSON, CUTS, body_size=10_000_000),
    redirect("redirect to another host", "A login page, or a load balancer.", "a redirect to https://", headers=LOCATION),
    redirect("redirect to itself", MANY_NAMES, "a redirect to /api/v1/", to_itself=True),
    distrust("expired certificate", OLD, "expired", EXPIRED, RENEW),
    distrust("certificate of another name", NOT_ITS_NAME, "wrong_name", OTHER_NAME, "Use one that it holds in url."),
    distrust("certificate of an unknown CA", NEW_CA, "unknown_ca", NOT_TRUSTED, OTHER_CA),
    unreachable("no CA is named", OWN_CA, NOT_TRUSTED, NAME_CA, options={"ca_path": ""}, passes=False),
    Fault("clocks two hours apart", CLOCKS, clock=-7200, done="All works. A mint with `validity_seconds` warns of the clocks."),
    Fault("revoked by somebody else", GONE, REVOKED, only="revoking a token", done="It counts as revoked."),
    Fault("minted by somebody else", TWICE, MINTED, only="minting a persistent token", done=EACH_ITS_OWN),
]
# fmt: on
