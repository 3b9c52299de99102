"""In how many real benign subjects a rule could have fired, and in how many it did.

A rule that stayed quiet where it could not have spoken has shown nothing. So each rule names preconditions
(`Rule.exposed`), coarse ones that columns of the trace answer: the subject is of its kind, what it looks at was
captured, and the signal exists there (hop limits that nobody rewrote, negotiated timestamps, a measured round trip,
others to compare with). A subject in which a rule fired was exposed to it, whatever these say.
"""

from collections.abc import Mapping

import attrs
import numpy as np

from netinterf.analyzers.silence.probes import in_a_sweep
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Evidence, Mark, SubjectKind, TcpFlag, TcpOption
from netinterf.trace import Trace
from netinterf.verdict.model import MAX_NATS, default_model
from netinterf.verdict.reasons import Reason
from netinterf.verdict.subjects import Subjects, row_of
from netinterf.verdict.weigh import pair_suspicions, values, vocabulary
from netinterf.verdict.weigh import strongest as strongest_of_groups

__all__ = ["Count", "count", "family_of", "met"]


TCP, UDP = 6, 17

LEAST_DATA = 30
"""Data packets of one direction that can show a limit: twice the losses that are looked for (Flach et al., SIGCOMM
2016, 3.2), since a limit drops no more than half of what a sender that backs off sends. A flow of that size that lost
nothing was exposed and showed none."""


@attrs.frozen(kw_only=True)
class Count:
    """How often a rule could have spoken for interference in one capture, and how often it did; benign subjects."""

    exposed: int = 0
    weights: tuple[float, ...] = ()  # nats, the largest of each subject in which it fired …
    against: tuple[float, ...] = ()  # … and what argued there against the same mechanism, at most 0

    @property
    def fired(self) -> int:
        """Subjects in which it spoke for interference."""
        return len(self.weights)


def family_of(rule: str) -> str:
    """Name the rules that are pooled with a rule: those that look at the same thing."""
    return rule.partition(".")[0]


def met(trace: Trace, subjects: Subjects) -> dict[str, Mask]:
    """Say of each subject which preconditions it meets.

    Returns:
        One mask over verdict rows for every word that rules name.
    """
    flows, sides, recording = trace.flows, trace.sides, trace.recording
    sent, data = sides.packets.reshape(-1, 2), sides.payload_packets.reshape(-1, 2)
    tcp = (flows.protocol == TCP) & (sent > 0).all(axis=1)
    stamped = (sides.syn_options.reshape(-1, 2) & TcpOption.TIMESTAMPS).all(axis=1)
    opened = (flows.protocol == TCP) & (sides.syn.reshape(-1, 2)[:, 0] >= 0)
    pages, sealed = np.zeros(len(flows), np.bool_), np.zeros(len(flows), np.bool_)
    pages[trace.http.flow[~trace.http.outbound]] = True
    sealed[trace.tls.flow[trace.tls.certificates.lengths > 0]] = True
    initials = np.zeros(len(flows), np.bool_)
    initials[trace.quic.flow] = True
    asking = np.zeros(len(flows), np.bool_)
    asking[trace.exchanges.flow] = True
    greetings = np.bincount(trace.packets.flow[greeting(trace)], minlength=len(flows))
    of_flow = {
        "tcp": tcp,
        "greeted twice": greetings > 1,
        "swept": in_a_sweep(trace),
        "opened": opened,
        "asked": (flows.protocol == TCP) & (data[:, 0] > 0),
        "answered": (flows.protocol == TCP) & (data[:, 1] > 0),
        "page": pages,
        "certificate": sealed,
        "quic": initials,
        "udp": (flows.protocol == UDP) & ~initials & ~asking & (sent > 0).all(axis=1),
        "transfer": tcp & (data.max(axis=1) >= LEAST_DATA),
    }
    of_any = {
        "any": np.ones(len(flows), np.bool_),
        "hops": recording.ttl_informative & (sent > 0).all(axis=1),
        "ids": (trace.packets.version[flows.first_packet] == 4) & recording.ip_id_informative & (sent > 0).all(axis=1),
        "stamps": stamped & (sides.syn.reshape(-1, 2) >= 0).all(axis=1),
        "timed": (sides.rtt.reshape(-1, 2) >= 0).any(axis=1) & recording.timing_informative,
        "company": in_company(subjects, len(flows)),
    }
    exchange = subjects.kind == SubjectKind.EXCHANGE
    place = subjects.flow.astype(np.int64)
    found = {word: mask[place] & ~exchange for word, mask in of_flow.items()}
    found |= {word: mask[place] for word, mask in of_any.items()}
    found["expired"] = subjects.reasons & Reason.TIME_EXCEEDED > 0
    lookups = trace.exchanges
    for word, lengths in (("reply", lookups.replies.lengths), ("query", lookups.queries.lengths)):
        found[word] = np.zeros(len(subjects), np.bool_)
        found[word][exchange] = lengths[subjects.subject[exchange]] > 0
    found["timed"] |= exchange & found["reply"] & found["query"]
    return found


def greeting(trace: Trace) -> I64:
    """List the packets that are SYN/ACKs of a connection, copies of one frame left out."""
    packets, both = trace.packets, TcpFlag.SYN | TcpFlag.ACK
    fresh = packets.marks & Mark.DUPLICATE_FRAME == 0
    return np.flatnonzero((packets.tcp_flags & both == both) & (packets.flow >= 0) & fresh)


def in_company(subjects: Subjects, flows: int) -> Mask:
    """Say of each flow whether its client has another subject of its protocol."""
    key = subjects.client.astype(np.int64) << 8 | subjects.protocol
    _, place, size = np.unique(key, return_inverse=True, return_counts=True)
    result = np.zeros(flows, np.bool_)
    result[subjects.flow] = (size > 1)[place.reshape(-1)]
    return result


def count(
    trace: Trace, subjects: Subjects, evidence: Evidence, benign: Mask, passed_over: tuple[str, ...] = ()
) -> dict[str, Count]:
    """Count exposure and firing of every rule over the benign subjects of one capture.

    Args:
        trace: The capture.
        subjects: Who is judged.
        evidence: What analyzers saw.
        benign: Which subjects nobody interfered with.
        passed_over: Mechanisms about which the labels of this capture say nothing.

    Returns:
        By rule, those without any exposure left out.
    """
    shown, row = met(trace, subjects), row_of(evidence, subjects)
    fired = strongest(evidence, row)
    known: Mapping[tuple[str, ...], Mask] = {
        words: np.logical_and.reduce([shown[word] for word in words])
        for words in {rule.exposed for rule in evidence.rules}
    }
    counts = {}
    for code, rule in enumerate(evidence.rules):
        if any(rule.mechanism == word or rule.mechanism.startswith(word + ".") for word in passed_over):
            continue
        rows, weight, against = fired.get(code, NEVER)
        exposed, mine = known[rule.exposed] & benign, benign[rows]
        exposed[rows[mine]] = True
        if total := int(exposed.sum()):
            told = [tuple(np.round(nats[mine], 3).tolist()) for nats in (weight, against)]
            counts[rule.id] = Count(exposed=total, weights=told[0], against=told[1])
    return counts


Firing = tuple[I64, F64, F64]
NEVER: Firing = (np.empty(0, np.int64), np.empty(0), np.empty(0))


def strongest(evidence: Evidence, row: I64) -> dict[int, Firing]:
    """Find where rules speak for interference.

    Returns:
        By place of the rule: the subjects, how strongly it speaks there at most, and what the packaged model counts
        against the same mechanism, nats.
    """
    model = default_model()
    suspicions = pair_suspicions(evidence, row, vocabulary(model, evidence.rules))
    value = values(evidence, model)[suspicions.pair_evidence]
    chosen = strongest_of_groups(suspicions, evidence, value)
    argued = np.bincount(suspicions.pair_hypothesis[chosen], np.minimum(value[chosen], 0.0), len(suspicions))
    speaks = np.flatnonzero(evidence.llr[suspicions.pair_evidence] > 0)
    witness, hypothesis = suspicions.pair_evidence[speaks], suspicions.pair_hypothesis[speaks]
    key = evidence.rule[witness].astype(np.int64) << 32 | suspicions.row[hypothesis]
    pair, place = np.unique(key, return_inverse=True)
    most, against = np.zeros(len(pair)), np.full(len(pair), -np.inf)
    np.maximum.at(most, place.reshape(-1), np.minimum(evidence.llr[witness], MAX_NATS))
    np.maximum.at(against, place.reshape(-1), argued[hypothesis])
    rule, subject = pair >> 32, pair & 0xFFFFFFFF
    return {int(code): (subject[rule == code], most[rule == code], against[rule == code]) for code in np.unique(rule)}
