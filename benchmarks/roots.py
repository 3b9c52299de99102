"""The roots that were public, and when: made from releases of certifi, which carries Mozilla's list since 2014.

Get the releases with pip, one after the other (``pip download --no-deps certifi==VERSION``), then make the file with
``python -m benchmarks roots FOLDER``. The same releases give the same bytes.
"""

import csv
import gzip
import hashlib
import io
import tarfile
import warnings
import zipfile
from base64 import b64encode
from datetime import date
from pathlib import Path

import attrs

__all__ = ["ROOTS", "read_releases", "write_roots"]

ROOTS = Path(__file__).resolve().parent.parent / "netinterf" / "data" / "roots.csv.gz"
BUNDLE = "certifi/cacert.pem"


@attrs.define
class Root:
    """One root, and in which releases it was."""

    der: bytes
    first: date
    last: date


def release_date(path: Path) -> date | None:
    """Read when a release was made off its version, which is a date since 14.05.14."""
    numbers = path.name.removeprefix("certifi-").split("-")[0].removesuffix(".tar.gz").split(".")[:3]
    year, *rest = (int(number) for number in numbers)
    return date(year + 2000 * (year < 100), *rest) if year >= 14 else None


def bundle(path: Path) -> bytes:
    """Take the list of roots out of a wheel or a source archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return archive.read(BUNDLE)
    with tarfile.open(path) as archive:
        member = next(name for name in archive.getnames() if name.endswith(BUNDLE))
        held = archive.extractfile(member)
        return held.read() if held else b""


def read_releases(folder: Path) -> list[tuple[date, bytes]]:
    """List the releases of a folder by date, each with its bundle.

    Raises:
        ValueError: There is none.
    """
    files = [path for path in folder.iterdir() if path.name.startswith("certifi-")]
    releases = sorted((made, bundle(path)) for path in files if (made := release_date(path)))
    if not releases:
        raise ValueError(f"{folder}: no releases of certifi")
    return releases


def gather(releases: list[tuple[date, bytes]]) -> list[Root]:
    """Find in which releases each root was first and last."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    roots: dict[bytes, Root] = {}
    for made, text in releases:
        with warnings.catch_warnings(action="ignore"):
            ders = [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(text)]
        for der in ders:
            roots.setdefault(der, Root(der, made, made)).last = made
    return sorted(roots.values(), key=lambda root: (root.first, hashlib.sha256(root.der).digest()))


def write_roots(folder: Path) -> tuple[int, int]:
    """Make the packaged file from the releases in a folder; return how many roots and releases it tells of."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    releases = read_releases(folder)
    dates = sorted({made for made, _ in releases})
    roots, text = gather(releases), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["sha256", "first", "last", "gone", "begins", "subject", "key"])
    for root in roots:
        with warnings.catch_warnings(action="ignore"):
            read = x509.load_der_x509_certificate(root.der)
            begins = read.not_valid_before_utc.date()
            subject = read.subject.public_bytes()
            key = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        gone = next((made.isoformat() for made in dates if made > root.last), "")
        told = (b64encode(subject).decode(), b64encode(key).decode())
        table.writerow([hashlib.sha256(root.der).hexdigest(), root.first, root.last, gone, begins, *told])
    ROOTS.write_bytes(gzip.compress(text.getvalue().encode("ascii"), 9, mtime=0))
    return len(roots), len(dates)
