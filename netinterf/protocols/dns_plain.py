"""Plain DNS messages, which are nearly all: read by compiled code where there is some (``compiled/dns.c``)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.compiled import call, is_there
from netinterf.protocols.svcb import offers_http3
from netinterf.schema import Answers
from netinterf.table import Text

__all__ = ["read_plain"]

SERVICE_BINDINGS = (64, 65)
"""Types SVCB and HTTPS (RFC 9460)."""

Columns = dict[str, Any]


def read_plain(data: U8, start: I64, length: I64, whole: Mask) -> tuple[Mask, Columns, Answers]:
    """Read the messages that have one question, and in which nothing is wrong but what injectors do.

    Args:
        data: Bytes that hold all messages.
        start: Where each message begins, n of them.
        length: How long it is.
        whole: Which of them *data* holds to their ends.

    Returns:
        Which were read, in n flags: none where nothing is compiled; their columns as in `Messages`; and their records.
    """
    plain = np.zeros(len(start), np.bool_)
    sizes = np.zeros(5, np.int64)
    starts, lengths = np.ascontiguousarray(start, np.int64), np.where(whole, length, 0).astype(np.int64)
    if is_there():
        call("measure_dns", len(start), data, starts, lengths, plain, sizes)
    count, records, *texts = sizes.tolist()
    names, owners, targets = (np.empty(size, np.uint8) for size in texts)
    name_offsets = np.zeros(count + 1, np.int64)
    owner_offsets, target_offsets = np.zeros(records + 1, np.int64), np.zeros(records + 1, np.int64)
    place = np.empty(records, np.int64)
    messages: Columns = {
        **{field: np.empty(count, np.uint16) for field in ("id", "flags", "questions", "answers")},
        **{field: np.empty(count, np.uint16) for field in ("authorities", "additionals", "kind", "qclass")},
        **{field: np.empty(count, np.bool_) for field in ("opt", "dnssec_ok")},
        **{field: np.empty(count, np.int32) for field in ("extended_error", "trailing")},
        "error": np.empty(count, np.uint8),
        "error_at": np.empty(count, np.int32),
    }
    answers: Columns = {
        "message": np.empty(records, np.int32),
        "section": np.empty(records, np.uint8),
        **{field: np.empty(records, np.uint16) for field in ("kind", "rclass")},
        "ttl": np.empty(records, np.uint32),
        **{field: np.empty(records, np.uint64) for field in ("high", "low")},
        "length": np.empty(records, np.uint16),
        "pointer": np.empty(records, np.bool_),
    }
    if count:
        into = (*messages.values(), name_offsets[1:], names)
        also = (*answers.values(), place, owner_offsets[1:], owners, target_offsets[1:], targets)
        call("read_dns", len(start), data, starts, lengths, plain, into, also)
    messages["raw_name"] = Text(name_offsets, names)
    answers |= {
        "http3": binds_http3(data, answers["kind"], place, answers["length"]),
        "owner": Text(owner_offsets, owners),
        "target": Text(target_offsets, targets),
    }
    return plain, messages, Answers(**answers)


def binds_http3(data: U8, kind: NDArray[np.integer], at: I64, length: NDArray[np.integer]) -> Mask:
    """Say which records offer HTTP/3: their types, where their data begin, and how long these are."""
    http3 = np.zeros(len(kind), np.bool_)
    bound = np.flatnonzero(np.isin(kind, SERVICE_BINDINGS))
    http3[bound] = offers_http3(data, at[bound], at[bound] + length[bound])
    return http3
