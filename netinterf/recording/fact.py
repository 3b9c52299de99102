"""One thing that a capture shows of how it was recorded, in words and numbers."""

from enum import StrEnum
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import Mask
from netinterf.values import frozen

__all__ = ["RecordingFact", "Scope", "conversations", "share_of"]


class Scope(StrEnum):
    """What part of a capture a fact is about."""

    CAPTURE = "capture"
    PATH = "path"  # all conversations of one end, see ``Flows.path``
    FLOW = "flow"  # single conversations


@frozen(kw_only=True)
class RecordingFact:
    """One thing that a capture shows of how it was recorded. The sentence names nobody, so that it can be published."""

    id: str  # stable, e.g. "recording.filtered"
    scope: Scope
    certain: bool  # nothing else looks like this; else it is the likely reading
    says: str  # one sentence
    numbers: dict[str, float] = attrs.field(factory=dict)  # what was measured


def share_of(flows: Mask, all_of: Mask | None = None) -> dict[str, float]:
    """Give the numbers of conversations that a fact is about, and of those that it could be about."""
    return {"flows": float(np.count_nonzero(flows)), "of": float(len(flows) if all_of is None else all_of.sum())}


def conversations(numbers: dict[str, Any]) -> str:
    """Write how many conversations a fact is about."""
    flows, of = int(numbers["flows"]), int(numbers["of"])
    if flows == of:
        return "the only conversation" if of == 1 else f"all {of:,} conversations"
    return f"{flows:,} of {of:,} conversations"
