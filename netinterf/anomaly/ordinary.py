"""What is ordinary: how often benign public captures show each fact, and how far ordinary conversations stand out.

``data/ordinary.json`` holds, for each kind, a tree over its facts (Chow and Liu, IEEE Transactions on Information
Theory 1968): each fact is judged among conversations that agree in the fact that tells most about it, so that what
follows from one thing is counted once. It is made by ``python -m benchmarks anomaly --write``.
"""

import json
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.anomaly.kinds import KINDS, Kind
from netinterf.arrays import F32, F64, I8
from netinterf.errors import SchemaError
from netinterf.values import frozen

__all__ = ["DIGITS", "TIE", "Ordinary", "ordinary", "tails"]

TIE = 1 + 1e-9
"""Chances that differ by less are equal."""

DIGITS = 3
"""Decimals of nats that tell conversations apart."""


@frozen(eq=False, kw_only=True)
class Ordinary:
    """What is ordinary for one kind of conversations."""

    parent: tuple[int, ...]  # of each fact, the one that tells most about it, -1 for none
    chance: tuple[F64, ...]  # of each fact: by the parent's value plus one, then by its own; rows add up to 1
    nats: F64  # how far ordinary conversations stand out, rising
    beyond: F64  # share of them that stands out so far or farther

    @cached_property
    def rare(self) -> tuple[F64, ...]:
        """How rare each value of a fact is, nats: by the parent's value and the own, plus one each."""
        return tuple(np.pad(-np.log(tails(chance)), ((0, 0), (1, 0))) for chance in self.chance)

    def rarity(self, values: I8) -> F32:
        """Give how rare each value is among ordinary conversations that agree in the parent's: -ln of its tail.

        Args:
            values: n rows, one column per fact, -1 where unknown.

        Returns:
            The same shape, in nats; 0 where unknown.
        """
        nats = np.zeros(values.shape, np.float32, order="F")  # they are many, and three decimals count
        for column, (parent, rare) in enumerate(zip(self.parent, self.rare, strict=True)):
            given = values[:, parent].astype(np.int64) + 1 if parent >= 0 else 0
            nats[:, column] = rare.reshape(-1)[given * rare.shape[1] + values[:, column] + 1]
        return nats

    def standing(self, nats: NDArray[np.floating[Any]]) -> F64:
        """Turn how far conversations stand out into the share of ordinary ones that stand out less."""
        close = np.round(nats.astype(np.float64), DIGITS)  # sums of the same numbers are equal
        place = np.searchsorted(self.nats, close, side="right")  # of the next lower one, so that none is overrated
        result: F64 = 1.0 - np.concatenate([[1.0], self.beyond])[place]
        return result

    def to_json(self, kind: Kind) -> dict[str, Any]:
        """Write down for the packaged file."""
        names = [fact.id for fact in kind.facts]
        facts = {
            name: {"given": names[parent] if parent >= 0 else None, "chance": np.round(chance, 7).tolist()}
            for name, parent, chance in zip(names, self.parent, self.chance, strict=True)
        }
        return {"facts": facts, "nats": self.nats.tolist(), "beyond": np.round(self.beyond, 6).tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any], kind: Kind) -> "Ordinary":
        """Read what `to_json` wrote.

        Raises:
            SchemaError: It was made for other facts.
        """
        names = [fact.id for fact in kind.facts]
        if list(document["facts"]) != names:
            raise SchemaError(f"what is ordinary for {kind.many} was counted for other facts")
        chance = tuple(np.array(document["facts"][name]["chance"], np.float64) for name in names)
        for fact, table in zip(kind.facts, chance, strict=True):
            if table.shape[1] != len(fact.says):
                raise SchemaError(f"what is ordinary for {kind.many} was counted for another {fact.id}")
        given = [document["facts"][name]["given"] for name in names]
        return cls(
            parent=tuple(-1 if name is None else names.index(name) for name in given),
            chance=tuple(table / table.sum(axis=1, keepdims=True) for table in chance),
            nats=np.array(document["nats"]),
            beyond=np.array(document["beyond"]),
        )


def tails(chance: F64) -> F64:
    """Give for each value the chance of one as rare or rarer, row by row: the tail of Fisher's exact test."""
    rarer = chance[:, None, :] <= chance[:, :, None] * TIE
    result: F64 = np.minimum(np.where(rarer, chance[:, None, :], 0.0).sum(axis=2), 1.0)
    return result


@cache
def ordinary() -> dict[str, Ordinary]:
    """Load what is ordinary for each kind, by its id."""
    document = json.loads(files("netinterf.data").joinpath("ordinary.json").read_text(encoding="utf-8"))
    return {kind.id: Ordinary.from_json(document["kinds"][kind.id], kind) for kind in KINDS}
