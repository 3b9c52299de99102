"""Does a reset look like its claimed sender in every field that can be compared?

Boxes build the resets that they forge anew, and hardly any writes all fields as the host does whose name it borrows;
hosts write many of theirs as they write all else. A field counts where the host's own packets show what it writes there
and a reset has to follow: a bare one has neither window nor timestamps. A counter of identifications or a clock that
goes on is worth more and speaks for itself, so that those that show one are left out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.header import HeaderSigns, SideGroups
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.sides import stamps_agreed
from netinterf.arrays import Mask
from netinterf.schema import IpFlag, TcpFlag
from netinterf.trace import Trace

__all__ = ["compare_with_sender"]

FEWEST = 3
"""Fields that must be comparable: one or two are met by accident. Judgement, not fitted; what it is worth is counted
(``python -m benchmarks resemblance``)."""


def compare_with_sender(trace: Trace, suspects: Suspects, headers: HeaderSigns) -> tuple[Mask, Mask]:
    """Hold each reset against the other packets of its claimed sender.

    Returns:
        Which could be compared in `FEWEST` fields and more, and which of those are the same in all of them.
    """
    own = headers.in_counter | headers.own_timestamps
    fields = comparable_fields(trace, suspects, headers)
    known = np.sum([comparable for comparable, _ in fields], axis=0, dtype=np.int64)
    same = np.all([~comparable | fits for comparable, fits in fields], axis=0)
    strange = headers.odd_flags | (headers.payload > 0) | headers.copied_id | headers.copied_window
    strange |= headers.ttl_varies | headers.window_varies | headers.no_timestamps | ~np.isnan(headers.ip_id_jump)
    compared = (known >= FEWEST) & ~own
    return compared, compared & same & ~strange


def comparable_fields(trace: Trace, suspects: Suspects, headers: HeaderSigns) -> list[tuple[Mask, Mask]]:
    """Say of each field where it could be compared, and where it is as its sender writes it.

    Identification and window of a greeting follow rules of their own, so that these are read behind it.
    """
    packets, row, base = trace.packets, suspects.row, suspects.base
    later = base.take(packets.tcp_flags[base.row] & TcpFlag.SYN == 0)
    everything, group = SideGroups(base, suspects.side), SideGroups(later, suspects.side)
    flag, v4 = packets.ip_flags & IpFlag.DONT_FRAGMENT != 0, packets.version[row] == 4
    df_known, df = steady(everything, flag[base.row], flag[row])
    id_known, id_same = steady(group, packets.ip_id[later.row], packets.ip_id[row])
    id_known &= (group.count > 1) & trace.recording.ip_id_informative[suspects.flow]
    hops = ~np.isnan(headers.ttl_jump) & trace.recording.ttl_informative[suspects.flow]
    window = packets.window.astype(np.int64)
    stamped = suspects.acks & stamps_agreed(trace, suspects.side) & (group.count > 0)
    return [
        (hops, headers.ttl_jump == 0),
        (v4 & df_known, df),
        steady(everything, packets.tos[base.row], packets.tos[row]),
        (v4 & id_known, id_same),
        ((window[row] > 0) & (group.count > 0), group.holds(window[later.row], window[row])),
        (stamped, headers.own_timestamps),
    ]


def steady(group: SideGroups, values: NDArray[Any], own: NDArray[Any]) -> tuple[Mask, Mask]:
    """Compare a field that is one and the same in all packets of a side."""
    usual = group.least(values)
    return (group.count > 0) & (usual == group.most(values)), own.astype(np.int64) == usual
