# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the certificates are like, and who accepts them."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509

from simulator.certificates import server_contexts


def handshake(server_context: ssl.SSLContext, ca_path: Path, host: str, strict: bool) -> ssl.SSLObject:
    """Both sides of a handshake, in memory; raises what the client raises."""
    context = ssl.create_default_context(cafile=str(ca_path))
    context.verify_flags = (context.verify_flags & ~ssl.VERIFY_X509_STRICT) | (ssl.VERIFY_X509_STRICT if strict else 0)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return client


@pytest.fixture(scope="module")
def ca_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates") / "ca.pem"


@pytest.fixture(scope="module")
def contexts(ca_path: Path) -> dict[str, ssl.SSLContext]:
    return server_contexts(ca_path)


def test_the_authoritys_basic_constraints_are_not_critical(contexts: object, ca_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(ca_path.read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value.ca
    assert not constraints.critical


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_is_good_for_everything_but_strict_verification(
    contexts: dict[str, ssl.SSLContext], ca_path: Path, host: str
) -> None:
    assert handshake(contexts["good"], ca_path, host, strict=False).getpeercert()
    with pytest.raises(ssl.SSLCertVerificationError, match="not marked critical"):
        handshake(contexts["good"], ca_path, host, strict=True)


@pytest.mark.parametrize(
    ("which", "reason"),
    [("expired", "expired"), ("wrong_name", "IP address mismatch"), ("unknown_ca", "local issuer certificate")],
)
def test_bad_ones_are_bad_in_one_way(
    contexts: dict[str, ssl.SSLContext], ca_path: Path, which: str, reason: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        handshake(contexts[which], ca_path, "127.0.0.1", strict=False)


def test_writes_no_key(contexts: object, ca_path: Path) -> None:
    assert [path.name for path in ca_path.parent.iterdir()] == ["ca.pem"]
    assert b"PRIVATE" not in ca_path.read_bytes()
