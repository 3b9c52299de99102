"""Certificates of the lab: two authorities, one that clients trust and one of somebody in between."""

import datetime
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "authority"]


class Authority:
    """Signs certificates for names."""

    def __init__(self, title: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, title)])
        self.certificate = self.sign(self.name, self.key, None)

    def sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, name: str | None) -> x509.Certificate:
        """Sign a key for a host name, or for an authority (no name)."""
        now = datetime.datetime.now(datetime.UTC)
        build = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=20))
            .not_valid_after(now + datetime.timedelta(days=70))
            .add_extension(x509.BasicConstraints(ca=name is None, path_length=None), critical=True)
        )
        if name is not None:
            build = build.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return build.sign(self.key, hashes.SHA256())

    def write(self, path: Path) -> Path:
        """Write what clients trust."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, name: str, path: Path) -> Path:
        """Write a key and a certificate chain for a host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self.sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, name)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = [one.public_bytes(serialization.Encoding.PEM) for one in (leaf, self.certificate)]
        path.write_bytes(secret + b"".join(chain))
        return path


KNOWN: dict[str, Authority] = {}
LOCK = threading.Lock()


def authority(title: str) -> Authority:
    """Give the authority of that title, one a process."""
    with LOCK:
        return KNOWN.setdefault(title, KNOWN.get(title) or Authority(title))
