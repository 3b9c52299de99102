"""The published signatures against a slow reading of the paper, connection by connection."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from benchmarks.rivals.cloudflare import Seen, cloudflare, signature
from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.run import analyze
from netinterf.analyzers.tampering_signatures import TamperingSignatures
from netinterf.analyzers.tampering_signatures.analyzer import Received, signatures_of
from netinterf.analyzers.tampering_signatures.rules import SIGNATURES
from netinterf.simulate import Conditions, run, scenarios
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from tests.analyzers.talk import Talk, fired

NAMES = [
    name
    for name in (play.name for play in scenarios())
    if name.startswith(("tcp.", "benign.tcp.", "http.", "protocol."))
]


def played(name: str, seed: int, vantage: str) -> Trace:
    """Read a simulated capture from one place."""
    found = run(name, seed, Conditions(vantage=vantage))
    return read(times=found.times, frames=found.frames, link_type=found.link_type, vantage=vantage)


def test_signatures_are_those_of_a_slow_reading() -> None:
    """One capture of every TCP scenario, near the server: same connections, same signature; most of them occur."""
    seen = Counter[str]()
    for place, name in enumerate(NAMES):
        trace = played(name, place % 5, "server")
        found = TamperingSignatures()(trace)
        ours = {
            int(flow): SIGNATURES[found.rules[rule].id.removeprefix("signature.")]
            for flow, rule in zip(found.subject, found.rule, strict=True)
        }
        theirs = {call.row: call.says for call in cloudflare(trace)}
        assert ours == theirs, name
        seen.update(theirs.values())
    assert len(seen) >= 14, sorted(set(SIGNATURES.values()) - set(seen))


def test_every_count_has_the_signature_of_a_slow_reading() -> None:
    """All combinations of small counts, and all 19 signatures among them."""
    counts = list(
        product((0, 1), (0, 1, 2), (0, 1), ((), (7,), (0,), (7, 7), (7, 8), (0, 7)), (0, 1, 2), (False, True))
    )
    columns = [np.array([one[place] for one in counts]) for place in (0, 1, 2, 4, 5)]
    bare = np.array([len(one[3]) for one in counts])
    seen = Received(
        flow=np.arange(len(counts)),
        last=np.arange(len(counts)),
        packets=np.ones(len(counts), np.int64),
        acks=columns[0],
        data=columns[1],
        late=columns[2],
        bare=bare,
        fields=np.array([len(set(one[3])) for one in counts]),
        zero=np.array([0 in one[3] for one in counts]),
        acking=columns[3],
        silent=columns[4],
    )
    ours = [list(SIGNATURES.values())[code] if code >= 0 else "" for code in signatures_of(seen).tolist()]
    theirs = [
        signature(Seen(acks=acks, data=data, late=late, resets=fields, reset_acks=acked, silent=silent))
        for acks, data, late, fields, acked, silent in counts
    ]
    assert ours == theirs
    assert set(theirs) - {""} == set(SIGNATURES.values())


def test_near_the_client_what_arrives_is_not_seen() -> None:
    """What a client sent says nothing of what reached the server."""
    assert len(TamperingSignatures()(played("tcp.reset.cn-gfw-ii", 1, "client"))) == 0
    assert len(TamperingSignatures()(played("tcp.reset.cn-gfw-ii", 1, "server"))) > 0


@pytest.mark.parametrize(("acks", "signature"), [
    ((201, 301), "signature.psh_unequal"), ((201, 201), "signature.psh_equal"), ((0, 301), "signature.psh_zero"),
    ((201,), "signature.psh_rst"),
])  # fmt: skip
def test_bare_resets_behind_a_request_are_told_by_their_ack_fields(acks: tuple[int, ...], signature: str) -> None:
    """Two different ones, two equal ones, one that is zero, and a single reset each have a signature of their own."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open())
    for place, ack in enumerate(acks):
        talk.send("C", "R", end, ack, at=sent + 1 + place / 10, stamped=False)
    assert fired(TamperingSignatures(), talk.trace("server")) == {signature: 0.0}


@pytest.mark.parametrize("name", ["tcp.reset.cn-gfw-ii", "benign.tcp.half-open-scan", "tcp.drop.tspu-sni-iv"])
def test_labels_weigh_nothing(name: str) -> None:
    """Verdicts are the same with the labels and without them."""
    trace = played(name, 2, "server")
    labelled = analyze(trace)
    places = [place for place, rule in enumerate(labelled.rules) if rule.id.startswith("signature.")]
    bare = labelled.take(np.flatnonzero(~np.isin(labelled.rule, places)))
    assert len(bare) < len(labelled)
    with_them, without = classify(labelled, trace), classify(bare, trace)
    for column in ("outcome", "grade", "mechanism", "probability", "q_value"):
        assert np.array_equal(getattr(with_them, column), getattr(without, column)), column


def test_it_keeps_to_the_rules_of_analyzers() -> None:
    """What every analyzer must do."""
    check_analyzer(TamperingSignatures())
