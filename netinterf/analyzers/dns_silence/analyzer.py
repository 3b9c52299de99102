"""From questions that nobody answered to evidence about their exchanges."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.dns_silence.company import FEWEST, LEAST_TRIES, Company, look_around
from netinterf.analyzers.dns_silence.questions import Lookups, list_lookups
from netinterf.analyzers.dns_silence.rules import RULES, WEIGHTS
from netinterf.analyzers.dns_silence.unheard import find_unheard
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.stats.rates import beta_binomial_tail
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["DnsSilence"]

UNANSWERED = 0.02
"""Share of other questions that a resolver may leave unanswered now and then and still be steady: that of healthy
neighbours (Brandhorst and Pras 2006, but for names that are never answered). One that limits answers leaves more."""

SILENT = (1.0, 49.0)
"""Beta distribution of the share of domains about which a resolver stays silent though it answers others: one in fifty,
with long tails, since dead zones come in company. Judgement: of 2,189 benign lookups in public captures none was asked
twice in vain beside others that were answered (rule of three: one in 730)."""

FAILS_IN_SILENCE = 3.1
"""Nats by which a lookup in vain speaks against dead servers at a public resolver: ln(67 / 3), of 67 lookups of a name
with dead servers that RIPE Atlas probes sent to 8.8.8.8 three timed out and the others drew SERVFAIL (S. Bortzmeyer,
postbank.de, 2019-11-14)."""

MOST = 6.0
"""Nats that so many silences in a row may carry: beyond that not chance decides but what its cause is."""

CHANCE = 11.5
"""Nats by which chance must be excluded for a contrast to weigh in full: losses that one question in 100,000 meets.
A contrast refutes that the name's servers are dead; it does not refute that this resolver's answers were lost."""

Mask = NDArray[np.bool_]


@attrs.frozen(kw_only=True)
class DnsSilence:
    """Find DNS questions that somebody swallowed.

    What it looks for: names about which a resolver stays silent while it answers about others, and that another
    resolver, TCP, or a question for another type brings an answer for; resolvers that all at once answer over TCP only;
    and, near the resolver, answers that did not seem to arrive.

    Why: a box that drops queries or answers by name leaves no packet of its own; what it cannot hide is whom it spares.

    Also looks like this: lost packets, a resolver that is down or limits its answers, and names whose own servers are
    dead, about which forwarders stay silent. Each has a contrast that argues against.

    References: Brandhorst and Pras 2006; OONI specification; Niaki et al., ICLab, IEEE S&P 2020.
    """

    name: ClassVar[str] = "dns_silence"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only other questions show that a silence is no failure
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "dns", "exchanges"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down which names were met with silence, and what speaks for a box or against one."""
        if len(trace.exchanges) == 0:
            return Evidence.empty(rules=self.rules)
        lookups = list_lookups(trace)
        tables = [*self.silences(trace, lookups), *self.unheard(trace, lookups)]
        return join(tables) if tables else Evidence.empty(rules=self.rules)

    def unheard(self, trace: Trace, lookups: Lookups) -> list[Evidence]:
        """Write down whose answers did not seem to arrive."""
        found = find_unheard(trace, lookups, MOST)
        measured: dict[str, ArrayLike] = {
            "repeats": found.repeats, "others": found.others, "repeated": found.repeated, "selective": 1.0,
        }  # fmt: skip
        where = np.ones(len(found.exchange), np.bool_)
        return [self.write(trace, found.exchange, "unheard", where, found.llr, measured)] if len(where) else []

    def silences(self, trace: Trace, lookups: Lookups) -> list[Evidence]:
        """Write down which questions were met with silence, and what others say about them."""
        silent = np.flatnonzero(lookups.silent)
        if not len(silent):
            return []
        seen = look_around(lookups, silent)
        asked = seen.tries >= LEAST_TRIES
        alive, down = asked & (seen.lit >= FEWEST), asked & (seen.silent > seen.answered)
        steady, forsaken = seen.moods <= UNANSWERED * (seen.moods + seen.told), seen.later == 0
        spared = alive & ~down & steady
        gone, certain = (seen.in_a_row >= FEWEST) & (seen.lived_later == 0), np.minimum(seen.row_surprise / MOST, 1.0)
        telling = np.minimum(seen.surprise / CHANCE, 1.0)
        candid = telling * np.minimum(seen.lookups * FAILS_IN_SILENCE / WEIGHTS["candid"], 1.0)
        counts: dict[str, ArrayLike] = {"answered": seen.lit, "silent": seen.silent}
        told: list[tuple[str, Mask, ArrayLike, dict[str, ArrayLike]]] = [
            ("unanswered", alive, np.minimum(seen.surprise, MOST), {"tries": seen.tries, "selective": 1.0, **counts}),
            ("elsewhere", spared & (seen.elsewhere > 0) & (seen.named_later == 0), telling, {}),
            ("known", spared & lookups.known[silent] & (seen.confirmed > 0) & forsaken, telling, {}),
            (
                "candid",
                spared & lookups.candid[silent] & forsaken & (seen.failed == 0),
                candid,
                {"lookups": seen.lookups},
            ),
            ("over_tcp", spared & (seen.over_tcp > 0) & forsaken, telling, {}),
            ("only_tcp", gone & (seen.streamed > 0) & (seen.cut_short == 0), certain, {"silent": seen.in_a_row}),
            ("other_type", spared & (seen.other_type > 0) & (seen.ever == 0), telling, {}),
            (
                "alike",
                spared & forsaken & (seen.failed == 0) & (seen.alike > 1),
                dead_by_chance(seen),
                {"domains": seen.alike, "tried": seen.domains},
            ),
            ("everywhere", spared & (seen.resolvers > 1), telling, {"resolvers": seen.resolvers}),
            ("failed", asked & (seen.failed > 0), 1.0, {}),
            ("moody", asked & ~forsaken, 1.0, {"answered": seen.later}),
            ("down", down, 1.0, counts),
        ]
        return [self.write(trace, silent, *one) for one in told if one[1].any()]

    def write(
        self,
        trace: Trace,
        silent: NDArray[np.int64],
        rule: str,
        where: Mask,
        size: ArrayLike,
        measured: dict[str, ArrayLike],
    ) -> Evidence:
        """Write one rule down for the silent exchanges where it holds."""
        pick = np.flatnonzero(where)
        exchange = silent[pick]
        queries = trace.exchanges.queries.take(exchange)
        packets = Ragged(queries.offsets, trace.dns.packet[queries.values].astype(np.int32))
        first = packets.values[packets.offsets[:-1]]
        return observe(
            self,
            f"query.{rule}",
            subject=exchange,
            time=trace.packets.time[first],
            llr=WEIGHTS[rule] * np.broadcast_to(np.asarray(size, np.float64), (len(silent),))[pick],
            forged=first,
            witness=packets,
            measured={key: np.broadcast_to(value, (len(silent),))[pick] for key, value in measured.items()},
            kind=SubjectKind.EXCHANGE,
        )


def dead_by_chance(seen: Company) -> NDArray[np.float64]:
    """Say how unlikely it is that so many domains of those asked for are dead, nats, up to `MOST`.

    As far as loss is excluded by all that was asked about them: on a lossy way several domains go unanswered as well.
    """
    unlikely = np.minimum(-beta_binomial_tail(seen.alike, np.maximum(seen.domains, seen.alike), *SILENT), MOST)
    lost = seen.vain * seen.surprise / np.maximum(seen.tries, 1)
    weight: NDArray[np.float64] = unlikely * np.minimum(lost / CHANCE, 1.0)
    return weight
