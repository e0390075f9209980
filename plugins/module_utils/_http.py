# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

"""Transport over one `requests.Session`: authentication, TLS, deadlines and repeats. It knows nothing of ECE."""

from __future__ import annotations

import enum
import io
import json
import os
import queue
import ssl
import threading
import time
import typing as t
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from ansible_collections.eceops.platform.plugins.module_utils._connection import Connection, is_loopback
from ansible_collections.eceops.platform.plugins.module_utils._errors import (
    BUSY_STATUSES,
    NoReply,
    RequestFailed,
    WrongInput,
    cut_short,
    timed_out,
)

if t.TYPE_CHECKING:
    import requests

MAX_PAUSE = 30.0
BACKOFF_FACTOR = 0.5
# Far above a list of thousands of runners: a reply that never ends may not fill the memory until the deadline.
MAX_REPLY_BYTES = 128 * 1024 * 1024
WITHDRAWN_REQUESTS = ("2.32.0", "2.32.1")


class Repeat(enum.Enum):
    """When a request may be sent again."""

    SAFE = "its effect is the same if it arrives twice"
    UNSENT = "only where it surely never arrived, or was refused with 429"
    NEVER = "its sender asks again by itself"


class Reply(t.NamedTuple):
    """A reply that arrived whole, whatever its status. The names of `headers` are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    tries: int


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
            outcome = self._try(method, self.connection.url + path, content, tries)
            seconds = next(pauses, None) if may_repeat(outcome, repeat) else None
            if seconds is None:
                break
            retry_after = outcome.headers.get("Retry-After") if isinstance(outcome, Reply) else None
            self.pause(seconds if retry_after is None else parse_retry_after(retry_after, seconds))
        if isinstance(outcome, Reply):
            return outcome
        raise RequestFailed(
            f"{what}: {outcome.reason}{f' ({tries} tries)' if tries > 1 else ''}. {outcome.advice}".rstrip(),
            reason=outcome.reason,
            outcome_unknown=outcome.sent,
            gives_up=True,
            passing=not outcome.lasting,
        )

    def _try(self, method: str, url: str, content: bytes | None, tries: int) -> Reply | NoReply:
        if self._session is None:
            self._session = _new_session(self.connection)
        session = self._session
        given_up = threading.Event()
        body = None if content is None else Body(content, given_up)
        try:
            return with_deadline(
                self.connection.timeout, lambda: self._exchange(session, method, url, body, tries), given_up
            )
        except NoReply as failure:
            # A request that was given up may still hold the session: what follows begins with a fresh connection.
            self._session = None
            failure.sent = body is None or body.begun
            return failure

    def _exchange(
        self,
        session: requests.Session,
        method: str,
        url: str,
        body: Body | None,
        tries: int,
    ) -> Reply:
        import urllib3.exceptions

        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = session.request(
                method,
                url,
                data=body,
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
        # What requests raises are OSErrors; some of urllib3's come through as they are.
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            from ansible_collections.eceops.platform.plugins.module_utils._no_reply import classify

            raise classify(error, self.connection) from error
        # urllib3 1.26 does not notice by itself that a body is shorter than was announced.
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and len(received) < int(announced) and "Content-Encoding" not in response.headers:
            raise cut_short(f"{len(received)} of {announced} bytes arrived")
        reply = Reply(response.status_code, response.headers, bytes(received), tries)
        if is_cut(reply):
            raise cut_short("it had no announced length, and its JSON is not whole")
        return reply

    def _pauses(self) -> Iterator[float]:
        """The pause before each repeat, in seconds; it ends when there are no more repeats."""
        from urllib3.util.retry import Retry

        # urllib3's first pause is 0, so it begins one step ahead; its own cap differs between 1.26 and 2.
        policy = Retry(total=self.connection.retries + 1, backoff_factor=BACKOFF_FACTOR).increment()
        while policy.total:
            policy = policy.increment()
            yield min(policy.get_backoff_time(), MAX_PAUSE)


class Body(io.BytesIO):
    """What a request sends, unless the request was given up before it came to that.

    A name with several addresses, none of which answers, outlives the deadline. What nobody waits for any more may not
    take effect. It is read when there is a connection and the headers are sent: a server cannot have acted on a request
    of which not even the reading has `begun`.
    """

    def __init__(self, content: bytes, given_up: threading.Event) -> None:
        super().__init__(content)
        self.given_up = given_up
        self.begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        # In this order: who gives it up looks at `begun` afterwards.
        self.begun = True
        if self.given_up.is_set():
            raise OSError("the request was given up")
        return super().read(size)


def with_deadline(seconds: float, work: Callable[[], Reply], given_up: threading.Event) -> Reply:
    """Return what `work` returns, or raise `NoReply` when it takes longer than `seconds`; `given_up` is set then.

    What requests calls a timeout bounds each silence; a name look-up or a reply that drips byte by byte escapes it.
    So the work has a thread of its own, which is left behind at the deadline and dies with the process.
    """
    outcome: queue.SimpleQueue[Reply | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread, whatever it is
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        result = outcome.get(timeout=seconds)
    except queue.Empty:
        given_up.set()
        raise timed_out(seconds) from None
    if isinstance(result, Exception):
        raise result
    return result


def may_repeat(outcome: Reply | NoReply, repeat: Repeat) -> bool:
    """Whether a request with this outcome may be sent again."""
    if repeat is Repeat.NEVER:
        return False
    if isinstance(outcome, Reply):
        return outcome.status == 429 or (repeat is Repeat.SAFE and outcome.status in BUSY_STATUSES)
    return not outcome.lasting and (repeat is Repeat.SAFE or not outcome.sent)


def is_cut(reply: Reply) -> bool:
    """Whether a reply that only the end of the connection ended, ended too early: its JSON is not whole.

    So ends a reply whose `Content-Length` was cut off with the rest of its headers.
    """
    announced = "Content-Length" in reply.headers or "Transfer-Encoding" in reply.headers
    if announced or reply.status // 100 != 2 or reply.status == 204:
        return False
    # Anything else, such as an HTML page, is no JSON from its first character on.
    if reply.body.lstrip()[:1] not in (b"", b"{", b"["):
        return False
    try:
        json.loads(reply.body)
    except RecursionError:
        return False
    except ValueError:
        return True
    return False


def parse_retry_after(value: str, otherwise: float) -> float:
    """The seconds that a `Retry-After` header asks for (a number or a date), at most `MAX_PAUSE`.

    What is neither, by RFC 9110, is ignored: `otherwise`.
    """
    from urllib3.exceptions import HTTPError
    from urllib3.util.retry import Retry

    try:
        return float(min(Retry().parse_retry_after(value), MAX_PAUSE))
    except (HTTPError, ValueError, OverflowError):
        return otherwise


def _new_session(connection: Connection) -> requests.Session:
    import requests.adapters
    import requests.utils
    import urllib3

    if requests.__version__ in WITHDRAWN_REQUESTS:
        raise WrongInput(
            f"requests {requests.__version__} was withdrawn, as it does not keep to ca_path: install another."
        )

    class TlsAdapter(requests.adapters.HTTPAdapter):
        """Uses the given context and no other source of trust."""

        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs, ssl_context=context)

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return super().proxy_manager_for(*args, **kwargs, ssl_context=context)

        def cert_verify(self, *args: t.Any, **kwargs: t.Any) -> None:
            """Not inherited: it would add the bundle that requests ships."""

        def build_connection_pool_key_attributes(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            """Called from requests 2.32 on; 2.32.2 would use a context of its own, with that bundle."""
            host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
            return host, {**pool, "ssl_context": context}

    class Session(requests.Session):
        def get_redirect_target(self, *args: t.Any, **kwargs: t.Any) -> None:
            """None: requests would look into a redirect, and read its body, even when it is not to follow it."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = connection.authorization
        return request

    session = Session()
    session.auth = authorize
    session.verify = connection.validate_certs
    session.headers["User-Agent"] = "eceops.platform"
    # Neither ~/.netrc nor REQUESTS_CA_BUNDLE may replace what was given; only the proxies are the environment's.
    session.trust_env = False
    url = urlsplit(connection.url)
    # Plain http to this machine is allowed because it does not leave it.
    if url.scheme == "https" or not is_loopback(url.hostname):
        session.proxies.update(requests.utils.get_environ_proxies(connection.url, no_proxy=None))
    if url.scheme == "https":
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
        from ansible_collections.eceops.platform.plugins.module_utils._no_reply import own_words

        raise WrongInput(
            f"ca_path: no certificate could be read from {path} ({own_words(error)}); "
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
