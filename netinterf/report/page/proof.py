"""What identifies a capture: its size and SHA-256, so that who is handed the file knows that it is the one judged."""

import hashlib
import os

from netinterf.engine.judged import Judged
from netinterf.privacy.traces import RedactedSource
from netinterf.values import frozen

__all__ = ["Proof", "proofs_of"]


@frozen(kw_only=True)
class Proof:
    """A file as it was when the page was written."""

    capture: str
    size: int | None = None  # bytes; None when it could not be read again
    sha256: str = ""
    missing: str = "could not be read again"  # why there is none


def proofs_of(judged: Judged) -> list[Proof]:
    """Read the file of a capture once more, or the files that it was joined from, and take their fingerprints."""
    names = [file.path for file in judged.ledger.files] or [judged.ledger.capture]
    if judged.source is None:
        return [Proof(capture=name) for name in names]
    if isinstance(judged.source, RedactedSource):  # a fingerprint would tell which one it is
        return [Proof(capture=name, missing="left out") for name in names]
    paths = names if judged.ledger.files else judged.source
    return [proof_of(name, path) for name, path in zip(names, paths, strict=True)]


def proof_of(name: str, path: str) -> Proof:
    """Take the fingerprint of a file."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Proof(capture=name, size=os.fstat(file.fileno()).st_size, sha256=digest)
    except OSError:
        return Proof(capture=name)
