"""Sharing without exposing people: results and captures under a key, without addresses, names and payload."""

from netinterf.privacy.redaction import Redaction, read_key
from netinterf.privacy.traces import Shared, redact

__all__ = ["Redaction", "Shared", "read_key", "redact"]
