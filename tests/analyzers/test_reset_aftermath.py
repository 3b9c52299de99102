"""What comes right behind a reset, and what comes with it: the numbers say who had written first."""

from pathlib import Path

import numpy as np
import pytest

from netinterf.analyzers.rst_injection import RstInjection
from netinterf.trace import Trace, read
from tests.analyzers.talk import Talk

SOON = 0.003  # ms: in the same breath


def found(trace: Trace) -> dict[str, float]:
    """Name the rules that fired on any flow, with their weights."""
    evidence = RstInjection()(trace)
    return {evidence.rules[code].id: float(llr) for code, llr in zip(evidence.rule, evidence.llr, strict=True)}


def typed(talk: Talk, lines: int = 4) -> tuple[float, int]:
    """Send a request line by line, each acknowledged but the last; returns its time and the number behind it."""
    at, seq = talk.open(), 101
    for line in range(lines):
        at += 300
        talk.send("C", "PA", seq, 901, at=at, data=b"GET / HT\r\n")
        seq += 10
        if line < lines - 1:
            talk.send("S", "A", 901, seq, at=at + talk.rtt)
    return at, seq


@pytest.mark.parametrize("copies", [1, 3])
def test_bytes_from_the_number_of_a_reset_on_were_not_sent_before_it(copies: int) -> None:
    """The server's answer comes microseconds behind the reset, which says that nothing was sent there yet."""
    talk = Talk(stamps=False)
    sent, end = typed(talk)
    for copy in range(copies):
        talk.send("S", "RA", 901, end, at=sent + 101 + copy * SOON / 10, ttl=121, id=27204, window=2977)
    talk.send("S", "A", 901, end, at=sent + 101 + SOON)
    talk.send("S", "PA", 901, end, at=sent + 101 + SOON, data=b"y" * 300)
    signs = found(talk.trace())
    assert signs["rst.alive_after"] == 5.0
    assert ("rst.burst" in signs) == (copies == 3)  # one segment was left to answer, whatever came before
    assert "rst.alive_beside" not in signs


def test_a_reset_that_overtook_its_senders_data_is_no_forgery() -> None:
    """A host that aborts after an answer resets behind its bytes, also when the network swaps the two."""
    talk = Talk(stamps=False)
    sent, end = typed(talk)
    answer = {"data": b"y" * 300, "id": 9000}
    talk.send("S", "RA", 1201, end, at=sent + 101, id=9001)
    talk.send("S", "PA", 901, end, at=sent + 101 + SOON, **answer)
    assert not {"rst.alive_after", "rst.alive_beside"} & set(found(talk.trace()))


def test_a_host_resets_at_the_end_of_a_full_window() -> None:
    """What lies behind the window was not sent, and what a host still writes there answers a probe of its own."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0, window=256)
    talk.send("S", "SA", 900, 101, at=100)
    talk.send("C", "PA", 101, 901, at=101, data=b"x" * 10, window=2)
    talk.send("S", "PA", 901, 111, at=201, data=b"y" * 256)
    talk.send("C", "A", 111, 1157, at=202, window=0)
    talk.send("S", "RA", 1157, 111, at=302, id=9001)
    talk.send("S", "A", 1157, 111, at=302 + SOON, data=b"z")
    assert "rst.alive_after" not in found(talk.trace())


@pytest.mark.parametrize(("number", "told"), [(30_000, True), (7_500, False)])
def test_an_acknowledgement_beside_a_bare_reset_says_a_little(number: int, told: bool) -> None:
    """It may have been sent first, and sometimes its IP ID says that it was."""
    talk = Talk(stamps=False)
    sent, end = typed(talk)
    talk.send("S", "R", 901, 0, at=sent + 101, id=7_502, window=20_092)
    talk.send("S", "A", 901, end, at=sent + 101 + SOON, id=number)
    signs = found(talk.trace())
    assert ("rst.alive_beside" in signs) == told
    assert "rst.alive_after" not in signs


@pytest.mark.parametrize(("tries", "told"), [(1, True), (3, False)])
def test_resets_that_repeat_themselves_need_as_many_packets(tries: int, told: bool) -> None:
    """Three that acknowledge one request are a burst; a request that was sent three times draws three."""
    talk = Talk(stamps=False)
    sent, end = typed(talk)
    for again in range(1, tries):
        talk.send("C", "PA", end - 10, 901, at=sent + again, data=b"GET / HT\r\n")
    for place in range(3):
        talk.send("S", "RA", 901, end, at=sent + 101 + place, id=27_000 + 999 * place)
    assert ("rst.burst" in found(talk.trace())) == told


@pytest.mark.parametrize(("ttl", "told"), [(111, False), (239, False), (62, True), (209, True)])
def test_a_server_behind_a_front_end_has_two_hop_limits(ttl: int, told: bool) -> None:
    """One device greets and another answers: a reset like either is theirs, one like neither is foreign."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=100, ttl=239)
    talk.send("C", "PA", 101, 901, at=101, data=b"GET / HT\r\n")
    talk.send("S", "PA", 901, 111, at=201, data=b"y" * 300, ttl=111)
    talk.send("S", "RA", 1201, 111, at=300, ttl=ttl)
    assert bool({"rst.ttl", "rst.ttl_class"} & set(found(talk.trace()))) == told


def shot_past(connections: int, *, late: float = 20, goes_on: bool = True) -> Trace:
    """Play requests that draw bare resets with random numbers and windows, and answers all the same."""
    talk = Talk()
    for place in range(connections):
        talk.port += 1
        sent, end = talk.request(talk.open(1000.0 * place))
        for shot in range(2):
            number = (901 + 1_234_567_891 * (place + 1) + 987_654_321 * shot) % (1 << 32)
            talk.send("S", "R", number, 0, at=sent + late + shot, ttl=121, stamped=False, window=977 + 911 * shot)
        if goes_on:
            talk.send("S", "PA", 901, end, at=sent + late + 81, data=b"y" * 100)
            talk.send("C", "A", end, 1001, at=sent + late + 82)
    return talk.trace()


def test_resets_that_miss_each_window_show_who_shoots() -> None:
    """The connections go on, since their ends ignore such numbers; still they were attacked."""
    trace = shot_past(3)
    evidence = RstInjection()(trace)
    assert "rst.ignored" in found(trace)
    assert len(np.unique(evidence.subject)) == 3
    assert {int(row) for rows in evidence.forged for row in rows} == set(np.flatnonzero(trace.packets.tcp_flags & 4))
    assert "rst.alive_after" not in found(trace)


@pytest.mark.parametrize("trace", [shot_past(2), shot_past(3, late=300), shot_past(3, goes_on=False)])
def test_left_overs_of_older_connections_miss_by_accident(trace: Trace) -> None:
    """Once or twice, at any time, or where nothing went on: numbers of another connection prove nothing."""
    assert "rst.ignored" not in found(trace)
    assert "rst.seq_change" not in found(trace)


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "expected", "rules"),
    [
        ("amoebaprotozoa-cs161project3", {29, 30, 31, 36}, {"rst.alive_after", "rst.burst", "rst.cloned_id"}),
        ("jcjackchen-pcap", {17}, {"rst.alive_beside", "rst.bare_window"}),
    ],
)
def test_answers_right_behind_forged_resets(captures_dir: Path, name: str, expected: set[int], rules: set[str]) -> None:
    """Resets written by a box on the way, 1 to 7 microseconds before the server's own answer came by."""
    trace = read(captures_dir / "positive" / name / "question1.pcap")
    evidence = RstInjection()(trace)
    frames = {int(frame) for rows in evidence.forged for frame in trace.packets.frame[rows]}
    assert expected == frames
    assert rules <= {evidence.rules[code].id for code in evidence.rule}
