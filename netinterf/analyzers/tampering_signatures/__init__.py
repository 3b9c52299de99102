"""The 19 signatures of possibly tampered connections, as labels."""

from netinterf.analyzers.tampering_signatures.analyzer import TamperingSignatures

__all__ = ["TamperingSignatures"]
