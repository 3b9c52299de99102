"""What was concluded, written out: words, JSON lines, frames. Nothing is judged here."""

from netinterf.written.ledger import Ledger, explain

__all__ = ["Ledger", "explain"]
