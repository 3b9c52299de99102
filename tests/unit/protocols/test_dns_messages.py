"""Reading DNS messages and names in lock-step."""

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rrset
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.protocols.dns_messages import BLOCK, MAX_RECORDS, parse_each, parse_messages
from netinterf.protocols.dns_names import MAX_NAME, MAX_STEPS, expand_names, lowered, skip_names
from netinterf.schema import ParseError
from netinterf.table import Text
from tests.oracles.dns_frames import address_record, edns, message, name_bytes, record
from tests.oracles.dns_reference import read_message


def parse(*wires, captured=None):
    """Parse messages that lie one behind the other."""
    data = np.frombuffer(b"".join(wires) or b"", np.uint8)
    length = np.array([len(wire) for wire in wires], np.int64)
    start = np.cumsum(length) - length
    held = length if captured is None else np.array(captured, np.int64)
    return parse_messages(data, start, held, length)


def error(*wires, captured=None):
    """Name the error of the last message and where it was found."""
    messages, _ = parse(*wires, captured=captured)
    return ParseError(int(messages.error[-1])), int(messages.error_at[-1])


QUERY = message("www.example.com", flags=0x0100, opt=True)
REPLY = message("www.example.com", address_record("1.2.3.4"), address_record("1.2.3.5"), opt=True)


def test_a_reply_is_read_to_its_end():
    """Header, question, records and sections come out as they went in."""
    messages, answers = parse(QUERY, REPLY)
    assert list(messages.raw_name) == ["www.example.com"] * 2
    assert messages.flags.tolist() == [0x0100, 0x8180]
    assert messages.opt.tolist() == [True, True]
    assert messages.error.tolist() == [0, 0]
    assert answers.section.tolist() == [3, 1, 1, 3]
    assert answers.kind.tolist() == [41, 1, 1, 41]
    assert answers.low[1:3].tolist() == [0xFFFF << 32 | 0x01020304, 0xFFFF << 32 | 0x01020305]
    assert list(answers.owner)[1:3] == ["www.example.com"] * 2
    assert answers.pointer[1:3].tolist() == [True, True]


@pytest.mark.parametrize(("rclass", "expected"), [(1, ParseError.BAD_LENGTH), (4096, ParseError.NONE)])
def test_services_belong_to_the_internet(rclass, expected):
    """What stands in an SRV record of another class is nobody's business."""
    cut = record(kind=33, ttl=60, data=bytes((0, 10, 0, 8, 0x71, 0xE8, 25)) + b"short", rclass=rclass)
    wire = message("www.example.com", cut)
    assert error(wire)[0] == expected
    if expected == ParseError.NONE:
        assert dns.message.from_wire(wire).answer
    else:
        with pytest.raises(dns.exception.DNSException):
            dns.message.from_wire(wire)


def test_dnspython_reads_the_same():
    """Messages written by dnspython, with every name type compressed, come back as dnspython understands them."""
    wires, wanted = [], []
    for number in range(40):
        query = dns.message.make_query(f"Host{number}.Example.COM.", "ANY", want_dnssec=number % 2 == 0)
        reply = dns.message.make_response(query)
        reply.answer += [
            dns.rrset.from_text(f"Host{number}.Example.COM.", 60, "IN", "CNAME", "alias.example.com."),
            dns.rrset.from_text("alias.example.com.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
            dns.rrset.from_text("alias.example.com.", 60, "IN", "AAAA", "2001:db8::1"),
            dns.rrset.from_text("example.com.", 60, "IN", "MX", "10 mail.example.com."),
            dns.rrset.from_text("_sip._udp.example.com.", 60, "IN", "SRV", "0 5 5060 sip.example.com."),
        ]
        reply.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "NS", "ns1.example.com."))
        wire = reply.to_wire()
        wires.append(wire)
        wanted.append(dns.message.from_wire(wire))
    messages, answers = parse(*wires)
    assert not messages.error.any()
    for row, message_ in enumerate(wanted):
        assert messages.raw_name[row] == message_.question[0].name.to_text(omit_final_dot=True)
        assert bool(messages.dnssec_ok[row]) == bool(message_.ednsflags & dns.flags.DO)
        mine = np.flatnonzero(answers.message == row)
        sections = [(1, message_.answer), (2, message_.authority)]
        theirs = [
            (section, item.rdtype, rrset.ttl, rrset.name.to_text(omit_final_dot=True).lower(), item)
            for section, rrsets in sections for rrset in rrsets for item in rrset
        ]  # fmt: skip
        own = [r for r in mine if answers.kind[r] != 41]
        assert len(theirs) == len(own)
        for place, (section, kind, ttl, owner, item) in zip(own, theirs, strict=True):
            assert (section, int(kind), ttl) == (answers.section[place], answers.kind[place], answers.ttl[place])
            assert owner == answers.owner[int(place)]
            target = getattr(item, "target", None) or getattr(item, "exchange", None)
            assert answers.target[int(place)] == (target.to_text(omit_final_dot=True).lower() if target else "")


def mutate(wire, changes, cut):
    """Change some bytes and cut the end off."""
    data = bytearray(wire)
    for place, value in changes:
        data[place % len(data)] = value
    return bytes(data[: len(data) - cut % len(data)])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([QUERY, REPLY, message("a.b", record(5, b"\xc0\x0c"), record(15, b"\0\1\xc0\x0c"))]),
            st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
            st.sampled_from([0, 0, 0, 1, 5, 30]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_damaged_messages_read_as_the_reference_reads_them(recipes):
    """Whatever the slow reader can read whole comes out the same, and what it cannot is marked; nothing raises."""
    wires = [mutate(*recipe) for recipe in recipes]
    messages, answers = parse(*wires)
    counts = np.bincount(answers.message, minlength=len(wires))
    for row, wire in enumerate(wires):
        expected = read_message(wire)
        clean = messages.error[row] in {ParseError.NONE, ParseError.TRAILING}
        assert expected.whole or not clean
        if clean:
            assert expected.name == messages.raw_name.bytes(row)
            assert (expected.kind, expected.qclass) == (messages.kind[row], messages.qclass[row])
            assert expected.trailing == messages.trailing[row]
            assert len(expected.records) == counts[row]
        for mine, theirs in zip(np.flatnonzero(answers.message == row), expected.records, strict=False):
            assert (theirs.kind, theirs.ttl, len(theirs.data)) == (
                answers.kind[mine], answers.ttl[mine], answers.length[mine])  # fmt: skip


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_any_bytes_give_one_row_each(wires):
    """Random bytes never raise, and every message keeps its row."""
    messages, answers = parse(*wires)
    assert len(wires) == len(messages)
    assert (np.diff(answers.message) >= 0).all()


@pytest.mark.parametrize(
    ("wire", "code", "at"),
    [
        (b"\0" * 5, ParseError.BAD_LENGTH, 5),
        (QUERY[:20], ParseError.BAD_LENGTH, 16),
        (message("a.b", counts=(1, 1, 0, 0)), ParseError.MISSING, 21),
        (message("a.b", tail=b"junk"), ParseError.TRAILING, 21),
        (message("a.b", address_record("1.2.3.4")[:-1]), ParseError.BAD_LENGTH, 31),
        (b"\0\1\x81\x80\0\1\0\0\0\0\0\0\x41abc", ParseError.BAD_VALUE, 12),
        (message("a.b", address_record("1.2.3.4", owner=b"\xc0\x15")), ParseError.BAD_POINTER, 21),
    ],
)
def test_errors_say_what_and_where(wire, code, at):
    """Each kind of damage has its code, and the offset where reading stopped."""
    assert (code, at) == error(wire)


def test_a_cut_capture_is_not_the_message_s_fault():
    """What the snapshot length removed reads as CUT, wherever it falls."""
    codes = {error(REPLY, captured=[size])[0] for size in range(len(REPLY))}
    assert {ParseError.CUT} == codes
    messages, _ = parse(REPLY, captured=[len(REPLY) - 4])
    assert messages.raw_name[0] == "www.example.com"


def test_pointer_loops_end():
    """Pointers to themselves, to each other and forward are refused at once."""
    head = b"\0\1\x81\x80\0\1\0\0\0\0\0\0"
    for name in (b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\1a\xc0\x0c", b"\xc0\xff"):
        assert error(head + name + b"\0\1\0\1")[0] == ParseError.BAD_POINTER


def test_long_names_and_long_pointer_chains_are_bounded():
    """A name of more than 255 bytes and a chain of more pointers than steps are both refused."""
    long = name_bytes(".".join(["x" * 60] * 5))
    assert error(b"\0\1\x81\x80\0\1\0\0\0\0\0\0" + long + b"\0\1\0\1")[0] == ParseError.TOO_LONG
    chain = b"\0" + b"".join(bytes([0xC0 | (at >> 8), at & 255]) for at in [0, *range(1, 1000, 2)])
    data = np.frombuffer(chain, np.uint8)
    names = expand_names(data, np.array([len(chain) - 2]), np.zeros(1, np.int64), np.array([len(chain)]))
    assert names.error.tolist() == [ParseError.TOO_LONG]


def test_record_counts_are_bounded():
    """A message full of smallest records stops at the bound and says so."""
    tiny = record(1, b"", owner=b"\0")
    messages, answers = parse(message("a.b", *[tiny] * (MAX_RECORDS + 5)))
    assert messages.error.tolist() == [ParseError.TOO_LONG]
    assert len(answers) == MAX_RECORDS


@pytest.mark.parametrize("parser", [parse_messages, parse_each])
def test_as_many_records_as_are_read_are_not_too_many(parser):
    """Nothing is wrong with the largest message, and what stands behind its last record is left over."""
    most = message("a.b", *[record(1, b"", owner=b"\0")] * MAX_RECORDS)
    length = np.array([len(most), len(most) + 3])
    data = np.frombuffer(most + most + b"xyz", np.uint8)
    messages, _ = parser(data, np.array([0, len(most)]), length, length)
    assert messages.error.tolist() == [ParseError.NONE, ParseError.TRAILING]
    assert messages.trailing.tolist() == [0, 3]


def test_a_question_without_class_is_read_on():
    """The form known from Iran (class missing, one record promised too many) gives its answer and its error."""
    wire = message(
        "google.com", address_record("216.239.38.120", ttl=418), flags=0x81A0, counts=(1, 1, 0, 1), qclass=b""
    )
    assert len(wire) == 42
    messages, answers = parse(wire)
    assert messages.error.tolist() == [ParseError.BAD_VALUE]
    assert list(zip(messages.kind.tolist(), messages.qclass.tolist(), strict=True)) == [(1, 0)]
    assert [(int(answers.ttl[0]), answers.owner[0])] == [(418, "google.com")]
    assert answers.low.tolist() == [0xFFFF << 32 | 0xD8EF2678]


def test_bytes_kept_behind_the_question_shift_the_records():
    """The form known from Turkmenistan until 2022 leaves the query's OPT before the answer."""
    wire = message("twitter.com", edns(), address_record("127.0.0.1", ttl=300), counts=(1, 1, 0, 0))
    messages, answers = parse(wire)
    assert messages.error.tolist() == [ParseError.TRAILING]
    assert messages.trailing.tolist() == [16]
    assert answers.kind.tolist() == [41]


def test_extended_errors_are_read():
    """The extended error of an OPT record is found behind other options (RFC 8914)."""
    options = b"\0\x0a\0\x08" + bytes(8) + b"\0\x0f\0\x04\0\x10no"
    wire = message("a.b", counts=(1, 0, 0, 1), tail=edns(ttl=0x8000, data=options))
    messages, _ = parse(wire)
    assert (messages.extended_error[0], messages.dnssec_ok[0], messages.error[0]) == (16, True, 0)


def test_several_questions_are_skipped():
    """The first question names the message, further ones are stepped over."""
    second = name_bytes("other.net") + b"\0\1\0\1"
    wire = message("first.net", second, address_record("1.2.3.4"), counts=(2, 1, 0, 0))
    messages, answers = parse(wire)
    assert messages.error.tolist() == [0]
    assert messages.raw_name[0] == "first.net"
    assert len(answers) == 1


def test_blocks_do_not_show():
    """More messages than one block holds read as they do alone."""
    wires = [QUERY, REPLY] * (BLOCK // 2 + 3)
    messages, answers = parse(*wires)
    assert len(wires) == len(messages)
    assert not messages.error.any()
    assert answers.message[-1] == len(wires) - 1


def test_nothing_in_nothing_out():
    """No messages give empty tables."""
    messages, answers = parse()
    assert (len(messages), len(answers)) == (0, 0)


def test_names_are_lowered_in_ascii_only():
    """Letters are lowered, other bytes stay (RFC 4343)."""
    assert [lowered(Text.of([b"A\xc3\x9cZ-0"])).bytes(0)] == [b"a\xc3\x9cz-0"]


def test_skipping_agrees_with_reading():
    """Skipping finds the end that reading finds."""
    wire = np.frombuffer(name_bytes("a.bc.def") + b"\1x\xc0\x02" + b"\0", np.uint8)
    at, stop = np.array([0, 10, 14]), np.full(3, len(wire))
    ends, errors = skip_names(wire, at, stop)
    names = expand_names(wire, at, np.zeros(3, np.int64), stop)
    assert names.end.tolist() == ends.tolist() == [10, 14, 15]
    assert not errors.any()
    assert list(names.text) == ["a.bc.def", "x.bc.def", ""]


def read_name(data: bytes, at: int, start: int, stop: int) -> tuple[bytes, int, int, int]:
    """Read one name, label by label: its text, where it ends, what is wrong, and where."""
    labels: list[bytes] = []
    place, run, size, end = at, at, 0, -1
    for _ in range(MAX_STEPS):
        lead = data[place] if place < stop else 255
        if place >= stop or (lead < 64 and place + 1 + lead > stop) or (lead >= 0xC0 and place + 1 >= stop):
            return b".".join(labels), end, ParseError.BAD_LENGTH, place
        if 64 <= lead < 0xC0:
            return b".".join(labels), end, ParseError.BAD_VALUE, place
        if lead >= 0xC0:
            target = start + ((lead & 0x3F) << 8 | data[place + 1])
            if target >= run:
                return b".".join(labels), end, ParseError.BAD_POINTER, place
            end = place + 2 if end < 0 else end
            place = run = target
            continue
        size += lead + 1
        if size > MAX_NAME:
            return b".".join(labels), end, ParseError.TOO_LONG, place
        if lead == 0:
            return b".".join(labels), place + 1 if end < 0 else end, ParseError.NONE, -1
        labels.append(data[place + 1 : place + 1 + lead])
        place += 1 + lead
    return b".".join(labels), end, ParseError.TOO_LONG, place


LEADS = st.sampled_from([0, 1, 2, 3, 5, 63, 64, 0x61, 0xC0, 0xC0, 0xC1, 0xFF])


@given(st.lists(LEADS | st.integers(0, 4), max_size=400), st.lists(st.tuples(*[st.integers(0, 400)] * 3), max_size=9))
def test_names_are_those_read_one_by_one(values: list[int], places: list[tuple[int, int, int]]) -> None:
    """Labels, pointers and whatever is no name give what a reader of one name gives."""
    data = bytes(values)
    spans = [(at, max(at - back, 0), min(at + size, len(data))) for at, back, size in places]
    at, start, stop = np.array(spans, np.int64).reshape(-1, 3).T
    names = expand_names(np.frombuffer(data, np.uint8), at, start, stop)
    for row, span in enumerate(spans):
        seen = names.text.bytes(row), int(names.end[row]), int(names.error[row]), int(names.error_at[row])
        assert seen == read_name(data, *span)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    QUERY,
                    REPLY,
                    message(
                        "WWW.Example.com", record(5, b"\x03cdn\xc0\x10"), record(33, b"\0\1\0\1\0\1\xc0\x0c"), opt=True
                    ),
                    message("a.b", record(5, b"\xc0\x0c"), record(15, b"\0\1\xc0\x0c"), record(28, b"\1" * 16)),
                    message(
                        "a.b",
                        record(65, b"\0\1\0\0\1\0\3\2h3"),
                        edns(ttl=0x8000, data=b"\0\x0f\0\x02\0\x10"),
                        tail=b"junk",
                    ),
                ]
            ),
            st.lists(st.tuples(st.integers(0, 200), st.sampled_from([*range(20), 0x41, 0x80, 0xC0, 0xFF])), max_size=3),
            st.sampled_from([0, 0, 0, 1, 5, 30]),
            st.sampled_from([0, 0, 0, 1, 9]),
        ),
        max_size=20,
    )
)
def test_plain_messages_are_read_as_others_are(recipes):
    """However they are read, messages of every kind side by side say the same."""
    wires = [mutate(wire, changes, cut) for wire, changes, cut, _ in recipes]
    length = np.array([len(wire) for wire in wires], np.int64)
    captured = np.maximum(length - np.array([missing for *_, missing in recipes], np.int64), 0)
    data, start = np.frombuffer(b"".join(wires), np.uint8), np.cumsum(length) - length
    for mine, plain in zip(
        parse_messages(data, start, captured, length), parse_each(data, start, captured, length), strict=True
    ):
        assert mine.equals(plain)
