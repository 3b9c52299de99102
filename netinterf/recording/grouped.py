"""Counting path by path: what is found of a path is told to each of its flows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import Flows
from netinterf.values import frozen

__all__ = ["Paths"]


@frozen(eq=False)
class Paths:
    """The paths of a capture, numbered; `of` holds the number of each flow's."""

    of: I64
    count: int

    @classmethod
    def number(cls, flows: Flows) -> "Paths":
        """Number the paths of some flows."""
        taken = np.zeros(int(flows.path.max(initial=-1)) + 1, np.bool_)
        taken[flows.path] = True
        number = np.cumsum(taken) - 1
        return cls(number[flows.path], int(np.count_nonzero(taken)))

    def total(self, weights: NDArray[Any]) -> F64:
        """Sum something over the flows of each path; one entry per path."""
        total: F64 = np.bincount(self.of, weights=weights, minlength=self.count).astype(np.float64)
        return total

    def share(self, part: NDArray[Any], whole: NDArray[Any]) -> F64:
        """Give the share that some flows' numbers have in others', by path; one entry per flow."""
        shares = self.total(part) / np.maximum(self.total(whole), 1)
        by_flow: F64 = shares[self.of]
        return by_flow

    def any(self, holds: Mask) -> Mask:
        """Say whether something holds for a flow of the path; one entry per flow."""
        by_flow: Mask = (self.total(holds) > 0)[self.of]
        return by_flow

    def kinds(self, flow: I64, value: NDArray[Any]) -> I64:
        """Count the different values that some flows of each path show; one entry per path.

        Args:
            flow: Rows in Flows, any number of times.
            value: What each of them shows, not negative and below 2**32.
        """
        width = int(value.max(initial=0)) + 1
        return np.bincount(distinct(self.of[flow] * width + value) // width, minlength=self.count)
