"""Hand packets to scapy and take them from it: to look at one by hand, or to judge what a script sent and received.

scapy is imported when a function is called, since its import takes longer than a scan.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import I64, U8
from netinterf.errors import ParameterError
from netinterf.schema import Records
from netinterf.values import frozen

__all__ = ["Frames", "from_scapy", "link_type_of", "to_scapy"]


@frozen(eq=False)
class Frames:
    """What `netinterf.read` takes from memory: ``read(times=…, frames=…, link_type=…)``."""

    times: I64  # ns since 1970 UTC
    frames: list[bytes]
    link_type: int

    @classmethod
    def of(cls, times: Sequence[int], frames: list[bytes], link_type: int) -> Self:
        """Build from a list of times."""
        return cls(np.array(times, np.int64), frames, link_type)


def to_scapy(buffer: U8, records: Records | Any, link_type: int, rows: ArrayLike | None = None) -> list[Any]:
    """Dissect frames with scapy.

    Args:
        buffer: The bytes of a capture or trace.
        records: Anything with the columns ``at``, ``captured`` and ``time``: records, or the packets of a trace.
        link_type: Link type of the frames.
        rows: Which of them; all when left out.

    Returns:
        One scapy packet per row, with its capture time; frames of link types that scapy does not know come as ``Raw``.
    """
    from scapy.config import conf
    from scapy.packet import Raw

    import scapy.layers.all  # noqa: F401  # isort: skip  (registers the link types)

    dissect = conf.l2types.num2layer.get(link_type, Raw)
    chosen = np.arange(len(records)) if rows is None else np.asarray(rows)
    packets = []
    for row in chosen:
        at = int(records.at[row])
        packet = dissect(buffer[at : at + int(records.captured[row])].tobytes())
        packet.time = int(records.time[row]) / 1e9
        packets.append(packet)
    return packets


def from_scapy(packets: Iterable[Any]) -> Frames:
    """Take packets from scapy: sniffed, read, or built.

    Args:
        packets: scapy packets of one link type. A built packet without a time gets the time of its creation.

    Returns:
        Times, frames and link type for `netinterf.read`. No packets give no frames of raw IP.

    Raises:
        ParameterError: The packets do not share one link type, or scapy knows no number for it.
    """
    import scapy.layers.all  # noqa: F401  # isort: skip  (registers the link types)

    listed = list(packets)
    kinds = {type(packet) for packet in listed}
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ParameterError("packets", names, "packets that begin with one kind of layer")
    link_type = RAW_IP
    if kinds:
        kind = kinds.pop()
        known = link_type_of(kind)
        if known is None:
            raise ParameterError("packets", kind.__name__, "packets that begin with a layer a capture can begin with")
        link_type = known
    times = [round(float(packet.time) * 1e9) for packet in listed]
    return Frames.of(times, [bytes(packet) for packet in listed], link_type)


def link_type_of(kind: Any) -> int | None:
    """Find the link type of packets that begin with a layer, a class of scapy; None when it has none."""
    from scapy.config import conf

    known = conf.l2types.layer2num.get(kind, RAW_IP if kind.__name__ in {"IP", "IPv6"} else None)
    return None if known is None else int(known)


RAW_IP = 101  # LINKTYPE_RAW: begins with an IPv4 or IPv6 header
