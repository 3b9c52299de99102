"""Verdicts written out: from the rows of tables to objects in words.

A `Ledger` keeps what is needed to write verdicts (the small tables and frame numbers, no packets), so that a capture
can be forgotten once it is judged. It makes the objects on demand.
"""

import ipaddress
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, overload

import attrs
import numpy as np

from netinterf.anomaly.score import find_anomalies
from netinterf.attribute.injectors import Injector, list_injectors
from netinterf.context.networks import Network
from netinterf.schema import (
    Anomalies,
    Evidence,
    Exchanges,
    Flows,
    Grade,
    Groups,
    Hosts,
    Outcome,
    SubjectKind,
    TriggerKind,
    Verdicts,
)
from netinterf.table import Ragged, spans
from netinterf.verdict.attribution import Attributions, attribute
from netinterf.verdict.combine import judge
from netinterf.verdict.group_record import forged_frames, write_group
from netinterf.verdict.groups import find_groups
from netinterf.verdict.model import Model
from netinterf.verdict.numbers import Number, agreed
from netinterf.verdict.reasons import causes
from netinterf.verdict.record import Further, Observation, Subject, Trigger, Verdict, Why
from netinterf.verdict.subjects import Subjects, list_subjects
from netinterf.verdict.unexplained import Unexplained, unexplained
from netinterf.verdict.words import sentences

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Ledger", "explain"]

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
TRIGGERS = {kind: kind.word for kind in TriggerKind if kind}
SELECTIVE = {1: True, 0: False, -1: None}

QUERY_TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 24: "SIG", 25: "KEY",
    28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP",
    46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 64: "SVCB", 65: "HTTPS",
    99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip
"""Mnemonics of question types (IANA registry "Resource Record (RR) TYPEs"); others are written as RFC 3597 §5 says."""


@attrs.frozen(eq=False, kw_only=True)
class Ledger(Sequence[Verdict]):
    """The verdicts of one capture, written out when asked for: flows, exchanges, then groups that were found."""

    capture: str
    verdicts: Verdicts
    evidence: Evidence
    hosts: Hosts
    flows: Flows
    exchanges: Exchanges
    first_frame: np.ndarray[Any, np.dtype[np.int32]]  # of each verdict, -1 for none
    trigger_frame: np.ndarray[Any, np.dtype[np.int32]]  # of each verdict, -1 for none
    forged: Ragged  # frame numbers of each verdict
    witness: Ragged  # frame numbers of each piece of evidence
    groups: Groups
    group_frames: Ragged  # frame numbers of each group
    subjects: Subjects  # who is judged; packets by frame number
    stated: Ragged  # frame numbers that each piece of evidence holds to be forged
    attributions: Attributions
    anomalies: Anomalies  # how far each subject stands out, whatever its verdict
    injectors: tuple[Injector, ...] = ()  # hands that wrote forged DNS answers
    networks: tuple[Network, ...] = ()

    def __len__(self) -> int:
        return len(self.verdicts) + len(self.groups)

    @overload
    def __getitem__(self, row: int) -> Verdict: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Verdict, ...]: ...
    def __getitem__(self, row: int | slice) -> Verdict | tuple[Verdict, ...]:
        if isinstance(row, slice):
            return tuple(self.write(place) for place in range(*row.indices(len(self))))
        if not -len(self) <= row < len(self):
            raise IndexError(f"verdict {row} of {len(self)}")
        return self.write(row % len(self))

    def __iter__(self) -> Iterator[Verdict]:
        return (self.write(row) for row in range(len(self)))

    def under(self, model: Model) -> Self:
        """Judge the same subjects by the same evidence under another model: no capture is needed for it.

        Only subjects that were findings under this model say which system they look like.
        """
        seen = attrs.evolve(self.evidence, forged=self.stated, witness=self.witness)
        verdicts = judge(seen, self.subjects, model)
        groups = find_groups(seen, self.subjects, verdicts, self.hosts, self.networks, model)
        return attrs.evolve(
            self,
            verdicts=verdicts,
            groups=groups,
            first_frame=verdicts.first_packet,
            trigger_frame=verdicts.trigger_packet,
            forged=of_the_accused(verdicts),
            group_frames=forged_frames(groups, verdicts, seen),
        )

    def findings(self) -> Iterator[Verdict]:
        """Walk only the verdicts that are interfered or possibly so."""
        found = self.verdicts.grade <= GRADES.index(Grade.POSSIBLE)
        yield from (self.write(int(row)) for row in np.flatnonzero(found))
        yield from self.found_groups()

    def unexplained(self) -> Iterator[Unexplained]:
        """Walk the subjects that are listed as anomalies and name no mechanism, the one that stands out most first."""
        listed = self.anomalies.fact.lengths > 0
        rows = np.flatnonzero(listed & (self.verdicts.grade > GRADES.index(Grade.POSSIBLE)))
        rows = rows[np.argsort(-self.anomalies.score[rows], kind="stable")]
        return (unexplained(self, int(row)) for row in rows)

    def found_groups(self) -> Iterator[Verdict]:
        """Walk only the groups."""
        return (self.write(row) for row in range(len(self.verdicts), len(self)))

    def write(self, row: int) -> Verdict:
        """Write out one verdict."""
        if row >= len(self.verdicts):
            return write_group(self, row - len(self.verdicts))
        table = self.verdicts
        mechanism = int(table.mechanism[row])
        also = zip(table.also[row], table.also_probability[row], strict=True)
        verdict = Verdict(
            capture=self.capture,
            subject=self.subject(row),
            outcome=OUTCOMES[table.outcome[row]],
            grade=GRADES[table.grade[row]],
            grade_if_rarer=GRADES[table.grade_if_rarer[row]],
            mechanism=None if mechanism < 0 else table.mechanisms[mechanism],
            raised=bool(table.raised[row]),
            probability=float(table.probability[row]),
            also=tuple(Further(mechanism=table.mechanisms[code], probability=float(p)) for code, p in also),
            q_value=float(table.q_value[row]),
            evidence=tuple(
                self.observation(int(place), float(weight))
                for place, weight in zip(table.evidence[row], table.weight[row], strict=True)
            ),
            reasons=tuple(Why(code=cause.code, says=cause.says) for cause in causes(int(table.reasons[row]))),
            frames=tuple(self.forged[row].tolist()),
            trigger=self.trigger(row),
            selective=SELECTIVE[int(table.selective[row])],
            group=None,
            attribution=self.attributions.of(np.array([row])),
            start=int(table.start[row]),
            end=int(table.end[row]),
            row=int(table.subject[row]),
            ip_version=4 if self._is_ipv4(int(self.flows.client[table.flow[row]])) else 6,
            anomaly=_scored(float(self.anomalies.score[row])),
        )
        return attrs.evolve(verdict, explanation=sentences(verdict))

    def subject(self, row: int) -> Subject:
        """Describe what one verdict is about."""
        table, flow = self.verdicts, int(self.verdicts.flow[row])
        protocol = PROTOCOLS.get(int(self.flows.protocol[flow]))
        ported = protocol in {"tcp", "udp"}
        exchange = int(table.subject[row]) if table.subject_kind[row] == SubjectKind.EXCHANGE else -1
        code = int(self.exchanges.kind[exchange]) if exchange >= 0 else 0
        asked = exchange >= 0 and len(self.exchanges.queries[exchange]) > 0
        return Subject(
            kind=SubjectKind(int(table.subject_kind[row])).name.lower(),
            protocol=protocol,
            client=self._address(int(self.flows.client[flow])),
            client_port=int(self.flows.client_port[flow]) if ported else None,
            server=self._address(int(self.flows.server[flow])),
            server_port=int(self.flows.server_port[flow]) if ported else None,
            name=table.name[row] or None,
            first_frame=_known(int(self.first_frame[row])),
            query_type=QUERY_TYPES.get(code, f"TYPE{code}") if asked else None,
            query_id=int(self.exchanges.id[exchange]) if exchange >= 0 else None,
        )

    def trigger(self, row: int) -> Trigger | None:
        """Say what set the interference off, None when nothing did."""
        kind = TriggerKind(int(self.verdicts.trigger[row]))
        if not kind:
            return None
        address = self._address(int(self.flows.server[self.verdicts.flow[row]])) or ""
        said = {TriggerKind.ADDRESS: address, TriggerKind.BYTES_CLASS: "no known protocol"}
        value = said.get(kind, self.verdicts.name[row])
        return Trigger(kind=TRIGGERS[kind], value=value, frame=_known(int(self.trigger_frame[row])))

    def observation(self, place: int, weight: float) -> Observation:
        """Write out one piece of evidence, by its row in the evidence table, with what it weighs under the model."""
        rule = self.evidence.rules[self.evidence.rule[place]]
        numbers = dict(zip(rule.measures, map(Number, self.evidence.measured[place].tolist()), strict=False))
        try:
            says = agreed(rule.says.format(**numbers))
        except (KeyError, IndexError, ValueError):  # a plugin's sentence with a field it does not measure
            says = rule.says
        return Observation(
            rule=rule.id,
            says=says,
            llr=weight + 0.0,  # which makes 0 of -0
            frames=tuple(self.witness[place].tolist()),
            measured={name: float(value) if np.isfinite(value) else None for name, value in numbers.items()},
            mechanism=rule.mechanism,
        )

    def _is_ipv4(self, host: int) -> bool:
        return int(self.hosts.high[host]) == 0 and int(self.hosts.low[host]) >> 32 == 0xFFFF

    def _address(self, host: int) -> str | None:
        if host < 0:
            return None
        if self._is_ipv4(host):
            return str(ipaddress.IPv4Address(int(self.hosts.low[host]) & 0xFFFFFFFF))
        return str(ipaddress.IPv6Address(int(self.hosts.high[host]) << 64 | int(self.hosts.low[host])))


def _known(frame: int) -> int | None:
    return frame if frame >= 0 else None


def _scored(share: float) -> float | None:
    return None if math.isnan(share) else share


def explain(
    verdicts: Verdicts,
    evidence: Evidence,
    trace: "Trace",
    *,
    model: Model | None = None,
    subjects: Subjects | None = None,
    anomalies: Anomalies | None = None,
) -> Ledger:
    """Find the groups among verdicts and put all into words: the last of the steps read, analyze, classify, explain.

    What is returned holds on to what is needed to write them out, and lets go of the packets.

    Args:
        verdicts: What `classify` returned for *evidence* and *trace*.
        evidence: The evidence.
        trace: The capture.
        model: What the verdicts were reached with; None takes the model that ships with the library.
        subjects: Who was judged; None lists them once more.
        anomalies: How far each of them stands out; None finds it out.
    """
    subjects = list_subjects(trace, evidence) if subjects is None else subjects
    groups = find_groups(evidence, subjects, verdicts, trace.hosts, trace.outside.networks, model)
    about = (subjects.subject, subjects.kind, subjects.flow, subjects.name)
    found = find_anomalies(trace, *about) if anomalies is None else anomalies
    frames = trace.packets.frame.astype(np.int32)
    numbered = np.append(frames, np.int32(-1))  # row -1 reads the appended -1
    held, stated = of_the_accused(verdicts), Ragged(evidence.forged.offsets, frames[evidence.forged.values])
    return Ledger(
        capture=trace.source,
        verdicts=verdicts,
        evidence=evidence,
        hosts=trace.hosts,
        flows=trace.flows,
        exchanges=trace.exchanges,
        first_frame=numbered[verdicts.first_packet],
        trigger_frame=numbered[verdicts.trigger_packet],
        forged=Ragged(held.offsets, frames[held.values]),
        witness=Ragged(evidence.witness.offsets, frames[evidence.witness.values]),
        groups=groups,
        group_frames=forged_frames(groups, verdicts, attrs.evolve(evidence, forged=stated)),
        subjects=attrs.evolve(
            subjects, first_packet=numbered[subjects.first_packet], named_in=numbered[subjects.named_in]
        ),
        stated=stated,
        attributions=attribute(verdicts, evidence, trace),
        anomalies=found,
        injectors=list_injectors(trace, verdicts),
        networks=trace.outside.networks,
    )


def of_the_accused(verdicts: Verdicts) -> Ragged:
    """Keep what is held to be forged only of verdicts that name a mechanism."""
    judged = np.flatnonzero(verdicts.grade <= GRADES.index(Grade.POSSIBLE))
    sizes = np.zeros(len(verdicts), np.int64)
    sizes[judged] = verdicts.forged.lengths[judged]
    rows = verdicts.forged.values[spans(verdicts.forged.offsets[judged], sizes[judged])]
    return Ragged.from_lengths(sizes, rows)
