"""Round trips and sides on short conversations."""

import numpy as np
import pytest

from netinterf.flows.assign import assign_flows
from netinterf.flows.grouping import mix
from netinterf.flows.rtt import rtt_samples, with_rtt
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.schema import RttKind
from tests.oracles.segments import Segment, client, decoded, server

pytestmark = pytest.mark.usefixtures("each_way")

MS = 1_000_000
BASE = 1_700_000_000_000 * MS


def at(milliseconds, segment):
    """Let a segment pass at a time."""
    made = {name: getattr(segment, name) for name in Segment.__match_args__}
    return Segment(**made | {"time": BASE + round(milliseconds * MS)})


def measured(*segments):
    """Give sides with round trips, and samples as (kind, side, ms, asked, answer)."""
    assigned = assign_flows(*decoded(segments))
    packets = mark_segments(assigned.packets, assigned.flows, assigned.by_flow)
    sides = build_sides(packets, assigned.flows, assigned.by_flow)
    samples = rtt_samples(packets, assigned.flows, assigned.by_flow, sides)
    rows = [(RttKind(row.kind), row.side, row.value / MS, row.asked, row.packet) for row in samples.rows()]
    return with_rtt(sides, samples), sorted(rows)


HELLO = [at(0, client("S", 99)), at(30, server("SA", 499, 100)), at(32, client("A", 100, 500))]
HANDSHAKE = [(RttKind.HANDSHAKE, 0, 2.0, 1, 2), (RttKind.HANDSHAKE, 1, 30.0, 0, 1)]


def test_handshake_gives_both_halves():
    """SYN to SYN/ACK measures the server's half, SYN/ACK to ACK the client's."""
    sides, samples = measured(*HELLO)
    assert samples == HANDSHAKE
    assert sides.rtt.tolist() == [2 * MS, 30 * MS]
    assert sides.rtt_samples.tolist() == [1, 1]


def test_repeated_syn_gives_no_sample():
    """Which of two SYNs was answered cannot be known (Karn)."""
    sides, samples = measured(at(0, client("S", 99)), at(1000, client("S", 99)), at(1030, server("SA", 499, 100)))
    assert samples == []
    assert sides.rtt.tolist() == [-1, -1]


def test_refused_connection_gives_no_sample():
    """A reset answers a SYN but is never a sample."""
    assert measured(at(0, client("S", 99)), at(30, server("RA", 0, 100)))[1] == []


def test_data_is_timed_by_the_first_acknowledgement_that_covers_it():
    """The newest of the segments that one acknowledgement covers is timed, not the oldest."""
    data = [at(40, client("A", 100, 500, 10)), at(45, client("A", 110, 500, 10))]
    samples = measured(*HELLO, *data, at(50, server("A", 500, 105)), at(75, server("A", 500, 120)))[1]
    assert samples == [*HANDSHAKE, (RttKind.DATA, 1, 30.0, 4, 6)]


def test_repeated_data_is_not_timed():
    """A segment sent twice, or acknowledged together with one that was, gives no sample."""
    data = [at(40, client("A", 100, 500, 10)), at(41, client("A", 110, 500, 10)), at(300, client("A", 100, 500, 10))]
    assert measured(*HELLO, *data, at(330, server("A", 500, 120)))[1] == HANDSHAKE


def test_repeats_after_the_answer_do_no_harm():
    """What was answered before the needless repeat keeps its sample."""
    segments = [at(40, client("A", 100, 500, 10)), at(70, server("A", 500, 110)), at(71, client("A", 100, 500, 10))]
    assert measured(*HELLO, *segments)[1] == [*HANDSHAKE, (RttKind.DATA, 1, 30.0, 3, 4)]


def test_data_behind_a_hole_is_not_timed():
    """While a hole is outstanding the acknowledgement waits for its filling, so nothing is timed."""
    segments = [at(40, client("A", 110, 500, 10)), at(300, client("A", 100, 500, 10)), at(330, server("A", 500, 120))]
    assert measured(*HELLO, *segments)[1] == HANDSHAKE


def test_wild_acknowledgements_do_not_answer():
    """A packet that acknowledges what was never sent neither answers nor hides the true answer."""
    segments = [at(40, client("A", 100, 500, 10)), at(41, server("A", 500, 90_000)), at(70, server("A", 500, 110))]
    assert (RttKind.DATA, 1, 30.0, 3, 5) in measured(*HELLO, *segments)[1]


def test_timestamps_time_through_loss():
    """The echo of a timestamp times even a repeated segment, and only where the option is used."""
    lost = at(40, client("A", 100, 500, 10, tsval=1000, tsecr=5))
    again = at(300, client("A", 100, 500, 10, tsval=1260, tsecr=5))
    answer = at(330, server("A", 500, 110, tsval=77, tsecr=1260))
    assert measured(*HELLO, lost, again, answer)[1] == [*HANDSHAKE, (RttKind.TIMESTAMP, 1, 30.0, 4, 5)]


def test_echo_without_progress_is_no_sample():
    """A stale echo on data that acknowledges nothing new says nothing about the round trip."""
    data = at(40, client("A", 100, 500, 10, tsval=1000, tsecr=5))
    first = at(70, server("A", 500, 110, tsval=77, tsecr=1000))
    later = at(900, server("A", 500, 110, 30, tsval=900, tsecr=1000))
    samples = measured(*HELLO, data, first, later)[1]
    assert samples[2:] == [(RttKind.DATA, 1, 30.0, 3, 4), (RttKind.TIMESTAMP, 1, 30.0, 3, 4)]


def test_no_flows_give_no_samples():
    """Nothing in, nothing out."""
    sides, samples = measured()
    assert (len(sides), samples) == (0, [])


def test_sides_sum_up_what_was_sent():
    """Highest numbers, initial numbers and first packets of each kind are told per side."""
    segments = [at(40, client("PA", 100, 500, 10)), at(70, server("FA", 500, 110)), at(80, client("R", 110))]
    sides, _ = measured(*HELLO, *segments)
    assert sides.isn.tolist() == [99, 499]
    assert sides.sent.tolist() == [11, 2]
    assert sides.acked.tolist() == [11, 1]
    assert sides.packets.tolist() == [4, 2]
    assert sides.payload_bytes.tolist() == [10, 0]
    assert (sides.syn.tolist(), sides.fin.tolist(), sides.rst.tolist()) == ([0, 1], [-1, 4], [5, -1])
    assert (sides.first_payload.tolist(), sides.first.tolist(), sides.last.tolist()) == ([3, -1], [0, 1], [5, 4])


def test_side_that_was_not_captured_is_empty():
    """Of a side without packets only what the other acknowledged is known."""
    sides, _ = measured(at(0, server("SA", 499, 100)), at(5, server("A", 500, 150)))
    assert sides.packets.tolist() == [0, 2]
    assert sides.first.tolist() == [-1, 0]
    assert sides.sent.tolist() == [-1, 1]
    assert sides.acked.tolist() == [51, -1]
    assert sides.isn.tolist() == [99, 499]


def test_datagrams_have_sides_too():
    """UDP packets are counted; sequence numbers stay unknown."""
    asked = Segment(protocol=17, payload=30, target=("198.51.100.7", 53))
    sides, samples = measured(asked, asked.reversed())
    assert sides.payload_bytes.tolist() == [30, 30]
    assert (sides.sent.tolist(), samples) == ([-1, -1], [])


def test_timestamps_that_mix_alike_are_kept_apart():
    """Among many packets the mixes of these two differ in the bits that make room for row numbers alone."""
    first, other, many = 14419960, 17149714, 1 << 14
    rows = (2 * (many + len(HELLO) + 4)).bit_length()
    mixed = mix(np.array([first, other], np.uint64)) >> np.uint64(rows)
    assert mixed[0] == mixed[1]
    silence = [at(35, client("A", 100, 500))] * many
    asked = [at(40 + n, client("A", 100 + n, 500, 1, tsval=value)) for n, value in enumerate((first, other))]
    answers = [at(50 + n, server("A", 500, 101 + n, tsval=7, tsecr=value)) for n, value in enumerate((first, other))]
    _, samples = measured(*HELLO, *silence, *asked, *answers)
    assert [sample[1:3] for sample in samples if sample[0] == RttKind.TIMESTAMP] == [(1, 10.0), (1, 10.0)]
