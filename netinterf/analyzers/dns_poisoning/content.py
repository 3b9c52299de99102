"""What a reply answers, and what of it cannot be true.

A private address is no proof: split horizon, captive portals, fake-address proxies and block lists hand them out on
purpose. So an answer only counts as bogus when the name is a public one *and* the resolver is public, and a server that
answers many names that way is following a policy of its own.
"""

from enum import IntFlag

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.answered import records_answered
from netinterf.analyzers.dns_poisoning.replies import Replies, names_by_server
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I32, I64, U16, Mask
from netinterf.context.domains import within
from netinterf.context.forged import ForgedKind, address_owners, block_page_names, forged_addresses
from netinterf.context.special import Special, is_ipv4, special_bits
from netinterf.numbering import numbered_text
from netinterf.protocols.dns_messages import RecordType
from netinterf.schema import Answers, ParseError
from netinterf.table import Ragged, Text, spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["CENSORED", "LOCAL", "Content", "Feature", "read_content"]

SPECIAL_NAMES = frozenset(
    "local localdomain localhost lan home internal intranet corp private arpa test invalid onion alt".split()  # noqa: SIM905
)
"""Last labels that are not delegated in public: RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476, ICANN .internal, and
the labels in private use that ICANN's name-collision reports list."""

LOCAL = np.uint16(Special.PRIVATE | Special.LOOPBACK | Special.LINK_LOCAL | Special.CGNAT)
"""Addresses of resolvers that stand in the client's own network."""

UNOWNED = np.uint16(Special.BOGON | Special.TEREDO)
"""Addresses that no public name can own."""

UNREACHABLE = np.uint16(
    Special.PRIVATE | Special.LINK_LOCAL | Special.CGNAT | Special.DOCUMENTATION | Special.MULTICAST
)
SINKHOLES = np.uint16(Special.LOOPBACK | Special.UNSPECIFIED | Special.THIS_NETWORK | Special.BROADCAST)

LOCAL_ZONE_NAMES, LOCAL_ZONE_SHARE = 3, 0.2
"""A server that answers so many names, and such a share of all, with bogus addresses follows a policy of its own; known
injectors touch some names only (Iran's and China's lists are a small part of all names: Hoang et al. 2021)."""

UNKNOWN_OWNER = 3.0
"""Weight of a listed address whose owner is unknown: the pools hold shared hosting, where the name may really live."""

HISTORIC = 1.5
"""Weight of an address on a list of former years."""

NOT_ANSWERED_BY_A = (2, 6, 12, 15, 16, RecordType.AAAA, 33, 64, 65, 257)
"""Questions that no A record answers (NS, SOA, PTR, MX, TXT, AAAA, SRV, SVCB, HTTPS, CAA)."""

CENSORED = 16
FILTER_ERRORS = (15, CENSORED, 17, 18)
"""Extended errors Blocked, Censored, Filtered and Prohibited (RFC 8914 §4.16-4.19)."""


class Feature(IntFlag):
    """What the answers of one reply say."""

    ADDRESS = 1 << 0  # at least one address
    GLOBAL = 1 << 1  # at least one globally reachable address
    UNREACHABLE = 1 << 2  # a private or otherwise unreachable address
    SINKHOLE = 1 << 3  # 0.0.0.0, 127.0.0.1 and their like
    FAKE_IP = 1 << 4  # benchmark space, the usual pool of fake-address proxies
    IMPOSSIBLE = 1 << 5  # Teredo, or space that was never allocated
    WRONG_TYPE = 1 << 6  # addresses of another type than asked for
    POLICY = 1 << 7  # the resolver says that it filters, or gives a filtering product's address
    MISPLACED_OPT = 1 << 8  # an OPT record in the answer section
    BROKEN = 1 << 9  # counts or bytes contradict each other, and the capture is not to blame
    QUESTION_WITHOUT_CLASS = 1 << 10  # the question lost its class


@frozen(eq=False, kw_only=True)
class Content:
    """Content of each reply, aligned with `Replies`."""

    features: U16  # Feature bits
    addresses: Ragged  # rows in Answers of its addresses
    bogus: F64  # weight of its bogus addresses, 0 without
    listed: F64  # weight of its listed addresses, 0 without
    public_name: Mask  # asked for a name of the public tree

    def has(self, wanted: Feature) -> Mask:
        """Say which replies show any of the signs."""
        shows: Mask = self.features & np.uint16(wanted) != 0
        return shows


def read_content(trace: Trace, replies: Replies) -> Content:
    """Judge the answers of every reply by themselves, and by the resolver and name they belong to."""
    answers = trace.answers
    addresses = records_answered(trace, replies.message, _is_address(answers))
    flat, parent = addresses.values, addresses.parents()
    kind = trace.exchanges.kind[replies.exchange]
    bits = _bits(answers, flat)
    features = np.zeros(len(replies), np.uint16)
    for flag, mask in (
        (Feature.ADDRESS, np.ones(len(flat), np.bool_)),
        (Feature.GLOBAL, bits & np.uint16(Special.BOGON | Special.TEREDO) == 0),
        (Feature.UNREACHABLE, (bits & UNREACHABLE != 0)),
        (Feature.SINKHOLE, bits & SINKHOLES != 0),
        (Feature.FAKE_IP, bits & np.uint16(Special.BENCHMARK) != 0),
        (Feature.IMPOSSIBLE, _impossible(answers, flat, bits)),
        (Feature.WRONG_TYPE, _wrong_type(answers.kind[flat], kind[parent])),
    ):
        features[parent[mask]] |= np.uint16(flag)
    _add_form(trace, replies, features)
    public_name = _public_names(trace, replies)
    public = public_name & (trace.hosts.special[replies.server] & LOCAL == 0)
    listed = _listed(trace, replies, addresses, features)
    bogus = np.where(features & np.uint16(Feature.UNREACHABLE) != 0, weight_of(rules.BOGON_ANSWER), 0.0)
    bogus = np.where((bogus == 0) & (features & np.uint16(Feature.SINKHOLE) != 0), rules.SINKHOLE, bogus)
    bogus = np.where(public & (features & np.uint16(Feature.POLICY | Feature.GLOBAL) == 0), bogus, 0.0)
    return Content(
        features=features,
        addresses=addresses,
        bogus=bogus,
        listed=np.where(public_name, listed, 0.0),
        public_name=public_name,
    )


def _is_address(answers: Answers) -> Mask:
    four = (answers.kind == RecordType.A) & (answers.length == 4)
    address: Mask = four | (answers.kind == RecordType.AAAA) & (answers.length == 16)
    return address


def _bits(answers: Answers, rows: I64) -> U16:
    """Look up special ranges; IPv4-mapped AAAA data is ordinary in block pages and counts as the address it maps."""
    return special_bits(answers.high[rows], answers.low[rows])


def _impossible(answers: Answers, rows: I64, bits: U16) -> Mask:
    """Find AAAA answers in Teredo space or in 0000::/8 outside its assigned corners (::, ::1, mapped, NAT64)."""
    high, low = answers.high[rows], answers.low[rows]
    never = (high >> np.uint64(56) == 0) & (high != 0) & (bits & np.uint16(Special.NAT64) == 0)
    teredo = bits & np.uint16(Special.TEREDO) != 0
    impossible: Mask = (never | teredo) & ~is_ipv4(high, low)
    return impossible


def _wrong_type(given: U16, asked: U16) -> Mask:
    four = (given == RecordType.A) & np.isin(asked, NOT_ANSWERED_BY_A)
    wrong: Mask = four | (given == RecordType.AAAA) & (asked == RecordType.A)
    return wrong


def _add_form(trace: Trace, replies: Replies, features: U16) -> None:
    """Add signs of form: errors that are not the capture's fault, a misplaced OPT record, a declared filter."""
    dns, message = trace.dns, replies.message
    error = dns.error[message]
    lost = (error == ParseError.BAD_VALUE) & (dns.questions[message] == 1) & (dns.qclass[message] == 0)
    lost &= (
        replies.answered & replies.pointer & (features & np.uint16(Feature.ADDRESS) != 0)
    )  # and yet the answer reads well
    broken = np.isin(error, (ParseError.MISSING, ParseError.TRAILING, ParseError.BAD_LENGTH))
    features[lost] |= np.uint16(Feature.QUESTION_WITHOUT_CLASS)
    features[broken & ~replies.truncated] |= np.uint16(Feature.BROKEN)
    features[np.isin(dns.extended_error[message], FILTER_ERRORS)] |= np.uint16(Feature.POLICY)
    misplaced = np.zeros(len(dns), np.bool_)
    misplaced[trace.answers.message[(trace.answers.section == 1) & (trace.answers.kind == RecordType.OPT)]] = True
    features[misplaced[message]] |= np.uint16(Feature.MISPLACED_OPT)


def _public_names(trace: Trace, replies: Replies) -> Mask:
    """Say which replies are about a name of the public tree."""
    number, names = numbered_text(trace.exchanges.name)
    dots = np.bincount(names.parents()[names.values == ord(".")], minlength=len(names)) > 0
    special = np.zeros(len(names), np.bool_)
    for label in SPECIAL_NAMES:
        special |= within(names, label)
    public: Mask = (dots & ~special)[number[replies.exchange]]
    return public


def _listed(trace: Trace, replies: Replies, addresses: Ragged, features: U16) -> F64:
    """Weigh answers that are on the list of forged answers, and mark those of filtering products.

    Forged answers name one address, or several of one operator's pages: one listed among others that are not is of a
    name that lives in many places, some of them in the pools that injectors draw from.
    """
    weight = np.zeros(len(replies))
    flat, parent = addresses.values, addresses.parents()
    high, low = trace.answers.high[flat], trace.answers.low[flat]
    listed, owners = forged_addresses(), address_owners()
    row = listed.find(high, low)
    kind = np.where(row >= 0, listed.kinds[row], 0)
    features[parent[kind == ForgedKind.PRODUCT]] |= np.uint16(Feature.POLICY)
    accusing = np.isin(kind, (ForgedKind.FORGED, ForgedKind.HISTORIC, ForgedKind.BLOCKPAGE))
    accusing &= (np.bincount(parent[accusing], minlength=len(replies)) == addresses.lengths)[parent]
    rows = np.flatnonzero(accusing)
    reply, high, low = parent[rows], high[rows], low[rows]
    owner = owners.find(high, low)
    known = (owner >= 0) | (kind[rows] == ForgedKind.BLOCKPAGE) | (special_bits(high, low) & UNOWNED != 0)
    current = np.where(known, weight_of(rules.LISTED_ANSWER), UNKNOWN_OWNER)
    current = np.where(kind[rows] == ForgedKind.HISTORIC, HISTORIC, current)
    elsewhere = ~_at_home(trace, replies, reply, owner)
    np.maximum.at(weight, reply[elsewhere], current[elsewhere])
    pages = _page_targets(trace, replies)
    return np.where(pages, weight_of(rules.LISTED_ANSWER), weight)


def _at_home(trace: Trace, replies: Replies, rows: I64, owner: I32) -> Mask:
    """Say which replies are about a name of the address owner's, or lead through one.

    Args:
        trace: The capture.
        replies: All replies.
        rows: Rows in *replies*, n of them.
        owner: The row in `address_owners` of an address that each gave, -1 for none.
    """
    answers, owners, message = trace.answers, address_owners(), replies.message[rows]
    home = owners.may_serve(owner, trace.exchanges.name.take(replies.exchange[rows]))
    counts = replies.record_at[message + 1] - replies.record_at[message]
    record, place = spans(replies.record_at[message], counts), np.repeat(np.arange(len(rows)), counts)
    alias = answers.kind[record] == RecordType.CNAME
    record, place = record[alias], place[alias]
    home[place[owners.may_serve(owner[place], answers.target.take(record))]] = True
    return home


def _page_targets(trace: Trace, replies: Replies) -> Mask:
    """Find replies whose CNAME leads to the block page of an operator or state."""
    answers = trace.answers
    pages = Text.of(name for name, scope in block_page_names().items() if scope != "prod")
    aliases = np.flatnonzero((answers.kind == RecordType.CNAME) & (answers.section == 1))
    number, _ = numbered_text(Text.concat([pages, answers.target.take(aliases)]))
    led = np.zeros(len(trace.dns), np.bool_)
    led[answers.message[aliases[np.isin(number[len(pages) :], number[: len(pages)])]]] = True
    to_page: Mask = led[replies.message]
    return to_page


def local_policy(trace: Trace, replies: Replies, content: Content, contradicted: Mask) -> Mask:
    """Find replies whose server answers many names with bogus addresses of its own accord.

    Args:
        trace: For the names.
        replies: All replies.
        content: What they answer.
        contradicted: Replies of exchanges that hold a contradiction; they say nothing about the server's policy.
    """
    answered = content.has(Feature.ADDRESS) & ~contradicted
    bogus = answered & content.has(Feature.UNREACHABLE | Feature.SINKHOLE | Feature.FAKE_IP)
    names = names_by_server(trace, replies, bogus)
    many = names >= LOCAL_ZONE_NAMES
    own_zone = many & (names >= LOCAL_ZONE_SHARE * names_by_server(trace, replies, answered & many[replies.server]))
    policy: Mask = own_zone[replies.server]
    return policy
