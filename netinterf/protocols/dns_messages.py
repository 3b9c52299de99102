"""DNS messages in ragged bytes, many at once (RFC 1035 §4, RFC 6891, RFC 8914).

Messages advance in lock-step as names do: one round reads one resource record of every message that has one left. The
parser never raises. What cannot be read is said in ``error`` and ``error_at``, and everything before it is kept,
because forged messages are often exactly the malformed ones:

- the capture ended before the message did: CUT;
- a name, a record or its data runs past the end: BAD_LENGTH;
- the counts promise records where the bytes end cleanly: MISSING;
- bytes are left over: TRAILING;
- the question has no class and the answer's compression pointer stands in its place: BAD_VALUE, and reading goes on at
  the pointer (an injector in Iran builds such replies; net4people/bbs issues 226 and 451). No class 0xC00C is assigned
  (IANA DNS parameters), so an intact question cannot be mistaken for it.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U8, U16, Mask
from netinterf.numbering import order_of_different, ordered
from netinterf.protocols.dns_names import Names, expand_names, lowered, skip_names
from netinterf.protocols.dns_plain import binds_http3, read_plain
from netinterf.protocols.streams import words
from netinterf.schema import Answers, ParseError
from netinterf.table import Table, Text, column, text
from netinterf.values import frozen

__all__ = ["HEADER", "MAX_QUESTIONS", "MAX_RECORDS", "Messages", "RecordType", "parse_messages"]

HEADER = 12
"""Bytes of the header, RFC 1035 §4.1.1."""

INTERNET = 1
"""Class IN (RFC 1035 §3.2.4): in others, an SRV record may hold anything (RFC 2782)."""

MAX_RECORDS = 2048
"""Records read of one message; 64 KiB of the smallest possible records would be 5,957, real zones send far fewer."""

MAX_QUESTIONS = 16
"""Questions read of one message; more than one is not in use (RFC 9619)."""

BLOCK = 1 << 15
"""Messages parsed together: their temporaries stay in the processor's cache."""

QUESTION_NAME = 0xC000 | HEADER
"""Compression pointer to the question's name: with it most records begin."""

NO_CLASS = QUESTION_NAME
"""It stands where a class should be."""


class RecordType:
    """Resource record types used here (IANA DNS parameters)."""

    A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, RRSIG = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 46


NAME_SKIP = {
    RecordType.NS: 0,
    RecordType.CNAME: 0,
    RecordType.SOA: 0,
    RecordType.PTR: 0,
    RecordType.MX: 2,
    RecordType.SRV: 6,
}
"""Bytes of record data before the name, per type that holds one (RFC 1035 §3.3, RFC 2782)."""


@frozen(eq=False, kw_only=True)
class Messages(Table):
    """What `parse_messages` read; columns as in `schema.Dns`."""

    id: U16 = column("u2", "message identifier")
    flags: U16 = column("u2", "second header word")
    questions: U16 = column("u2", "QDCOUNT")
    answers: U16 = column("u2", "ANCOUNT")
    authorities: U16 = column("u2", "NSCOUNT")
    additionals: U16 = column("u2", "ARCOUNT")
    raw_name: Text = text("question name as sent")
    kind: U16 = column("u2", "QTYPE")
    qclass: U16 = column("u2", "QCLASS")
    opt: Mask = column("?", "an OPT record is present")
    dnssec_ok: Mask = column("?", "DO bit")
    extended_error: I32 = column("i4", "extended DNS error, -1 without")
    trailing: I32 = column("i4", "bytes behind the last record")
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset where reading stopped")


def parse_messages(data: U8, start: I64, captured: I64, length: I64) -> tuple[Messages, Answers]:
    """Read messages and their records.

    Args:
        data: Bytes that hold all messages.
        start: Where each message begins, n of them.
        captured: How many of its bytes *data* holds.
        length: How long it was on the wire, at least *captured*.

    Returns:
        n messages, and their records sorted by message and place.
    """
    plain, columns, records = read_plain(data, start, length, captured >= length)
    rest = np.flatnonzero(~plain)
    if not len(rest):
        return Messages(**columns), records
    messages, answers = parse_each(data, start[rest], captured[rest], length[rest])
    if len(rest) == len(plain):
        return messages, answers
    row = np.concatenate([np.flatnonzero(plain), rest])
    owner = np.concatenate([row[records.message], rest[answers.message]])
    order = ordered(owner)
    joined = attrs.evolve(Answers.concat([records, answers]), message=owner.astype(np.int32))
    return Messages.concat([Messages(**columns), messages]).take(order_of_different(row)), joined.take(order)


def parse_each(data: U8, start: I64, captured: I64, length: I64) -> tuple[Messages, Answers]:
    """Read messages of whatever kind, as `parse_messages` does."""
    parts = []
    for first in range(0, max(len(start), 1), BLOCK):
        rows = slice(first, first + BLOCK)
        block = _Block(data, start[rows], captured[rows], length[rows])
        messages, answers = block.parse()
        shifted = {c.name: getattr(answers, c.name) for c in Answers.schema()}
        parts.append((messages, Answers(**{**shifted, "message": answers.message + np.int32(first)})))
    return Messages.concat([part[0] for part in parts]), Answers.concat([part[1] for part in parts])


@frozen(eq=False)
class _Places:
    """Where the records of a block stand, in (message, place) order."""

    message: I64
    place: I64
    owner: I64
    fixed: I64  # position of the type, behind the owner name
    length: I64


class _Block:
    """One block in the making: positions and errors of its messages while they are read."""

    def __init__(self, data: U8, start: I64, captured: I64, length: I64) -> None:
        self.data, self.start = data, start.astype(np.int64)
        self.stop = self.start + captured
        self.length = length.astype(np.int64)
        self.cut = captured < length
        self.error = np.zeros(len(start), np.uint8)
        self.error_at = np.full(len(start), -1, np.int64)
        self.place = self.start + HEADER  # next byte to read, per message
        self.header = np.zeros((6, len(start)), np.int64)
        self.named = np.zeros(len(start), np.bool_)  # the question's name could be read
        self.kind = np.zeros(len(start), np.int64)
        self.qclass = np.zeros(len(start), np.int64)

    def note(self, rows: NDArray[np.integer[Any]], code: NDArray[Any] | ParseError, at: I64) -> None:
        """Keep the first error of each message, by position; running out of captured bytes is CUT."""
        if not len(rows):
            return
        codes = np.broadcast_to(np.asarray(code, np.uint8), rows.shape)
        ran_out = (codes == ParseError.BAD_LENGTH) | (codes == ParseError.MISSING)
        codes = np.where(ran_out & self.cut[rows], np.uint8(ParseError.CUT), codes)
        offset = at - self.start[rows]
        order = np.argsort(-offset, kind="stable")  # of several errors of one message the earliest is written last
        rows, codes, offset = rows[order], codes[order], offset[order]
        first = (self.error[rows] == 0) | (offset < self.error_at[rows])
        self.error[rows[first]], self.error_at[rows[first]] = codes[first], offset[first]

    def parse(self) -> tuple[Messages, Answers]:
        """Read header, questions and records, in that order."""
        whole = self.stop - self.start >= HEADER
        rows = np.flatnonzero(whole)
        for field in range(6):
            self.header[field, rows] = words(self.data, self.start[rows] + 2 * field, 2)
        short = np.flatnonzero(~whole)
        self.note(short, ParseError.BAD_LENGTH, self.stop[short])
        names, alive = self.read_questions(rows)
        places = self.find_records(alive)
        answers = self.read_records(places, names)
        opt, dnssec_ok, extended = self.read_options(places, answers)
        done = (self.error == 0) & whole
        left_over = np.where(done, self.start + self.length - self.place, 0)
        left = np.flatnonzero(left_over > 0)
        self.note(left, np.where(self.cut[left], ParseError.CUT, ParseError.TRAILING), self.place[left])
        header = self.header.astype(np.uint16)
        columns = dict(zip(("id", "flags", "questions", "answers", "authorities", "additionals"), header, strict=True))
        messages = Messages(
            **{name: value.copy() for name, value in columns.items()},
            raw_name=names,
            kind=self.kind.astype(np.uint16),
            qclass=self.qclass.astype(np.uint16),
            opt=opt,
            dnssec_ok=dnssec_ok,
            extended_error=extended,
            trailing=np.where(self.cut, 0, left_over).astype(np.int32),
            error=self.error,
            error_at=self.error_at.astype(np.int32),
        )
        return messages, answers

    def read_questions(self, rows: I64) -> tuple[Text, I64]:
        """Read the first question, skip further ones; return the names and the messages that can be read on."""
        count = len(self.start)
        asked = rows[self.header[2, rows] > 0]
        names = expand_names(self.data, self.place[asked], self.start[asked], self.stop[asked])
        text_column = _spread(names, asked, count)
        alive = np.zeros(count, np.bool_)
        alive[rows] = True
        bad = names.error > 0
        self.note(asked[bad], names.error[bad], names.error_at[bad])
        self.named[asked[~bad]] = True
        alive[asked[names.end < 0]] = False
        asked, end = asked[names.end >= 0], names.end[names.end >= 0]
        alive[self.question_tail(asked, end, first=True)] = False
        for number in range(1, MAX_QUESTIONS):
            more = np.flatnonzero(alive & (self.header[2] > number))
            if not len(more):
                break
            end, error = skip_names(self.data, self.place[more], self.stop[more])
            self.note(more[error > 0], error[error > 0], end[error > 0])
            alive[more[error > 0]] = False
            alive[self.question_tail(more[error == 0], end[error == 0], first=False)] = False
        many = np.flatnonzero(alive & (self.header[2] > MAX_QUESTIONS))
        self.note(many, ParseError.TOO_LONG, self.place[many])
        alive[many] = False
        return text_column, np.flatnonzero(alive)

    def question_tail(self, rows: I64, end: I64, *, first: bool) -> I64:
        """Read type and class behind a question's name, and return the messages that end before them."""
        kind_fits = end + 2 <= self.stop[rows]
        if first:
            self.kind[rows[kind_fits]] = words(self.data, end[kind_fits], 2)
        fits = end + 4 <= self.stop[rows]
        self.note(rows[~fits], ParseError.BAD_LENGTH, end[~fits])
        whole, end = rows[fits], end[fits]
        qclass = words(self.data, end + 2, 2)
        reply = self.header[1, whole] >= 0x8000
        lost = (qclass == NO_CLASS) & reply & (self.header[3, whole] > 0)
        self.note(whole[lost], ParseError.BAD_VALUE, end[lost] + 2)
        if first:
            self.qclass[whole] = np.where(lost, 0, qclass)
        self.place[whole] = end + np.where(lost, 2, 4)
        return rows[~fits]

    def find_records(self, alive: I64) -> _Places:
        """Walk the records of all messages, one of each per round."""
        total = self.header[3] + self.header[4] + self.header[5]
        rounds: list[_Places] = []
        rows = alive
        for number in range(MAX_RECORDS):
            rows = rows[total[rows] > number]
            if not len(rows):
                break
            owner = self.place[rows]
            none_left = owner >= self.stop[rows]
            self.note(rows[none_left], ParseError.MISSING, owner[none_left])
            rows, owner = rows[~none_left], owner[~none_left]
            end, error = skip_names(self.data, owner, self.stop[rows])
            self.note(rows[error > 0], error[error > 0], end[error > 0])
            rows, owner, end = rows[error == 0], owner[error == 0], end[error == 0]
            fits = end + 10 <= self.stop[rows]
            self.note(rows[~fits], ParseError.BAD_LENGTH, end[~fits])
            rows, owner, end = rows[fits], owner[fits], end[fits]
            length = words(self.data, end + 8, 2)
            fits = end + 10 + length <= self.stop[rows]
            self.note(rows[~fits], ParseError.BAD_LENGTH, end[~fits] + 8)
            rows, owner, end, length = rows[fits], owner[fits], end[fits], length[fits]
            self.place[rows] = end + 10 + length
            rounds.append(_Places(rows, np.full(len(rows), number), owner, end, length))
        rows = rows[total[rows] > MAX_RECORDS]
        self.note(rows, ParseError.TOO_LONG, self.place[rows])
        if not rounds:
            return _Places(*(np.empty(0, np.int64) for _ in range(5)))
        message, place, owner, fixed, sizes = (
            np.concatenate([getattr(part, field.name) for part in rounds]) for field in attrs.fields(_Places)
        )
        order = ordered(message)
        return _Places(message[order], place[order], owner[order], fixed[order], sizes[order])

    def read_owners(self, places: _Places, names: Text) -> Text:
        """Read whose records were found; *names* are those of the questions, at which most point."""
        message, at = places.message, places.owner
        pointing = (places.fixed == at + 2) & self.named[message]
        pointing[pointing] = words(self.data, at[pointing], 2) == QUESTION_NAME
        other = np.flatnonzero(~pointing)
        owners = expand_names(self.data, at[other], self.start[message[other]], self.stop[message[other]])
        broken = owners.error > 0
        self.note(message[other[broken]], owners.error[broken], owners.error_at[broken])
        source = message.copy()
        source[other] = len(names) + np.arange(len(other))
        return Text.concat([names, owners.text]).take(source)

    def read_records(self, places: _Places, names: Text) -> Answers:
        """Read the fields, names and addresses of the records that were found, given the names of the questions."""
        data, message, fixed = self.data, places.message, places.fixed
        kind, rclass = words(data, fixed, 2), words(data, fixed + 2, 2)
        owners = self.read_owners(places, names)
        skip = np.full(1 << 16, -1, np.int64)
        skip[list(NAME_SKIP)] = list(NAME_SKIP.values())
        holds = (skip[kind] >= 0) & (places.length > skip[kind]) & ((kind != RecordType.SRV) | (rclass == INTERNET))
        named = np.flatnonzero(holds)
        within = fixed[named] + 10
        targets = expand_names(
            data, within + skip[kind[named]], self.start[message[named]], within + places.length[named]
        )
        broken = targets.error > 0
        self.note(message[named[broken]], targets.error[broken], targets.error_at[broken])
        high, low = np.zeros(len(kind), np.uint64), np.zeros(len(kind), np.uint64)
        four = np.flatnonzero((kind == RecordType.A) & (places.length == 4))
        low[four] = words(data, fixed[four] + 10, 4).astype(np.uint64) | np.uint64(0xFFFF << 32)
        six = np.flatnonzero((kind == RecordType.AAAA) & (places.length == 16))
        for half, at in ((high, 10), (low, 18)):
            upper = words(data, fixed[six] + at, 4).astype(np.uint64)
            half[six] = upper << np.uint64(32) | words(data, fixed[six] + at + 4, 4).astype(np.uint64)
        count = self.header[3, message]
        section = 1 + (places.place >= count) + (places.place >= count + self.header[4, message])
        return Answers(
            message=message.astype(np.int32),
            section=section.astype(np.uint8),
            kind=kind.astype(np.uint16),
            rclass=rclass.astype(np.uint16),
            ttl=words(data, fixed + 4, 4).astype(np.uint32),
            high=high,
            low=low,
            length=places.length.astype(np.uint16),
            pointer=data[places.owner] >= 0xC0,
            http3=binds_http3(data, kind, fixed + 10, places.length),
            owner=lowered(owners),
            target=lowered(_spread(targets, named, len(kind))),
        )

    def read_options(self, places: _Places, answers: Answers) -> tuple[Mask, Mask, I32]:
        """Read the OPT record of each message: present, DO bit (RFC 6891 §6.1.3), extended error (RFC 8914 §2)."""
        count = len(self.start)
        opt, dnssec_ok = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        extended = np.full(count, -1, np.int32)
        row = np.flatnonzero(answers.kind == RecordType.OPT)
        message = places.message[row]
        opt[message] = True
        dnssec_ok[message] = answers.ttl[row] & 0x8000 != 0
        place = places.fixed[row] + 10
        end = place + places.length[row]
        for _ in range(64):  # options of one record; each takes four bytes at least
            fits = place + 4 <= end
            message, place, end = message[fits], place[fits], end[fits]
            if not len(message):
                break
            code, size = words(self.data, place, 2), words(self.data, place + 2, 2)
            has_error = (code == 15) & (size >= 2) & (place + 6 <= end)
            extended[message[has_error]] = words(self.data, place[has_error] + 4, 2)
            place = place + 4 + size
        return opt, dnssec_ok, extended


def _spread(names: Names, rows: NDArray[np.integer[Any]], count: int) -> Text:
    """Lay the names of some *rows* (ascending) out over *count* rows, empty elsewhere."""
    lengths = np.zeros(count, np.int64)
    lengths[rows] = names.text.lengths
    return Text.from_lengths(lengths, names.text.values)
