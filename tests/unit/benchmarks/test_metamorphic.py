"""What the comparison of changed captures would notice, and how it is counted."""

from itertools import islice

import attrs
import numpy as np
import pytest

from benchmarks.metamorphic import changing
from benchmarks.metamorphic.changing import PAIR, change_all, in_company, merge_pair
from benchmarks.metamorphic.command import gathered, pairs_of
from benchmarks.metamorphic.comparing import UNSEEN, About, compare, look
from benchmarks.metamorphic.sources import Origin, simulated, simulated_bytes, spread
from benchmarks.metamorphic.tables import sections, verdict
from netinterf.schema import TcpFlag
from netinterf.trace import read
from netinterf.transform import Change, Frames, Kind, load, to_bytes

RESETS = Origin(file="resets", scenario="tcp.reset.cn-gfw-many", seed=3)


def without_resets(frames: Frames) -> Frames:
    """Take away what findings rest on."""
    return frames.take((frames.packets.tcp_flags & np.uint16(TcpFlag.RST)) == 0)


def without_first_frames(frames: Frames) -> Frames:
    """Let the first frame of every conversation go: subjects stay, though they begin elsewhere."""
    _, first = np.unique(frames.packets.flow, return_index=True)
    return frames.take(~np.isin(np.arange(len(frames)), first))


def found(monkeypatch: pytest.MonkeyPatch, kind: Kind, apply) -> dict:
    """Count what a change of our own does."""
    monkeypatch.setattr(changing, "ALL", (Change(name="as pcap", kind=kind, apply=apply),))
    return gathered([change_all(RESETS)])


def test_findings_that_go_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As neutral they differ; as lossy they are steps from one outcome to another, and nobody is accused."""
    moved = found(monkeypatch, Kind.NEUTRAL, without_resets)
    gone = [flip for flip in moved["flips"] if flip.before.startswith("interfered")]
    assert len(gone) >= 3
    assert {flip.what for flip in gone} == {"differs"}
    lossy = found(monkeypatch, Kind.LOSSY, without_resets)
    steps = lossy["changes"]["as pcap"]["simulated"]["transitions"]
    assert sum(count for (old, new), count in steps.items() if old == "interfered" != new) == len(gone)
    assert {flip.what.partition(UNSEEN)[1] for flip in lossy["flips"]} == {UNSEEN}


def test_subjects_are_found_by_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lost the first frame is the same subject."""
    moved = found(monkeypatch, Kind.LOSSY, without_first_frames)
    steps = moved["changes"]["as pcap"]["simulated"]["transitions"]
    assert sum(steps.values()) > 5
    assert not [step for step in steps if "gone" in step]


def test_accusations_are_noticed() -> None:
    """Seen from the capture without its resets, the one with them accuses; its frames are the other's by number."""
    whole = load(simulated_bytes(RESETS.scenario, RESETS.seed))
    kept = (whole.packets.tcp_flags & np.uint16(TcpFlag.RST)) == 0
    before = look(read(to_bytes(whole.take(kept))))
    about = About(change="as pcap", kind=Kind.LOSSY, file="resets", simulated=True)
    found = compare(before, look(read(to_bytes(whole))), np.where(kept, np.cumsum(kept), 0), about)
    assert {flip.what for flip in found.flips} == {"accused"}
    assert all("interfered" in flip.after and "interfered" not in flip.before for flip in found.flips)
    same = np.arange(1, len(before.trace.packets) + 1)
    for kind in Kind:
        assert not compare(before, before, same, attrs.evolve(about, kind=kind)).flips


def test_company_is_of_other_hosts() -> None:
    """It lies within the capture's time, and nobody of it is in the capture."""
    frames = load(simulated_bytes("benign.tcp.traffic", 4))
    both = in_company(frames)
    new = both.packets.frame > frames.packets.frame.max()
    assert new.any()
    assert (both.packets.time >= frames.packets.time.min()).all()
    assert (both.packets.time <= frames.packets.time.max()).all()
    trace = read(to_bytes(both, file_format="pcapng"))
    other = np.isin(trace.packets.frame, np.flatnonzero(new) + 1)
    flows = [set(trace.packets.flow[rows].tolist()) for rows in (other, ~other)]
    ends = [{*trace.flows.client[list(part)].tolist(), *trace.flows.server[list(part)].tolist()} for part in flows]
    assert ends[0].isdisjoint(ends[1])


def test_pairs_share_no_host() -> None:
    """A capture is not merged with itself; drawn pairs are the same each time."""
    assert merge_pair((RESETS, RESETS)) == ()
    origins = simulated([1, 2], "tcp.reset*")
    first, again = (list(islice(pairs_of(origins), 20)) for _ in range(2))
    assert first == again
    assert all(one is not other for one, other in first)
    assert list(pairs_of(origins[:1])) == []


def test_captures_are_taken_evenly() -> None:
    """At most so many of the whole list, first and last among them."""
    origins = simulated([1], "*")
    assert spread(origins, None) == origins == spread(origins, 10_000)
    few = spread(origins, 5)
    assert len({one.file for one in few}) == 5
    assert (few[0], few[-1]) == (origins[0], origins[-1])


def test_tables_count_what_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moved subjects, steps with what they are of, and one line for each demand."""
    moved = found(monkeypatch, Kind.NEUTRAL, without_resets)
    count, subjects = len(moved["flips"]), moved["changes"]["as pcap"]["simulated"]["subjects"]
    counted, steps, listed = sections(moved)
    assert counted.rows == [["as pcap", "neutral", 1, subjects, count, 1, 0, 0, 0, 0]]
    assert {row[1].split(" → ")[0] for row in steps.rows} == {"interfered"}
    assert {row[0] for row in listed.rows} == {"as pcap"}
    assert verdict(moved).splitlines()[0] == f"neutral: {count} of {subjects} subjects differ"
    assert PAIR not in moved["changes"]
