"""What identifies a capture: its size and SHA-256, so that who is handed the file knows that it is the one judged."""

import hashlib
import os

from netinterf.engine.judged import Judged
from netinterf.privacy.traces import RedactedSource
from netinterf.values import frozen

__all__ = ["Proof", "proof_of"]


@frozen(kw_only=True)
class Proof:
    """A file as it was when the page was written."""

    capture: str
    size: int | None = None  # bytes; None when it could not be read again
    sha256: str = ""
    missing: str = "could not be read again"  # why there is none


def proof_of(judged: Judged) -> Proof:
    """Read the file of a capture once more and take its fingerprint."""
    name = judged.ledger.capture
    if judged.source is None:
        return Proof(capture=name)
    if isinstance(judged.source, RedactedSource):  # its fingerprint would tell which one it is
        return Proof(capture=name, missing="left out")
    try:
        with open(judged.source, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Proof(capture=name, size=os.fstat(file.fileno()).st_size, sha256=digest)
    except OSError:
        return Proof(capture=name)
