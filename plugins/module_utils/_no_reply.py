# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Why a request brought no reply, from what the exceptions of requests wrap, and what to advise. No HTTP here."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator

from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection
from ansible_collections.eceops.platform.plugins.module_utils._errors import NoReply, cut_short, timed_out

# X.509 verify codes of OpenSSL that say when a certificate is valid.
_NOT_YET_VALID, _EXPIRED = 9, 10


def classify(error: Exception, connection: Connection) -> NoReply:
    """What became of a request that ended in an exception, from what that wraps.

    No text of requests or urllib3 is passed on but the names in a certificate: it could hold a proxy's password.
    """
    import requests.exceptions
    import urllib3.exceptions

    wrong_address = (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        urllib3.exceptions.LocationValueError,
    )
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_refused(cause, connection.ca_path)
        if type(cause).__name__ == "CertificateError":
            return NoReply(
                f"the certificate does not hold this name or address ({cause})",
                "Use one that it holds in url.",
                lasting=True,
            )
        if isinstance(cause, wrong_address):
            return NoReply(
                "url, or the proxy that the environment names, is no address that can be used",
                "Check url, HTTPS_PROXY and NO_PROXY.",
                lasting=True,
            )
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        where, advice = "the proxy that the environment names", "Check HTTPS_PROXY and NO_PROXY, and the proxy itself."
    else:
        where = "the API"
        advice = "Is the address in url right (ECE's port is 12443), a coordinator up, and no firewall in between?"
    for cause in causes:
        # Before its base class, ConnectTimeoutError.
        if isinstance(cause, urllib3.exceptions.NewConnectionError):
            return NoReply(f"{where} is out of reach ({own_words(_innermost(causes))})", advice)
        if isinstance(cause, urllib3.exceptions.ConnectTimeoutError):
            return NoReply(f"no connection to {where} within {connection.timeout:g} seconds", advice)
        if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
            return timed_out(connection.timeout)
        if isinstance(cause, OSError) and str(cause).startswith("Tunnel connection failed"):
            # http.client puts the status there, and only there.
            return NoReply(f"the proxy refused to connect ({str(cause)[:100]})", advice)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return NoReply(
                f"no TLS connection could be made or kept ({getattr(cause, 'reason', None) or 'TLS error'})",
                "Is it https that listens there? ECE's https port is 12443.",
                lasting=True,
            )
    if isinstance(error, ValueError):
        return NoReply(
            f"the request could not be made, or its reply not be read ({type(error).__name__})",
            "Check HTTPS_PROXY and NO_PROXY, and whether it is ECE's API that url points at.",
            lasting=True,
        )
    return cut_short(own_words(_innermost(causes)))


def _certificate_refused(error: ssl.SSLCertVerificationError, ca_path: str | None) -> NoReply:
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        advice = "Renew the certificate of the installation, or mend the clock of this machine."
    elif ca_path:
        advice = f"Put the installation's CA certificate into ca_path: what is there ({ca_path}) did not issue it."
        if os.path.isdir(ca_path):
            advice += " In a folder, only names that `openssl rehash` gives count."
    else:
        advice = "Name the installation's CA certificate in ca_path."
    return NoReply(f"the certificate of the API is not trusted ({error.verify_message})", advice, lasting=True)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception of requests and all that it wraps, from the outside in."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or any(cause is known for known in seen):
            continue
        seen.append(cause)
        yield cause
        waiting += [getattr(cause, "reason", None), cause.__cause__, *cause.args]


def _innermost(causes: list[BaseException]) -> BaseException:
    # NewConnectionError keeps the operating system's error only as its context.
    context = causes[-1].__context__
    return context if isinstance(context, OSError) else causes[-1]


def own_words(error: BaseException) -> str:
    """What the operating system says of an error, else its kind: neither can hold a secret."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
