"""How many injectors wrote the forged DNS replies of a capture: at least as many as there are hands to be told.

Injectors differ in what their makers chose: AA and RA, the don't-fragment flag, whether the owner name is copied or
pointed at, whether EDNS is answered. Three on one path answered side by side for years, and were told apart by just
these (Anonymous et al., *Triplet Censors*, FOCI 2020, table of injectors). What a reply copies from its question says
nothing, so only replies to questions alike are compared; what an injector draws anew for each reply (hop limit, IP ID,
address) says nothing either. The count is a lower bound: two processes of one make are one hand.
"""

import numpy as np

from netinterf.arrays import I64
from netinterf.attribute.dns_traits import forged_messages, query_of
from netinterf.mechanisms import Written, written_by
from netinterf.numbering import distinct, distinct_rows
from netinterf.schema import IpFlag, Verdicts
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["ForgedReplies", "Injector", "forged_replies", "list_injectors", "tell_injectors"]

WRITER_FLAGS = 0x0480
"""AA and RA: what the writer of a reply sets by itself (RFC 1035 §4.1.1)."""

COPIED_FLAGS = 0x0110
"""RD and CD: what it copies from the question (RFC 1035 §4.1.1, RFC 4035 §3.1.6)."""

LEAST_QUESTIONS = 2
"""Questions that a hand must have answered beside another to count: one odd reply may be a packet that was changed on
the way, and of two replies to a question the genuine one may have been taken for the forged one."""


@frozen(kw_only=True)
class Injector:
    """One hand among the forged replies.

    Attributes:
        authority: It claims authority (AA).
        recursion: It offers recursion (RA).
        fragment: Its packets may be fragmented (no DF); None for IPv6 and where headers tell nothing.
        pointer: It points at the question's name instead of copying it; None where it gives no answer.
        edns: It answers EDNS; None where no question had it.
        questions: Questions that it answered.
    """

    authority: bool
    recursion: bool
    fragment: bool | None
    pointer: bool | None
    edns: bool | None
    questions: int

    def __str__(self) -> str:
        marks = [
            "with authority" if self.authority else "without authority",
            "offers recursion" if self.recursion else "offers no recursion",
            {True: "DF not set", False: "DF set", None: ""}[self.fragment],
            {True: "points at the name", False: "copies the name", None: ""}[self.pointer],
            {True: "answers EDNS", False: "ignores EDNS", None: ""}[self.edns],
        ]
        return ", ".join(mark for mark in marks if mark)


@frozen(eq=False, kw_only=True)
class ForgedReplies:
    """Forged DNS replies, and what their writers chose; aligned."""

    exchange: I64  # rows in Exchanges
    fingerprint: I64  # shape (replies, 4): AA and RA, fragment, pointer, EDNS; -1 where the reply does not show it
    question: I64  # shape (replies, 3): what the reply copies from its question, whether that had EDNS, and its type

    def take(self, rows: I64) -> "ForgedReplies":
        """Select replies."""
        return ForgedReplies(
            exchange=self.exchange[rows], fingerprint=self.fingerprint[rows], question=self.question[rows]
        )


def list_injectors(trace: Trace, verdicts: Verdicts) -> tuple[Injector, ...]:
    """List the hands that wrote the forged replies of a capture, the busiest first.

    Args:
        trace: The capture.
        verdicts: How it was judged; replies that findings of forged answers hold to be forged are compared.

    Returns:
        The largest set of hands that answered questions alike; empty without forged replies.
    """
    return tell_injectors(forged_replies(trace, verdicts)) if (verdicts.mechanism >= 0).any() else ()


def forged_replies(trace: Trace, verdicts: Verdicts) -> ForgedReplies:
    """List the replies that findings of forged answers hold to be forged; see `list_injectors`."""
    words = [number for number, word in enumerate(verdicts.mechanisms) if written_by(word) is Written.ANSWER]
    rows = np.flatnonzero(np.isin(verdicts.mechanism, words))
    message = forged_messages(trace, verdicts.forged.take(rows))[1]
    if not len(message):
        nobody = np.empty(0, np.int64)
        return ForgedReplies(exchange=nobody, fingerprint=nobody.reshape(0, 4), question=nobody.reshape(0, 3))
    dns, packets, packet = trace.dns, trace.packets, trace.dns.packet[message].astype(np.int64)
    query = query_of(trace, message)
    wanted = (query >= 0) & dns.opt[np.maximum(query, 0)]
    informative = trace.recording.ttl_informative | trace.recording.ip_id_informative
    df_known = (packets.version[packet] == 4) & informative[packets.flow[packet]]
    first = np.searchsorted(trace.answers.message, message)
    place = np.minimum(first, max(len(trace.answers) - 1, 0))
    answered = (first < len(trace.answers)) & (dns.answers[message] > 0)
    answered &= trace.answers.message[place] == message if len(trace.answers) else False
    pointer = np.full(len(message), -1, np.int64)
    pointer[answered] = trace.answers.pointer[place[answered]]
    fingerprint = np.stack(
        [
            dns.flags[message] & WRITER_FLAGS,
            np.where(df_known, packets.ip_flags[packet] & IpFlag.DONT_FRAGMENT == 0, -1),
            pointer,
            np.where(wanted, dns.opt[message], -1),
        ],
        axis=1,
    ).astype(np.int64)
    kind = trace.exchanges.kind[np.maximum(dns.exchange[message], 0)].astype(np.int64)
    alike = np.stack([dns.flags[message] & COPIED_FLAGS, wanted, kind], axis=1).astype(np.int64)
    return ForgedReplies(exchange=dns.exchange[message].astype(np.int64), fingerprint=fingerprint, question=alike)


def tell_injectors(replies: ForgedReplies) -> tuple[Injector, ...]:
    """Tell the hands that wrote forged replies; see `list_injectors`."""
    best: tuple[Injector, ...] = ()
    questions, asked = distinct_rows(replies.question)
    for number in range(len(questions)):
        here = replies.take(np.flatnonzero(asked == number))
        injectors = injectors_of(here.fingerprint, here.exchange)
        best = max(best, injectors, key=lambda some: (len(some), sum(injector.questions for injector in some)))
    return best


def injectors_of(fingerprint: I64, exchange: I64) -> tuple[Injector, ...]:
    """Tell the hands among replies to questions alike: those that answered one question side by side, or the busiest.

    What some replies do not show (-1: the capture cut them off) tells none apart.
    """
    fingerprint = np.where((fingerprint < 0).any(axis=0), -1, fingerprint)
    kinds, place = distinct_rows(fingerprint)
    answered, kind = np.divmod(distinct(exchange * len(kinds) + place), len(kinds))
    beside = np.bincount(answered)[answered] > 1
    questions = np.bincount(kind, minlength=len(kinds))
    side_by_side = np.bincount(kind[beside], minlength=len(kinds))
    counted = np.flatnonzero(side_by_side >= LEAST_QUESTIONS)
    counted = counted if len(counted) > 1 else np.array([questions.argmax()])
    injectors = [
        Injector(
            authority=bool(flags & 0x0400),
            recursion=bool(flags & 0x0080),
            fragment=None if fragment < 0 else bool(fragment),
            pointer=None if pointer < 0 else bool(pointer),
            edns=None if edns < 0 else bool(edns),
            questions=number,
        )
        for (flags, fragment, pointer, edns), number in zip(
            kinds[counted].tolist(), questions[counted].tolist(), strict=True
        )
    ]
    return tuple(sorted(injectors, key=lambda injector: -injector.questions))
