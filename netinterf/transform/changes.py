"""The changes by which verdicts are held: which must not move any, and which may only take something away.

A *neutral* change says the same of the same traffic: outcome, mechanism, grade and probability of every verdict stay.
A *lossy* one is a poorer recording of it: it may cost a finding, which is then *insufficient* and not *ok*, and must
never make one.
"""

from collections.abc import Callable
from enum import StrEnum

from netinterf.transform.addresses import renumber, translate
from netinterf.transform.frames import Format, Frames
from netinterf.transform.order import by_conversation, round_times, shift, shuffle_ties
from netinterf.transform.segments import coalesce
from netinterf.transform.taps import begin_late, double, end_early, lose, one_way, route_twice, skew, snaplen
from netinterf.transform.wrapping import link_type, trail, tunnel
from netinterf.values import frozen

__all__ = ["CHANGES", "Change", "Kind"]

MICROSECOND, MILLISECOND = 1_000, 1_000_000  # ns
YEARS = 3 * 365 * 86_400 * 1_000_000_000
HEADERS = 96
"""Bytes that tcpdump kept of a frame by itself, with IPv6, until its version 4 (2009): headers and little more."""

SEED = 1


class Kind(StrEnum):
    """What a change may do to verdicts."""

    NEUTRAL = "neutral"
    LOSSY = "lossy"


@frozen(kw_only=True)
class Change:
    """One change.

    Attributes:
        name: What it is called in tables.
        kind: What it may do to verdicts.
        apply: Gives the changed frames. It raises `ParameterError` where it cannot be made of some frames.
        file_format: The file that the frames are written to.
    """

    name: str
    kind: Kind
    apply: Callable[[Frames], Frames]
    file_format: Format = "pcap"


def neutral(name: str, apply: Callable[[Frames], Frames], file_format: Format = "pcap") -> Change:
    """Declare a change that must not move any verdict."""
    return Change(name=name, kind=Kind.NEUTRAL, apply=apply, file_format=file_format)


def lossy(name: str, apply: Callable[[Frames], Frames]) -> Change:
    """Declare a change that may only take something away."""
    return Change(name=name, kind=Kind.LOSSY, apply=apply)


CHANGES: tuple[Change, ...] = (
    neutral("as pcap", lambda frames: frames),
    neutral("as pcapng", lambda frames: frames, "pcapng"),
    neutral("raw IP", lambda frames: link_type(frames, 101)),
    neutral("Linux cooked", lambda frames: link_type(frames, 113)),
    neutral("through GRE", tunnel),
    neutral("with trailers", trail),
    neutral("clients renumbered", renumber),
    neutral("clients translated", translate),
    neutral("three years later", lambda frames: shift(frames, YEARS)),
    neutral("times to 1 µs", lambda frames: round_times(frames, MICROSECOND)),
    neutral("equal times shuffled", lambda frames: shuffle_ties(frames, seed=SEED)),
    neutral("file by conversation", by_conversation),
    lossy("cut to 96 bytes", lambda frames: snaplen(frames, HEADERS)),
    lossy("to the server only", lambda frames: one_way(frames, outbound=True)),
    lossy("to the client only", lambda frames: one_way(frames, outbound=False)),
    lossy("1 % lost", lambda frames: lose(frames, 0.01, seed=SEED)),
    lossy("5 % lost", lambda frames: lose(frames, 0.05, seed=SEED)),
    lossy("begun late", lambda frames: begin_late(frames, 1 / 3)),
    lossy("ended early", lambda frames: end_early(frames, 1 / 3)),
    lossy("frames doubled", double),
    lossy("routed twice", route_twice),
    lossy("segments coalesced", coalesce),
    lossy("directions skewed by 2 ms", lambda frames: skew(frames, 2 * MILLISECOND)),
)
"""All changes, neutral ones first. Putting unrelated captures into one file (`merge`) is neutral as well, and needs
another capture."""
