"""Who wrote an ordinary packet: what its time and its header say, and the words for it.

Data and FINs are written by the stack that wrote the greeting, unlike resets, which other devices and other parts of a
stack write too: in public control captures 399 of 399 genuine FINs and 411 of 411 acknowledgements and data packets
carried the hop limit of their connection, and 105 of 151 resets; timestamps are mandatory where they were agreed on
(RFC 7323 §3.2). So for ordinary packets the header weighs more. Weights are natural-log likelihood ratios, where the
fit (``python -m benchmarks fit``) begins.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.greeted import greeted_by_another
from netinterf.analyzers.forgery.header import HeaderSigns, compare_headers
from netinterf.analyzers.forgery.oddity import from_gateway
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.forgery.taken_back import taken_back
from netinterf.analyzers.forgery.timing import measure_timing, trigger_died
from netinterf.schema import Rule
from netinterf.trace import Trace

__all__ = [
    "ONE_SAMPLE",
    "WEAVER",
    "WRITTEN_WEIGHTS",
    "Signs",
    "hops_off",
    "spoken_of",
    "written_rules",
    "written_signs",
]

Signs = dict[str, tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.int64] | None]]
"""Name of each sign: its weight for each suspect (0 where it does not show), measures, and packets that show it."""

ONE_SAMPLE = 3.0
"""Weight of a premature answer when the round trip is known from one handshake: radio wake-up, a full backlog and an
unseen first copy of the request inflate it (a single sample was three times too long in a public control capture)."""

ONE_WRITER = 6.0
"""What all header fields together may say: they stand for one thing, that somebody else wrote it."""

WRITER = ("ttl", "ttl_class", "no_timestamps", "ip_id", "df", "odd_window")

TIMES = ("ratio", "waited_ms", "rtt_ms")
CAUSALITY = "Causality; RFC 9293 §3.4"
WEAVER = "Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets, NDSS 2009"
CENTRACE = "Sundara Raman et al., CenTrace, CoNEXT 2022"

TABLE: tuple[tuple[float, str, str, str, tuple[str, ...], str], ...] = (
    (
        5.0,
        "premature",
        "timing",
        "{noun} acknowledged the request after {{waited_ms}} ms; to its claimed sender and back takes {{rtt_ms}} ms",
        TIMES,
        CAUSALITY,
    ),
    (
        3.0,
        "nearer",
        "timing",
        "{noun} came after {{waited_ms}} ms, faster than anything else from its claimed sender ({{rtt_ms}} ms)",
        TIMES,
        CAUSALITY,
    ),
    (
        5.0,
        "trigger_died",
        "trigger",
        "{noun} acknowledged what never reached its claimed sender: a router reported it expired on the way",
        (),
        CENTRACE + "; RFC 792",
    ),
    (
        -0.4,
        "on_time",
        "timing",
        "{noun} took {{waited_ms}} ms, as long as its sender's other packets ({{rtt_ms}} ms)",
        TIMES,
        "Causality: an injector nearer than the server need not wait",
    ),
    (
        5.0,
        "taken_back",
        "taken_back",
        "{{gap_ms}} ms after {noun} its claimed sender acknowledged from before it, as if it had not sent it",
        ("gap_ms",),
        "RFC 9293 §3.4: a packet carries the number of the next byte that its sender will send",
    ),
    (
        2.0,
        "soon_back",
        "taken_back",
        "{{gap_ms}} ms after {noun} its sender acknowledged from before it, unless both were swapped in transit",
        ("gap_ms",),
        "RFC 9293 §3.4: a packet carries the number of the next byte that its sender will send",
    ),
    (3.0, "ttl", "ttl", "the hop limit of {noun} is off its sender's by {{jump}}", ("jump",), WEAVER),
    (
        3.0,
        "ttl_class",
        "ttl",
        "the hop limit of {noun} started from another value than its sender's: off by {{jump}}",
        ("jump",),
        WEAVER,
    ),
    (
        5.0,
        "no_timestamps",
        "options",
        "{noun} lacks the timestamps that both ends had agreed on",
        (),
        "RFC 7323 §3.2",
    ),
    (
        2.0,
        "ip_id",
        "ip_id",
        "the IP ID of {noun} is {{distance}} off its sender's counter",
        ("distance",),
        CENTRACE,
    ),
    (3.0, "copied_id", "ip_id", "the IP ID of {noun} is copied from the packet it answers", (), CENTRACE),
    (1.5, "df", "df", "the don't-fragment flag of {noun} differs from all other packets of its side", (), CENTRACE),
    (1.0, "odd_window", "window", "the window field of {noun} is unlike any its sender used", (), CENTRACE),
    (2.0, "copied_window", "window", "the window field of {noun} is the addressee's own value", (), CENTRACE),
    (-4.0, "own_timestamps", "options", "{noun} continues its sender's timestamps", (), "RFC 7323 §4"),
    (
        -0.5,
        "gateway",
        "own_network",
        "{noun} crossed no router: a device on the client's own network wrote it (its gateway, a portal, a filter)",
        (),
        "RFC 1812 §5.3.1: each router lowers the hop limit; RFC 8952 for portals",
    ),
    (-3.0, "in_counter", "ip_id", "the IP ID of {noun} is the next of its sender's counter", (), WEAVER),
)

WRITTEN_WEIGHTS: dict[str, float] = {name: weight for weight, name, *_ in TABLE}


def written_rules(prefix: str, mechanism: str, noun: str, *, without: frozenset[str] = frozenset()) -> tuple[Rule, ...]:
    """Declare the rules for one kind of packet.

    Args:
        prefix: Family of their ids, ``fin`` for example.
        mechanism: What they speak for or against.
        noun: What the packet is called in a sentence, with its article.
        without: Signs that such packets do not show.
    """
    return tuple(
        Rule(
            id=f"{prefix}.{name}",
            mechanism=mechanism,
            group=f"{prefix}.{group}",
            says=says.format(noun=noun),
            measures=measures,
            references=(source,),
        )
        for _, name, group, says, measures, source in TABLE
        if name not in without
    )


def spoken_of(signs: Signs, rules: tuple[Rule, ...]) -> Signs:
    """Keep the signs that a family of rules speaks of."""
    names = {known.id.partition(".")[2] for known in rules}
    return {name: sign for name, sign in signs.items() if name in names}


def written_signs(trace: Trace, suspects: Suspects, tolerance: int = 0) -> Signs:
    """Weigh time and header of each suspect; *tolerance* hops of difference are allowed.

    Where a proxy near the tap speaks for all servers, as the network program of a virtual private network does, its own
    stack decides which number its next packet carries: nothing that it takes back was said by somebody else.
    """
    headers, timing = compare_headers(trace, suspects), measure_timing(trace, suspects)
    jump = hops_off(headers, tolerance)
    own = ~greeted_by_another(trace, suspects)
    telling = ~np.isnan(jump) & trace.recording.ttl_informative[suspects.flow] & own
    times = {"ratio": timing.ratio, "waited_ms": timing.ratio * timing.rtt / 1e6, "rtt_ms": timing.rtt / 1e6}
    jumps = ~np.isnan(headers.ip_id_jump) & trace.recording.ip_id_informative[suspects.flow]
    retold, report = taken_back(trace, suspects.row), trigger_died(trace, suspects)
    late, soon = (
        (trace.packets.time[np.maximum(row, 0)] - trace.packets.time[suspects.row]) / 1e6
        for row in (retold.late, retold.soon)
    )
    told = trace.recording.timing_informative[suspects.flow]
    greeted = trace.sides.syn[suspects.side] >= 0  # else nobody knows who asked whom, nor what came first
    known = ~told | (retold.late < 0)  # what its sender takes back it did not write, whoever's counts it goes on with
    few = np.where(timing.samples >= 2, 1.0, ONE_SAMPLE / WRITTEN_WEIGHTS["premature"])
    shown: dict[str, tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]], NDArray[np.int64] | None]] = {
        "premature": (timing.premature & greeted, times, timing.asked),
        "nearer": (timing.nearer & greeted, times, timing.asked),
        "trigger_died": (report >= 0, {}, report),
        "on_time": (timing.on_time & known & greeted, times, timing.asked),
        "taken_back": ((retold.late >= 0) & told, {"gap_ms": late}, retold.late),
        "soon_back": ((retold.soon >= 0) & told, {"gap_ms": soon}, retold.soon),
        "ttl": (telling & ~headers.ttl_class, {"jump": jump}, None),
        "ttl_class": (telling & headers.ttl_class, {"jump": jump}, None),
        "no_timestamps": (headers.no_timestamps & own, {}, None),
        "ip_id": (jumps & ~headers.copied_id, {"distance": headers.ip_id_jump}, None),
        "copied_id": (headers.copied_id, {}, None),
        "df": (headers.fragment_flag & own, {}, None),
        "odd_window": (headers.odd_window & own, {}, None),
        "copied_window": (headers.copied_window, {}, None),
        "own_timestamps": (headers.own_timestamps & known, {}, None),
        "in_counter": (headers.in_counter & known, {}, None),
        "gateway": (from_gateway(trace, suspects.row, suspects.side), {}, None),
    }
    total = sum((WRITTEN_WEIGHTS[name] * shown[name][0] for name in WRITER), np.zeros(len(suspects)))
    share = {name: np.minimum(1.0, ONE_WRITER / np.maximum(total, 1e-9)) for name in WRITER} | {"premature": few}
    return {
        name: (WRITTEN_WEIGHTS[name] * share.get(name, np.ones(len(suspects))) * here, measured, row)
        for name, (here, measured, row) in shown.items()
    }


def hops_off(headers: HeaderSigns, tolerance: int) -> NDArray[np.float64]:
    """Hops by which each suspect is off its sender, NaN within the tolerance and where unknown."""
    return np.where(np.abs(headers.ttl_jump) > tolerance, headers.ttl_jump, np.nan)
