"""Names of hosts: what of a Host header is the name, and which names belong together.

Names are related when their registrable domains are the same: the public suffix (`netinterf.context.suffixes`) and one
label more. All works on whole columns, each distinct name once. Two questions differ in which suffixes count:

- *Whose name is it?* (`registrable_domains`) The whole list: ``alice.github.io`` and ``bob.github.io`` are not
  related, since different people speak there.
- *Who runs the servers?* (`operator_domains`) What registries sell only: both live at GitHub, so that they share an
  address, a certificate or a key says nothing.
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.context.suffixes import EXCEPTION, LONGER, RULE, WILDCARD, suffix_rules
from netinterf.numbering import numbered_text
from netinterf.pieces import gather
from netinterf.protocols.dns_names import lowered
from netinterf.table import Text

__all__ = ["bare_hosts", "domain_numbers", "operator_domains", "registrable_domains", "suffix_classes", "within"]

DOT, COLON, BRACKET, ZERO, NINE = b".:[09"


def bare_hosts(names: Text) -> Text:
    """Cut the port and the final dot off hosts as requests name them (RFC 9110 §7.2), in lower case; n in, n out."""
    begin, end = names.offsets[:-1], names.offsets[1:]
    colons = np.flatnonzero(names.values == COLON)
    first = np.searchsorted(colons, begin)
    single_colon = np.searchsorted(colons, end) - first == 1  # more are an IPv6 address
    end = np.where(single_colon, np.append(colons, 0)[np.minimum(first, len(colons))], end)
    dotted = (end > begin) & (np.append(names.values, 0)[np.maximum(end - 1, 0)] == DOT)
    return lowered(_cut(names, begin, end - dotted))


def within(names: Text, domain: str) -> Mask:
    """Say which names are *domain* or stand below it, both in lower case; n in, n out."""
    lengths, end = names.lengths, names.offsets[1:]
    rows = np.flatnonzero(lengths >= len(domain))
    rows = rows[(lengths[rows] == len(domain)) | (names.values[end[rows] - len(domain) - 1] == DOT)]
    for place, byte in enumerate(domain.encode(), start=-len(domain)):
        rows = rows[names.values[end[rows] + place] == byte]
    inside = np.zeros(len(names), np.bool_)
    inside[rows] = True
    return inside


def registrable_domains(names: Text) -> Text:
    """Cut hosts down to the domain that somebody registered, with a registry or a company that gives names away.

    Args:
        names: Hosts, n of them; ports, final dots and upper case do not matter.

    Returns:
        n domains in lower case; a public suffix and a name of one label are their own, an address has none (empty).
    """
    return _domains(names, private=True)


def operator_domains(names: Text) -> Text:
    """Cut hosts down to the domain that somebody registered with a registry; else as `registrable_domains`."""
    return _domains(names, private=False)


def domain_numbers(names: Text, *, private: bool) -> I64:
    """Number the domains of hosts, equal ones alike, from 0 without gaps: `registrable_domains`, or of operators."""
    number, different = numbered_text(names)
    return numbered_text(_cut_down(different, private))[0][number]


def _domains(names: Text, *, private: bool) -> Text:
    """Cut hosts down to their public suffix and a label, each different one once."""
    number, different = numbered_text(names)
    return _cut_down(different, private).take(number)


def _cut_down(names: Text, private: bool) -> Text:
    """Cut hosts down to their public suffix and a label."""
    hosts = bare_hosts(names)
    named, end = _are_names(hosts), hosts.offsets[1:]
    labels = np.maximum(_suffixes(hosts, named, private), 1)  # of what no rule knows, the last label is the suffix
    return _cut(hosts, np.where(named, _last_labels(hosts, labels + 1), end), end)


def suffix_classes(names: Text) -> Text:
    """Tell of names no more than the registry that they were registered with: ``*.co.uk``; n in, n out.

    What a list of registries does not know is ``*`` alone, and of a rule for all names below one (``*.ck``) only that
    one is told. So nothing is told that a single owner chose, not even the last label of a name in a private network.
    No name gives an empty one.
    """
    number, different = numbered_text(names)
    hosts = bare_hosts(different)
    named, end = _are_names(hosts), hosts.offsets[1:]
    labels = _suffixes(hosts, named, private=False, below=0)
    known = _cut(hosts, np.where(labels > 0, _last_labels(hosts, labels), end), end)
    sizes = hosts.lengths.tolist()
    classes = [f"*.{suffix}" if suffix else "*" * (size > 0) for suffix, size in zip(known, sizes, strict=True)]
    return Text.of(classes).take(number)


def _are_names(hosts: Text) -> Mask:
    """Say which hosts are names, and no addresses; n in, n out."""
    end, last = hosts.offsets[1:], _last_labels(hosts, np.ones(len(hosts), np.int64))
    tail = np.where(last < end, np.append(hosts.values, 0)[last], 0)
    colons = np.concatenate([[0], np.cumsum((hosts.values == COLON) | (hosts.values == BRACKET))])
    address = (tail >= ZERO) & (tail <= NINE)  # no top-level domain begins with a digit
    named: Mask = (hosts.lengths > 0) & ~address & (colons[end] == colons[hosts.offsets[:-1]])
    return named


def _suffixes(hosts: Text, named: Mask, private: bool, below: int = 1) -> I64:
    """Count the labels of the public suffix of each host, by the algorithm of publicsuffix.org/list; n in, n out.

    Of the rules that match, an exception prevails, else the longest; 0 without any. Where all names one label below
    one are suffixes, that label counts as *below* says.
    """
    size = np.zeros(len(hosts), np.int64)
    labels = np.bincount(hosts.parents()[hosts.values == DOT], minlength=len(hosts)) + 1
    rows, depth = np.flatnonzero(named), 0
    if not len(rows):
        return size
    rules = suffix_rules()
    bits = rules.all_sections if private else rules.icann
    while len(rows):
        depth += 1
        at = hosts.take(rows)
        rule = rules.find(_cut(at, _last_labels(at, np.full(len(at), depth)), at.offsets[1:]))
        flags = np.where(rule >= 0, bits[rule], np.uint8(0))
        size[rows[flags & RULE > 0]] = depth
        size[rows[flags & WILDCARD > 0]] = depth + below
        size[rows[flags & EXCEPTION > 0]] = depth - 1
        rows = rows[(flags & LONGER > 0) & (flags & EXCEPTION == 0) & (labels[rows] > depth)]
    return size


def _last_labels(hosts: Text, count: I64) -> I64:
    """Find where the last labels of each host begin; the host itself where it has no more."""
    begin, end = hosts.offsets[:-1], hosts.offsets[1:]
    dots = np.append(np.flatnonzero(hosts.values == DOT), -1)
    first, beyond = np.searchsorted(dots[:-1], begin), np.searchsorted(dots[:-1], end)
    return np.where(beyond - first >= count, dots[np.maximum(beyond - count, -1)] + 1, begin)


def _cut(names: Text, begin: I64, end: I64) -> Text:
    """Take a span of the bytes for each row."""
    lengths = np.maximum(end - begin, 0)
    return Text.from_lengths(lengths, gather(names.values, begin, lengths))
