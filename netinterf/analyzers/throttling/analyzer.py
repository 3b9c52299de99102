"""From judged directions to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.signs import Cases, Sign, Signs, by_rule, record, record_each, sign
from netinterf.analyzers.throttling import rules
from netinterf.analyzers.throttling.acks import needless_repeats
from netinterf.analyzers.throttling.controls import SURE, Compared, Controls, Others, compare, settled
from netinterf.analyzers.throttling.judge import Judged, Tested, judge_directions, strength
from netinterf.analyzers.throttling.losses import suspicions
from netinterf.analyzers.throttling.units import (
    LEAST_LOSSES,
    MOST_PAIRS,
    Skipped,
    ack_loss_directions,
    lossy_directions,
)
from netinterf.analyzers.throttling.unseen import count_numbers
from netinterf.arrays import I64
from netinterf.schema import Evidence, Rule
from netinterf.stats.bucket.passed import measure_buckets
from netinterf.stats.bucket.profile import BucketIntervals, intervals_of_buckets
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Throttling"]

MOST_WITNESSES = 50
"""Lost packets named as witnesses of one flow: enough to look at."""

ONE_RATE = 10.0
"""Greatest rate of an interval by the least up to which it is told as one rate: an order of magnitude (judgement)."""


@frozen(kw_only=True)
class Throttling:
    """Find transfers that a token bucket held to a rate by dropping packets.

    What it looks for: losses that happen exactly when a hypothetical bucket of some rate and depth would be empty, in
    transfers whose packets did not wait in a queue before.

    Why: a policer drops what exceeds its rate at once and delays nothing; ordinary congestion delays before it drops,
    and chance drops whatever the rate.

    Also looks like this: shapers and full queues (the packets before a loss waited), bad radio links (losses do not
    depend on what was sent), transfers limited by the receiver's window or the application, and a subscriber's plan
    (every server of the client shares the limit). Each has a rule that argues against.

    References: Flach et al., SIGCOMM 2016; Zhang et al., SIGCOMM 2002; Zhang et al., IMC 2023; RFC 2883.
    """

    name: ClassVar[str] = "throttling"
    scope: ClassVar[Scope] = Scope.CAPTURE  # whether a limit is the link's shows in the client's other servers
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    least_losses: int = attrs.field(default=LEAST_LOSSES, validator=attrs.validators.ge(2))
    """Losses of a transfer below which nothing is said."""

    def __call__(self, trace: Trace, /) -> Evidence:
        """Test every direction between two hosts that lost enough, and write down what its losses show."""
        numbering = count_numbers(trace)
        directions, skipped = lossy_directions(trace, suspicions(trace, numbering), self.least_losses)
        directions += ack_loss_directions(needless_repeats(trace))
        if not directions:
            return Evidence.empty(rules=self.rules)
        judged, missed = judge_directions(trace, directions, numbering, self.least_losses)
        unseen = [*self.skipped(trace, skipped), *self.unrecorded(trace, missed)]
        if not judged:
            return join([Evidence.empty(rules=self.rules), *unseen])
        candidates = chosen(judged)
        controls = Controls(trace, numbering, limited_flows(judged))
        contrasts = compared_with_others(controls, [candidate for candidate, _ in candidates])
        measured = iter(measured_limits([judged for judged, _ in candidates]))
        told: list[tuple[Cases, Signs]] = []
        for (candidate, flows), others in zip(candidates, contrasts, strict=True):
            limit = next(measured) if is_limited(candidate) else None
            shown = limited(controls, candidate, limit, others) if limit else [unlimited(trace, candidate)]
            told += [(cases.take(np.flatnonzero(np.isin(cases.subject, flows))), signs) for cases, signs in shown]
        return join([record_each(self, told), *unseen])

    def skipped(self, trace: Trace, skipped: Skipped) -> list[Evidence]:
        """Write down who was not looked at."""
        if not len(skipped.flow):
            return []
        flow, first = np.unique(skipped.flow, return_index=True)
        witness = trace.flows.first_packet[flow]
        cases = Cases(subject=flow, time=trace.flows.first[flow], witness=witness)
        measured: dict[str, ArrayLike] = {"found": skipped.found[first], "looked": MOST_PAIRS}
        return record(self, cases, by_rule([sign(rules.SKIPPED, True, measured)]))

    def unrecorded(self, trace: Trace, flow: I64) -> list[Evidence]:
        """Write down of whom the recorder missed too much to look at them."""
        if not len(flow):
            return []
        cases = Cases(subject=flow, time=trace.flows.first[flow], witness=trace.flows.first_packet[flow])
        return record(self, cases, by_rule([sign(rules.UNRECORDED, True)]))


@frozen(kw_only=True)
class Limit:
    """The bucket that a direction met, as it was measured."""

    best: Tested
    rate: float  # bytes a second
    depth: float  # bytes
    known: BucketIntervals

    @property
    def one_rate(self) -> bool:
        """Whether the losses leave one order of magnitude for the rate."""
        return self.known.rate[1] <= ONE_RATE * self.known.rate[0]


def is_limited(judged: Judged) -> bool:
    """Say whether a direction met a bucket, rather than a limit of its ends."""
    return judged.bucket is not None and not judged.held_by_ends


def measured_limits(candidates: list[Judged]) -> list[Limit]:
    """Measure the buckets that directions met, of those that did."""
    best = [judged.bucket for judged in candidates if judged.bucket and is_limited(judged)]
    if not best:
        return []
    fates, fits = [test.unit.fates for test in best], [test.fit for test in best]
    buckets = measure_buckets(fates, fits)
    known = intervals_of_buckets(fates, fits, buckets)
    return [
        Limit(best=test, rate=rate, depth=depth, known=interval)
        for test, (rate, depth), interval in zip(best, buckets, known, strict=True)
    ]


def limited(controls: Controls, judged: Judged, limit: Limit, contrast: Compared) -> list[tuple[Cases, Signs]]:
    """Tell of a direction whose losses a bucket explains."""
    best, known = limit.best, limit.known
    with_bucket = [test for test in judged.tested if test.bucket]
    share = 1.0 if 2 * len(with_bucket) >= len(judged.tested) else 0.5
    flows, witness = losers(with_bucket)
    measured = {
        "rate_bps": 8 * limit.rate if limit.one_rate else np.nan,
        "rate_low_bps": 8 * known.rate[0],
        "rate_high_bps": 8 * known.rate[1],
        "bucket_bytes": limit.depth,
        "bucket_low_bytes": known.depth[0],
        "bucket_high_bytes": known.depth[1],
        "losses": int(best.unit.lost.sum()),
        "info": best.fit.info,
        "llr": best.fit.llr,
        "units": len(with_bucket),
    }
    rateless, queued = known.rate[0] == 0, judged.queued > 0
    kind = kind_of(best, judged.direction.acks, rateless=rateless, vague=not limit.one_rate, queued=queued)
    shows = [sign(kind, True, measured, strength=share), *queue_signs(judged, best)]
    shown = [(losing(controls.trace, flows, witness), by_rule(shows))]
    if kind == rules.LOSS_AFTER_BURSTS and contrast.others not in (Others.ALIKE, Others.SPARED_NAME):
        return shown  # that one path loses more than others is no limit
    return shown + compared(controls, contrast, flows)


def unlimited(trace: Trace, judged: Judged) -> tuple[Cases, Signs]:
    """Tell of a direction whose losses are of its ends, or which no bucket explains: an outage, chance, or a queue."""
    if judged.bucket:
        return losing(trace, *losers([judged.bucket])), by_rule([end_sign(judged)])
    first = judged.tested[0]
    signs = queue_signs(judged, first) if judged.queued > 0 else []
    if all(test.fit.llr < 0 for test in judged.tested):
        losses, llr = int(first.unit.lost.sum()), first.fit.llr if np.isfinite(first.fit.llr) else np.nan
        measured = {"losses": losses, "loss_share": losses / len(first.unit), "llr": llr}
        signs.append(sign(rules.RANDOM_LOSS, True, measured))
    return losing(trace, *losers(judged.tested)), by_rule(signs)


def end_sign(judged: Judged) -> Sign:
    """Tell that one of the ends limited the transfer, so that its rate says nothing of the network."""
    window, idle = np.nan_to_num(judged.limits.window), np.nan_to_num(judged.limits.idle)
    rule, share = (rules.RECEIVER_WINDOW, window) if window >= idle else (rules.APPLICATION, idle)
    return sign(rule, True, {"share": float(share)})


def compared(controls: Controls, contrast: Compared, flows: I64) -> list[tuple[Cases, Signs]]:
    """Tell how the client's other connections fared."""
    if contrast.others is Others.NONE:
        return []
    counts = {"passed": contrast.passed, "llr": contrast.llr}
    chosen = {**counts, "selective": 1.0}
    alike = {"servers": contrast.servers, "rate_bps": 8 * contrast.rate, "selective": 0.0}
    rule, measured = {
        Others.SPARED: (rules.SPARED, chosen),
        Others.SPARED_NAME: (rules.SPARED_NAME, chosen),
        Others.SPARED_ADDRESS: (rules.SPARED_ADDRESS, chosen),
        Others.SPARED_ELSEWHEN: (rules.SPARED_ELSEWHEN, counts),
        Others.UNCLEAR: (rules.UNCLEAR, counts),
        Others.ALIKE: (rules.WHOLE_LINK, alike),
    }[contrast.others]
    if rule in (rules.SPARED, rules.SPARED_ELSEWHEN, rules.SPARED_ADDRESS) and own_line(controls, flows):
        rule, measured = rules.ONE_SERVER, {"passed": contrast.passed, "own_line": 1.0}
    share = 1.0 if rule in (rules.WHOLE_LINK, rules.UNCLEAR, rules.ONE_SERVER) else min(1.0, contrast.llr / SURE)
    cases = losing(controls.trace, flows, Ragged.of([contrast.rows] * len(flows), np.int32))
    signs = [sign(rule, True, measured, strength=share)]
    if rule is rules.WHOLE_LINK and contrast.shared < SURE:
        signs.append(sign(rules.MAY_BE_THE_LINK, True, {"llr": contrast.shared}))
    return [(cases, by_rule(signs))]


def queue_signs(judged: Judged, tested: Tested) -> list[Sign]:
    """Tell whether packets waited before the drops; nothing when the units do not agree or cannot tell."""
    if judged.queued == 0:
        return []
    if tested.queued != judged.queued:
        tested = next(test for test in judged.tested if test.queued == judged.queued)
    measured = {
        "waited_share": tested.waiting.share,
        "waited_ms": 1e3 * tested.waiting.seconds,
        "rtt_inflation": tested.waiting.inflation,
        "samples": tested.waiting.samples,
        "burst_packets": tested.waiting.burst,
    }
    passed = rules.NO_QUEUE if tested.waiting.samples else rules.BURSTS
    return [sign(rules.QUEUE_BEFORE_LOSS if judged.queued > 0 else passed, True, measured)]


def losing(trace: Trace, flows: I64, witness: Ragged) -> Cases:
    """Ask about flows, each at the time of its first witness."""
    return Cases(subject=flows, time=trace.packets.time[witness.values[witness.offsets[:-1]]], witness=witness)


def compared_with_others(controls: Controls, candidates: list[Judged]) -> list[Compared]:
    """Compare directions with what their clients exchanged besides, where there is anything to compare."""
    found = iter(compare(controls, [judged for judged in candidates if is_limited(judged)]))
    directions = [judged.direction for judged in candidates]
    return settled(
        controls.trace, directions, [next(found) if is_limited(judged) else Compared() for judged in candidates]
    )


def limited_flows(judged: list[Judged]) -> I64:
    """List the flows that met a limit which is not their own ends'."""
    losing = [candidate.losing for candidate in judged if candidate.bucket and not candidate.held_by_ends]
    return np.unique(np.concatenate(losing)) if losing else np.empty(0, np.int64)


def own_line(controls: Controls, flows: I64) -> bool:
    """Say whether one server is limited under names of different domains or at several ports: its line may be.

    Its other flows need not have been limited together with these, nor for the same client.
    """
    flow = controls.trace.flows
    servers = np.unique(flow.server[flows])
    limited = controls.limited_at[servers]
    alike = np.append(flows, limited[limited >= 0])  # some of these flows may have lost too little to be limited
    owners, ports = (len(np.unique(column[alike])) for column in (controls.domain, flow.server_port))
    return len(servers) == 1 and (ports > 1 or owners > 1 or bool(controls.limited_at_large[servers[0]]))


def kind_of(tested: Tested, acks: bool, *, rateless: bool, vague: bool, queued: bool) -> Rule:
    """Name the rule for how well a bucket explains a unit.

    Args:
        tested: The unit and its bucket.
        acks: Whether acknowledgements were lost.
        rateless: Whether any rate down to none explains the losses as well: they came at once, as outages do.
        vague: Whether rates of several magnitudes do. Strictly that is still a limit, with a bucket so shallow that it
            fills up between bursts; roughly it is what any queue of a few packets does.
        queued: Whether a queue filled up before packets were lost. A shaper that drops its tail keeps the rate of a
            bucket as well; only that nothing queues tells a policer from it (Flach et al., §3.2).
    """
    share = strength(tested.fit)
    if queued or rateless or (vague and share < 1.0):
        return rules.LOSS_AFTER_BURSTS
    if acks and share > 0:
        return rules.UNHEARD
    return rules.TOKEN_BUCKET if share >= 1.0 else rules.ROUGH_BUCKET if share > 0 else rules.LOSS_AFTER_BURSTS


def chosen(judged: list[Judged]) -> list[tuple[Judged, I64]]:
    """Give each flow and way to the candidate that explains its losses best: a stricter bucket, then the clearer one.

    Returns:
        Candidates that were chosen, each with the flows that chose it.
    """
    taken: dict[tuple[int, bool, bool], int] = {}
    for place in sorted(range(len(judged)), key=lambda place: judged[place].rank, reverse=True):
        for flow in judged[place].losing.tolist():
            direction = judged[place].direction
            taken.setdefault((flow, direction.outbound, direction.acks), place)
    flows: dict[int, list[int]] = {}
    for (flow, _, _), place in taken.items():
        flows.setdefault(place, []).append(flow)
    return [(judged[place], np.array(flows[place], np.int64)) for place in sorted(flows)]


def losers(tested: list[Tested]) -> tuple[I64, Ragged]:
    """List the flows that lost packets in some units, and for each the packets that were lost, at most 50."""
    flow = np.concatenate([test.unit.flow[test.unit.lost] for test in tested])
    row = np.concatenate([test.unit.row[test.unit.lost] for test in tested])
    pairs = np.unique(flow << 32 | row)
    flows, starts, counts = np.unique(pairs >> 32, return_index=True, return_counts=True)
    place = np.arange(len(pairs)) - np.repeat(starts, counts)
    witnesses = pairs[place < MOST_WITNESSES]
    sizes = np.minimum(counts, MOST_WITNESSES)
    return flows, Ragged.from_lengths(sizes, (witnesses & 0xFFFFFFFF).astype(np.int32))
