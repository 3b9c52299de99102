"""From acknowledgements of what was never said to evidence about flows."""

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.acknowledgements.between import find_between
from netinterf.analyzers.acknowledgements.greetings import find_unknown_greetings
from netinterf.analyzers.acknowledgements.hasty import find_hasty
from netinterf.analyzers.acknowledgements.rules import ONE_SAMPLE_SHARE, RULES, UNANSWERED_SHARE, WEIGHTS
from netinterf.analyzers.acknowledgements.unsaid import find_unsaid
from netinterf.analyzers.base import Scope, join, observe
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

__all__ = ["Acknowledgements"]


@attrs.frozen(kw_only=True)
class Acknowledgements:
    """Find forged packets that were not captured, by what their victim acknowledges.

    What it looks for: clients that acknowledge bytes, ends or greetings which their server had not sent, had sent too
    shortly before, or had not ended there.

    Why: a box between tap and client can write to the client unseen, but the client's next acknowledgement passes.

    Also looks like this: packets that the capture lost, proxies that acknowledge for others, and clients that
    acknowledge in advance on purpose (Savage et al., 1999). Only the first two are common: the server's own next number
    tells the one apart, the client's other connections the other.

    References: RFC 9293 §3.4; Sundara Raman et al., SIGCOMM 2023; Wang et al., IMC 2017.
    """

    name: ClassVar[str] = "acknowledgements"
    scope: ClassVar[Scope] = Scope.CAPTURE  # round trips to clients, and whether a proxy answers for them
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "rtts", "http"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down which flows show that somebody else spoke to the client."""
        tables = [*self.unsaid(trace), *self.hasty(trace), self.between(trace), self.greetings(trace)]
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def unsaid(self, trace: Trace) -> list[Evidence]:
        """Write down what was acknowledged before the server sent it."""
        found, time = find_unsaid(trace), trace.packets.time
        measured = {"bytes": found.length, "gap_ms": (time[found.shown] - time[found.row]) / 1e6}
        return [
            self.write(trace, name, (found.row, found.shown), where, measured, np.ones(len(found)))
            for name, where in (("acked_unsent", found.bare), ("acked_early", ~found.bare))
        ]

    def hasty(self, trace: Trace) -> list[Evidence]:
        """Write down what was acknowledged too shortly after the server had sent it."""
        found = find_hasty(trace)
        measured = {"bytes": found.length, "waited_ms": found.waited / 1e6, "rtt_ms": found.rtt / 1e6}
        share = np.where(found.samples >= 2, 1.0, ONE_SAMPLE_SHARE)
        return [self.write(trace, "acked_soon", (found.row, found.asked), found.rtt > 0, measured, share)]

    def between(self, trace: Trace) -> Evidence:
        """Write down what was acknowledged to the middle of what the server had sent."""
        found = find_between(trace)
        pair, measured = (found.row, found.within), {"bytes": found.length}
        return self.write(trace, "acked_between", pair, found.row >= 0, measured, np.ones(len(found.row)))

    def write(
        self,
        trace: Trace,
        name: str,
        pair: tuple[NDArray[np.int64], NDArray[np.int64]],
        where: NDArray[np.bool_],
        measured: Mapping[str, NDArray[Any]],
        share: NDArray[np.float64],
    ) -> Evidence:
        """Write down one kind of sign, by what the client must have got: an end, an answer to its request, or data.

        Args:
            trace: The capture.
            name: What was seen.
            pair: Rows in Packets of the client's acknowledgement, and of the server's packet beside it.
            where: Which of them show it.
            measured: Numbers behind it; ``bytes`` among them.
            share: Share of its weight that each bears.
        """
        row, other = pair
        asked = first_requests(trace)[trace.packets.flow[row]] < row
        end = measured["bytes"] == 1
        both = np.sort(np.stack([row, other], axis=1), axis=1)
        tables = []
        for kind, mine in (("fin", end), ("page", ~end & asked), ("data", ~end & ~asked)):
            pick = where & mine
            tables.append(
                observe(
                    self,
                    f"{kind}.{name}",
                    subject=trace.packets.flow[row[pick]],
                    time=trace.packets.time[row[pick]],
                    llr=WEIGHTS[f"{kind}.{name}"] * share[pick],
                    witness=both[pick].tolist(),
                    measured={key: value[pick] for key, value in measured.items()},
                )
            )
        return join(tables)

    def greetings(self, trace: Trace) -> Evidence:
        """Write down which clients answer a greeting that their server never gave."""
        row, greeting, puzzled = find_unknown_greetings(trace)
        rule = "synack.unknown_number"
        return observe(
            self,
            rule,
            subject=trace.packets.flow[row],
            time=trace.packets.time[row],
            llr=np.where(puzzled, WEIGHTS[rule], UNANSWERED_SHARE * WEIGHTS[rule]),
            witness=np.stack([greeting, row], axis=1).tolist(),
        )


def first_requests(trace: Trace) -> NDArray[np.int64]:
    """Row in Packets of the first HTTP request of each flow; beyond all packets where there is none."""
    first = np.full(len(trace.flows), len(trace.packets))
    heads = np.flatnonzero(trace.http.outbound)
    np.minimum.at(first, trace.http.flow[heads], trace.http.packet[heads])
    return first
