"""What the end of a recording leaves off in its middle is neither a failure nor a success: too little was recorded."""

from collections.abc import Sequence

import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP

from netinterf.analyzers.run import analyze
from netinterf.schema import SubjectKind
from netinterf.trace import Trace, read
from netinterf.verdict import classify
from netinterf.verdict.left_off import cut_short, left_off
from netinterf.verdict.reasons import Reason, causes

SECOND = 1_000_000_000
CLIENT, SERVER = "192.0.2.1", "198.51.100.2"
REQUEST = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n"
TRIP = 0.05

Step = tuple[float, str, str, int, int, bytes]
"""Seconds, ``>`` from the client or ``<``, flags, relative sequence number, acknowledgement, payload."""

OPENED: list[Step] = [
    (0.0, ">", "S", 0, 0, b""),
    (TRIP, "<", "SA", 0, 1, b""),
    (TRIP, ">", "A", 1, 1, b""),
    (TRIP, ">", "PA", 1, 1, REQUEST),
]
ASKED = 1 + len(REQUEST)
WHOLE = HEAD + bytes(3000)


def says(at: float, answer: bytes, *, flags: str = "PA") -> list[Step]:
    """Let the server answer, and the client acknowledge."""
    return [(at, "<", flags, 1, ASKED, answer), (at, ">", "A", ASKED, 1 + len(answer), b"")]


def recorded(steps: Sequence[Step], until: float, *, away: float = 0.0) -> Trace:
    """Record one conversation, so many seconds away from its client, until somebody else sends a datagram."""
    taken = []
    for at, way, flags, number, ack, payload in [*OPENED, *steps]:
        out = way == ">"
        ip = IP(src=CLIENT, dst=SERVER) if out else IP(src=SERVER, dst=CLIENT)
        ports = {"sport": 40000, "dport": 80} if out else {"sport": 80, "dport": 40000}
        numbers = {"seq": (1000 if out else 5000) + number, "ack": (5000 if out else 1000) + ack if "A" in flags else 0}
        taken.append((at + away if out else at - away, bytes(ip / TCP(flags=flags, **ports, **numbers) / payload)))
    taken.append((until, bytes(IP(src=CLIENT, dst="198.51.100.9") / UDP(sport=9, dport=9) / b"later")))
    taken.sort(key=lambda one: one[0])
    return read(times=[int(at * SECOND) for at, _ in taken], frames=[frame for _, frame in taken], link_type=101)


def reasons(trace: Trace) -> list[Reason]:
    """Give the reasons of the verdict on the first conversation."""
    return [cause.reason for cause in causes(int(classify(analyze(trace), trace).reasons[0]))]


RESENT = [(0.5, ">", "PA", ASKED, 1 + len(WHOLE), REQUEST), (0.8, ">", "PA", ASKED, 1 + len(WHOLE), REQUEST)]
"""A second request over the same connection, and once more."""

HEARD = (0.9, "<", "A", 1 + len(WHOLE), ASKED + len(REQUEST), b"")


@pytest.mark.parametrize(
    ("steps", "until"),
    [
        (says(0.1, WHOLE[:1400]), 0.1 + 2.5 * TRIP),  # half of what was announced, and nothing for longer than a trip
        (says(0.1, WHOLE[:1400], flags="A"), 1.0),  # the stack had more to send, whatever it was
        ([*says(0.1, WHOLE), *RESENT], 1.0),  # a second request is being sent again
    ],
    ids=["half an answer", "in the middle of a write", "a second request"],
)
def test_what_had_faltered_when_the_recording_ended_is_open(steps: list[Step], until: float) -> None:
    """The reason says that the capture ended too early."""
    trace = recorded(steps, until)
    assert left_off(trace)[0]
    assert reasons(trace) == [Reason.ENDED_EARLY]


@pytest.mark.parametrize(
    ("steps", "until"),
    [
        (says(0.1, WHOLE), 1.0),  # all of it came, and the connection stays open
        (says(0.1, WHOLE[:1400]), 0.1 + 1.5 * TRIP),  # more may be on its way
        ([*says(0.1, WHOLE), *RESENT, HEARD], 1.0),  # what was sent again was heard
        ([*says(0.1, WHOLE), *RESENT[:1]], 0.6),  # sent once, just now
        ([*says(0.1, WHOLE[:1400]), (0.2, ">", "FA", ASKED, 1401, b"")], 1.0),  # the client had enough
        ([*says(0.1, WHOLE[:1400]), (0.2, ">", "R", ASKED, 0, b"")], 1.0),
    ],
    ids=["whole", "running", "heard", "once", "closed", "aborted"],
)
def test_what_runs_or_is_over_is_not(steps: list[Step], until: float) -> None:
    """A connection that is idle, under way, or was given up by its client worked."""
    trace = recorded(steps, until)
    assert not left_off(trace)[0]
    assert reasons(trace) == []


def test_the_whole_path_counts_as_a_round_trip() -> None:
    """Recorded beside the server, its silence is held against the time to the client and back."""
    beside = recorded(says(0.1, WHOLE[:1400]), 0.1 - TRIP / 2 + 1.5 * TRIP, away=TRIP / 2)
    assert beside.sides.rtt[:2].tolist() == [int(TRIP * SECOND), 0]
    assert not left_off(beside)[0]
    assert left_off(recorded(says(0.1, WHOLE[:1400]), 0.1 - TRIP / 2 + 2.5 * TRIP, away=TRIP / 2))[0]


def test_beyond_the_wait_analyzers_speak() -> None:
    """Who was silent for as long as an answer is waited for is nobody's open case."""
    assert not left_off(recorded(says(0.1, WHOLE[:1400]), 4.0))[0]


def resolved(answers: Sequence[tuple[float, float]], until: float) -> Trace:
    """Record questions to one resolver, each at a time and with the seconds that its answer takes."""
    taken = [(until, bytes(IP(src=CLIENT, dst="198.51.100.9") / UDP(sport=9, dport=9) / b"later"))]
    for number, (at, took) in enumerate(answers):
        question = DNSQR(qname=f"name{number}.example.com")
        answer = DNSRR(rrname=question.qname, rdata="203.0.113.5")
        out, back = UDP(sport=40000 + number, dport=53), UDP(sport=53, dport=40000 + number)
        taken.append((at, bytes(IP(src=CLIENT, dst=SERVER) / out / DNS(id=number, rd=1, qd=question))))
        reply = DNS(id=number, qr=1, ra=1, qd=question, an=answer)
        taken.append((at + took, bytes(IP(src=SERVER, dst=CLIENT) / back / reply)))
    taken.sort(key=lambda one: one[0])
    return read(times=[int(at * SECOND) for at, _ in taken], frames=[frame for _, frame in taken], link_type=101)


SETTLED = [(0.0, 0.03), (1.0, 0.04), (2.0, 0.05)]
"""Questions that a resolver answers after 30 to 50 ms."""


@pytest.mark.parametrize(
    ("last", "until", "open_ones"),
    [
        ([(3.0, 0.002)], 3.02, [3]),  # the answer came, and 20 ms tell nothing about another one
        ([(3.0, 0.002), (3.001, 0.002)], 3.02, [3, 4]),  # and two do not speak for each other
        ([(3.0, 0.002)], 3.031, []),  # the resolver has answered as fast
        ([(2.9, 0.002), (3.0, 0.002)], 3.02, []),  # the resolver has answered as fast, out of its cache
        ([(3.0, 0.03)], 3.03, []),
    ],
    ids=["sooner than ever", "two at once", "not sooner", "as fast before", "as fast"],
)
def test_a_question_is_open_that_was_answered_sooner_than_ever_and_not_for_longer(
    last: list[tuple[float, float]], until: float, open_ones: list[int]
) -> None:
    """The resolver's own answer may have come later; where it always takes as long as that, nothing is missing."""
    trace = resolved([*SETTLED, *last], until)
    assert cut_short(trace).nonzero()[0].tolist() == open_ones
    verdicts = classify(analyze(trace), trace)
    reasons = [causes(int(bits)) for bits in verdicts.reasons[verdicts.subject_kind == SubjectKind.EXCHANGE]]
    ended_early = [
        place for place, own in enumerate(reasons) if [cause.reason for cause in own] == [Reason.ENDED_EARLY]
    ]
    assert ended_early == open_ones


def test_one_question_alone_has_nothing_to_be_compared_with() -> None:
    """What the resolver takes is not known, so nothing is missing."""
    assert not cut_short(resolved([(0.0, 0.002)], 0.003)).any()
