"""What a silence is: somebody said something, and nobody ever answered it.

One row per flow that fell silent, whatever the cause. Everything else in this package describes these rows: what they
look like, who was heard meanwhile, and what other connections say about them.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import one_of
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = [
    "FIRST_TIMEOUT_NS",
    "TCP",
    "UDP",
    "WAIT_NS",
    "Kind",
    "Silences",
    "apart",
    "one_per_flow",
    "unexplained_by_icmp",
    "waiting_shown",
]

TCP, UDP = 6, 17

FIRST_TIMEOUT_NS = 1_000_000_000
"""How long a sender waits before its first repeat where it has measured no round trip (RFC 6298 §2.1)."""

WAIT_NS = 3 * FIRST_TIMEOUT_NS
"""How long an answer is waited for: three times the first retransmission timeout, and the inactivity limit
of Sundara Raman et al., SIGCOMM 2023."""


class Kind(IntEnum):
    """What went unanswered."""

    UNACKED_DATA = 1  # data, sent again and again, was never acknowledged
    UNACKED_FIN = 2  # only a FIN was never acknowledged
    UNANSWERED_REQUEST = 3  # a request was acknowledged and never answered
    BROKEN_OFF = 4  # an answer stopped in the middle
    UNANSWERED_SYN = 5  # SYNs were never answered
    HOLE = 6  # bytes of the other end never arrived, though later packets of it did
    INITIAL = 7  # QUIC Initials were never answered
    DATAGRAM = 8  # QUIC datagrams were no longer answered


@frozen(eq=False, kw_only=True)
class Silences:
    """One row per silent flow; all columns are aligned, times are ns since 1970 UTC."""

    flow: I64  # rows in Flows, each once
    side: I64  # rows in Sides: who was left without an answer
    kind: I64  # Kind codes
    row: I64  # rows in Packets: the first packet that got no answer; of the other end, the last before its answer broke
    # off, or the first behind a hole
    last: I64  # rows in Packets: the last packet of the side that waited
    since: I64  # when the silence began
    until: I64  # until when it is known to have lasted
    tries: I64  # how often what got no answer was sent, a round trip apart; of SYNs, all
    unanswered_payload: I64  # payload of *row*; of a hole, what is missing
    first_data: Mask  # what got no answer was the side's first data; a hole is in the other end's first
    heard_deaf: I64  # rows in Packets: the last that shows the other end alive and deaf, -1 for none
    paused: I64  # ns in which nobody had spoken before

    def __len__(self) -> int:
        return len(self.flow)

    @classmethod
    def none(cls) -> "Silences":
        """Give no silence."""
        first_data, names = np.empty(0, np.bool_), [field.name for field in attrs.fields(cls)]
        columns: dict[str, Any] = dict.fromkeys(names, np.empty(0, np.int64))
        return cls(**columns | {"first_data": first_data})

    @property
    def seconds(self) -> F64:
        """How long each is known to have lasted, seconds."""
        seconds: F64 = (self.until - self.since) / 1e9
        return seconds

    def take(self, rows: NDArray[np.integer[Any]] | Mask) -> "Silences":
        """Select rows."""
        return Silences(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})

    def is_kind(self, *kinds: Kind) -> Mask:
        """Say of each row whether it is one of *kinds*."""
        return one_of(self.kind, kinds)

    def is_first_request(self) -> Mask:
        """Say of each row whether a client's first request was not acknowledged, or not answered."""
        first: Mask = self.first_data & (self.side % 2 == 0)
        return first & self.is_kind(Kind.UNACKED_DATA, Kind.UNANSWERED_REQUEST)


def one_per_flow(parts: Sequence[Silences]) -> Silences:
    """Put silences together; of several of one flow, the one of the first part that has it."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Silences.none()
    names = [field.name for field in attrs.fields(Silences)]
    table = Silences(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
    _, first = np.unique(table.flow, return_index=True)
    return table.take(first)


def unexplained_by_icmp(trace: Trace, silences: Silences) -> Silences:
    """Leave out silences that ICMP explains: unreachable, or run out of hops as the sender meant it to."""
    about = trace.quotes.flow[trace.quotes.flow >= 0]
    if not len(about) or not len(silences):
        return silences
    return silences.take(~np.isin(silences.flow, about))


def apart(side: I64, time: I64, trip: I64) -> Mask:
    """Say which packets are tries of their own: a round trip or more behind the one before of their side.

    What comes sooner is the same flight. Rows of a side lie together, in time order; a *trip* below 1 is unknown.
    """
    separate: Mask = np.diff(side, prepend=-1) != 0
    separate |= np.diff(time, prepend=0) >= np.where(trip > 0, trip, FIRST_TIMEOUT_NS)
    return separate


def waiting_shown(trace: Trace) -> Mask:
    """Say whose waiting the capture can show: one row per flow, the client's and the server's.

    Near one end, what that end does not answer has not been sent to it, or is its own business: only its own waiting is
    a fact about the network. In the middle both are, and where the tap is unknown, the client's.
    """
    recording = trace.recording
    return np.stack([~recording.at_server, recording.at_server | recording.in_middle], axis=1)
