"""Handshakes that somebody slows."""

from netinterf.analyzers.handshakes.analyzer import SlowHandshakes

__all__ = ["SlowHandshakes"]
