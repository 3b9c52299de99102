"""Which verdicts are about a conversation that somebody names: by one of its frames, or by its ends."""

import ipaddress
import re

import numpy as np

from netinterf.arrays import I32, I64, U16, Mask
from netinterf.engine.judged import Judged
from netinterf.errors import UsageError
from netinterf.trace import Trace

__all__ = ["subjects_named"]

END = r"(?:\[(?P<six_{0}>[0-9A-Fa-f:.]+)\]|(?P<four_{0}>[0-9.]+)):(?P<port_{0}>[0-9]{{1,5}})"
ENDS = re.compile(END.format(1) + "-" + END.format(2))
MOST_NAMED = 5
"""First frames that are named where several conversations have the same ends."""


def subjects_named(judged: Judged, trace: Trace, named: str) -> I64:
    """Find the verdicts about one conversation.

    Args:
        judged: The capture, judged.
        trace: Its packets.
        named: A frame number; of joined files counted through all, or ``trace2.pcap:5``, as in that file. Or the two
            ends, ``10.0.0.1:40000-192.0.2.1:443`` or ``[2001:db8::1]:40000-…``, in either order.

    Returns:
        Rows of the ledger: of the conversation, then of the DNS exchanges in that frame; or of all exchanges of a
        conversation that is nothing but DNS. An ICMP error stands for the conversation that it quotes.

    Raises:
        UsageError: It is neither, there is no such frame or conversation, or there are several.
    """
    if named.isascii() and named.isdigit():
        return _by_frame(judged, trace, int(named))
    name, _, number = named.rpartition(":")
    file = judged.ledger.files.named(name)
    if file is not None and number.isascii() and number.isdigit():
        frame = file.first_frame + int(number) - 1
        if judged.ledger.files.placed(frame) != (file, int(number)):
            raise UsageError(f"{name} has no frame {number}")
        return _by_frame(judged, trace, frame)
    matched = ENDS.fullmatch(named)
    if matched is None:
        raise UsageError(f"{named}: expected a frame number, or two ends, ADDRESS:PORT-ADDRESS:PORT")
    ends = [_read_end(named, matched, place) for place in (1, 2)]
    return _by_ends(judged, trace, named, *ends)


def _by_frame(judged: Judged, trace: Trace, frame: int) -> I64:
    """Find the verdicts about the conversation of one frame."""
    packets, subjects = trace.packets, judged.ledger.subjects
    matches = np.flatnonzero(packets.frame == frame)
    if not len(matches):
        span = f"{int(packets.frame.min())} to {int(packets.frame.max())}" if len(packets) else "none"
        raise UsageError(f"{judged.summary.capture} has no frame {frame} (frames: {span})")
    row = int(matches[0])
    quoted = trace.quotes.flow[trace.quotes.packet == row]
    flow = int(quoted[0]) if len(quoted) and quoted[0] >= 0 else int(packets.flow[row])
    exchanges = np.unique(trace.dns.exchange[trace.dns.packet == row])
    rows: I64 = subjects.by_exchange[exchanges[exchanges >= 0]]
    if flow >= 0 and subjects.by_flow[flow] >= 0:
        rows = np.append(subjects.by_flow[flow], rows)
    if not len(rows):
        raise UsageError(f"{judged.summary.capture}: frame {frame} belongs to no conversation that is judged")
    return rows


def _by_ends(
    judged: Judged, trace: Trace, named: str, first: tuple[int, int, int], second: tuple[int, int, int]
) -> I64:
    """Find the verdicts about the conversation between two ends."""
    flows, hosts, subjects = trace.flows, trace.hosts, judged.ledger.subjects

    def ends_at(host: I32, port: U16, end: tuple[int, int, int]) -> Mask:
        high, low, number = end
        return np.asarray((hosts.high[host] == high) & (hosts.low[host] == low) & (port == number))

    between = np.zeros(len(flows), np.bool_)
    for client, server in ((first, second), (second, first)):
        between |= ends_at(flows.client, flows.client_port, client) & ends_at(flows.server, flows.server_port, server)
    matches = np.flatnonzero(between)
    if not len(matches):
        raise UsageError(f"{judged.summary.capture}: nobody talks between {named.replace('-', ' and ')}")
    if len(matches) > 1:
        frames = trace.packets.frame[flows.first_packet[matches]].tolist()
        some = ", ".join(map(str, frames[:MOST_NAMED])) + (", …" if len(frames) > MOST_NAMED else "")
        raise UsageError(f"{named}: {len(matches)} conversations; name one by a frame (they begin with {some})")
    row = subjects.by_flow[matches[0]]
    if row >= 0:
        return np.array([row])
    exchanges: I64 = subjects.by_exchange[np.flatnonzero(trace.exchanges.flow == matches[0])]
    return exchanges


def _read_end(named: str, matched: re.Match[str], place: int) -> tuple[int, int, int]:
    """Read an address and a port, the address as two 64-bit halves (IPv4 mapped into IPv6, RFC 4291 §2.5.5.2)."""
    text, port = matched[f"six_{place}"] or matched[f"four_{place}"], int(matched[f"port_{place}"])
    try:
        address = ipaddress.ip_address(text)
    except ValueError as cause:
        raise UsageError(f"{named}: {text} is no address") from cause
    whole = int(address) | (0xFFFF << 32 if address.version == 4 else 0)
    return whole >> 64, whole & (2**64 - 1), port
