"""What a leaf certificate says, as far as it matters here: who signed it, for whom, with which key and extensions."""

import hashlib
from functools import cache
from importlib.util import find_spec
from typing import Any

import attrs

from netinterf.errors import MissingExtra

__all__ = ["Leaf", "can_read_certificates", "read_leaf"]

TRANSPARENCY = "1.3.6.1.4.1.11129.2.4.2"  # signed certificate timestamps (RFC 6962 §3.3)
ALTERNATIVE_NAMES = "2.5.29.17"  # RFC 5280 §4.2.1.6


@attrs.frozen(kw_only=True)
class Leaf:
    """One certificate (RFC 5280)."""

    issuer: str  # distinguished name of who signed it, as RFC 4514 writes it
    subject: str  # … and of whom it names
    names: tuple[str, ...]  # DNS names, lower case
    key: bytes  # SHA-256 of the public key
    exponent: int  # of an RSA key, 0 for others
    logged: bool  # it carries timestamps of transparency logs
    bare: bool  # its only extension is the list of names


@cache
def loader() -> tuple[Any, Any, Any]:
    """Import what reads certificates.

    Raises:
        MissingExtra: The package cryptography is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as cause:
        raise MissingExtra("reading certificates", "tls") from cause
    return x509, serialization, rsa


def can_read_certificates() -> bool:
    """Say whether the package that reads them is installed, without loading it."""
    return find_spec("cryptography") is not None


def read_leaf(der: bytes) -> Leaf | None:
    """Read a certificate; None when it is cut or damaged.

    Raises:
        MissingExtra: The package cryptography is not installed.
    """
    x509, serialization, rsa = loader()
    try:
        read = x509.load_der_x509_certificate(der)
        key = read.public_key()
        spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        kinds = [extension.oid.dotted_string for extension in read.extensions]
        names = ()
        if ALTERNATIVE_NAMES in kinds:
            listed = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = tuple(name.lower() for name in listed.get_values_for_type(x509.DNSName))
        return Leaf(
            issuer=read.issuer.rfc4514_string(),
            subject=read.subject.rfc4514_string(),
            names=names,
            key=hashlib.sha256(spki).digest(),
            exponent=key.public_numbers().e if isinstance(key, rsa.RSAPublicKey) else 0,
            logged=TRANSPARENCY in kinds,
            bare=kinds == [ALTERNATIVE_NAMES],
        )
    except MissingExtra:
        raise
    except Exception:  # the reader raises whatever its parser meets; a certificate from the wire may hold anything
        return None
