"""The HTTP answers worth a question: odd ones, and small ones, which may be pages of somebody else."""

import attrs
import numpy as np

from netinterf.analyzers.forgery.followers import with_same_writer
from netinterf.analyzers.forgery.oddity import begins_page, too_early, unlike_synack
from netinterf.analyzers.forgery.suspects import Suspects, arrived, beside
from netinterf.analyzers.sides import side_packets
from netinterf.arrays import I64, Mask
from netinterf.numbering import distinct
from netinterf.pieces import gather
from netinterf.schema import TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SMALL", "Answers", "find_answers"]

SMALL = 16_384
"""Bytes that a server sent in all up to which its answer is read: published block pages have 97 to 3,000."""


@frozen(eq=False, kw_only=True)
class Answers:
    """One row per flow: the first HTTP answer that its client got to a request; all columns are aligned."""

    suspects: Suspects  # the packet that begins the answer, beside what else its side sent but payload and endings
    head: I64  # rows in Http of the answer, -1 where it does not begin as one
    request: I64  # rows in Http of the request
    suspicious: Mask  # unlike its server's greeting, or too early
    page: Ragged  # bytes of that packet (uint8), up to `SMALL`; empty when the server sent more than that

    def __len__(self) -> int:
        return len(self.head)

    @classmethod
    def none(cls) -> "Answers":
        """Give no answer."""
        rows, page = np.empty(0, np.int64), Ragged.empty(0, np.uint8)
        return cls(suspects=Suspects.none(), head=rows, request=rows, suspicious=np.empty(0, np.bool_), page=page)

    def take(self, rows: I64) -> "Answers":
        """Select rows."""
        columns = {field.name: getattr(self.suspects, field.name)[rows] for field in attrs.fields(Suspects)[:-1]}
        return Answers(
            suspects=Suspects(**columns, base=self.suspects.base),
            head=self.head[rows],
            request=self.request[rows],
            suspicious=self.suspicious[rows],
            page=self.page.take(rows),
        )


def find_answers(trace: Trace) -> Answers:
    """Find the first answer of each HTTP conversation that the network could have forged, odd or small."""
    sides, http = trace.sides, trace.http
    request = first_heads(trace, np.flatnonzero(http.outbound & (http.status == 0)))
    flow = np.flatnonzero(request >= 0)
    if not len(flow):
        return Answers.none()
    row = sides.first_payload[2 * flow + 1].astype(np.int64)
    keep = (row > http.packet[request[flow]]) & np.isin(row, arrived(trace, row[row >= 0]))
    keep &= trace.packets.tcp_flags[np.maximum(row, 0)] & TcpFlag.RST == 0  # bytes on a reset are no answer
    flow, row = flow[keep], row[keep]
    ends = (trace.packets.tcp_flags[row] & TcpFlag.FIN != 0) & ~begins_page(trace, row)  # on an end they are no answer
    flow, row = flow[~ends], row[~ends]
    side = 2 * flow + 1
    suspicious = unlike_synack(trace, row, side) | too_early(trace, row, side)
    small = sides.payload_bytes[side] <= SMALL
    keep = (suspicious | small) & trace.checksum_ok(row)
    flow, row, suspicious, small = flow[keep], row[keep], suspicious[keep], small[keep]
    if not len(row):
        return Answers.none()
    answered = first_heads(trace, np.flatnonzero(~http.outbound & (http.status > 0)))[flow]
    begins = http.packet[np.maximum(answered, 0)] == row if len(http) else row < 0
    own = with_same_writer(trace, row).values  # by the same writer: no witness of what its sender looks like
    base = side_packets(trace, distinct(flow), without=TcpFlag.RST | TcpFlag.FIN, answers=False, but=own)
    return Answers(
        suspects=beside(trace, row, base),
        head=np.where((answered >= 0) & begins, answered, -1),
        request=request[flow],
        suspicious=suspicious,
        page=payloads(trace, row, np.where(small, SMALL, 0)),
    )


def first_heads(trace: Trace, heads: I64) -> I64:
    """Find the first of some rows of Http in each flow, -1 for none."""
    first = np.full(len(trace.flows), -1)
    first[trace.http.flow[heads[::-1]]] = heads[::-1]  # the last write wins, and that is the first head
    return first


def payloads(trace: Trace, row: I64, most: I64) -> Ragged:
    """Read the first bytes of the payload of packets."""
    length = np.minimum(trace.packets.payload_captured[row].astype(np.int64), most)
    return Ragged.from_lengths(length, gather(trace.buffer, trace.packets.payload_start[row], length))
