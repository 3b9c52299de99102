"""UDP that falls silent, QUIC and DNS apart: which conversations do, and what stands beside them."""

from netinterf.analyzers.silence.udp.signs import udp_signs
from netinterf.analyzers.silence.udp.talks import find_udp

__all__ = ["find_udp", "udp_signs"]
