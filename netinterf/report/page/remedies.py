"""What is known to help against the kinds of block that a page found, with where that is written."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from netinterf.report.digest import rows_of_outcome
from netinterf.report.page.markup import Markup, raw, tag
from netinterf.schema import Outcome, TriggerKind
from netinterf.writing import count_of
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict
from netinterf.written.remedies import BLOCKS, CAVEAT, NO_REMEDY, Block, block_against, block_of

__all__ = ["blocks_of", "remedies"]


def blocks_of(ledger: Ledger, groups: Sequence[Verdict]) -> Counter[str]:
    """Count what was interfered with by the kind of block; what is not known to be of any is left out.

    Args:
        ledger: A capture's verdicts.
        groups: What many of its conversations show together.
    """
    verdicts, rows = ledger.verdicts, rows_of_outcome(ledger, Outcome.INTERFERED)
    counted: Counter[str] = Counter()
    pairs = np.stack([verdicts.mechanism[rows], verdicts.trigger[rows].astype(np.int32)], axis=1)
    for (mechanism, trigger), count in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
        block = block_of(verdicts.mechanisms[mechanism], TriggerKind(int(trigger)).word)
        if block is not None:
            counted[block.kind] += int(count)
    for block in map(block_against, groups):
        if block is not None and block.kind not in counted:
            counted[block.kind] = 0  # only together is it shown
    return counted


def remedies(counted: Mapping[str, int]) -> Markup:
    """Write what is known to help against some kinds of block, nothing without any."""
    if not counted:
        return raw("")
    parts = [part(block, counted[kind]) for kind, block in BLOCKS.items() if kind in counted]
    return tag("section", tag("h2", "What is known to help"), tag("p", CAVEAT), *parts, id="remedies")


def part(block: Block, count: int) -> Markup:
    """Write what helps against one kind."""
    where = f" ({count_of(count, 'finding')})" if count else ""
    lines = [
        tag("li", remedy.says, " ", tag("small", "; ".join(remedy.sources), class_="soft")) for remedy in block.remedies
    ]
    listed = tag("ul", *lines) if lines else tag("p", NO_REMEDY)
    return tag("section", tag("h3", f"{block.says.removesuffix('.')}{where}"), listed)
