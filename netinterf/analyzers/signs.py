"""What detectors return, and the one place where it is written down as evidence.

A detector looks at some *cases* (resets, silences, answers, limits, …) and returns *signs*: each is a rule, the cases
that show it, how much it weighs for each of them, what was measured, and a further packet that shows it. `record`
turns them into evidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Analyzer, observe
from netinterf.analyzers.vocabulary import Family
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.table import Ragged, spans
from netinterf.values import frozen

__all__ = [
    "Cases",
    "Measured",
    "Sign",
    "Signs",
    "by_rule",
    "each_once",
    "none_forged",
    "record",
    "record_each",
    "restricted_to",
    "sign",
    "taken",
    "total",
    "weakened",
    "weight_of",
]

Rows = Ragged | NDArray[np.integer]


@frozen(eq=False, kw_only=True)
class Cases:
    """The n things that signs are about; one value stands for all of them."""

    subject: NDArray[np.integer]  # rows in Flows or Exchanges, n of them
    time: ArrayLike  # when, ns since 1970 UTC
    witness: Rows  # rows in Packets that show whatever is seen of each: n lists, or n rows
    forged: Rows | None = None  # rows in Packets held to be forged, in the same form
    kind: SubjectKind = SubjectKind.FLOW

    def __len__(self) -> int:
        return len(self.subject)

    def take(self, rows: I64) -> "Cases":
        """Select cases."""
        return attrs.evolve(
            self,
            subject=self.subject[rows],
            time=np.broadcast_to(self.time, (len(self),))[rows],
            witness=_taken(self.witness, rows),
            forged=None if self.forged is None else _taken(self.forged, rows),
        )

    @classmethod
    def concat(cls, parts: Sequence["Cases"]) -> "Cases":
        """Put cases of one kind one after the other."""
        sizes = [len(part) for part in parts]
        return Cases(
            subject=np.concatenate([part.subject for part in parts]),
            time=_column([part.time for part in parts], sizes),
            witness=_packets([part.witness for part in parts], sizes),
            forged=_packets([part.forged for part in parts], sizes),
            kind=parts[0].kind,
        )


@frozen(eq=False, kw_only=True)
class Sign:
    """One rule, and the cases that show it; a scalar stands for all of them."""

    rule: Rule
    where: ArrayLike  # bool: which cases show it
    llr: F64  # nats, 0 where it does not show
    measured: Mapping[str, ArrayLike]
    witness: Rows | None = None  # a further row in Packets that shows it, -1 for none, or lists of them
    forged: Rows | None = None  # packets held to be forged where they are others than those of the case

    def cases(self, count: int) -> I64:
        """Number the cases that show it, out of *count*."""
        where = np.asarray(self.where)
        return where.nonzero()[0] if where.ndim else np.arange(count if where else 0)

    def take(self, rows: I64, count: int) -> "Sign":
        """Select cases out of *count*."""
        if not np.any(self.where):
            return Sign(rule=self.rule, where=False, llr=np.zeros(len(rows)), measured={})

        def selected(value: ArrayLike) -> NDArray[np.generic]:
            return np.broadcast_to(value, (count,))[rows]

        return attrs.evolve(
            self,
            where=selected(self.where),
            llr=selected(self.llr).astype(np.float64),
            measured={name: selected(value) for name, value in self.measured.items()},
            witness=None if self.witness is None else _taken(self.witness, rows),
            forged=None if self.forged is None else _taken(self.forged, rows),
        )

    @classmethod
    def concat(cls, parts: Sequence["Sign"], sizes: Sequence[int]) -> "Sign":
        """Put signs of one rule one after the other, each of so many cases; what one did not measure is not known.

        All of them name packets that are held to be forged, or none does.
        """
        names = dict.fromkeys(name for part in parts for name in part.measured)
        return Sign(
            rule=parts[0].rule,
            where=_column([part.where for part in parts], sizes),
            llr=_column([part.llr for part in parts], sizes),
            measured={name: _column([part.measured.get(name, np.nan) for part in parts], sizes) for name in names},
            witness=_packets([part.witness for part in parts], sizes),
            forged=None if parts[0].forged is None else _packets([part.forged for part in parts], sizes),
        )


Signs = dict[Rule, Sign]
Measured = dict[str, ArrayLike]


def sign(
    rule: Rule,
    where: ArrayLike,
    measured: Mapping[str, ArrayLike] | None = None,
    *,
    llr: ArrayLike | None = None,
    strength: ArrayLike = 1.0,
    witness: Rows | None = None,
    forged: Rows | None = None,
) -> Sign:
    """Say which cases show a sign.

    Args:
        rule: What it is called.
        where: Which cases show it.
        measured: The numbers behind it, by the rule's measures.
        llr: What it weighs there, nats; left out, a share of the rule's weight.
        strength: That share.
        witness: A further packet that shows it.
        forged: Packets held to be forged by it, others than those of the case.
    """
    weight = weight_of(rule) * np.asarray(strength, np.float64) if llr is None else np.asarray(llr, np.float64)
    return Sign(
        rule=rule,
        where=where,
        llr=np.where(where, weight, 0.0),
        measured=measured or {},
        witness=witness,
        forged=forged,
    )


def weight_of(rule: Rule) -> float:
    """Give what a rule weighs at full strength, nats.

    Raises:
        ValueError: Its test computes that.
    """
    if rule.weight is None:
        raise ValueError(f"rule {rule.id!r} has no weight of its own")
    return rule.weight


def weakened(sign: Sign, share: F64 | Mask) -> Sign:
    """Let a sign say a share of what it says; with none of it left it does not show."""
    return attrs.evolve(sign, where=np.logical_and(sign.where, np.not_equal(share, 0.0)), llr=sign.llr * share)


def by_rule(signs: Iterable[Sign]) -> Signs:
    """Put signs in order, by their rules; of two of one rule the later stays."""
    return {sign.rule: sign for sign in signs}


def taken(signs: Signs, rows: I64, count: int) -> Signs:
    """Keep some of *count* cases."""
    return {rule: sign.take(rows, count) for rule, sign in signs.items()}


def restricted_to(signs: Signs, family: Family) -> Signs:
    """Keep the signs that a family has, each still by the rule that its detector named."""
    return {rule: sign for rule, sign in signs.items() if family.of(rule) is not None}


def total(signs: Signs, count: int) -> F64:
    """Add up what all signs weigh, for each of *count* cases."""
    return sum((sign.llr for sign in signs.values()), np.zeros(count))


def none_forged(count: int) -> Ragged:
    """Name no packet as forged."""
    return Ragged.empty(count, np.int32)


def record(analyzer: Analyzer, cases: Cases, signs: Signs, family: Family | None = None) -> list[Evidence]:
    """Write signs down as evidence, rule by rule, for the cases that show them.

    Args:
        analyzer: Who saw them.
        cases: What they are about.
        signs: What was seen.
        family: Whose twins are written in place of the rules that detectors named; signs that it does not have are
            left out.
    """
    tables = []
    for sign in signs.values() if len(cases) else ():
        rule = sign.rule if family is None else family.of(sign.rule)
        if rule is None or not len(pick := sign.cases(len(cases))):
            continue
        subset, observed = cases.take(pick), sign.take(pick, len(cases))
        tables.append(
            observe(
                analyzer,
                rule,
                subject=subset.subject,
                time=subset.time,
                llr=observed.llr,
                witness=each_once(subset.witness, observed.witness),
                forged=subset.forged if observed.forged is None else observed.forged,
                measured=dict(observed.measured),
                kind=cases.kind,
            )
        )
    return tables


def record_each(analyzer: Analyzer, parts: Sequence[tuple[Cases, Signs]]) -> Evidence:
    """Write down what many things show, each by itself: as `record` would of one after the other, but much cheaper.

    Args:
        analyzer: Who saw it.
        parts: Cases, all of one kind, and their signs, of each.
    """
    if not parts:
        return Evidence.empty(rules=analyzer.rules)
    cases, sizes = Cases.concat([cases for cases, _ in parts]), np.array([len(cases) for cases, _ in parts])
    shown: dict[tuple[Rule, bool], list[tuple[int, int, Sign]]] = {}
    for number, (_, signs) in enumerate(parts):
        for place, sign in enumerate(signs.values()):
            shown.setdefault((sign.rule, sign.forged is None), []).append((number, place, sign))
    tables, order = [Evidence.empty(rules=analyzer.rules)], [np.empty((2, 0), np.int64)]
    for (rule, _), alike in shown.items():
        where = np.array([(number, place) for number, place, _ in alike]).T
        counts = sizes[where[0]]
        joined = Sign.concat([sign for _, _, sign in alike], counts.tolist())
        tables += record(analyzer, cases.take(spans((np.cumsum(sizes) - sizes)[where[0]], counts)), {rule: joined})
        order.append(np.repeat(where, counts, axis=1)[:, np.flatnonzero(joined.where)])
    numbers, places = np.concatenate(order, axis=1)
    return Evidence.concat(tables).take(np.lexsort((places, numbers)))


def each_once(*parts: Rows | None) -> Ragged:
    """List the packets of each case in order, each once; rows of -1 stand for none."""
    lists = [_lists(part) for part in parts if part is not None]
    count = len(lists[0])
    owner = np.concatenate([rows.parents() for rows in lists])
    row = np.concatenate([rows.values.astype(np.int64) for rows in lists])
    pairs = distinct(owner[row >= 0] << 32 | row[row >= 0])
    return Ragged.from_lengths(np.bincount(pairs >> 32, minlength=count), (pairs & 0xFFFFFFFF).astype(np.int32))


def _lists(rows: Rows) -> Ragged:
    """Bring packets of each case into one form."""
    return rows if isinstance(rows, Ragged) else Ragged.from_lengths(np.ones(len(rows), np.int64), rows)


def _column(parts: Sequence[ArrayLike], sizes: Sequence[int]) -> NDArray[Any]:
    """Put columns one after the other, each of so many rows; one value stands for all of them."""
    if not any(map(np.ndim, parts)):
        return np.repeat(np.array(parts), sizes)
    columns = [part if np.ndim(part) else np.full(size, part) for part, size in zip(parts, sizes, strict=True)]
    return np.concatenate(columns)


def _packets(parts: Sequence[Rows | None], sizes: Sequence[int]) -> Ragged:
    """Put lists of packets one after the other, each of so many cases; None stands for no packets."""
    if all(part is None for part in parts):
        return none_forged(sum(sizes))
    return Ragged.concat(
        [none_forged(size) if part is None else _lists(part) for part, size in zip(parts, sizes, strict=True)]
    )


def _taken(rows: Rows, index: I64) -> Rows:
    """Select the packets of some cases."""
    return rows.take(index) if isinstance(rows, Ragged) else rows[index]
