"""From acknowledgements of what was never said to evidence about flows."""

from typing import ClassVar

import numpy as np

from netinterf.analyzers.acknowledgements import rules
from netinterf.analyzers.acknowledgements.mid_segment import find_mid_segment_acks
from netinterf.analyzers.acknowledgements.premature import find_premature_acks
from netinterf.analyzers.acknowledgements.unknown_synacks import find_unknown_synacks
from netinterf.analyzers.acknowledgements.unsent import find_acked_unsent
from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.signs import Cases, Signs, by_rule, each_once, record, sign, taken
from netinterf.arrays import I64
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Acknowledgements"]


@frozen(kw_only=True)
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
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down which flows show that somebody else spoke to the client."""
        tables = [*self.unsent(trace), *self.premature(trace), *self.mid_segment(trace), *self.synacks(trace)]
        return join(tables or [Evidence.empty(rules=self.rules)])

    def unsent(self, trace: Trace) -> list[Evidence]:
        """Write down what was acknowledged before the server sent it."""
        acks, time = find_acked_unsent(trace), trace.packets.time
        if not len(acks):
            return []
        measured = {"bytes": acks.length, "gap_ms": (time[acks.witness] - time[acks.row]) / 1e6}
        signs = [sign(rules.ACKED_UNSENT, acks.bare, measured), sign(rules.ACKED_EARLY, ~acks.bare, measured)]
        return self.write(trace, acks.row, acks.witness, acks.length, by_rule(signs))

    def premature(self, trace: Trace) -> list[Evidence]:
        """Write down what was acknowledged too shortly after the server had sent it."""
        acks = find_premature_acks(trace)
        if not len(acks.row):
            return []
        measured = {"bytes": acks.length, "waited_ms": acks.waited / 1e6, "rtt_ms": acks.rtt / 1e6}
        share = np.where(acks.samples >= 2, 1.0, rules.ONE_SAMPLE_SHARE)
        soon = sign(rules.ACKED_SOON, acks.rtt > 0, measured, strength=share)
        return self.write(trace, acks.row, acks.data, acks.length, by_rule([soon]))

    def mid_segment(self, trace: Trace) -> list[Evidence]:
        """Write down what was acknowledged to the middle of what the server had sent."""
        acks = find_mid_segment_acks(trace)
        if not len(acks.row):
            return []
        middle = sign(rules.ACKED_BETWEEN, True, {"bytes": acks.length})
        return self.write(trace, acks.row, acks.within, acks.length, by_rule([middle]))

    def write(self, trace: Trace, row: I64, other: I64, length: I64, signs: Signs) -> list[Evidence]:
        """Write signs down by what the client must have got: an end, an answer to its request, or data.

        Args:
            trace: The capture.
            row: Rows in Packets of the client's acknowledgement.
            other: Rows in Packets of the server's packet beside it.
            length: Bytes that it acknowledged beyond what was sent.
            signs: What was seen of each.
        """
        cases = Cases(subject=trace.packets.flow[row], time=trace.packets.time[row], witness=each_once(row, other))
        requested, end = first_requests(trace)[cases.subject] < row, length == 1
        kinds = (rules.fins, end), (rules.pages, ~end & requested), (rules.data, ~end & ~requested)
        tables = []
        for family, which in kinds:
            rows = np.flatnonzero(which)
            tables += record(self, cases.take(rows), taken(signs, rows, len(cases)), family)
        return tables

    def synacks(self, trace: Trace) -> list[Evidence]:
        """Write down which clients answer a greeting that their server never gave."""
        row, synack, rejected = find_unknown_synacks(trace)
        if not len(row):
            return []
        cases = Cases(subject=trace.packets.flow[row], time=trace.packets.time[row], witness=each_once(row, synack))
        share = np.where(rejected, 1.0, rules.UNANSWERED_SHARE)
        return record(self, cases, by_rule([sign(rules.UNKNOWN_NUMBER, True, strength=share)]))


def first_requests(trace: Trace) -> I64:
    """Row in Packets of the first HTTP request of each flow; beyond all packets where there is none."""
    first = np.full(len(trace.flows), len(trace.packets))
    heads = np.flatnonzero(trace.http.outbound)
    np.minimum.at(first, trace.http.flow[heads], trace.http.packet[heads])
    return first
