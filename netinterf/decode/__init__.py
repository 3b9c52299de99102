"""From frame bytes to packet columns: link layers, IP, tunnels, transports; whole arrays at a time."""

from netinterf.decode.decoder import Decoded, decode
from netinterf.decode.link_types import LINK_TYPES, link_type_name
from netinterf.decode.unread import COUNTED, LINK_TYPE, OF_NO_FLOW

__all__ = ["COUNTED", "LINK_TYPE", "LINK_TYPES", "OF_NO_FLOW", "Decoded", "decode", "link_type_name"]
