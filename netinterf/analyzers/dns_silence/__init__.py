"""DNS questions that nobody answers, and what other questions say about them."""

from netinterf.analyzers.dns_silence.analyzer import DnsSilence

__all__ = ["DnsSilence"]
