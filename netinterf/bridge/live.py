"""Take packets off an interface with scapy, and count those that were lost.

scapy is imported when an interface is opened. Reading in Python loses packets in bursts that a program made for it
keeps, so a pipe from tcpdump is the better way wherever there is one.
"""

import socket
import struct
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from netinterf.bridge.scapy_packets import Frames, link_type_of
from netinterf.errors import UnreadableSource

__all__ = ["Listener"]

MOST = 1000  # packets handed over at once
SOL_PACKET, PACKET_STATISTICS = 263, 6  # linux/socket.h, linux/if_packet.h
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
ROOM = 16 << 20
"""Bytes for packets that wait in the system: with scapy's own 64 KiB, half of a burst of 217 full frames was lost."""


class Listener:
    """Listen on a network interface.

    Args:
        interface: Its name, e.g. ``"eth0"``.

    Raises:
        UnreadableSource: There is none of that name, or the process may not listen on it.
    """

    def __init__(self, interface: str) -> None:
        from scapy.config import conf
        from scapy.error import Scapy_Exception

        import scapy.layers.all  # noqa: F401  # isort: skip  (registers the link types)

        self.interface = interface
        self._dropped = 0
        self._error: OSError | None = None  # what is to be told once all that came before it was handed over
        try:
            self._socket: Any = conf.L2listen(iface=interface)
        except (OSError, ValueError, Scapy_Exception) as cause:
            reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
            raise UnreadableSource(interface, f"cannot be listened on: {reason}") from cause
        kind = getattr(self._socket, "LL", None)
        link_type = None if kind is None else link_type_of(kind)
        if link_type is None:
            self.close()
            raise UnreadableSource(interface, "its packets begin with a layer that no capture begins with")
        self.link_type = link_type
        if sys.platform == "linux":
            with_room: socket.socket = self._socket.ins
            for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):  # the second beyond what anybody may, for who may
                with suppress(OSError):
                    with_room.setsockopt(socket.SOL_SOCKET, option, ROOM)

    def read(self, seconds: float) -> Frames:
        """Wait for packets, and give those that are there; none when none came in time.

        Raises:
            OSError: The interface is gone or down; its name is that of the error's file.
        """
        times: list[int] = []
        frames: list[bytes] = []
        try:
            while (
                self._error is None
                and len(frames) < MOST
                and self._socket.select([self._socket], 0.0 if frames else seconds)
            ):
                _, frame, stamp = self._socket.recv_raw()
                if frame:
                    frames.append(bytes(frame))
                    times.append(time.time_ns() if stamp is None else round(float(stamp) * 1e9))
        except OSError as error:  # the system tells it once
            self._error = OSError(error.errno, error.strerror or str(error), self.interface)
        if self._error is not None and not frames:
            raise self._error
        return Frames.of(times, frames, self.link_type)

    @property
    def dropped(self) -> int | None:
        """Packets that the system had no room for since listening began; None where it does not tell."""
        if sys.platform != "linux" or self._socket.closed:
            return None
        with_drops: socket.socket = self._socket.ins
        _, drops = struct.unpack("II", with_drops.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))  # and sets them to 0
        self._dropped += drops
        return self._dropped

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
