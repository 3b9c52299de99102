"""From silences and what stands beside them to evidence about flows."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.forgery.suspects import Suspects, witnesses
from netinterf.analyzers.forgery.writer import spoken_of, written_signs
from netinterf.analyzers.silence.controls import Contrast, by_reset, compare, resets, served_time, young
from netinterf.analyzers.silence.counts import Counted, find_counted
from netinterf.analyzers.silence.greeting_rules import GREETING_RULES, GREETING_WEIGHTS
from netinterf.analyzers.silence.greetings import find_life
from netinterf.analyzers.silence.holes import find_holes, withheld
from netinterf.analyzers.silence.probe_rules import BEFORE_SERVER, BEYOND, NAME_BEYOND, PROBE_RULES
from netinterf.analyzers.silence.probes import Beyond, find_beyond
from netinterf.analyzers.silence.quic import answered_time, compare_quic
from netinterf.analyzers.silence.quic_rules import QUIC_RULES, QUIC_WEIGHTS
from netinterf.analyzers.silence.receipts import RECEIPT_RULES, find_receipts
from netinterf.analyzers.silence.rules import FILTER_TWINS, RULES, WEIGHTS
from netinterf.analyzers.unanswered.datagrams import LEAST_TRIES, find_quic
from netinterf.analyzers.unanswered.silences import Kind, Silences, joined, unreported
from netinterf.analyzers.unanswered.sizes import large_only
from netinterf.analyzers.unanswered.unheard import find_unheard
from netinterf.analyzers.unanswered.waiting import find_ungreeted, find_waiting
from netinterf.protocols.opening import Opening, openings
from netinterf.schema import Evidence, Rule, TcpFlag
from netinterf.table import Ragged, spans
from netinterf.trace import Trace

__all__ = ["Silence"]

IDLE_NS = 60_000_000_000
"""A pause after which a translator may have forgotten a connection. RFC 5382 §5 asks for 2 h 4 min; many keep less."""

FILTERED = (53, 80, 443)
"""Ports on which filters of protocols are known that let DNS, HTTP and TLS pass (Bock et al., FOCI 2020)."""

ALL_WEIGHTS = {**WEIGHTS, **GREETING_WEIGHTS, **QUIC_WEIGHTS}

Mask = NDArray[np.bool_]
Write = Callable[..., Evidence]


@attrs.frozen(kw_only=True)
class Silence:
    """Find connections that somebody made fall silent.

    What it looks for: data that is never acknowledged however often it is sent, requests that are acknowledged and
    never answered, answers that stop midway and SYNs that stay unanswered, while the other end is heard, others are
    served by the same server, or the same port falls silent for a time after a trigger.

    Why: a box that drops packets leaves no packet of its own; all that it cannot hide is whom it spares.

    Also looks like this: dead hosts, paths and lines, slow services, crashes, narrow paths (only large packets die),
    translators that forgot an idle connection, clients that went away. Each has a contrast that argues against.

    References: Xue et al., TSPU, IMC 2022; Bock et al., WOOT 2021; Sundara Raman et al., SIGCOMM 2023; RFC 6298.
    """

    name: ClassVar[str] = "silence"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only others show that a silence is no failure
    needs: ClassVar[frozenset[str]] = frozenset(
        {"packets", "flows", "sides", "rtts", "dns", "answers", "tls", "http", "quic"}
    )
    rules: ClassVar[tuple[Rule, ...]] = RULES + GREETING_RULES + PROBE_RULES + RECEIPT_RULES + QUIC_RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down who fell silent, and what speaks for a box or against one."""
        found = joined([find(trace) for find in (find_unheard, find_holes, find_waiting, find_ungreeted)])
        silences, datagrams = unreported(trace, found), unreported(trace, find_quic(trace))
        tables = self.beyond(trace, find_beyond(trace))
        if len(silences):  # they are held against everything else, so where there are none most work is saved
            strange, served_at = foreign(trace, silences), served_time(trace, silences)
            counted = find_counted(trace, silences, served_at)
            write = partial(self.write, trace, silences, strange)
            seen = compare(trace, silences, served_at, resets(trace), strange)
            narrow = large_only(trace, silences)
            tables += self.shapes(trace, silences, narrow, write)
            tables += self.contrasts(trace, silences, seen, counted, narrow[0] & narrow[1], write)
            tables.append(self.counted(silences, counted))
            tables += self.openings(silences.is_kind(Kind.UNGREETED), trace, silences, seen, write)
            tables += self.receipts(trace, find_receipts(trace, silences))
        if len(datagrams):
            tables += self.quic(trace, datagrams)
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def shapes(self, trace: Trace, silences: Silences, narrow: tuple[Mask, Mask], write: Write) -> list[Evidence]:
        """Write down what each silence is by itself."""
        by_client = silences.side % 2 == 0
        unheard = silences.is_kind(Kind.UNHEARD)
        tries = {"tries": silences.tries, "seconds": lasted(silences)}
        seconds, holes = {"seconds": lasted(silences)}, {"seconds": lasted(silences), "bytes": silences.size}
        greeted = young(trace, silences) & silences.first & ~silences.is_kind(Kind.UNGREETED)
        closing, unsaid = silences.is_kind(Kind.CLOSING), wordless(trace, silences)
        heard = silences.heard
        late = (trace.packets.time[np.maximum(heard, 0)] - silences.since) / 1e9
        alive = (heard >= 0) & began(trace, silences)  # the numbers of others are relative to what was missed
        kept, told = withheld(trace, silences)
        back = large_only(trace, attrs.evolve(silences, side=silences.side ^ 1, size=kept))
        here, anywhere = narrow[0] | back[0], narrow[1] | back[1]
        return [
            write("drop.request", unheard & by_client & silences.first, tries),
            write("drop.later", unheard & by_client & ~silences.first, tries),
            write("drop.answer", unheard & ~by_client, tries),
            write("drop.closing", closing & ~unsaid, tries),
            write("drop.wordless", unsaid, tries),
            write("drop.mute", silences.is_kind(Kind.MUTE), seconds),
            write("drop.cut", silences.is_kind(Kind.CUT), seconds),
            write("drop.hole", silences.is_kind(Kind.HOLED), holes),
            write("drop.withheld", told >= 0, {"bytes": kept}, shown=told),
            write("drop.syn", silences.is_kind(Kind.UNGREETED), tries),
            write("drop.greeted", greeted, {}),
            write("drop.one_way", alive & ~here, {"seconds": late}, shown=heard),
            write("drop.large", here & anywhere, {"bytes": np.maximum(silences.size, kept)}),
            write("drop.large_here", here & ~anywhere, {"bytes": np.maximum(silences.size, kept)}),
            write("drop.idle", silences.paused >= IDLE_NS, {"seconds": silences.paused / 1e9}),
        ]

    def contrasts(
        self, trace: Trace, silences: Silences, seen: Contrast, counted: Counted, narrow: Mask, write: Write
    ) -> list[Evidence]:
        """Write down what other connections say about each silence."""
        punished, aftermath = seen.punished, (seen.residue >= 0) & ~seen.punished
        since = (silences.since - trace.packets.time[np.maximum(seen.residue, 0)]) / 1e9
        moody = (seen.went_well > 0) & ~punished & (counted.llr <= 0)
        asked = silences.first & (silences.side % 2 == 0) & silences.is_kind(Kind.UNHEARD, Kind.MUTE)
        ready = ~greets_again(trace, silences)
        served = seen.served + seen.served_near
        ignored = ready & asked & silences.is_kind(Kind.UNHEARD) & (seen.went_well == 0) & (served > 0)
        meanwhile, near = ready & (seen.served > 0), ready & (seen.served == 0) & (seen.served_near > 0)
        deaf = (seen.deaf > 0) & (served == 0) & ~punished
        again = (seen.again > 0) & (seen.went_well == 0) & asked
        early = silences.first | young(trace, silences)  # what ran for long may have moved away, or been forgotten
        deserted = silences.is_kind(Kind.UNHEARD) & (silences.side % 2 == 0) & early & ~narrow  # all meet that line
        alike = deserted & (seen.alike > 0) & (seen.lived > 0) & (seen.went_well == 0)
        return [
            write("drop.ignored", ignored, {"served": served, "selective": 1.0}),
            write("drop.served", meanwhile & ~ignored, {"served": seen.served, "selective": 1.0}),
            write("drop.served_near", near & ~ignored, {"served": seen.served_near, "selective": 1.0}),
            write("drop.server", deaf, {"deaf": seen.deaf}),
            write("drop.elsewhere", seen.elsewhere > 0, {"packets": seen.elsewhere}),
            write("drop.present", wordless(trace, silences) & (seen.present > 0), {"packets": seen.present}),
            write("drop.line", dead_line(seen), {"tried": seen.asked}),
            write("drop.again", again, {"times": seen.again}),
            write("drop.alike", alike, {"networks": seen.alike, "lived": seen.lived}),
            write("drop.moody", moody, {"served": seen.went_well}),
            write("drop.residual", punished, {"seconds": since}, shown=seen.residue),
            write("drop.after_reset", punished & by_reset(trace, seen.residue), {}, shown=seen.residue),
            write("drop.aftermath", aftermath, {"seconds": since}, shown=seen.residue),
            write("drop.recovered", seen.recovered & punished & (seen.went_well == 0), {}),
        ]  # fmt: skip

    def openings(
        self, ungreeted: Mask, trace: Trace, silences: Silences, seen: Contrast, write: Write
    ) -> list[Evidence]:
        """Write down openings that nobody answered, and what lives beside them."""
        if not ungreeted.any():
            return []
        life = find_life(trace, silences)
        since, alive = (silences.since - life.last) / 1e9, seen.elsewhere + life.neighbours + life.other_port
        return [
            write("syn.unanswered", ungreeted, {"tries": silences.tries, "seconds": lasted(silences)}),
            write("syn.other_port", ungreeted & (life.other_port > 0), {"answered": life.other_port}),
            write("syn.neighbours", ungreeted & (life.neighbours > 0), {"alive": life.neighbours}),
            write("syn.before", ungreeted & (life.before > 0), {"times": life.before, "seconds": since}),
            write("syn.moody", ungreeted & (life.after > 0), {"times": life.after}),
            write("syn.line", ungreeted & (alive == 0), {}),
        ]

    def counted(self, silences: Silences, counted: Counted) -> Evidence:
        """Write down requests that died because of how many went before."""
        hit = np.flatnonzero(counted.llr > 0)
        measured: dict[str, ArrayLike] = {"selective": np.ones(len(hit))}
        for name in ("died", "least", "recent", "others", "llr"):
            measured[name] = getattr(counted, name)[hit]
        return observe(
            self,
            "drop.counted",
            subject=silences.flow[hit],
            time=silences.since[hit],
            llr=WEIGHTS["drop.counted"] * counted.llr[hit],
            forged=silences.row[hit],
            witness=silences.row[hit],
            measured=measured,
        )

    def beyond(self, trace: Trace, dead: Beyond) -> list[Evidence]:
        """Write down connections that died beyond a hop, each at the weight of the test that found it."""
        hop: dict[str, ArrayLike] = {"hop": dead.hop}
        passed: dict[str, ArrayLike] = {**hop, "passed": dead.passed, "selective": np.ones(len(dead.flow))}
        told: dict[str, tuple[NDArray[np.float64], dict[str, ArrayLike]]] = {
            BEYOND: (dead.llr, {**hop, "lived": dead.lived, "died": dead.died}),
            BEFORE_SERVER: (dead.before, {**hop, "distance": dead.distance}),
            NAME_BEYOND: (dead.named, passed),
        }
        tables = []
        for name, (llr, measured) in told.items():
            hit = dead.take(llr > 0)
            tables.append(
                observe(
                    self,
                    name,
                    subject=hit.flow,
                    time=trace.packets.time[hit.row],
                    llr=llr[llr > 0],
                    forged=hit.row,
                    witness=np.sort(np.stack([hit.row, hit.healthy], axis=1), axis=1).astype(np.int32).tolist(),
                    measured={key: np.asarray(column)[llr > 0] for key, column in measured.items()},
                )
            )
        return tables

    def receipts(self, trace: Trace, odd: Suspects) -> list[Evidence]:
        """Write down who acknowledged requests in the name of servers that never answered."""
        tables = []
        signs = spoken_of(written_signs(trace, odd), RECEIPT_RULES) if len(odd) else {}
        for name, (llr, measured, shown) in signs.items():
            pick = np.flatnonzero(llr)
            if not len(pick):
                continue
            tables.append(
                observe(
                    self,
                    f"receipt.{name}",
                    subject=odd.flow[pick],
                    time=trace.packets.time[odd.row[pick]],
                    llr=llr[pick],
                    forged=odd.row[pick],
                    witness=witnesses(odd, pick, shown),
                    measured={key: value[pick] for key, value in measured.items()},
                )
            )
        return tables

    def quic(self, trace: Trace, silences: Silences) -> list[Evidence]:
        """Write down QUIC that fell silent, and what stands beside it."""
        answered_at = answered_time(trace, silences)
        known = np.zeros(len(silences), np.bool_)
        seen = compare(trace, silences, answered_at, np.zeros(len(trace.flows), np.bool_), known)
        beside = compare_quic(trace, silences, answered_at)
        tries = {"tries": silences.tries, "seconds": lasted(silences)}
        served = seen.served + seen.served_near
        residue = seen.punished
        unknown = silences.is_kind(Kind.INITIAL) & (seen.went_well == 0)
        since = (silences.since - trace.packets.time[np.maximum(seen.residue, 0)]) / 1e9
        told: list[tuple[str, Mask, Mapping[str, ArrayLike]]] = [
            ("initial", silences.is_kind(Kind.INITIAL) & (silences.tries >= LEAST_TRIES), tries),
            ("once", silences.is_kind(Kind.INITIAL) & (silences.tries < LEAST_TRIES), tries),
            ("stopped", silences.is_kind(Kind.DATAGRAM), tries),
            ("served", unknown & (served > 0), {"served": served, "selective": 1.0}),
            ("server", (seen.deaf > 0) & (served == 0) & ~residue, {"deaf": seen.deaf}),
            ("others", beside.others > 0, {"others": beside.others, "selective": 1.0}),
            ("none", (beside.others == 0) & (served == 0) & (beside.silent > 0), {"silent": beside.silent}),
            ("over_tcp", beside.over_tcp > 0, {"served": beside.over_tcp}),
            ("promised", unknown & beside.promised & (beside.others > 0), {"others": beside.others, "selective": 1.0}),
            ("again", (seen.again > 0) & (seen.went_well == 0), {"times": seen.again}),
            ("moody", (seen.went_well > 0) & ~residue, {"served": seen.went_well}),
            ("residual", seen.punished, {"seconds": since}),
            ("recovered", seen.recovered & residue & (seen.went_well == 0), {}),
            ("line", dead_line(seen), {"tried": seen.asked}),
        ]
        return [self.write(trace, silences, known, f"quic.{name}", where, measured) for name, where, measured in told]

    def write(
        self,
        trace: Trace,
        silences: Silences,
        strange: Mask,
        rule: str,
        where: Mask,
        measured: Mapping[str, ArrayLike],
        *,
        shown: NDArray[np.int64] | None = None,
    ) -> Evidence:
        """Write one rule down for the silences where it holds: its twin, if any, where no known protocol was spoken."""
        rows = np.stack([silences.row, silences.last] + ([] if shown is None else [shown]), axis=1)
        tables = []
        for name, part in ((rule, ~strange), (FILTER_TWINS.get(rule), strange)):
            pick = np.flatnonzero(where & part)
            if name is None or not len(pick):
                continue
            tables.append(
                observe(
                    self,
                    name,
                    subject=silences.flow[pick],
                    time=trace.packets.time[silences.row[pick]],
                    llr=ALL_WEIGHTS[rule],
                    forged=silences.row[pick],
                    witness=each_once(rows[pick]),
                    measured={key: np.broadcast_to(value, (len(silences),))[pick] for key, value in measured.items()},
                )
            )
        return join(tables) if tables else Evidence.empty(rules=self.rules)


def each_once(rows: NDArray[np.int64]) -> Ragged:
    """List the packets of each row in order, each once; rows have shape (n, few)."""
    ordered = np.sort(rows, axis=1)
    kept = np.ones(ordered.shape, np.bool_)
    kept[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return Ragged.from_lengths(kept.sum(axis=1), ordered[kept].astype(np.int32))


def foreign(trace: Trace, silences: Silences) -> Mask:
    """Say which connections opened with bytes of no protocol that filters let pass.

    On `FILTERED` ports these are DNS, HTTP and TLS; elsewhere whatever is known. Where the beginning was not captured,
    the first bytes that were say nothing of the protocol, nor who is the client.
    """
    first = trace.sides.first_payload[2 * silences.flow].astype(np.int64)
    opened = (first >= 0) & ~silences.is_kind(Kind.UNGREETED) & began(trace, silences)
    spoke = np.flatnonzero(opened)  # what an ungreeted client says is of another connection
    row = first[spoke]
    length = trace.packets.payload_captured[row].astype(np.int64)
    heads = Ragged.from_lengths(length, trace.buffer[spans(trace.packets.payload_start[row], length)])
    found = np.zeros(len(silences), np.bool_)
    said, port = openings(heads), trace.flows.server_port[silences.flow[spoke]]
    found[spoke] = np.isin(said, (Opening.TEXT, Opening.NOISE, Opening.UNKNOWN))
    found[spoke] |= np.isin(port, FILTERED) & ~np.isin(said, (Opening.NOTHING, Opening.DNS, Opening.HTTP, Opening.TLS))
    return found


def began(trace: Trace, silences: Silences) -> Mask:
    """Say of which connections a greeting was captured."""
    syn = trace.sides.syn
    found: Mask = (syn[2 * silences.flow] >= 0) | (syn[2 * silences.flow + 1] >= 0)
    return found


def greets_again(trace: Trace, silences: Silences) -> Mask:
    """Say whether the other end only repeated its SYN/ACK: its accept queue is full, whoever else it serves.

    Such a server takes no data of a connection that looks open to its client (Linux tcp(7), tcp_abort_on_overflow).
    """
    other = silences.side ^ 1
    last, greeting = trace.sides.last[other].astype(np.int64), trace.sides.syn[other].astype(np.int64)
    again: Mask = (greeting >= 0) & (last > greeting)
    again &= trace.packets.tcp_flags[np.maximum(last, 0)] & TcpFlag.SYN != 0 if len(silences) else again
    return again


def wordless(trace: Trace, silences: Silences) -> Mask:
    """Say which silences are of clients that never said anything, and do not answer their server's end either."""
    speechless: Mask = trace.sides.payload_packets[silences.side ^ 1] == 0
    unsaid: Mask = silences.is_kind(Kind.CLOSING) & (silences.side % 2 == 1) & speechless
    return unsaid


def lasted(silences: Silences) -> NDArray[np.float64]:
    """Tell how long each silence lasted, seconds."""
    seconds: NDArray[np.float64] = (silences.until - silences.since) / 1e9
    return seconds


def dead_line(seen: Contrast) -> Mask:
    """Say whether the client's whole line was dead: it asked elsewhere, and nothing came."""
    dead: Mask = (seen.elsewhere == 0) & (seen.asked > 0)
    return dead
