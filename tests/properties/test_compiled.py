"""What is compiled gives the tables that its twins in numpy give, to the last bit and in the same order."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf import compiled
from netinterf.anomaly.peers import Peers
from netinterf.capture import from_memory, open_capture
from netinterf.errors import CaptureError
from netinterf.flows.assign import assign_flows
from netinterf.flows.rtt import rtt_samples
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.numbering import hash_rows, numbered, numbered_text
from netinterf.protocols.dns_names import lowered
from netinterf.schema import Evidence, Rule
from netinterf.stats.mixture import log_likelihoods, share_grid
from netinterf.table import Ragged, Table, Text
from netinterf.trace import decode_capture
from netinterf.verdict.weigh import pair_suspicions, strongest
from tests.oracles.segments import decoded
from tests.oracles.stacks import every_stack
from tests.properties.test_flows import conversations_on_wire
from tests.properties.test_flows_captures import small_captures

pytestmark = pytest.mark.skipif(not compiled.is_there(), reason="nothing is compiled here (hatch_build.py)")

STACKS = [frame for _, link_type, frame, _, _ in every_stack() if link_type == 1]


def both_ways(function):
    """Call a function with what is compiled, and without."""
    with pytest.MonkeyPatch.context() as patch:
        first = function()
        patch.setattr(compiled, "library", lambda: None)
        return first, function()


def assert_equal(made, pure):
    """Hold all tables of two values against each other."""
    for field in attrs.fields(type(made)):
        left, right = getattr(made, field.name), getattr(pure, field.name)
        if isinstance(left, Table | Ragged):
            assert left.equals(right), field.name
        else:
            assert field.name in ("buffer", "outside") or left == right


@given(conversations_on_wire())
def test_flows_are_equal(segments):
    """Flows, marks, sides and round trips of small conversations, orders included."""

    def tables():
        assigned = assign_flows(*decoded(segments))
        packets = mark_segments(assigned.packets, assigned.flows, assigned.by_flow)
        sides = build_sides(packets, assigned.flows, assigned.by_flow)
        samples = rtt_samples(packets, assigned.flows, assigned.by_flow, sides)
        return packets, assigned.flows, assigned.hosts, assigned.by_flow, sides, samples

    for made, pure in zip(*both_ways(tables), strict=True):
        assert made.equals(pure), type(made)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(STACKS), st.integers(0, 80), st.integers(0, 255)), max_size=60))
def test_frames_are_equal(drawn):
    """Whole traces of many frames, some with one wrong byte."""
    frames = []
    for frame, place, value in drawn:
        damaged = bytearray(frame)
        if place < len(frame) and value:
            damaged[place] = value
        frames.append(bytes(damaged))
    assert_equal(*both_ways(lambda: decode_capture(from_memory(range(len(frames)), frames, 1), partial=True)))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200), st.integers(1, 3000), st.integers(0, 99))
def test_numbers_are_equal(values, count, seed):
    """Keys and strings get the same numbers, and the same rows stand for them, however many meet in the table."""
    rng = np.random.default_rng(seed)
    keys, small = rng.choice(np.array(values, np.uint64), count), rng.integers(-5, count, count)
    words = [key.tobytes()[: key % 9] * int(key % 5) for key in keys]

    def numbers():
        text = Text.of(words)
        return *numbered(keys), *numbered(small), hash_rows(text), numbered_text(text)[0], numbered_text(text)[1].values

    for made, pure in zip(*both_ways(numbers), strict=True):
        assert made.tolist() == pure.tolist()


@given(st.lists(st.tuples(st.floats(-30, 30), st.integers(-1, 3), st.integers(0, 3)), max_size=60), st.booleans())
def test_likelihoods_are_equal(rows, weighted):
    """Those of groups of whom a share is affected, with members that weigh the same."""
    llr, group, weight = np.array(rows + rows, float).reshape(-1, 3).T
    made, pure = both_ways(
        lambda: log_likelihoods(llr, group.astype(int), 4, share_grid(), weight if weighted else None)
    )
    assert made.tolist() == pure.tolist()


SUSPECTED = tuple(Rule(id=word, mechanism="dns", group=word, says="") for word in "ab")


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.5, -0.5, 1.0, -1.0]), st.integers(0, 1)), max_size=40))
def test_the_strongest_are_equal(rows):
    """Of each group of each hypothesis the same observation counts, of equal ones as well."""
    owner, value, rule = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0, int),) * 3
    nothing = Ragged.empty(len(rows), np.int32)
    evidence = Evidence(
        subject=owner.astype(np.int32),
        subject_kind=np.zeros(len(rows), np.uint8),
        rule=rule.astype(np.uint16),
        time=np.zeros(len(rows), np.int64),
        llr=value.astype(np.float64),
        forged=nothing,
        witness=nothing,
        measured=Ragged.empty(len(rows), np.float64),
        rules=SUSPECTED,
    )
    suspicions = pair_suspicions(evidence, owner, ("dns",))
    made, pure = both_ways(lambda: strongest(suspicions, evidence, evidence.llr[suspicions.pair_evidence]))
    assert made.tolist() == pure.tolist()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(-1, 3)), max_size=40))
def test_peers_are_equal(rows):
    """As many share a value, far and near, in either way; of nobody and of one as well."""
    port, unit, value = np.array(rows, np.int64).reshape(-1, 3).T.copy()
    made, pure = both_ways(lambda: Peers.of(port, port, unit).shared(value))
    assert [column.tolist() for column in made] == [column.tolist() for column in pure]


@given(st.lists(st.text("aZ.é[@", max_size=9), max_size=9))
def test_lower_case_is_equal(names):
    """Only letters of ASCII change."""
    made, pure = both_ways(lambda: lowered(Text.of(names)))
    assert list(made) == list(pure) == [name.lower() for name in names]


@pytest.mark.captures
def test_real_captures_are_equal(captures_dir):
    """Whole traces of a sample of real captures."""
    looked = 0
    for path in small_captures(captures_dir, 20):
        try:
            made, pure = both_ways(lambda path=path: decode_capture(open_capture(path)))
        except CaptureError:
            continue
        assert_equal(made, pure)
        looked += 1
    assert looked > 20
