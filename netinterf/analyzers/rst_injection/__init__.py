"""Forged TCP resets: which resets were written by somebody else than the host whose address they carry."""

from netinterf.analyzers.rst_injection.analyzer import RstInjection

__all__ = ["RstInjection"]
