"""What a certificate says, as far as it matters here: who signed it, for whom, when, with which key and extensions.

Each distinct certificate is read once. Whatever the reader warns of or raises stays in here: a certificate from the
wire may hold anything.
"""

import hashlib
import warnings
from functools import cache
from types import SimpleNamespace
from typing import Any

import attrs

from netinterf.values import frozen

__all__ = ["Certificate", "certificates_behind", "cryptography_modules", "has_stapled_timestamps", "read_certificate"]

TIMESTAMPS = "1.3.6.1.4.1.11129.2.4.2"  # signed certificate timestamps in a certificate (RFC 6962 §3.3)
STAPLED_TIMESTAMPS = bytes.fromhex("060a2b06010401d679020405")
"""Object identifier 1.3.6.1.4.1.11129.2.4.5 in DER: timestamps in an OCSP response (RFC 6962 §3.3)."""
ALTERNATIVE_NAMES = "2.5.29.17"  # RFC 5280 §4.2.1.6


@frozen(kw_only=True)
class Certificate:
    """One certificate (RFC 5280)."""

    issuer: str  # distinguished name of who signed it, as RFC 4514 writes it
    subject: str  # … and of whom it names
    issuer_der: bytes  # the same two as they stand in the certificate: names are compared byte by byte
    subject_der: bytes
    names: tuple[str, ...]  # DNS names it is made out to, lower case; without a list the common name (RFC 2818 §3.1)
    key: bytes  # public key with its algorithm (SubjectPublicKeyInfo), DER
    exponent: int  # of an RSA key, 0 for others
    not_before: int  # validity, seconds since 1970 UTC
    not_after: int
    authority: bool  # may sign certificates: basicConstraints says so, or it is of version 1, which cannot say
    timestamps: bool  # it carries timestamps of transparency logs
    names_only: bool  # its only extension is the list of names
    digest: bytes  # SHA-256 of the whole
    parsed: Any = attrs.field(eq=False, repr=False)  # cryptography.x509.Certificate

    @property
    def self_issued(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.issuer_der == self.subject_der


@cache
def cryptography_modules() -> Any:
    """Import what reads and verifies certificates, when the first one is met."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    return SimpleNamespace(x509=x509, serialization=serialization, ec=ec, rsa=rsa)


def read_certificate(der: bytes) -> Certificate | None:
    """Read a certificate; None when it is cut, damaged, or holds a key of an unknown kind."""
    with warnings.catch_warnings(action="ignore"):  # serial numbers below 1, old algorithms, odd encodings
        try:
            return _read(der)
        except Exception:  # the parser raises whatever it meets
            return None


def _read(der: bytes) -> Certificate:
    tools = cryptography_modules()
    read = tools.x509.load_der_x509_certificate(der)
    key, encoding = read.public_key(), tools.serialization
    try:
        extensions = list(read.extensions)
    except Exception:  # one malformed extension spoils the list, but not who signed for whom
        extensions = []
    kinds = [extension.oid.dotted_string for extension in extensions]
    values = [extension.value for extension in extensions]
    limits = [value.ca for value in values if isinstance(value, tools.x509.BasicConstraints)]
    return Certificate(
        issuer=read.issuer.rfc4514_string(),
        subject=read.subject.rfc4514_string(),
        issuer_der=read.issuer.public_bytes(),
        subject_der=read.subject.public_bytes(),
        names=_names(read, values),
        key=key.public_bytes(encoding.Encoding.DER, encoding.PublicFormat.SubjectPublicKeyInfo),
        exponent=key.public_numbers().e if isinstance(key, tools.rsa.RSAPublicKey) else 0,
        not_before=int(read.not_valid_before_utc.timestamp()),
        not_after=int(read.not_valid_after_utc.timestamp()),
        authority=any(limits) or (not limits and read.version == tools.x509.Version.v1),
        timestamps=TIMESTAMPS in kinds,
        names_only=kinds == [ALTERNATIVE_NAMES],
        digest=hashlib.sha256(der).digest(),
        parsed=read,
    )


def _names(read: Any, values: list[Any]) -> tuple[str, ...]:
    """List the DNS names that a certificate is made out to."""
    x509 = cryptography_modules().x509
    for value in values:
        if isinstance(value, x509.SubjectAlternativeName):
            return tuple(name.lower().rstrip(".") for name in value.get_values_for_type(x509.DNSName))
    common = read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return tuple(str(attribute.value).lower().rstrip(".") for attribute in common)


def certificates_behind(chain: bytes) -> list[bytes]:
    """Cut the list of certificates behind a leaf into its certificates (RFC 5246 §7.4.2); the last may be cut."""
    certificates, at = [], 0
    while at + 3 <= len(chain):
        end = at + 3 + int.from_bytes(chain[at : at + 3], "big")
        certificates.append(chain[at + 3 : end])
        at = end
    return certificates


def has_stapled_timestamps(response: bytes) -> bool:
    """Say whether an OCSP response holds timestamps of transparency logs (RFC 6962 §3.3).

    The object identifier of their extension is looked for, not the extension in its place: no certificate is trusted
    for it, and a response that cannot be parsed would otherwise look like one without.
    """
    return STAPLED_TIMESTAMPS in response
