# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Transport over one `requests.Session`: authentication, TLS, deadlines and repeats. It knows nothing of ECE."""

from __future__ import annotations

import enum
import json
import os
import queue
import ssl
import threading
import time
import typing as t
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection
from ansible_collections.eceops.platform.plugins.module_utils._errors import RequestFailed, WrongInput

if t.TYPE_CHECKING:
    import requests

MAX_PAUSE = 30.0
BACKOFF_FACTOR = 0.5
# Far above a list of thousands of runners: a reply that never ends may not fill the memory until the deadline.
MAX_REPLY_BYTES = 128 * 1024 * 1024
REPEATED_STATUSES = frozenset({429, 502, 503, 504})

# X.509 verify codes of OpenSSL that say when a certificate is valid.
_NOT_YET_VALID, _EXPIRED = 9, 10


class Repeat(enum.Enum):
    """When a request may be sent again."""

    SAFE = "its effect is the same if it arrives twice"
    UNSENT = "only where it surely never arrived, or was refused with 429"


@dataclass(frozen=True)
class Reply:
    """A reply that arrived whole, whatever its status. The names of `headers` are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    tries: int


class NoReply(Exception):
    """One try brought no usable reply.

    `sent` is False where the request surely never reached the server. `lasting` failures stay when it is repeated.
    """

    def __init__(self, reason: str, advice: str = "", *, sent: bool = True, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.sent = sent
        self.lasting = lasting


class Http:
    """One connection to the API, kept open from request to request.

    `pause` waits for a number of seconds between two tries.
    """

    def __init__(self, connection: Connection, pause: Callable[[float], t.Any] = time.sleep) -> None:
        self.connection = connection
        self.pause = pause
        self._session: requests.Session | None = None

    def request(self, method: str, path: str, body: t.Any = None, *, repeat: Repeat = Repeat.SAFE) -> Reply:
        """Send a request, again where `repeat` lets it, and return the last reply.

        `path` begins with a slash and is quoted; `body` is what becomes JSON. Raises `RequestFailed` when no reply
        could be had and `WrongInput` for a `ca_path` that cannot be used.
        """
        what = f"{method} {self.connection.url}{path}"
        content = None if body is None else json.dumps(body).encode()
        pauses = self._pauses()
        tries = 0
        while True:
            tries += 1
            reply, failure = self._try(method, self.connection.url + path, content, tries)
            if not _may_repeat(reply, failure, repeat):
                break
            seconds = next(pauses, None)
            if seconds is None:
                break
            self.pause(_retry_after(reply) if reply and "Retry-After" in reply.headers else seconds)
        if reply:
            return reply
        raise _request_failed(what, t.cast(NoReply, failure), tries)

    def _try(self, method: str, url: str, content: bytes | None, tries: int) -> tuple[Reply | None, NoReply | None]:
        if self._session is None:
            self._session = _new_session(self.connection)
        session = self._session
        try:
            return within(self.connection.timeout, lambda: self._exchange(session, method, url, content, tries)), None
        except NoReply as failure:
            # The given up request may still hold the session: what follows begins with a fresh connection.
            self._session = None
            return None, failure

    def _exchange(
        self, session: requests.Session, method: str, url: str, content: bytes | None, tries: int
    ) -> Reply:
        import requests

        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = session.request(
                method,
                url,
                data=content,
                headers=headers,
                allow_redirects=False,
                stream=True,
                # A little less for connecting, so that it is told apart from a reply that does not come.
                timeout=(self.connection.timeout * 0.9, self.connection.timeout),
            )
            received = bytearray()
            for chunk in response.iter_content(65536):
                received += chunk
                if len(received) > MAX_REPLY_BYTES:
                    response.close()
                    raise NoReply(f"the reply is larger than {MAX_REPLY_BYTES} bytes", lasting=True)
        except requests.exceptions.RequestException as error:
            raise _classify(error, self.connection) from error
        # urllib3 1.26 does not notice by itself that a body is shorter than was announced.
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and len(received) < int(announced):
            raise NoReply(f"the reply was cut short, {len(received)} of {announced} bytes arrived")
        return Reply(response.status_code, response.headers, bytes(received), tries)

    def _pauses(self) -> Iterator[float]:
        """The pause before each repeat, in seconds; it ends when there are no more repeats."""
        from urllib3.util.retry import Retry

        # urllib3's first pause is 0, so it begins one step ahead; its own cap differs between 1.26 and 2.
        policy = Retry(total=self.connection.retries + 1, backoff_factor=BACKOFF_FACTOR).increment()
        while policy.total:
            policy = policy.increment()
            yield min(policy.get_backoff_time(), MAX_PAUSE)


def within(seconds: float, work: Callable[[], Reply]) -> Reply:
    """Return what `work` returns, or raise `NoReply` when it takes longer than `seconds`.

    What requests calls a timeout bounds each silence; a name look-up or a reply that drips byte by byte escapes it.
    So the work has a thread of its own, which is given up at the deadline and dies with the process.
    """
    outcome: queue.SimpleQueue[tuple[Reply | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:  # handed to the caller's thread, whatever it is
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        reply, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise _timed_out(seconds) from None
    if error:
        raise error
    return t.cast(Reply, reply)


def _may_repeat(reply: Reply | None, failure: NoReply | None, repeat: Repeat) -> bool:
    if reply:
        return reply.status == 429 or (repeat is Repeat.SAFE and reply.status in REPEATED_STATUSES)
    failure = t.cast(NoReply, failure)
    return not failure.lasting and (repeat is Repeat.SAFE or not failure.sent)


def _retry_after(reply: Reply) -> float:
    from urllib3.exceptions import HTTPError
    from urllib3.util.retry import Retry

    try:
        return float(min(Retry().parse_retry_after(reply.headers["Retry-After"]), MAX_PAUSE))
    except (HTTPError, ValueError, OverflowError):
        return MAX_PAUSE


def _request_failed(what: str, failure: NoReply, tries: int) -> RequestFailed:
    return RequestFailed(
        f"{what}: {failure.reason}{f' ({tries} tries)' if tries > 1 else ''}. {failure.advice}".rstrip(),
        reason=failure.reason,
        outcome_unknown=failure.sent,
        gives_up=True,
    )


def _new_session(connection: Connection) -> requests.Session:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3

    class TlsAdapter(requests.adapters.HTTPAdapter):
        """Uses the given context and no other source of trust."""

        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs, ssl_context=context)

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return super().proxy_manager_for(*args, **kwargs, ssl_context=context)

        def cert_verify(self, *args: t.Any, **kwargs: t.Any) -> None:
            """Not inherited: it would add the bundle that requests ships."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = connection.authorization
        return request

    session = requests.Session()
    session.auth = authorize
    session.verify = connection.validate_certs
    session.headers["User-Agent"] = "eceops.platform"
    # Neither ~/.netrc nor REQUESTS_CA_BUNDLE may replace what was given; only the proxies are the environment's.
    session.trust_env = False
    session.proxies.update(requests.utils.get_environ_proxies(connection.url, no_proxy=None))
    if connection.url.startswith("https:"):
        context = tls_context(connection)
        session.mount("https://", TlsAdapter())
        if not connection.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return session


def tls_context(connection: Connection) -> ssl.SSLContext:
    """The TLS settings: trust in `ca_path` alone where it is given, else in the system's store.

    Raises `WrongInput` when nothing can be read from `ca_path`.
    """
    path = connection.ca_path
    try:
        if path is None:
            context = ssl.create_default_context()
        elif os.path.isdir(path):
            context = ssl.create_default_context(capath=path)
        else:
            context = ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise WrongInput(
            f"ca_path: no certificate could be read from {path} ({_own_words(error)}); "
            "it must be a file of PEM certificates, or a folder of them with OpenSSL's hashed names."
        ) from error
    if path is not None:
        # ECE's own CA certificate has basicConstraints that are not critical. Python 3.13 refuses such a chain through
        # this one flag; every other check stays.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # urllib3 compares the name itself. Left to OpenSSL, urllib3 1.26 cannot reach a host by its IP address.
    context.check_hostname = False
    if not connection.validate_certs:
        context.verify_mode = ssl.CERT_NONE
    return context


def _timed_out(seconds: float) -> NoReply:
    return NoReply(
        f"no complete reply within {seconds:g} seconds",
        "Is the API overloaded, or a firewall dropping packets? A longer timeout gives it more time.",
    )


def _classify(error: Exception, connection: Connection) -> NoReply:
    """What became of a request that ended in an exception of requests, from what that wraps.

    No text of requests or urllib3 is passed on but the names in a certificate: it could hold a proxy's password.
    """
    import urllib3.exceptions as urllib3

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_refused(cause, connection.ca_path)
        if type(cause).__name__ == "CertificateError":
            return NoReply(
                f"the certificate does not hold this name or address ({cause})",
                "Use one that it holds in url.",
                sent=False,
                lasting=True,
            )
    proxied = any(isinstance(cause, urllib3.ProxyError) for cause in causes)
    where = "the proxy that the environment names" if proxied else "the API"
    for cause in causes:
        if isinstance(cause, urllib3.ConnectTimeoutError):
            return NoReply(
                f"no connection to {where} within {connection.timeout:g} seconds",
                "Is the address in url right, and does a firewall let this machine reach it?",
                sent=False,
            )
        if isinstance(cause, urllib3.NewConnectionError):
            return NoReply(
                f"{where} is out of reach ({_own_words(_innermost(causes))})",
                "Is the address in url right (ECE's port is 12443), and is a coordinator up?",
                sent=False,
            )
        if isinstance(cause, urllib3.ReadTimeoutError):
            return _timed_out(connection.timeout)
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return NoReply(
                f"no TLS connection could be made ({cause.reason or 'TLS error'})",
                "Is it https that listens there? ECE's https port is 12443.",
                lasting=True,
            )
    if proxied:
        return NoReply(f"{where} did not carry the request", "Check HTTPS_PROXY and NO_PROXY.")
    return NoReply(
        f"the connection ended before the whole reply was there ({_own_words(_innermost(causes))})",
        "Is the API restarting, or a proxy in between closing connections?",
    )


def _certificate_refused(error: ssl.SSLCertVerificationError, ca_path: str | None) -> NoReply:
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        advice = "Renew the certificate of the installation, or mend the clock of this machine."
    elif ca_path:
        advice = f"It was not issued by what ca_path ({ca_path}) holds: put the installation's CA certificate there."
    else:
        advice = "Name the installation's CA certificate in ca_path."
    return NoReply(
        f"the certificate of the API is not trusted ({error.verify_message})", advice, sent=False, lasting=True
    )


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


def _own_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
