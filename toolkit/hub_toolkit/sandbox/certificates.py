"""Certificates for simulators that speak TLS on loopback: an authority of this process's own."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFE = datetime.timedelta(days=30)
_SLACK = datetime.timedelta(hours=1)
"""Of clocks: TLS looks at the machine's, which need not be ours."""


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority and the certificate that it signed for loopback.

    Attributes:
        ca: the authority's certificate, in PEM form, for those who are to trust it.
        server: the context of a server on ``localhost`` or ``127.0.0.1``.
    """

    ca: str
    server: ssl.SSLContext


@lru_cache(maxsize=1)
def authority() -> Authority:
    """This process's authority; its keys are in no file that stays."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _name("hub-responder sandbox"), _name("localhost")
    own = x509.BasicConstraints(ca=True, path_length=0)
    ca = _signed(_builder(issuer, issuer, ca_key).add_extension(own, critical=True), ca_key)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    leaf = _signed(_builder(issuer, subject, key).add_extension(names, critical=False), ca_key)
    return Authority(_pem(ca), _context(_pem(leaf), key))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFE)
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _context(certificate: str, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:  # ssl reads files only
        path = Path(folder) / "server.pem"
        path.write_text(certificate + secret.decode(), encoding="ascii")
        context.load_cert_chain(path)
    return context
