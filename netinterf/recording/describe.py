"""What people are told of a recording, kind by kind."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import Mask
from netinterf.recording.fact import RecordingFact, Scope, conversations, share_of
from netinterf.recording.grouped import Paths
from netinterf.recording.made import find_made
from netinterf.recording.missing import beginning_facts, loss_facts
from netinterf.recording.skew import FLOWS, QUEUED_NS, clocks_ahead
from netinterf.recording.taps import duplicate_facts, merged_facts
from netinterf.schema import Diagnostic

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["describe", "notes"]

TCP = 6

FILTERED = (
    "{whose} were recorded without acknowledgements: packets without data were left out, so what is missing or "
    "unanswered here was not lost"
)
ONE_WAY = "of {whose} over TCP only one direction is in this file: nothing can be said about answers"
HOPS = (
    "in {whose} all far ends show one hop limit: a box beside the tap (a translator, tunnel, proxy or emulator) writes "
    "it, and hop limits tell nobody apart"
)
NUMBERS = (
    "in {whose} one counter or one value numbers the packets of different hosts: a box beside the tap or a program "
    "writes the IP identification, and it tells nobody apart"
)
MADE = "{whose} were written, replayed or rewritten by a program: {why}; that no host does such things is no sign here"
UNTIMED = "{whose} took no time at all: their times were not kept, and tell nothing"
PROXIED = (
    "in {whose} data are acknowledged much sooner than connections are opened: a proxy near the tap answers for the "
    "servers, and times tell nothing of them"
)


def describe(trace: "Trace") -> tuple[RecordingFact, ...]:
    """Say what kind of recording a capture is.

    Args:
        trace: A capture.

    Returns:
        What it shows of how it was recorded; nothing for an ordinary recording.
    """
    if not len(trace.flows):
        return ()
    kinds = (path_facts, duplicate_facts, clock_facts, loss_facts, merged_facts, beginning_facts)
    return tuple(fact for facts_of in kinds for fact in facts_of(trace))


def notes(trace: "Trace") -> tuple[Diagnostic, ...]:
    """Say the same as diagnostics."""
    return tuple(Diagnostic(fact.id, fact.says) for fact in describe(trace))


def path_fact(
    name: str, template: str, flows: Mask, of: Mask, *, certain: bool, why: str = ""
) -> Iterator[RecordingFact]:
    """Tell one kind, where there are conversations of it among those that could be."""
    numbers = share_of(flows & of, of)
    if numbers["flows"]:
        sentence = template.format(whose=conversations(numbers), why=why)
        yield RecordingFact(id=name, scope=Scope.PATH, certain=certain, says=sentence, numbers=numbers)


def path_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Tell what `Recording` holds of paths, and what it rests on."""
    recording, tcp = trace.recording, trace.flows.protocol == TCP
    every, alone = np.ones(len(tcp), np.bool_), recording.one_way & tcp
    yield from path_fact("recording.filtered", FILTERED, recording.filtered, tcp, certain=True)
    if 2 * np.count_nonzero(alone) > np.count_nonzero(tcp):
        yield from path_fact("recording.one_way", ONE_WAY, alone, tcp, certain=True)
    yield from path_fact("recording.rewritten_hops", HOPS, ~recording.ttl_informative, every, certain=False)
    yield from path_fact("recording.rewritten_ids", NUMBERS, ~recording.ip_id_informative, every, certain=False)
    if not recording.made.any() and recording.timing_informative.all():
        return
    made = find_made(trace.packets, trace.flows, trace.sides, trace.by_flow, Paths.number(trace.flows))
    reasons = (
        (made.shared_isn, "all connections begin at one sequence number"),
        (made.shared_ip_id, "both ends write one IP identification into all packets"),
        (made.even_pace, "packets of both ends follow each other at one pace"),
    )
    why = ", ".join(words for flows, words in reasons if flows.any())
    yield from path_fact("recording.made", MADE, made.by_program, every, certain=True, why=why)
    yield from path_fact("recording.untimed", UNTIMED, made.zero_duration, every, certain=True)
    split = ~recording.timing_informative & ~made.timeless
    yield from path_fact("recording.proxied", PROXIED, split, every, certain=False)


def clock_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say whether time went back in the file, and whether answers were captured before what they answer."""
    packets = trace.packets
    if np.any(packets.frame[1:] < packets.frame[:-1]):
        steps = np.diff(packets.time[np.argsort(packets.frame)])
        back = steps[steps < -QUEUED_NS]
        if len(back):
            numbers = {"steps": float(len(back)), "most_ms": float(-back.min()) / 1e6}
            says = (
                f"time goes back {len(back):,} times in this file, by up to {numbers['most_ms']:,.0f} ms: a clock was "
                "set, or several recordings were put together; packets were sorted by time"
            )
            yield RecordingFact(id="recording.clock", scope=Scope.CAPTURE, certain=True, says=says, numbers=numbers)
    skewed, tcp = trace.recording.skewed, trace.flows.protocol == TCP
    if np.count_nonzero(skewed) >= FLOWS or 2 * np.count_nonzero(skewed & tcp) > np.count_nonzero(tcp):
        shown, early = clocks_ahead(packets, trace.sides, trace.rtts, trace.by_flow)
        ahead = np.maximum(shown, early)[skewed]
        numbers = share_of(skewed & tcp, tcp)
        numbers |= {"showing": float(np.count_nonzero(ahead)), "most_ms": float(ahead.max()) / 1e6}
        says = (
            f"answers were captured before what they answer, by up to {numbers['most_ms']:,.3f} ms, in "
            f"{conversations(numbers | {'flows': numbers['showing']})}: the two directions were recorded by clocks "
            f"that disagree, and nothing is said of who was too early in {conversations(numbers)}"
        )
        yield RecordingFact(id="recording.skew", scope=Scope.PATH, certain=True, says=says, numbers=numbers)
