"""What replies answer, as lists with one entry per record, and which of two lists have something in common."""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.numbering import combined
from netinterf.protocols.dns_messages import RecordType
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["address_numbers", "addresses_answered", "records_answered", "share_any"]


def records_answered(trace: Trace, message: I64, wanted: Mask) -> Ragged:
    """List the rows in Answers that messages hold in their answer sections.

    Args:
        trace: The capture.
        message: Rows in Dns, n of them.
        wanted: Which records to list, aligned with Answers.

    Returns:
        n lists, in order of the records.
    """
    answers = trace.answers  # sorted by message
    rows = np.flatnonzero((answers.section == 1) & wanted)
    counts = np.bincount(answers.message[rows], minlength=len(trace.dns))
    return Ragged.from_lengths(counts, rows).take(message)


def addresses_answered(trace: Trace, message: I64) -> Ragged:
    """List the rows in Answers of address records, well-formed or not, as `records_answered` does."""
    kind = trace.answers.kind
    return records_answered(trace, message, (kind == RecordType.A) | (kind == RecordType.AAAA))


def address_numbers(trace: Trace, records: I64) -> I64:
    """Number the addresses of some rows in Answers, equal ones alike, from 0 without gaps."""
    return combined(trace.answers.high[records].view(np.int64), trace.answers.low[records].view(np.int64))


def share_any(left: Ragged, right: Ragged) -> Mask:
    """Say which of n lists of numbers have one in common with their partners, which are as many."""
    number = combined(np.concatenate([left.values, right.values]))
    width = int(number.max(initial=0)) + 1
    mine, theirs = (
        lists.parents() * width + part
        for lists, part in zip((left, right), np.split(number, [len(left.values)]), strict=True)
    )
    sharing = np.zeros(len(left), np.bool_)
    sharing[left.parents()[np.isin(mine, theirs)]] = True
    return sharing
