"""One row per flow of what rules must know of its recording."""

import numpy as np

from netinterf.arrays import I64, U16, Mask
from netinterf.recording.boxes import behind_router, renumbers_ip_id, rewrites_ttl, splits_tcp
from netinterf.recording.grouped import Paths
from netinterf.recording.made import find_made
from netinterf.recording.skew import skewed
from netinterf.recording.vantage import PLACES, elect, places, votes
from netinterf.schema import Flows, Mark, Packets, Recording, RttSamples, Sides, Status, Vantage
from netinterf.table import Ragged

__all__ = ["gather", "recorded_one_way"]

ONE_WAY_FLOWS = 3
"""A path with this many conversations, all one-way, was recorded where only one direction passes."""

TCP = 6

UNACKNOWLEDGED = 45
"""Data packets behind another of their side that somebody acknowledged in between: the full segments of 64 KiB, the
most that receivers join before they acknowledge (IPv4's largest packet, RFC 791 §3.1, by segments of 1,448 bytes)."""


def gather(
    packets: Packets, flows: Flows, sides: Sides, rtts: RttSamples, by_flow: Ragged, vantage: str = "auto"
) -> tuple[Recording, Vantage]:
    """Find out once what every analyzer must know.

    Args:
        packets: All packets, flows assigned and marked.
        flows: Their conversations.
        sides: The two directions of each.
        rtts: Round-trip samples.
        by_flow: Rows of packets of each flow, in time order.
        vantage: ``"client"``, ``"server"`` or ``"middle"`` when the user knows it, else ``"auto"``.

    Returns:
        One row per flow, and where the capture as a whole was taken.
    """
    paths = Paths.number(flows)
    cast = votes(packets, sides)
    whole = PLACES[int(elect(cast.sum(axis=0, keepdims=True))[0])] if vantage == "auto" else Vantage(vantage)
    given = np.full(len(flows), PLACES.index(whole))
    tap = places(flows, cast) if vantage == "auto" and len(flows) else given
    made = find_made(packets, flows, sides, by_flow, paths)
    recording = Recording(
        tap=tap.astype(np.uint8),
        ttl_informative=~rewrites_ttl(packets, flows, sides, paths, tap),
        ip_id_informative=~renumbers_ip_id(packets, flows, paths, tap) & ~made.shared_ip_id,
        timing_informative=~splits_tcp(packets, flows, sides, rtts, paths, tap) & ~made.timeless,
        hops_apart=behind_router(packets, flows, paths),
        offloaded=paths.any(marked(packets, packets.status, Status.OFFLOADED, len(flows)) > 0),
        one_way=recorded_one_way(paths, (sides.packets[0::2] > 0) & (sides.packets[1::2] > 0)),
        filtered=left_out(packets, flows, sides, by_flow, paths),
        made=made.by_program,
        skewed=skewed(packets, flows, sides, rtts, by_flow, paths),
        duplicate_share=paths.share(marked(packets, packets.marks, Mark.DUPLICATE_FRAME, len(flows)), by_flow.lengths),
        loss_share=paths.share(marked(packets, packets.marks, Mark.ACKED_UNSEEN, len(flows)), by_flow.lengths),
    )
    return recording, whole


def recorded_one_way(paths: Paths, both: Mask) -> Mask:
    """Say of each flow whether its path was recorded where only one direction passes.

    Args:
        paths: The paths of the flows.
        both: In which of the flows both directions were seen.
    """
    one_way: Mask = ~paths.any(both) & (np.bincount(paths.of, minlength=paths.count) >= ONE_WAY_FLOWS)[paths.of]
    return one_way


def marked(packets: Packets, bits: U16, bit: Status | Mark, flows: int) -> I64:
    """Count, flow by flow, the packets of which a bit is set."""
    flow = packets.flow[np.flatnonzero(bits & np.uint16(bit.value))]
    return np.bincount(flow[flow >= 0], minlength=flows)


def left_out(packets: Packets, flows: Flows, sides: Sides, by_flow: Ragged, paths: Paths) -> Mask:
    """Say of each flow whether acknowledgements without data were left out of the recording of its path, on purpose.

    A receiver acknowledges at least every second full segment, at once (RFC 5681 §4.2), and one that joins what arrives
    together at least every 64 KiB. Where long runs of data were captured, both ways, and not one acknowledgement
    without data among them, somebody kept packets with data only. What is missing from such a recording was not lost.
    """
    sent, data = sides.packets.astype(np.int64), sides.payload_packets.astype(np.int64)
    for ends in (sides.syn, sides.fin, sides.rst):
        sent -= ends >= 0
    bare = np.maximum(sent - data, 0).reshape(-1, 2).sum(axis=1)
    tcp = flows.protocol == TCP
    two_way = tcp & (data.reshape(-1, 2) > 0).all(axis=1)
    without = (paths.total(bare * tcp) == 0) & (paths.total(two_way) > 0)
    chosen = np.flatnonzero(without[paths.of] & tcp)
    if not len(chosen):
        return np.zeros(len(flows), np.bool_)
    row = by_flow.take(chosen).values
    row = row[packets.payload_length[row] > 0]
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    again = side[1:] == side[:-1]
    runs = np.bincount(paths.of[side[1:][again] // 2], minlength=paths.count)
    filtered: Mask = (without & (runs >= UNACKNOWLEDGED))[paths.of]
    return filtered
