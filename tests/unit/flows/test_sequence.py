"""Marks: one short conversation per rule."""

import attrs
import numpy as np
import pytest

from netinterf.flows.assign import assign_flows
from netinterf.flows.sequence import mark_segments
from netinterf.schema import Mark, Packets
from netinterf.table import Ragged
from tests.oracles.segments import Segment, client, decoded, server

pytestmark = pytest.mark.usefixtures("each_way")

HELLO = [client("S", 99), server("SA", 499, 100), client("A", 100, 500)]
MS = 1_000_000
NEIGHBOUR = ("10.0.0.77", 40000)
BASE = 1_700_000_000_000 * MS


def hello(milliseconds):
    """Give the handshake again, at fixed times and with a given round trip."""
    later = BASE + milliseconds * MS
    return [client("S", 99, time=BASE), server("SA", 499, 100, time=later), client("A", 100, 500, time=later)]


def marked(*segments):
    """Number and mark hand-written segments."""
    assigned = assign_flows(*decoded(segments))
    return mark_segments(assigned.packets, assigned.flows, assigned.by_flow)


def marks(*segments):
    """Give the marks of each segment behind an ordinary handshake."""
    found = marked(*HELLO, *segments).marks
    assert not found[:3].any()
    return [Mark(int(mark)) for mark in found[3:]]


def test_ordinary_conversation_has_no_marks():
    """A handshake, data both ways, acknowledgements and closing are unremarkable."""
    segments = [client("PA", 100, 500, 10), server("A", 500, 110), server("PA", 500, 110, 20), client("A", 110, 520)]
    assert marks(*segments, client("FA", 110, 520), server("FA", 520, 111), client("A", 111, 521)) == [Mark(0)] * 7


def test_numbers_count_from_the_handshake():
    """SYN is 0, the first byte 1, on both sides, across the wrap at 32 bits."""
    packets = marked(
        client("S", 2**32 - 3), server("SA", 9, 2**32 - 2), client("A", 2**32 - 2, 10, 5), server("A", 10, 3)
    )
    assert packets.relative_seq.tolist() == [0, 0, 1, 1]
    assert packets.relative_ack.tolist() == [-1, 1, 1, 6]


def test_capture_begun_in_the_middle_counts_from_the_lowest():
    """Without a SYN the lowest number of a side is its first byte."""
    packets = marked(client("A", 5000, 70, 100), client("A", 4900, 70, 100), server("A", 70, 5100))
    assert packets.relative_seq.tolist() == [101, 1, 1]
    assert packets.relative_ack.tolist() == [1, 1, 201]


def test_side_that_was_not_captured_counts_from_what_was_acknowledged():
    """In replies alone the SYN/ACK tells the client's initial number, or else the first acknowledgement does."""
    assert marked(server("SA", 499, 100), server("A", 500, 150)).relative_ack.tolist() == [1, 51]
    assert marked(server("A", 500, 100), server("A", 500, 150)).relative_ack.tolist() == [1, 51]


def test_contradicting_syn_acks_leave_the_acknowledged_one():
    """Of two SYN/ACKs with different numbers the one that the client acknowledged is the beginning."""
    packets = marked(client("S", 99), server("SA", 7777, 100), server("SA", 499, 100), client("A", 100, 500))
    assert packets.relative_seq.tolist() == [0, 7278, 0, 1]
    assert packets.relative_ack[3] == 1


def test_repeats():
    """The same bytes again, some of them, and the same after their acknowledgement."""
    segments = [client("A", 100, 500, 10), client("A", 100, 500, 10), client("A", 105, 500, 10), server("A", 500, 115)]
    expected = [Mark(0), Mark.REPEAT, Mark.PARTIAL_REPEAT, Mark(0), Mark.REPEAT | Mark.SPURIOUS]
    assert marks(*segments, client("A", 103, 500, 5)) == expected


def test_repeated_handshake_and_closing():
    """SYN, SYN/ACK and FIN count as a byte and can be repeated."""
    packets = marked(client("S", 99), client("S", 99), server("SA", 499, 100), server("SA", 499, 100))
    assert packets.marks.tolist() == [0, Mark.REPEAT, 0, Mark.REPEAT]
    assert marks(client("FA", 100, 500), client("FA", 100, 500)) == [Mark(0), Mark.REPEAT]


def test_gap_and_fill():
    """A hole is marked where it opens and where it is filled; its filling is no repeat."""
    segments = [client("A", 100, 500, 10), client("A", 120, 500, 10), client("A", 110, 500, 10, time=None)]
    found = marks(*segments, client("A", 110, 500, 10), client("A", 130, 500, 10))
    assert found[:2] == [Mark(0), Mark.GAP_BEFORE]
    assert Mark.FILL in found[2]
    assert found[3:] == [Mark.REPEAT, Mark(0)]


def test_fill_that_also_repeats():
    """A segment over a hole and captured bytes is both a fill and a partial repeat."""
    segments = [
        client("A", 100, 500, 10, time=BASE + 50 * MS),
        client("A", 120, 500, 10, time=BASE + 60 * MS),
        client("A", 105, 500, 30, time=BASE + 900 * MS),
    ]
    assert marks(*segments)[2] == Mark.FILL | Mark.PARTIAL_REPEAT


@pytest.mark.parametrize(
    ("late", "reordered"),
    [
        ({"time": 60_100_000}, True),
        ({"time": 90_000_000}, False),
        ({"time": 90_000_000, "tsval": 7}, True),
        ({"time": 60_100_000, "tsval": 900}, False),
        ({"time": 90_000_000, "ip_id": 41}, True),
        ({"time": 60_100_000, "ip_id": 47}, False),
        ({"time": 90_000_000, "ip_id": 30000}, False),
    ],
)
def test_overtaken_is_told_from_sent_again(late, reordered):
    """Timestamps decide, then close identifications, then the delay."""
    early = {"ip_id": 42} | ({"tsval": 10} if "tsval" in late else {})
    segments = [
        *[
            client("S", 99, time=BASE),
            server("SA", 499, 100, time=BASE + 20 * MS),
            client("A", 100, 500, time=BASE + 20 * MS),
        ],
        client("A", 120, 500, 10, time=BASE + 60 * MS, **early),
        client("A", 100, 500, 20, **late | {"time": BASE + late["time"]}),
    ]
    expected = Mark.FILL | Mark.REORDERED if reordered else Mark.FILL
    assert Mark(int(marked(*segments).marks[4])) == expected


def test_three_duplicate_acknowledgements_mean_sent_again():
    """A quick fill after three duplicate acknowledgements is a repeat of what was lost before the capture point."""
    segments = [
        *[
            client("S", 99, time=BASE),
            server("SA", 499, 100, time=BASE + MS),
            client("A", 100, 500, time=BASE + 9 * MS),
        ],
        client("A", 100, 500, 10, time=BASE + 60 * MS),
        server("A", 500, 110, time=BASE + 60 * MS),
        client("A", 120, 500, 10, time=BASE + 60 * MS),
        *[server("A", 500, 110, time=BASE + 61 * MS + k, ip_id=9 + k) for k in range(3)],
        client("A", 110, 500, 10, time=BASE + 62 * MS),
    ]
    found = [Mark(int(mark)) for mark in marked(*segments).marks]
    assert found[6:] == [Mark.DUP_ACK, Mark.DUP_ACK, Mark.DUP_ACK, Mark.FILL]


def test_keep_alive_and_a_lost_single_byte():
    """One byte below the next is a probe of an idle peer; unacknowledged it is a repeat."""
    idle = [client("A", 100, 500, 1), server("A", 500, 101), client("A", 100, 500, 1), client("A", 100, 500, 0)]
    assert marks(*idle) == [Mark(0), Mark(0), Mark.KEEP_ALIVE, Mark.KEEP_ALIVE]
    assert marks(client("A", 100, 500, 1), client("A", 100, 500, 1)) == [Mark(0), Mark.REPEAT]


def test_acknowledgement_behind_its_own_fin_is_no_keep_alive():
    """A bare acknowledgement that the side's FIN overtook lies one below the mark, but probes nothing."""
    assert marks(client("FA", 100, 500), client("A", 100, 500)) == [Mark(0), Mark(0)]


def test_duplicate_acknowledgement_needs_outstanding_data_and_the_same_window():
    """Only a bare repeat of acknowledgement and window while data is outstanding counts (RFC 5681 §2)."""
    data = client("A", 100, 500, 10)
    assert marks(data, server("A", 500, 100))[1] == Mark.DUP_ACK
    assert marks(data, server("A", 500, 100, window=900))[1] == Mark(0)
    assert marks(data, server("A", 500, 100, 5))[1] == Mark(0)
    assert marks(server("A", 500, 100)) == [Mark(0)]


def test_acknowledged_but_unseen():
    """Acknowledging bytes above the highest captured one, or in a hole, shows that the capture lost packets."""
    assert marks(server("A", 500, 150), server("A", 500, 150)) == [Mark.ACKED_UNSEEN, Mark(0)]
    hole = [client("A", 100, 500, 10), client("A", 130, 500, 10), server("A", 500, 140), server("A", 500, 140)]
    assert marks(*hole) == [Mark(0), Mark.GAP_BEFORE, Mark.ACKED_UNSEEN, Mark(0)]
    partly = [*hole[:2], server("A", 500, 115), server("A", 500, 120)]
    assert marks(*partly)[2:] == [Mark.ACKED_UNSEEN, Mark.ACKED_UNSEEN]


def test_replies_alone_do_not_accuse_the_capture():
    """Where nothing of a side was captured, its acknowledged bytes are not missing."""
    assert not marked(server("SA", 499, 100), server("A", 500, 150), server("A", 500, 190)).marks.any()


def test_resets_move_nothing():
    """A reset with any number, even with payload, leaves the stream and its marks alone."""
    packets = marked(*HELLO, client("R", 3_000_000_000, 0, 20), client("RA", 150, 500), client("A", 100, 500, 10))
    assert not packets.marks.any()
    assert packets.relative_seq[-1] == 1


def test_zero_window():
    """A window of 0 is marked, except on resets."""
    assert marks(client("A", 100, 500, window=0), server("R", 500, window=0)) == [Mark.ZERO_WINDOW, Mark(0)]


def test_copies_of_a_frame():
    """The same packet within a millisecond is a copy and nothing else; a later one is a repeat."""
    data = client("A", 100, 500, 10, ip_id=5, time=BASE + 50 * MS)
    copy = client("A", 100, 500, 10, ip_id=5, ttl=63, time=BASE + 50 * MS + 900_000)
    late = client("A", 100, 500, 10, ip_id=5, time=BASE + 90 * MS)
    found = [Mark(int(mark)) for mark in marked(*hello(1), data, copy, late).marks]
    assert found[3:] == [Mark(0), Mark.DUPLICATE_FRAME, Mark.REPEAT]


@pytest.mark.parametrize(
    ("numbered", "fewer", "apart", "copies"),
    [
        ({"ip_id": 5}, 2, 2 * MS, True),
        ({"tsval": 77}, 2, 2 * MS, True),
        ({}, 2, 2 * MS, True),  # all that goes that way circles
        ({"ip_id": 5}, 0, 2 * MS, False),  # nobody took hops away
        ({"ip_id": 5}, -2, 2 * MS, False),
        ({"ip_id": 5}, 2, 250 * MS, False),  # a timeout may have passed
    ],
)
def test_packets_that_circle_between_routers_are_copies(numbered, fewer, apart, copies):
    """A packet that comes by again with fewer hops left was not sent again; whatever differs from that was."""
    passes = [
        client("A", 100, 500, 10, ttl=60 - fewer * number, time=BASE + 50 * MS + apart * number, **numbered)
        for number in range(4)
    ]
    found = [Mark(int(mark)) for mark in marked(*hello(1), *passes).marks[3:]]
    assert found == [Mark(0), *[Mark.DUPLICATE_FRAME if copies else Mark.REPEAT] * 3]


def test_what_a_forger_writes_again_with_another_hop_limit_does_not_circle():
    """FINs and resets that differ in their hop limits alone are several."""
    fins = [server("FA", 500, 100, 10, ttl=60 - 2 * n, ip_id=7, time=BASE + (9 + n) * MS) for n in range(3)]
    assert not (marked(*hello(1), *fins).marks & Mark.DUPLICATE_FRAME).any()


def test_volleys_of_identical_resets_are_not_copies():
    """Identical resets are an injector's volley, unless the capture holds copies of everything."""
    reset = [server("R", 500, ttl=50, time=BASE + 99 * MS, ip_id=7)] * 3
    once = [
        client("S", 99, time=BASE),
        server("SA", 499, 100, time=BASE + MS),
        client("A", 100, 500, 9, time=BASE + MS),
    ]
    assert not (marked(*once, *reset).marks & Mark.DUPLICATE_FRAME).any()
    twice = [copy for segment in once for copy in (segment, segment)]
    assert (marked(*twice, *reset).marks & Mark.DUPLICATE_FRAME).astype(bool).tolist()[-3:] == [False, True, True]


@pytest.mark.parametrize(("doubled", "copies"), [("client", False), ("server", True), ("neighbour", False)])
def test_volleys_are_copies_only_where_their_own_direction_is_doubled(doubled, copies):
    """A device that doubles what goes out, or the packets of another client, says nothing of what comes in."""
    reset = [server("R", 500, ttl=50, time=BASE + 99 * MS, ip_id=7)] * 3
    talk = {
        "client": [client("S", 99, time=BASE), client("A", 100, 500, 9, time=BASE + 2 * MS)],
        "server": [server("SA", 499, 100, time=BASE + MS)],
        "neighbour": [
            attrs.evolve(client("S", 99, time=BASE), source=NEIGHBOUR),
            attrs.evolve(server("SA", 499, 100, time=BASE + MS), target=NEIGHBOUR),
        ],
    }
    opening = [one for who, some in talk.items() for one in some for _ in range(2 if who == doubled else 1)]
    packets = marked(*sorted(opening, key=lambda one: one.time), *reset)
    assert (packets.marks & Mark.DUPLICATE_FRAME).astype(bool).tolist()[-3:] == [False, copies, copies]


def test_other_protocols_and_no_packets():
    """Packets that are not TCP keep their fill values, and nothing in gives nothing out."""
    packets = marked(Segment(protocol=17, payload=5), Segment(protocol=17, payload=5).reversed())
    assert packets.relative_ack.tolist() == [-1, -1]
    assert not packets.marks.any()
    assigned = assign_flows(*decoded([]))
    assert len(mark_segments(assigned.packets, assigned.flows, assigned.by_flow)) == 0
    assert len(mark_segments(Packets.empty(), assigned.flows, Ragged.empty(0, np.int32))) == 0


def test_blocks_do_not_change_the_answer(monkeypatch):
    """Flows marked a few packets at a time get the same marks as all together."""
    rng = np.random.default_rng(3)
    segments = [
        Segment("A", int(rng.integers(0, 40)), 1, int(rng.integers(1, 9)), source=("192.0.2.1", 50000 + int(port)))
        for port in rng.integers(0, 9, 300)
    ]
    whole = marked(*segments)
    monkeypatch.setattr("netinterf.flows.blocks.BLOCK", 20)
    monkeypatch.setattr("netinterf.flows.blocks.tcp_blocks.__defaults__", (20,))
    assert whole.equals(marked(*segments))


def test_a_burst_copied_behind_its_end():
    """Twenty segments pass a router at once, and their copies follow: none is a repeat."""
    opening = [*hello(1), *hello(1)]
    burst = [server("A", 500 + 10 * place, 100, 10, ip_id=0, time=BASE + 50 * MS + place) for place in range(20)]
    copies = [attrs.evolve(one, ttl=one.ttl - 1, time=one.time + 20_000) for one in burst]
    packets = marked(*sorted([*opening, *burst, *copies], key=lambda one: one.time))
    assert np.count_nonzero(packets.marks & Mark.DUPLICATE_FRAME) >= 20
    assert not (packets.marks & Mark.REPEAT).any()


@pytest.mark.parametrize("step", [2**30, -(2**30) + 1])
def test_numbers_lead_nowhere_that_has_no_room(step):
    """Each number is near the one before it, and together they would leave what can be counted."""
    far = [client("A", (100 + place * step) % 2**32, 500, 1) for place in range(32_000)]
    packets = marked(*HELLO, *far)
    assert -(1 << 40) < packets.relative_seq.min() <= packets.relative_seq.max() < (1 << 44) + (1 << 32)
