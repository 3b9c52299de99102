"""What a page says: known block pages, and where it sends its reader."""

import re
from ipaddress import ip_address

import attrs
import numpy as np

from netinterf.analyzers.block_pages.answers import Answers
from netinterf.arrays import I64, Mask
from netinterf.context.domains import bare_hosts, operator_domains
from netinterf.context.pages import match_pages
from netinterf.table import Text
from netinterf.trace import Trace

__all__ = ["Content", "read_content"]

FRAME = re.compile(rb"(?is)<iframe\b[^>]{0,300}?\bsrc\s*=\s*[\"']?\s*(?:https?:)?//([^/\"'>\s:?]+)")
TARGET = re.compile(rb"(?i)^\s*(https?:)?//([^/\s:?]+)")

LEAST = 5
"""Bytes of an answer by which a status line would be recognised: ``HTTP/``."""


@attrs.frozen(eq=False, kw_only=True)
class Content:
    """One entry per answer."""

    known: Mask  # a list of block pages knows it as a product's, an operator's or a country's
    worded: Mask  # it says what block pages say in general
    harmless: Mask  # a list of what is mistaken for block pages knows it, and no other knows better
    private: Mask  # it frames, or sends its reader to, an address of no public service
    elsewhere: Mask  # it sends its reader to another company's domain, and not to TLS
    headless: Mask  # it begins without a status line, as no answer of HTTP/1 does
    marked: Mask  # its make is told by a signature or by where it sends its reader
    likeness: I64  # equal for pages of one make: signature, else target, else the first bytes


def read_content(trace: Trace, answers: Answers) -> Content:
    """Read the pages of small answers; the others have none and say nothing."""
    count = len(answers)
    matched = match_pages(answers.page)
    names = [""] * count
    known, worded, harmless = (np.zeros(count, np.bool_) for _ in range(3))
    private, elsewhere = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    headless, marked = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    suspects = answers.suspects  # what is first in the capture need not be first in the stream
    begins = (trace.packets.relative_seq[suspects.row] == 1) & (trace.sides.syn[suspects.side] >= 0)
    likeness = np.zeros(count, np.int64)
    makes: dict[str | bytes, int] = {}
    targets = [target(trace, answers, place, answers.page[place].tobytes()) for place in range(count)]
    requested = bare_hosts(trace.http.host.take(answers.request))
    domains = operator_domains(Text.concat([Text.of([host for host, _ in targets]), requested]))
    for place in range(count):
        page = answers.page[place].tobytes()
        marks = [signature.name for signature in matched[place] if signature.blocks and not signature.generic]
        known[place], names[place] = bool(marks), marks[0] if marks else ""
        body = page.partition(b"\r\n\r\n")[2]  # the words of a status line are no page
        harmless[place] = not marks and any(
            not signature.blocks and signature.matches(body) for signature in matched[place]
        )
        worded[place] = not marks and not harmless[place] and any(signature.blocks for signature in matched[place])
        host, secure = targets[place]
        private[place] = is_private(host) and not is_private(requested[place])
        away = bool(host) and domains[place] != domains[count + place]
        elsewhere[place] = away and not secure
        headless[place] = begins[place] and answers.head[place] < 0 and len(page) >= LEAST
        marked[place] = bool(names[place]) or away
        make = names[place] or (domains[place] if away else body_of(page))
        likeness[place] = makes.setdefault(make, len(makes))
    return Content(
        known=known,
        worded=worded,
        harmless=harmless,
        private=private,
        elsewhere=elsewhere,
        headless=headless,
        marked=marked,
        likeness=likeness,
    )


def target(trace: Trace, answers: Answers, place: int, page: bytes) -> tuple[str, bool]:
    """Name the host that an answer redirects to or frames, and say whether over TLS; empty without."""
    head = int(answers.head[place])
    location = TARGET.match(trace.http.location.bytes(head)) if head >= 0 else None
    if location:
        return location[2].decode("latin-1").lower(), (location[1] or b"").lower() == b"https:"
    frame = FRAME.search(page)
    return (frame[1].decode("latin-1").lower(), False) if frame else ("", False)


def is_private(host: str) -> bool:
    """Say whether a host is an address that no public service can have (RFC 6890)."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def body_of(page: bytes) -> bytes:
    """Cut the status line and the body out of an answer: dates and lengths differ from page to page."""
    head, _, body = page.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0] + body[:256]
