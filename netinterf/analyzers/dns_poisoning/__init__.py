"""Forged DNS answers: who answers twice, too fast, from elsewhere, or with what cannot be true."""

from netinterf.analyzers.dns_poisoning.analyzer import DnsPoisoning

__all__ = ["DnsPoisoning"]
