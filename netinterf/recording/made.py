"""Packets that no host sent over a network: written by a program, rewritten by one, or replayed.

Each sign is something that no stack and no wire does. They are asked of the client's side or of both sides together,
never of what only a server seems to send: that may be forged, and forgers are what the library looks for.
"""

import numpy as np

from netinterf.arrays import Mask
from netinterf.recording.grouped import Paths
from netinterf.schema import Flows, Packets, Sides
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = ["MadeSigns", "find_made"]

TCP = 6

FLOWS = 3
"""Connections that show a sign, and that it is no accident: two random numbers of 32 bits agree by chance once in
2**32, three never."""

MOST = 0.9
"""Share of a path's connections that show it: programs that write or replay packets treat all of them alike."""

GAPS = 6
"""Pauses between packets of both directions that are equal to the last digit of the clock."""


@frozen(eq=False, kw_only=True)
class MadeSigns:
    """What shows it, one entry per flow."""

    shared_isn: Mask  # all connections of the client begin at one number, which RFC 6528 has drawn for each
    shared_ip_id: Mask  # both ends write one IP identification into all packets; once is enough where numbers are one
    even_pace: Mask  # packets follow each other at one pace, whoever sent them
    zero_duration: Mask  # conversations of several packets take no time at all
    by_program: Mask  # the packets are no host's: one of the first three, or both ends show them in other conversations

    @property
    def timeless(self) -> Mask:
        """Whether times tell nothing."""
        return self.even_pace | self.zero_duration


def find_made(packets: Packets, flows: Flows, sides: Sides, by_flow: Ragged, paths: Paths) -> MadeSigns:
    """Look for the signs, path by path."""
    tcp = flows.protocol == TCP
    shared_isns, constant = shared_isn(flows, sides, paths, tcp), constant_ip_id(packets, sides)
    shared_ids = shared_ip_id(packets, sides, paths, constant) | (constant & equal_isns(sides) & tcp)
    pace = even_pace(packets, flows, by_flow, paths, tcp)
    shown = shared_isns | shared_ids | pace
    by_program = shown
    if shown.any():
        hosts = np.concatenate([flows.client[shown], flows.server[shown]])
        by_program = shown | (np.isin(flows.client, hosts) & np.isin(flows.server, hosts))
    return MadeSigns(
        shared_isn=shared_isns,
        shared_ip_id=shared_ids,
        even_pace=pace,
        by_program=by_program,
        zero_duration=mostly(paths, tcp & (flows.first == flows.last), tcp & (by_flow.lengths >= FLOWS)),
    )


def mostly(paths: Paths, shows: Mask, could: Mask) -> Mask:
    """Say of each flow whether nearly all connections of its path that could show something do, and enough of them."""
    showing = paths.total(shows & could)
    most: Mask = ((showing >= FLOWS) & (showing >= MOST * paths.total(could)))[paths.of]
    return most


def shared_isn(flows: Flows, sides: Sides, paths: Paths, tcp: Mask) -> Mask:
    """Say of each flow whether connections of its path from different ports begin at one number."""
    opened = tcp & (sides.syn[0::2] >= 0)
    flow = np.flatnonzero(opened)
    begins = (paths.of[flow] << 32) | sides.isn[0::2][flow]
    ordered = np.sort(begins)
    if not (ordered[FLOWS - 1 :] == ordered[: len(ordered) - FLOWS + 1]).any():
        return np.zeros(len(flows), np.bool_)
    numbers, place = np.unique(begins, return_inverse=True)
    ports = np.unique(place.astype(np.int64) << 16 | flows.client_port[flow])
    shared = np.zeros(len(flows), np.bool_)
    shared[flow] = (np.bincount(ports >> 16, minlength=len(numbers)) >= FLOWS)[place]
    return mostly(paths, shared, opened)


def constant_ip_id(packets: Packets, sides: Sides) -> Mask:
    """Say of each flow whether first and last packets of both its ends carry one identification, and no zero.

    Zero is what hosts write into packets that are not to be cut (RFC 6864 §4.1).
    """
    if not len(packets):
        return np.zeros(len(sides) // 2, np.bool_)
    ends = (sides.first[0::2], sides.first[1::2], sides.last[0::2], sides.last[1::2])
    flow = np.flatnonzero(np.logical_and.reduce([end >= 0 for end in ends]))
    flow = flow[packets.version[ends[0][flow]] == 4]
    number, *others = (packets.ip_id[end[flow]] for end in ends)
    constant = np.zeros(len(sides) // 2, np.bool_)
    constant[flow] = np.logical_and.reduce([number > 0, *(number == other for other in others)])
    return constant


def equal_isns(sides: Sides) -> Mask:
    """Say of each flow whether both its ends begin at one sequence number."""
    opened = (sides.syn[0::2] >= 0) & (sides.syn[1::2] >= 0)
    same: Mask = opened & (sides.isn[0::2] == sides.isn[1::2])
    return same


def shared_ip_id(packets: Packets, sides: Sides, paths: Paths, constant: Mask) -> Mask:
    """Say of each flow whether connections of its path carry one identification each, and all of them the same."""
    flow = np.flatnonzero(constant)
    two_way = (sides.first[0::2] >= 0) & (sides.first[1::2] >= 0)
    single = (paths.kinds(flow, packets.ip_id[sides.first[2 * flow]].astype(np.int64)) == 1)[paths.of]
    return mostly(paths, constant & single, two_way)


def even_pace(packets: Packets, flows: Flows, by_flow: Ragged, paths: Paths, tcp: Mask) -> Mask:
    """Say of each flow whether the connections of its path go on at one pace, whichever end it is whose turn it is."""
    flow = np.flatnonzero(tcp & (by_flow.lengths > GAPS))
    first, second, third = (packets.time[by_flow.values[by_flow.offsets[flow] + place]] for place in range(3))
    even, could = np.zeros(len(flows), np.bool_), np.zeros(len(flows), np.bool_)
    even[flow] = (second > first) & (second - first == third - second)
    if not even.any():
        return even
    row = by_flow.values[by_flow.offsets[flow][:, None] + np.arange(GAPS + 1)]
    sent = packets.outbound[row]
    could[flow] = sent.any(axis=1) & ~sent.all(axis=1)
    gaps = np.diff(packets.time[row[even[flow]]], axis=1)
    even[even] = (gaps == gaps[:, :1]).all(axis=1)
    return mostly(paths, even, could)
