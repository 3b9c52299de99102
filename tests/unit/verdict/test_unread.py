"""What a snapshot length takes away: nothing that was found becomes healthy, and what can be read stays so."""

import io
from collections.abc import Iterator

import attrs
import numpy as np
import pytest

from netinterf.analyzers.run import analyze
from netinterf.capture import write_pcap
from netinterf.schema import Outcome, SubjectKind, TlsKind
from netinterf.simulate import Conditions, Simulated, run
from netinterf.trace import Trace, read
from netinterf.transform import load, to_bytes
from netinterf.verdict import classify
from netinterf.verdict.reasons import Reason
from netinterf.verdict.subjects import list_subjects
from netinterf.verdict.unread import names_missed

OK, INTERFERED, INSUFFICIENT = (
    tuple(Outcome).index(one) for one in (Outcome.OK, Outcome.INTERFERED, Outcome.INSUFFICIENT)
)
BLIND = Reason.SNAPLEN
WHOLE = Conditions(snaplen=0, direction="both", capture_loss=0.0, vantage="client")

FORGERIES = ("dns.forged.iran", "dns.injection", "tls.interception.kazakhstan", "http.blockpage.th-redirect")
"""Scenarios whose forgeries are told by what they say."""


def capture_of(played: Simulated, length: int = 1 << 18) -> bytes:
    """Record what was played with a snapshot length."""
    target = io.BytesIO()
    frames = [frame[:length] for frame in played.frames]
    write_pcap(target, np.array(played.times), frames, played.link_type, lengths=np.array(played.lengths))
    return target.getvalue()


def recorded(played: Simulated, length: int) -> Trace:
    """Read what was recorded."""
    return read(capture_of(played, length))


def judged(played: Simulated, length: int) -> Iterator[tuple[int, int]]:
    """Judge a capture as it is with a snapshot length, and give outcome and reasons of each flow and exchange."""
    trace = recorded(played, length)
    verdicts = classify(analyze(trace), trace)
    single = verdicts.subject_kind != SubjectKind.GROUP
    return zip(verdicts.outcome[single].tolist(), verdicts.reasons[single].tolist(), strict=True)


@pytest.mark.parametrize("scenario", FORGERIES)
def test_what_is_found_in_whole_packets_is_not_healthy_in_cut_ones(scenario: str) -> None:
    """However much is cut: where a forgery was found, it is found again, or it is said that too little was kept."""
    played = run(scenario, 11, WHOLE)
    before = [outcome for outcome, _ in judged(played, 1 << 18)]
    assert INTERFERED in before
    for length in (64, 96, 128, 256, 400):
        after = list(judged(played, length))
        assert len(after) == len(before)
        assert [now for was, now in zip(before, after, strict=True) if was == INTERFERED and now[0] == OK] == []


def test_answers_that_were_cut_say_nothing_and_whole_ones_do() -> None:
    """Lookups whose answers are beyond the snapshot length are no healthy ones; with whole packets they are."""
    played = run("dns.injection", 11, WHOLE)
    assert not any(reasons & BLIND for _, reasons in judged(played, 1 << 18))
    cut = list(judged(played, 64))
    assert sum(outcome == INSUFFICIENT and reasons & BLIND != 0 for outcome, reasons in cut) > len(cut) / 2


def test_where_certificates_are_encrypted_a_whole_hello_suffices() -> None:
    """Up to TLS 1.2 a certificate that was cut is missed; from TLS 1.3 on there is none to be read."""
    played = run("benign.tcp.traffic", 11, WHOLE)
    whole, cut, bare = (list(judged(played, length)) for length in (1 << 18, 400, 96))
    healthy = [number for number, (outcome, _) in enumerate(whole) if outcome == OK]
    assert any(cut[number][0] == OK for number in healthy)
    assert not any(reasons & BLIND for _, reasons in whole)
    assert any(bare[number][1] & Reason.SNAPLEN for number in healthy)


@pytest.mark.parametrize("scenario", ["benign.tcp.traffic", "dns.drop", "dns.injection"])
def test_what_was_cut_changes_nothing_of_what_worked(scenario: str) -> None:
    """Who was answered is seen in cut packets too, so what others are compared with stays what it is."""
    played = run(scenario, 11, WHOLE)
    whole, cut = (recorded(played, length) for length in (1 << 18, 96))
    before, after = (list_subjects(trace, analyze(trace)) for trace in (whole, cut))
    assert after.reasons.tolist() == before.reasons.tolist()
    assert np.any(after.unseen & Reason.SNAPLEN)
    assert not np.any(before.unseen & Reason.SNAPLEN)


def test_a_certificate_says_nothing_without_the_name_that_was_asked_for() -> None:
    """Where the recorder missed the hello, whoever showed a certificate may have shown somebody else's."""
    played = run("tls.interception.kazakhstan", 11, WHOLE)
    trace = recorded(played, 1 << 18)
    tls = trace.tls
    frames = load(capture_of(played))
    hello = tls.packet[tls.outbound & (tls.kind == TlsKind.CLIENT_HELLO)]
    after = read(to_bytes(frames.take(~np.isin(np.arange(len(frames)), hello))))
    verdicts = classify(analyze(after), after)
    shown = np.unique(after.tls.flow[after.tls.kind == TlsKind.CERTIFICATE])
    assert len(shown)
    mine = np.isin(verdicts.flow, shown) & (verdicts.subject_kind == SubjectKind.FLOW)
    assert OK not in verdicts.outcome[mine]
    assert np.any(verdicts.reasons[mine] & Reason.TOO_FEW)


def test_a_hello_that_was_captured_and_not_understood_was_not_missed() -> None:
    """Clients that begin as in SSL 2.0, or with anything else, name nobody: nothing is missing from the recording."""
    played = run("tls.interception.kazakhstan", 11, WHOLE)
    frames = load(capture_of(played))
    trace = recorded(played, 1 << 18)
    hello = trace.tls.packet[trace.tls.outbound & (trace.tls.kind == TlsKind.CLIENT_HELLO)]
    content = np.array(frames.buffer)
    for row in hello.tolist():
        content[frames.packets.payload_start[row]] = 0x80  # the first byte of a hello of SSL 2.0
    after = read(to_bytes(attrs.evolve(frames, buffer=content)))
    shown = np.unique(after.tls.flow[after.tls.kind == TlsKind.CERTIFICATE])
    assert len(shown)
    assert not names_missed(after)[shown].any()
