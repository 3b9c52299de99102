"""Comments beside frames: what a verdict says of each, and nothing in them is alive."""

import attrs

import netinterf
from netinterf import simulate
from netinterf.written.comments import frame_comments
from netinterf.written.record import Verdict


def verdict() -> Verdict:
    """Judge a connection that was cut off."""
    played = simulate.run("tcp.reset", 1)
    trace = netinterf.read(times=played.times, frames=played.frames, link_type=played.link_type)
    ledger = netinterf.explain(netinterf.classify(evidence := netinterf.analyze(trace), trace), evidence, trace)
    return next(ledger.findings())


def test_each_frame_that_is_named_has_a_comment() -> None:
    """Forged frames say what they show and how sure that is; all say by which rule, and what that weighs."""
    found = verdict()
    comments = frame_comments([found])
    assert set(comments) == {frame for sign in found.evidence for frame in sign.frames} | set(found.frames)
    for frame, comment in comments.items():
        assert comment.startswith(f"netinterf, frame {frame}: ")
        assert (f"shows {found.mechanism} ({found.grade}" in comment) == (frame in found.frames)
        assert all((sign.rule in comment) == (frame in sign.frames) for sign in found.evidence)


def test_a_name_that_is_quoted_obeys_nobody() -> None:
    """What moves a cursor or turns the direction is shown as U+FFFD."""
    found = verdict()
    quoting = attrs.evolve(found.evidence[0], says="the certificate of \x1b]0;x\x07\u202e says so", frames=(1,))
    (comment,) = frame_comments([attrs.evolve(found, evidence=(quoting,), frames=())]).values()
    assert comment.isprintable()
    assert comment.count("\N{REPLACEMENT CHARACTER}") == 3
