"""The vocabulary of contradictions: bytes, or greetings, that one sender cannot both have written."""

import attrs

from netinterf.schema import Rule

__all__ = [
    "ALIKE_WEIGHT",
    "CONTRADICTIONS",
    "CONTRADICTION_WEIGHT",
    "INJECTED_ANSWER",
    "INJECTED_DATA",
    "INJECTED_END",
    "OVERLAPPING_ANSWER",
    "OVERLAPPING_DATA",
    "OVERLAPPING_END",
    "SECOND_SYNACK",
    "SYNACK_WEIGHT",
    "VARIED_GREETING",
    "VARIED_WEIGHT",
]

VARIED_GREETING = Rule(
    id="synack.window_varies",
    mechanism="tcp.synack",
    group="synack.window",
    says="the greetings of this server announced {windows} different windows, hardly two of them alike",
    measures=("windows",),
    references=("Wang et al., Your State is Not Mine, IMC 2017: windows drawn at random",),
    shared=True,
)
VARIED_WEIGHT = 3.0
"""As much as any single field of a header."""

CONTRADICTORY = "two packets of one side carry different bytes for the same place of the stream"
UNLIKE = ", and headers or an acknowledgement between them show two senders"
INJECTED_DATA = Rule(
    id="data.contradiction",
    mechanism="tcp.data",
    group="contradiction",
    says=CONTRADICTORY + UNLIKE,
    decisive=True,
    references=("Nakibly et al., USENIX Security 2016",),
)
INJECTED_ANSWER = attrs.evolve(
    INJECTED_DATA,
    id="http.contradiction",
    mechanism="http.blockpage",
    says=CONTRADICTORY + UNLIKE + "; one of them is an HTTP answer",
)
OVERLAPPING_DATA = attrs.evolve(INJECTED_DATA, id="data.overlap", says=CONTRADICTORY, decisive=False)
OVERLAPPING_ANSWER = attrs.evolve(
    INJECTED_ANSWER,
    id="http.overlap",
    says=CONTRADICTORY + "; one of them is an HTTP answer",
    decisive=False,
)
INJECTED_END = attrs.evolve(
    INJECTED_DATA,
    id="fin.contradiction",
    mechanism="tcp.fin",
    says=CONTRADICTORY + UNLIKE + "; one of them ends the stream",
)
OVERLAPPING_END = attrs.evolve(
    INJECTED_END, id="fin.overlap", says=CONTRADICTORY + "; one of them ends the stream", decisive=False
)
SECOND_SYNACK = Rule(
    id="synack.contradiction",
    mechanism="tcp.synack",
    group="contradiction",
    says="two SYN/ACKs with different initial sequence numbers answer one SYN",
    references=("Wang et al., Your State is Not Mine, IMC 2017",),
)
CONTRADICTION_WEIGHT = 10.0
"""Contradictory content marked the one attacked direction in 9 of 9 public attack captures and none of the 161 other
directions with payload; the impossibility itself, not that small count, carries the weight."""
ALIKE_WEIGHT = 5.0
"""When both packets look alike in hop limit, options and flags and nobody disowns the first, one broken sender may have
written both: overlaps that conflict occur in benign captures, so alone they are no proof."""
SYNACK_WEIGHT = 8.0
"""Anycast and load balancers answer twice too, hardly ever within a second and to a SYN sent once."""

CONTRADICTIONS: tuple[Rule, ...] = (
    INJECTED_DATA,
    INJECTED_ANSWER,
    OVERLAPPING_DATA,
    OVERLAPPING_ANSWER,
    INJECTED_END,
    OVERLAPPING_END,
    SECOND_SYNACK,
    VARIED_GREETING,
)
