"""The evidence of benign runs without their packets: what long runs are drawn from."""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.analyzers.base import join
from netinterf.arrays import I32, I64, U8, Mask
from netinterf.schema import Evidence, SubjectKind
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.verdict.reasons import Bits
from netinterf.verdict.subjects import list_subjects, row_of

__all__ = ["Pool", "Stock", "pool_of", "recombined"]


@attrs.frozen(eq=False, kw_only=True)
class Pool:
    """What a verdict needs of one benign run: its subjects, and the evidence about them without packets."""

    scenario: str
    exchange: Mask  # of each subject: an exchange, else a flow
    prior_kind: I64  # place in model.SUBJECTS
    protocol: U8
    reasons: Bits  # Reason bits: what happened to it
    whole: Mask  # both directions were captured
    server: I32  # servers of the run, numbered from 0
    port: I64  # of the server
    evidence: Evidence  # subject: place in the arrays above

    def __len__(self) -> int:
        return len(self.protocol)


def pool_of(trace: Trace, evidence: Evidence, scenario: str) -> Pool:
    """Keep of a benign capture what long runs are drawn from."""
    subjects = list_subjects(trace, evidence)
    row = row_of(evidence, subjects)
    kept = np.flatnonzero(row >= 0)
    chosen = evidence.take(kept)
    _, server = np.unique(subjects.server, return_inverse=True)
    return Pool(
        scenario=scenario,
        exchange=subjects.kind == SubjectKind.EXCHANGE,
        prior_kind=subjects.prior_kind,
        protocol=subjects.protocol,
        reasons=subjects.reasons,
        whole=subjects.whole,
        server=server.astype(np.int32),
        port=subjects.port,
        evidence=attrs.evolve(
            chosen, subject=row[kept].astype(np.int32), witness=Ragged.empty(len(kept), np.int32),
            forged=Ragged.empty(len(kept), np.int32),
        ),
    )  # fmt: skip


@attrs.frozen(eq=False)
class Stock:
    """The evidence of all pools in one table, findable by subject and independence group."""

    evidence: Evidence
    by_key: Ragged  # rows of evidence of each (subject, group), in that order
    groups: int
    stratum: I64  # of each subject: scenario, kind, what happened and the set of groups with an observation
    exchange: Mask

    @classmethod
    def of(cls, pools: Sequence[Pool]) -> "Stock":
        """Put the evidence of pools together."""
        sizes = np.array([len(pool) for pool in pools])
        starts = np.cumsum(sizes) - sizes
        tables = [
            attrs.evolve(pool.evidence, subject=(pool.evidence.subject + start).astype(np.int32))
            for pool, start in zip(pools, starts, strict=True)
        ]
        evidence = join(tables)
        names = sorted({rule.group for rule in evidence.rules})
        group = np.array([names.index(rule.group) for rule in evidence.rules] or [0])[evidence.rule]
        count, groups = int(sizes.sum()), max(len(names), 1)
        key = evidence.subject.astype(np.int64) * groups + group
        by_key = Ragged.from_lengths(np.bincount(key, minlength=count * groups), np.argsort(key, kind="stable"))
        present = by_key.lengths.reshape(count, groups) > 0
        exchange = np.concatenate([pool.exchange for pool in pools])
        protocol = np.concatenate([pool.protocol for pool in pools])
        reasons = np.concatenate([pool.reasons for pool in pools])
        scenarios = sorted({pool.scenario for pool in pools})
        scenario = np.repeat([scenarios.index(pool.scenario) for pool in pools], sizes)
        signature = np.column_stack([scenario, exchange, protocol, reasons, present])
        _, stratum = np.unique(signature, axis=0, return_inverse=True)
        return cls(evidence, by_key, groups, stratum.reshape(-1), exchange)


def donors(stock: Stock, subject: I64, rng: np.random.Generator | None) -> I64:
    """Say whose observations each subject gets, group by group.

    Args:
        stock: The evidence.
        subject: Subjects, n of them.
        rng: Source of chance; None gives everybody their own.

    Returns:
        Subjects, n by groups.
    """
    given = np.repeat(subject[:, None], stock.groups, axis=1)
    if rng is None:
        return given
    order = np.argsort(stock.stratum, kind="stable")
    sizes = np.bincount(stock.stratum)
    starts = np.cumsum(sizes) - sizes
    stratum = stock.stratum[subject]
    pick = rng.integers(0, sizes[stratum][:, None], size=given.shape)
    found: I64 = order[starts[stratum][:, None] + pick]
    return found


def recombined(stock: Stock, subject: I64, rng: np.random.Generator | None) -> tuple[I64, Evidence]:
    """Gather the evidence of a long run.

    Returns:
        For each row of evidence the place in *subject* that it is about, and the rows.
    """
    key = donors(stock, subject, rng) * stock.groups + np.arange(stock.groups)
    chosen = stock.by_key.take(key.reshape(-1))
    about = np.repeat(np.repeat(np.arange(len(subject)), stock.groups), chosen.lengths)
    return about, stock.evidence.take(chosen.values)
