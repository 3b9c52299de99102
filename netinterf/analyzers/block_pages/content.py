"""What a page says: known block pages, and where it sends its reader."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Self

import numpy as np

from netinterf.analyzers.block_pages.answers import Answers
from netinterf.arrays import I64, Mask
from netinterf.context.domains import bare_hosts, domain_numbers, operator_domains
from netinterf.context.pages import TELLING, Signature, match_pages
from netinterf.numbering import numbered_text
from netinterf.table import Ragged, Text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Content", "read_content"]

FRAME = re.compile(rb"(?is)<iframe\b[^>]{0,300}?\bsrc\s*=\s*[\"']?\s*(?:https?:)?//([^/\"'>\s:?]+)")
TARGET = re.compile(rb"(?i)^\s*(https?:)?//([^/\s:?]+)")

LEAST = 5
"""Bytes of an answer by which a status line would be recognised: ``HTTP/``."""


@frozen(eq=False, kw_only=True)
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


@frozen(kw_only=True)
class Page:
    """What is read of one page, whoever got it."""

    mark: str  # the first signature that knows its make, empty without
    worded: bool
    harmless: bool
    host: str  # where it sends its reader, empty for nowhere
    secure: bool  # and that over TLS
    first: bytes  # status line and the first bytes of the body

    @classmethod
    def of(cls, page: bytes, location: bytes, matched: Sequence[Signature]) -> Self:
        """Read a page, given the location that its head names and the signatures that it matches."""
        marks = [signature.name for signature in matched if signature.blocks and not signature.generic]
        body = page.partition(b"\r\n\r\n")[2]  # the words of a status line are no page
        harmless = not marks and any(not signature.blocks and signature.matches(body) for signature in matched)
        host, secure = target(page, location)
        return cls(
            mark=marks[0] if marks else "",
            worded=not marks and not harmless and any(signature.blocks for signature in matched),
            harmless=harmless,
            host=host,
            secure=secure,
            first=body_of(page),
        )


def read_content(trace: Trace, answers: Answers) -> Content:
    """Read the pages of small answers; the others have none and say nothing."""
    which, pages = different_pages(trace, answers)
    number, requested = numbered_text(bare_hosts(trace.http.host.take(answers.request)))
    hosts = Text.of(page.host for page in pages)
    domain = domain_numbers(Text.concat([hosts, requested]), private=False)
    away = flags(page.host for page in pages)[which] & (domain[which] != domain[len(pages) + number])
    known = flags(page.mark for page in pages)[which]
    suspects = answers.suspects  # what is first in the capture need not be first in the stream
    begins = (trace.packets.relative_seq[suspects.row] == 1) & (trace.sides.syn[suspects.side] >= 0)
    makes: dict[str | bytes, int] = {}
    by_page, by_domain = (
        np.array([makes.setdefault(make, len(makes)) for make in listed], np.int64)
        for listed in ((page.mark or page.first for page in pages), operator_domains(hosts))
    )
    return Content(
        known=known,
        worded=flags(page.worded for page in pages)[which],
        harmless=flags(page.harmless for page in pages)[which],
        private=flags(is_private(page.host) for page in pages)[which] & ~flags(map(is_private, requested))[number],
        elsewhere=away & ~flags(page.secure for page in pages)[which],
        headless=begins & (answers.head < 0) & (answers.page.lengths >= LEAST),
        marked=known | away,
        likeness=np.where(away & ~known, by_domain[which], by_page[which]),
    )


def different_pages(trace: Trace, answers: Answers) -> tuple[I64, list[Page]]:
    """Read each different page once; return which one each answer is, and the pages."""
    index: dict[tuple[bytes, bytes], int] = {}
    locations = (trace.http.location.bytes(head) if head >= 0 else b"" for head in answers.head.tolist())
    which = [
        index.setdefault((page.tobytes(), location), len(index))
        for page, location in zip(answers.page, locations, strict=True)
    ]
    matched = match_pages(Ragged.of([np.frombuffer(page, np.uint8) for page, _ in index], np.uint8))
    pages = [Page.of(page, location, known) for (page, location), known in zip(index, matched, strict=True)]
    return np.array(which, np.int64), pages


def flags(values: Iterable[object]) -> Mask:
    """Say which values are true, or not empty."""
    return np.fromiter(map(bool, values), np.bool_)


def target(page: bytes, location: bytes) -> tuple[str, bool]:
    """Name the host that an answer redirects to or frames, and say whether over TLS; empty without."""
    redirect = TARGET.match(location)
    if redirect:
        return redirect[2].decode("latin-1").lower(), (redirect[1] or b"").lower() == b"https:"
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
    return head.partition(b"\r\n")[0] + body[:TELLING]
