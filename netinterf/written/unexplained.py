"""What stands out and has no mechanism, written out: who, how far, and by which facts. Never an accusation."""

import attrs

from netinterf.anomaly.kinds import kind_of
from netinterf.anomaly.ordinary import ordinary
from netinterf.schema import Files, SubjectKind
from netinterf.values import frozen
from netinterf.verdict.judgement import Judgement
from netinterf.written.parts import subject
from netinterf.written.record import Subject

__all__ = ["OddFact", "Unexplained", "unexplained"]


@frozen(kw_only=True)
class OddFact:
    """A fact by which a subject stands out."""

    fact: str  # its id
    says: str  # what was seen, as "it …" goes on
    given: str | None  # in what the ordinary conversations agree that it is compared with, as "one that …" goes on
    ordinary: float  # share of them that show something as rare
    alike: int  # peers at the same port that show the same
    peers: int  # peers at the same port of which it is known

    def __str__(self) -> str:
        alike = f" that agree in “{self.given}”" if self.given else ""
        rare = f"{100 * self.ordinary:.2g} % of ordinary ones{alike} show something as rare"
        return f"it {self.says} ({rare}, {self.alike:,} of {self.peers:,} peers the same)"


@frozen(kw_only=True)
class Unexplained:
    """A subject that stands out from its peers and that no mechanism explains; times are ns since 1970 UTC."""

    capture: str
    subject: Subject
    anomaly: float  # share of ordinary conversations of its kind that stand out less
    facts: tuple[OddFact, ...]  # the rarest first
    start: int
    end: int
    row: int = attrs.field(default=-1, repr=False)  # row in the capture's Flows or Exchanges
    kind: str = attrs.field(default="", repr=False)  # what many of its kind are called
    files: Files = attrs.field(factory=Files, repr=False, eq=False)  # that the capture was joined from


def unexplained(judgement: Judgement, row: int) -> Unexplained:
    """Write out one row."""
    table, verdicts = judgement.anomalies, judgement.verdicts
    exchange = verdicts.subject_kind[row] == SubjectKind.EXCHANGE
    kind = kind_of(exchange=bool(exchange), protocol=int(judgement.flows.protocol[verdicts.flow[row]]))
    columns = (table.fact, table.value, table.given, table.ordinary, table.alike, table.peers)
    parent = ordinary()[kind.id].parent
    facts = []
    for place, value, given, share, alike, peers in zip(*(column[row].tolist() for column in columns), strict=True):
        above = parent[place]
        facts.append(
            OddFact(
                fact=kind.facts[place].id,
                says=kind.facts[place].says[value],
                given=kind.facts[above].says[given] if above >= 0 and given >= 0 else None,
                ordinary=share,
                alike=alike,
                peers=peers,
            )
        )
    return Unexplained(
        capture=judgement.capture,
        subject=subject(judgement, row),
        anomaly=float(table.score[row]),
        facts=tuple(facts),
        start=int(verdicts.start[row]),
        end=int(verdicts.end[row]),
        row=int(verdicts.subject[row]),
        kind=kind.many,
        files=judgement.files,
    )
