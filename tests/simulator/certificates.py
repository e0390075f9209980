# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's certificates: a good one, and those that tests order instead of it.

The authority is like ECE's own: its basicConstraints are there but not critical, which Python 3.13 and later refuse by
default (``VERIFY_X509_STRICT``) and everything else accepts.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)
_CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A certificate authority; its key is never written anywhere."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = _builder(self._name, self._name, self._key, expired=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
        builder = builder.add_extension(_CA_USAGE, critical=True)
        self._certificate = builder.add_extension(self._identifier, critical=False).sign(self._key, SHA256())

    @property
    def pem(self) -> bytes:
        return self._certificate.public_bytes(Encoding.PEM)

    def context(self, names: tuple[str, ...], expired: bool = False) -> ssl.SSLContext:
        """TLS for a server of these names and addresses, with a key and a certificate of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self._name, key, expired)
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier)
        certificate = builder.add_extension(issuer, critical=False).sign(self._key, SHA256())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The ssl module reads keys from files only; this one is gone again before the server listens.
        with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
            chain.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            chain.write(certificate.public_bytes(Encoding.PEM))
            chain.flush()
            context.load_cert_chain(chain.name)
        return context


def server_contexts(ca_path: Path) -> dict[str, ssl.SSLContext]:
    """Write the authority's certificate to ``ca_path``; TLS by name: ``good`` and the ones that tests can order."""
    authority = Authority("ECE simulator CA")
    ca_path.write_bytes(authority.pem)
    names = ("localhost", "127.0.0.1")
    return {
        "good": authority.context(names),
        "expired": authority.context(names, expired=True),
        "wrong_name": authority.context(("another-host.example.org",)),
        "unknown_ca": Authority("Another CA").context(names),
    }


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, expired: bool
) -> x509.CertificateBuilder:
    # From yesterday: clocks of the machines that look at it may differ a little.
    start = datetime.datetime.now(datetime.timezone.utc) - (3 if expired else 1) * _DAY
    end = start + (2 if expired else 30) * _DAY
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
