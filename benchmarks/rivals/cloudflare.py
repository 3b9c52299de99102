"""The 19 signatures of possibly tampered connections, read from what a server receives.

Source: Sundara Raman, Merino, Bock, Fayed, Levin, Sullivan, Valenta, "Global, Passive Detection of Connection
Tampering", SIGCOMM 2023. Only the client's packets are read, ten of each connection at most, with times in whole
seconds; they are ordered by their numbers, since times so coarse do not. A connection that ends without a FIN, by a
reset or in three seconds of silence, is possibly tampered with, and the flags that came name the signature.
"""

import attrs
import numpy as np

from benchmarks.rivals.base import Call, Rival, segments
from netinterf.arrays import I32
from netinterf.schema import TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["CLOUDFLARE", "SIGNATURES", "cloudflare", "signature"]

PACKETS = 10  # read of each connection
TICK = 1_000_000_000  # ns, the log's clock
SILENCE = 3  # ticks

SIGNATURES = {
    "SYN → ∅": "tcp.connect.drop",
    "SYN → RST": "tcp.connect.reset",
    "SYN → RST+ACK": "tcp.connect.reset",
    "SYN → RST; RST+ACK": "tcp.connect.reset",
    "SYN; ACK → ∅": "tcp.drop",
    "SYN; ACK → RST": "tcp.reset",
    "SYN; ACK → RST; RST": "tcp.reset",
    "SYN; ACK → RST+ACK": "tcp.reset",
    "SYN; ACK → RST+ACK; RST+ACK": "tcp.reset",
    "PSH+ACK → ∅": "tcp.drop",
    "PSH+ACK → RST": "tcp.reset",
    "PSH+ACK → RST+ACK": "tcp.reset",
    "PSH+ACK → RST; RST+ACK": "tcp.reset",
    "PSH+ACK → RST+ACK; RST+ACK": "tcp.reset",
    "PSH+ACK → RST = RST": "tcp.reset",
    "PSH+ACK → RST ≠ RST": "tcp.reset",
    "PSH+ACK → RST; RST₀": "tcp.reset",
    "PSH+ACK; Data → RST": "tcp.reset",
    "PSH+ACK; Data → RST+ACK": "tcp.reset",
}
"""Every signature in the order of the stages, and the mechanism that this rival calls when it sees it."""


@attrs.frozen(kw_only=True)
class Seen:
    """What a server received of one connection before it ended, counted."""

    acks: int  # packets without payload and flags but ACK that came before any payload
    data: int  # different segments with payload
    late: int  # packets without payload after the first payload
    resets: tuple[int, ...]  # ack fields of the bare resets
    reset_acks: int  # resets with ACK
    silent: bool  # nothing came for three seconds, or ever again


def signature(seen: Seen) -> str:
    """Name the signature that fits, empty when none does."""
    bare, acked = len(seen.resets), seen.reset_acks
    if not seen.acks and not seen.data:
        ending = after(bare, acked) if bare or acked else "∅" if seen.silent else ""
        ending = {"RST; RST": "RST", "RST+ACK; RST+ACK": "RST+ACK"}.get(ending, ending)
        return f"SYN → {ending}" if ending else ""
    if not seen.data:
        name = f"SYN; ACK → {after(bare, acked) if bare or acked else '∅'}"
        return name if name in SIGNATURES and (bare or acked or seen.silent) else ""
    if seen.data > 1:
        return "" if not (bare or acked) or (bare and acked) else f"PSH+ACK; Data → {'RST' if bare else 'RST+ACK'}"
    if seen.late:
        return ""
    if not (bare or acked):
        return "PSH+ACK → ∅" if seen.silent else ""
    if bare > 1 and not acked:
        kind = "RST = RST" if len(set(seen.resets)) == 1 else "RST; RST₀" if 0 in seen.resets else "RST ≠ RST"
        return f"PSH+ACK → {kind}"
    return f"PSH+ACK → {after(bare, acked)}"


def after(bare: int, acked: int) -> str:
    """Write resets as the signatures do: one, several alike, or both kinds."""
    if bare and acked:
        return "RST; RST+ACK"
    return "; ".join((["RST"] * min(bare, 2)) or (["RST+ACK"] * min(acked, 2)))


def cloudflare(trace: Trace) -> list[Call]:
    """Call every connection that ends in one of the 19 signatures; it must begin with its SYN."""
    windows = received(trace)
    packets, flags = trace.packets, trace.packets.tcp_flags
    last = int(packets.time.max(initial=0)) // TICK
    calls = []
    for flow, window in enumerate(windows):
        if len(window) == 0 or not flags[window[0]] & TcpFlag.SYN:
            continue
        pauses = np.flatnonzero(np.diff(packets.time[window] // TICK) >= SILENCE)
        rows = window[: pauses[0] + 1] if len(pauses) else window
        if np.any(flags[rows] & TcpFlag.FIN):
            continue
        ended = len(window) < PACKETS and last - int(packets.time[window[-1]]) // TICK >= SILENCE
        silent = len(pauses) > 0 or ended
        name = signature(count(trace, rows, silent))
        if not name:
            continue
        resets = rows[flags[rows] & TcpFlag.RST != 0]
        named = resets if len(resets) else rows[-1:]
        frames = tuple(sorted(packets.frame[named].tolist()))
        calls.append(Call(kind="flow", row=flow, mechanism=SIGNATURES[name], frames=frames, says=name))
    return calls


def received(trace: Trace) -> Ragged:
    """List, for every flow, the rows of the first packets that its client sent; nothing for flows that are not TCP."""
    packets = trace.packets
    rows = trace.by_flow.values
    rows = rows[packets.outbound[rows] & segments(trace)[rows]]
    lengths = np.bincount(packets.flow[rows], minlength=len(trace.flows))
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Ragged.from_lengths(np.minimum(lengths, PACKETS), rows[rank < PACKETS])


def count(trace: Trace, rows: I32, silent: bool) -> Seen:
    """Count what was received, in the order of the sequence numbers."""
    packets = trace.packets
    flags, load = packets.tcp_flags[rows], packets.payload_length[rows] > 0
    reset = flags & TcpFlag.RST != 0
    acked = flags & TcpFlag.ACK != 0
    data = load & ~reset & (flags & TcpFlag.SYN == 0)
    pure = ~load & ~reset & acked & (flags & TcpFlag.SYN == 0)
    begins = packets.relative_seq[rows][data].min(initial=np.iinfo(np.int64).max)
    later = pure & (packets.relative_seq[rows] > begins)
    return Seen(
        acks=int(np.count_nonzero(pure & ~later)),
        data=len(np.unique(packets.seq[rows][data])),
        late=int(np.count_nonzero(later)),
        resets=tuple(packets.ack[rows][reset & ~acked].tolist()),
        reset_acks=int(np.count_nonzero(reset & acked)),
        silent=silent,
    )


CLOUDFLARE = Rival(
    name="19 signatures",
    source="Sundara Raman et al., SIGCOMM 2023",
    home=("tcp.reset", "tcp.connect.reset", "tcp.drop", "tcp.connect.drop"),
    judge=cloudflare,
)
