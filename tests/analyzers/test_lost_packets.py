"""Which packets the network lost, told at the sender, at the receiver, and by acknowledgements that come back."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.throttling import Throttling
from netinterf.analyzers.throttling.acks import acknowledgement_series, needless_repeats
from netinterf.analyzers.throttling.losses import direction_series
from netinterf.analyzers.throttling.series import Series, fates_together
from netinterf.analyzers.throttling.unseen import count_numbers, usual_spacing
from netinterf.analyzers.throttling.ways import Direction, Ways
from netinterf.trace import read
from tests.analyzers.bulk import SEGMENT, Bottleneck, Flow, chance, policer, transfer, transfer_world

RAW_IP = 101


def trace_of(moved):
    """Read what a tap captured."""
    return read(times=np.array(moved.times), frames=moved.frames, link_type=RAW_IP)


def series_of(trace, outbound=False):
    """Lay out what the server (or the client) of the first flow sent."""
    return direction_series(trace, [Direction(flows=np.array([0]), outbound=outbound)], count_numbers(trace))[0]


class Hand:
    """Frames written by hand: one flow, the tap at the server."""

    def __init__(self):
        self.world = transfer_world()
        self.world.numbered = True
        self.flow = Flow(1)
        self.now = 0.0

    def send(self, *, down, seq, ack, flags=0x10, content=b"", wait=1e-3, number=7, **more):
        """Write one frame, a millisecond after the last or later; all have one number, so that none counts."""
        more["number"] = number
        self.now += wait
        self.world.write(self.now, self.flow, down=down, seq=seq, ack=ack, flags=flags, content=content, **more)

    def series(self):
        """Lay out what the server sent."""
        return series_of(trace_of(self.world.out))


def opened(trip=1e-3):
    """Shake hands and ask; the tap is next to the server, *trip* seconds away from the client."""
    hand = Hand()
    hand.send(down=False, seq=0, ack=0, flags=2)
    hand.send(down=True, seq=0, ack=1, flags=0x12)
    hand.send(down=False, seq=1, ack=1, flags=0x18, content=bytes(8), wait=trip)
    for place in range(4):
        hand.send(down=True, seq=1 + place * SEGMENT, ack=9, content=bytes(SEGMENT))
    return hand


def test_a_segment_sent_again_was_lost():
    """The earlier of two transmissions was lost, the later was not."""
    hand = opened()
    hand.send(down=True, seq=1 + SEGMENT, ack=9, content=bytes(SEGMENT))
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT)
    assert np.flatnonzero(hand.series().lost).tolist() == [1]


@pytest.mark.parametrize("first", [False, True])
def test_large_packets_that_never_pass_met_a_narrow_path(first):
    """All large packets are lost and come again cut anew: the path is narrow. Unless the first one had passed."""
    hand = opened()
    if first:
        hand.send(down=False, seq=9, ack=1 + SEGMENT)
    for place in range(first, 4):
        begin, cut = 1 + place * SEGMENT, 1_200
        hand.send(down=True, seq=begin, ack=9, content=bytes(cut))
        hand.send(down=True, seq=begin + cut, ack=9, content=bytes(SEGMENT - cut))
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT)
    series = hand.series()
    assert len(series) == (10 if first else 0)
    assert np.count_nonzero(series.lost) == (3 if first else 0)


def test_a_needless_repeat_is_no_loss():
    """What had been acknowledged when it was sent again was not lost."""
    hand = opened()
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT)
    hand.send(down=True, seq=1 + SEGMENT, ack=9, content=bytes(SEGMENT))
    assert not hand.series().lost.any()


def test_a_duplicate_report_clears_a_loss():
    """A SACK block below the acknowledgement says that the segment arrived twice (RFC 2883)."""
    hand = opened()
    hand.send(down=True, seq=1 + SEGMENT, ack=9, content=bytes(SEGMENT))
    hand.send(down=True, seq=1 + 2 * SEGMENT, ack=9, content=bytes(SEGMENT))
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT, block=(1 + SEGMENT, 1 + 2 * SEGMENT))
    assert np.flatnonzero(hand.series().lost).tolist() == [2]


@pytest.mark.parametrize(("tells", "known", "lost"), [(False, 6, [0]), (True, 8, [0, 5])])
def test_duplicates_beyond_a_hole_are_lost_only_where_such_are_told(tells, known, lost):
    """A block within another tells of a duplicate (RFC 2883, §4.2); receivers that send none leave its fate open."""
    hand, edges = opened(0.05), [1 + place * SEGMENT for place in range(5)]
    again = {"down": True, "ack": 9, "content": bytes(SEGMENT), "wait": 0.1}
    hand.send(down=False, seq=9, ack=edges[0], block=(edges[1], edges[4]), wait=0.05)
    if tells:
        hand.send(seq=edges[3], **again)
        hand.send(down=False, seq=9, ack=edges[0], block=(edges[3], edges[4], edges[1], edges[4]), wait=0.06)
    hand.send(seq=edges[2], **again)  # needless, and never reported
    hand.send(seq=edges[0], **again)
    hand.send(down=False, seq=9, ack=edges[4], wait=0.06)
    hand.send(seq=edges[1], **again)  # needless, and reported: it was acknowledged
    hand.send(down=False, seq=9, ack=edges[4], block=(edges[1], edges[2]), wait=0.06)
    series = hand.series()
    assert len(series) == known
    assert np.flatnonzero(series.lost).tolist() == lost


@pytest.mark.parametrize(("back", "told"), [(0.0, True), (1.5, False)])
def test_a_clock_that_is_set_back_hides_what_was_lost(back, told):
    """Sorted by such a clock, packets stand in another order than they were sent in: nothing is said of the flow."""
    moved = transfer(5, policer(125_000, 3e4), flows=[Flow(400)], rtt=0.08)
    times = np.array(moved.times)
    times[len(times) // 2 :] -= round(back * 1e9)
    order = np.argsort(times, kind="stable")
    trace = read(times=times[order], frames=[moved.frames[place] for place in order], link_type=RAW_IP)
    assert (len(series_of(trace)) > 0) == told


def test_one_segment_again_and_again_is_no_limit():
    """A sender whose other end is gone repeats its last segments; nobody acknowledges them, and nothing is said."""
    hand = opened()
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT)
    for _ in range(30):
        hand.now += 0.4
        hand.send(down=True, seq=1 + 4 * SEGMENT, ack=9, content=bytes(SEGMENT))
    assert not hand.series().lost.any()
    assert len(Throttling()(trace_of(hand.world.out))) == 0


def test_a_report_tells_which_transmission_arrived():
    """Of three transmissions the one a round trip before the report arrived; the others were lost, unless reported."""
    hand = opened(0.05)
    for wait in (0.2, 0.2):
        hand.send(down=True, seq=1 + SEGMENT, ack=9, content=bytes(SEGMENT), wait=wait)
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT, wait=0.06)
    assert np.flatnonzero(hand.series().lost).tolist() == [1, 4]
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT, block=(1 + SEGMENT, 1 + 2 * SEGMENT))
    assert np.flatnonzero(hand.series().lost).tolist() == [1]


def test_a_report_that_comes_too_soon_answers_an_earlier_transmission():
    """What is acknowledged sooner than the path allows had arrived before: its repeat was needless."""
    hand = opened(0.05)
    hand.send(down=True, seq=1 + SEGMENT, ack=9, content=bytes(SEGMENT), wait=0.04)
    hand.send(down=False, seq=9, ack=1 + 4 * SEGMENT, wait=0.02)
    assert not hand.series().lost.any()


@pytest.mark.parametrize("bottleneck", [lambda: policer(62_500, 3e4), lambda: chance(0.05, np.random.default_rng(3))])
def test_numbers_count_what_was_dropped(bottleneck):
    """Where a sender numbers its packets one by one, the receiver's side knows every loss, and when it happened."""
    moved = transfer(5, bottleneck(), flows=[Flow(900)], rtt=0.08, tap="receiver", numbered=True)
    there = transfer(5, bottleneck(), flows=[Flow(900)], rtt=0.08, tap="sender", numbered=True)
    trace = trace_of(moved)
    assert count_numbers(trace).counts.tolist() == [False, True]
    series = series_of(trace)
    assert series.lost.sum() == moved.dropped
    sent = series_of(trace_of(there))
    late = np.quantile(np.abs(series.time[series.lost] - sent.time[sent.lost][: moved.dropped]), 0.8)
    assert late < 0.16  # two round trips: the way to the receiver, and what bursts are long


@pytest.mark.parametrize("numbered", [False, True])
def test_a_counter_of_the_whole_host_is_not_believed(numbered):
    """A counter that counts other packets as well leaves holes where the stream has none."""
    moved = transfer(6, policer(125_000, 3e4), flows=[Flow(600)], rtt=0.08, tap="receiver", numbered=numbered)
    assert count_numbers(trace_of(moved)).counts[1] == numbered


def crawling(room=100_000, push=0x10):
    """Let a server fall silent again and again, for longer than its timer, and go on with what nobody saw lost."""
    hand = opened(1e-5)
    for place in range(4, 9):
        hand.send(down=False, seq=9, ack=1 + place * SEGMENT, room=room)
        hand.send(down=True, seq=1 + place * SEGMENT, ack=9, content=bytes(SEGMENT), flags=push, wait=1.4)
    return hand


def test_a_silence_in_the_middle_is_a_timer_that_ran_out():
    """1.4 s hold a first loss and attempts after 0.2 and 0.6 s, five times; the last one brings the packet."""
    series = series_of(trace_of(crawling().world.out))
    assert series.upstream
    assert series.lost.sum() == 5 * 3
    last = series.time[series.lost][-3:] - series.time[~series.lost][-2]
    assert last == pytest.approx([0.0, 0.2, 0.6], abs=0.02)


@pytest.mark.parametrize("hand", [lambda: crawling(room=1), lambda: crawling(push=0x18)])
def test_a_full_window_and_a_program_that_pauses_lose_nothing(hand):
    """Silence proves nothing while the receiver has no room, or behind the end of what a program has said."""
    assert series_of(trace_of(hand().world.out)).lost.sum() <= 3  # the first one: it follows segments with room


def echoing(dropped):
    """Let a client acknowledge every segment; the server echoes the last timestamp that it heard."""
    hand = opened(0.05)
    echo = hand.now
    for place in range(4, 40):
        stamp = hand.now + 1e-3
        hand.send(down=False, seq=9, ack=1 + place * SEGMENT, sent=stamp)
        echo = echo if place in dropped else stamp
        again = place - 1 if place in dropped else place
        hand.send(down=True, seq=1 + again * SEGMENT, ack=9, content=bytes(SEGMENT), echo=echo, wait=0.15)
    return trace_of(hand.world.out)


def test_timestamps_tell_which_acknowledgements_were_lost():
    """What is echoed has passed; what stays unechoed while something older comes back was lost."""
    dropped = {8, 9, 10, 20, 30, 31}
    trace = echoing(dropped)
    series = acknowledgement_series(trace, np.array([0]), True)
    places = (series.start - 1) // SEGMENT
    assert set(places[series.lost].tolist()) == dropped
    assert set(places[~series.lost].tolist()) == set(range(4, 40)) - dropped
    assert series.delay[~series.lost] == pytest.approx(0.15, abs=1e-6)
    assert needless_repeats(trace)[1] == 3  # one for each run of them


def test_without_timestamps_nothing_is_known_of_acknowledgements():
    """Nobody echoes what nobody stamps."""
    moved = transfer(9, Bottleneck(lambda _now, _size: 0.0), flows=[Flow(40)], timestamps=False)
    assert len(acknowledgement_series(trace_of(moved), np.array([0]), True)) == 0


def arrived(time, start, payload=1448):
    """Lay packets of one flow out as they arrived."""
    count = len(time)
    one, nothing = np.ones(count), np.zeros(count, np.int64)
    return Series(
        time=np.array(time), size=1514.0 * one, lost=nothing.astype(bool), row=np.arange(count), flow=nothing,
        start=np.array(start), payload=np.full(count, payload), delay=np.nan * one, upstream=True,
    )  # fmt: skip


def spacing_of(pieces):
    """Give the usual spacing of the packets of one flow, on a path of a tenth of a second."""
    return usual_spacing(pieces, Ways.of([Direction(flows=np.array([0]), outbound=False)]), np.array([0.1]))[0]


def test_the_spacing_of_a_sender_counts_what_was_dropped():
    """A sender that sends every two milliseconds does so behind a limit too, where one packet in ten arrives."""
    free, limited = np.arange(20), 20 + 10 * np.arange(20)
    sent = np.append(free, limited)
    assert spacing_of(arrived(0.002 * sent, 1448 * sent)) == pytest.approx(0.002)


def test_numbers_that_jump_far_cost_nothing():
    """A hole of a terabyte is one gap among others, not as many packets to write down."""
    pieces = arrived([0.0, 0.01, 0.02, 0.03], [0, 1448, 1 << 40, (1 << 40) + 1448])
    assert spacing_of(pieces) < 0.01


def generated(rows):
    """Lay generated packets out: a step in time, a size, whether it was lost, and a flow."""
    step, size, lost, flow = (np.array(column) for column in zip(*rows, strict=True))
    laid = arrived(np.cumsum(step), np.arange(len(step)))
    return attrs.evolve(laid, size=1.0 * size, lost=lost, flow=flow, lane=flow)


def same_fates(one, other):
    """Say whether the same became of packets."""
    return all(getattr(one, name).tolist() == getattr(other, name).tolist() for name in ("time", "size", "lost"))


packets = st.lists(
    st.tuples(st.integers(0, 2), st.integers(60, 63), st.booleans(), st.integers(0, 2)), min_size=1, max_size=20
)


@given(packets, st.integers(-1, 9), st.integers(-1, 9))
def test_what_became_of_parts_is_that_of_the_parts(rows, begin, end):
    """Columns taken by themselves, and slices, hold what the whole parts hold, packet by packet."""
    series = generated(rows)
    parts = [series.take(series.flow == flow) for flow in np.unique(series.flow)]
    for part, own, fates in zip(parts, series.parted(series.flow), series.fates_of(series.flow), strict=True):
        assert own.row.tolist() == part.row.tolist()
        assert same_fates(part, fates)
    assert same_fates(fates_together(parts), parts[0].joined(parts[1:]))
    meanwhile = series.take((series.time >= begin) & (series.time <= end))
    assert series.between(begin, end).row.tolist() == meanwhile.row.tolist()
