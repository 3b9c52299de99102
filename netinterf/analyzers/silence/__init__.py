"""Connections that fall silent."""

from netinterf.analyzers.silence.analyzer import Silence

__all__ = ["Silence"]
