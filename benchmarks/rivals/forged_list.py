"""A plain rule about DNS answers: the address is in a public list of forged ones.

The list is the one that ships with the library (`netinterf.context.forged`), put together from GFWatch, Wallbleed,
Citizen Lab and others, each row with its source. The rule reads nothing but the address: not whether the asked name
may live there.
"""

import numpy as np

from benchmarks.rivals.base import Call, Rival
from benchmarks.rivals.replies import frames_of, message_bytes
from netinterf.context.forged import ForgedKind, forged_addresses
from netinterf.trace import Trace

__all__ = ["FORGED_LIST", "LISTED", "forged_list"]

LISTED = (ForgedKind.FORGED, ForgedKind.HISTORIC, ForgedKind.BLOCKPAGE)
"""Kinds of rows that speak of forged answers; products that people choose and impossible addresses do not."""

ANSWER = 1  # section of a DNS message


def forged_list(trace: Trace) -> list[Call]:
    """Call every exchange of which a reply gives a listed address.

    It is `dns.injection` when other replies stand beside it, `dns.forged` when it stands alone.
    """
    answers, replies = trace.answers, trace.exchanges.replies
    given = (answers.section == ANSWER) & ((answers.high != 0) | (answers.low != 0))
    listed = np.flatnonzero(given)
    listed = listed[np.isin(forged_addresses().kind(answers.high[listed], answers.low[listed]), LISTED)]
    false = np.isin(replies.values, answers.message[listed])
    calls = []
    for row in np.unique(replies.parents()[false]).tolist():
        messages = replies[row].tolist()
        named = [message for message in messages if message in set(answers.message[listed].tolist())]
        several = len({message_bytes(trace, message) for message in messages}) > 1
        calls.append(
            Call(
                kind="exchange",
                row=row,
                mechanism="dns.injection" if several else "dns.forged",
                frames=frames_of(trace, named),
                says="an address of a public list of forged answers",
            )
        )
    return calls


FORGED_LIST = Rival(
    name="public forged list",
    source="GFWatch (Hoang et al., USENIX Security 2021), Wallbleed (NDSS 2025), Citizen Lab filtering-annotations",
    home=("dns.injection", "dns.forged"),
    judge=forged_list,
)
