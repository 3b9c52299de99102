"""From frame bytes to packet columns: link layers, IP, tunnels, transports; whole arrays at a time."""

from netinterf.decode.decoder import Decoded, decode
from netinterf.decode.headers import LINK_TYPES, link_type_name

__all__ = ["LINK_TYPES", "Decoded", "decode", "link_type_name"]
