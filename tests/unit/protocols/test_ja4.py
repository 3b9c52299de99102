"""JA4: the published examples, a slow twin, hellos in pieces, hellos that are cut, and what is told of their flows."""

import json
from itertools import chain
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netinterf
from benchmarks.hello_check import compare
from netinterf.cli.main import main
from netinterf.protocols.ja4 import Part, fingerprints, ja4
from netinterf.protocols.streams import Streams
from netinterf.protocols.tls import parse_tls
from netinterf.schema import TlsKind
from netinterf.simulate import Conditions, run, write
from netinterf.simulate.messages import quic
from netinterf.simulate.messages.hellos import SHAPES, hello_message
from netinterf.trace import Trace, read
from netinterf.verdict.trigger import flow_ja4
from netinterf.written.format import verdict_line
from tests.oracles import tls_reference as ref

CIPHERS = [
    0x1301,
    0x1302,
    0x1303,
    0xC02B,
    0xC02F,
    0xC02C,
    0xC030,
    0xCCA9,
    0xCCA8,
    0xC013,
    0xC014,
    0x9C,
    0x9D,
    0x2F,
    0x35,
]
EXTENSIONS = [0x1B, 0, 0x33, 0x10, 0x4469, 0x17, 0x2D, 0x0D, 5, 0x23, 0x12, 0x2B, 0xFF01, 0x0B, 0x0A, 0x15]
SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]


def test_the_published_examples() -> None:
    """The description of JA4 gives these."""
    assert ja4("t", 0x0303, [0x0304], CIPHERS, EXTENSIONS, SIGNATURES, b"h2") == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert ja4("t", 0x0303, [0x0304], CIPHERS, EXTENSIONS, [], b"h2").endswith("_6d807ffa2a79")
    assert ja4("q", 0x0300, [], [], [0, 16], SIGNATURES, b"") == "qs3d000200_000000000000_000000000000"
    assert ja4("t", 0x7F1C, [], [1] * 120, [], [], b"h2")[:10] == "t00i9900h2"


@pytest.mark.parametrize(
    ("protocol", "ends"),
    [
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"0\xab", "3b"),
        (b"01\xab\xcd", "3d"),
        (b"0\xab\xcd1", "01"),
        (b"a,b", "ab"),
        (b"", "00"),
    ],
)
def test_first_and_last_of_a_protocol(protocol: bytes, ends: str) -> None:
    """Letters and digits as they are, else hexadecimal digits; of hellos on the wire as well."""
    assert ja4("t", 0x0303, [], [], [], [], protocol)[8:10] == ends
    hello = ref.records(ref.client_hello([ref.alpn(protocol, b"h2")]))
    assert parse_tls(Streams.of([hello])).ja4[0][8:10] == ends


NUMBERS = st.lists(st.sampled_from([0, 16, 13, 0x0A0A, 0x5A5A, 0x0304, 0x0303, 0x1301, 0x0A1A, 0xFFFF]), max_size=5)
ROWS = st.tuples(
    st.sampled_from([0x0303, 0x0301, 0x0A0A]), NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.sampled_from([b"", b"h2", b"\n"])
)


ENDS = {b"": [], b"h2": [0x6832], b"\n": [0x0A0A]}
"""First and last byte of a protocol, as a number."""


def plain(numbers: list[int]) -> list[int]:
    """Leave out what is there to be ignored."""
    return [one for one in numbers if one & 0x0F0F != 0x0A0A or one >> 8 != one & 0xFF]


@given(st.lists(ROWS, max_size=8), st.randoms())
def test_many_at_once_are_as_each_alone(rows, chance) -> None:
    """Whatever stands beside a hello; GREASE and the order of suites and extensions change nothing."""
    shuffled = [
        (row[0], row[1], chance.sample(row[2], len(row[2])), chance.sample(row[3], len(row[3])), *row[4:])
        for row in rows
    ]
    lists = [*zip(*((*row[1:5], [row[0]], ENDS[row[5]]) for row in shuffled), strict=True)] or [()] * len(Part)
    said = [
        (part, np.repeat(np.arange(len(rows)), [len(one) for one in each]), np.array([*chain(*each)], np.int64))
        for part, each in zip(Part, lists, strict=True)
    ]
    found = fingerprints("t", np.ones(len(rows), np.bool_), said)
    assert list(found) == [ja4("t", row[0], *map(plain, row[1:5]), row[5]) for row in rows]


def modern(alpn: bytes = b"h2") -> bytes:
    """Write a hello of TLS 1.3."""
    listed = [ref.server_name(b"example.org"), ref.alpn(alpn), ref.extension(43, b"\x04\x03\x04\x03\x03")]
    return ref.client_hello([*listed, ref.extension(13, b"\0\x02\x04\x03")])


def test_a_cut_hello_has_none() -> None:
    """Missing, and never that of the part that is there; whole again, in however many records, it has one."""
    hello = modern()
    whole = ref.fingerprint(hello, {"version": 0x0303}).decode()
    cut = parse_tls(Streams.of([ref.records(hello)[:end] for end in range(6, len(hello) + 5)]))
    assert len(cut) == len(hello) - 1
    assert not cut.ja4.lengths.any()
    split = parse_tls(Streams.of([ref.records(hello, [1] * size) for size in range(len(hello))]))
    assert set(split.ja4) == {whole}


@pytest.mark.parametrize(
    "damaged",
    [
        ref.client_hello([ref.extension(13, b"\0\x04\x04\x03")]),
        ref.client_hello([ref.extension(43, b"\x03\x03\x04")]),
        ref.client_hello([ref.extension(16, b"\0\x03\x05h2")]),
        ref.client_hello([], suites=b"\x13\x01\x13"),
        ref.client_hello([])[:-2] + b"\0\x05",
    ],
    ids=["signatures", "versions", "protocols", "suites", "extensions"],
)
def test_a_hello_whose_lengths_contradict_each_other_has_none(damaged: bytes) -> None:
    """What its sender offered is not known."""
    assert list(parse_tls(Streams.of([ref.records(damaged)])).ja4) == [""]


def test_an_empty_name_is_a_name() -> None:
    """Of JA4 it matters only that the extension is there."""
    found = parse_tls(Streams.of([ref.records(ref.client_hello([ref.server_name(name)])) for name in (b"", b"a.org")]))
    assert found.ja4[0] == found.ja4[1] != ""


def test_servers_have_none() -> None:
    """JA4 is of clients."""
    assert list(parse_tls(Streams.of([ref.records(ref.server_hello())])).ja4) == [""]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a capture of both TCP and QUIC, some of whose hellos take several packets."""
    path = tmp_path_factory.mktemp("ja4") / "quic.pcap"
    write(run("quic.drop.gfw", 5, Conditions.clean(vantage="client")), path)
    return path


@pytest.fixture(scope="module")
def trace(capture: Path) -> Trace:
    """Read it."""
    return read(capture)


def test_hellos_over_several_segments(trace: Trace) -> None:
    """Each is what the twin makes of the stream that carried it."""
    rows = np.flatnonzero(trace.tls.kind == TlsKind.CLIENT_HELLO)
    assert (trace.tls.packet[rows] != trace.tls.last_packet[rows]).any()
    for row in rows.tolist():
        (hello, *_) = ref.read_stream(trace.stream(int(trace.tls.flow[row]), outbound=True))
        assert trace.tls.ja4.bytes(row) == hello["ja4"] != b""


@pytest.mark.parametrize("shape", SHAPES)
def test_hellos_of_quic(shape: str) -> None:
    """They begin with another letter, and are cut into pieces that come in any order."""
    rng = np.random.default_rng(3)
    hello = hello_message("example.org", rng, SHAPES[shape], transport=b"\x01\x01\x01")
    target, pieces = rng.bytes(8), quic.crypto_frames(hello, rng, [len(hello) // 2, len(hello)], shuffled=True)
    datagrams = [quic.initial(target, b"", number, one, size=1200) for number, one in enumerate(pieces)]
    frames = [udp(datagram) for datagram in datagrams]
    assert len(frames) == 2
    for kept, expected in ((frames, ref.fingerprint(hello, {"version": 0x0303}, "q").decode()), (frames[:1], "")):
        times = [10**18 + number for number in range(len(kept))]
        assert list(read(times=times, frames=kept, link_type="RAW").quic.ja4) == [expected]


def udp(payload: bytes) -> bytes:
    """Put a datagram into a packet."""
    head = b"\x9c\x40\x01\xbb" + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    whole = (28 + len(payload)).to_bytes(2, "big")
    return b"\x45\0" + whole + bytes(4) + b"\x40\x11\0\0" + bytes([192, 0, 2, 1, 198, 51, 100, 1]) + head + payload


def test_a_conversation_has_that_of_its_first_hello(trace: Trace) -> None:
    """Of TLS or QUIC; others have none, and their verdicts and lines say so."""
    told = list(flow_ja4(trace))
    greeted = dict(zip(trace.quic.flow.tolist(), trace.quic.ja4, strict=True))
    for row in trace.tls.rows():
        if row.kind == TlsKind.CLIENT_HELLO:
            greeted.setdefault(row.flow, row.ja4)
    assert told == [greeted.get(flow, "") for flow in range(len(trace.flows))]
    assert {"t", "q"} <= {one[:1] for one in told}
    evidence = netinterf.analyze(trace)
    for verdict in netinterf.explain(netinterf.classify(evidence, trace), evidence, trace):
        assert verdict.ja4 == ((verdict.subject.kind == "flow" and told[verdict.row]) or None)
        assert verdict_line(verdict)["ja4"] == verdict.ja4


def test_an_explanation_names_the_client(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words and as JSON, redacted or not."""
    trace = read(capture)
    row = int(np.flatnonzero(trace.tls.ja4.lengths)[0])
    frame, known = str(trace.packets.frame[trace.tls.packet[row]]), trace.tls.ja4[row]
    for more in ([], ["--redact"]):
        assert main(["explain", *more, str(capture), frame]) == 0
        assert f"client    JA4 {known}\n" in capsys.readouterr().out
        assert main(["explain", *more, "--format", "jsonl", str(capture), frame]) == 0
        line = next(
            one for one in map(json.loads, capsys.readouterr().out.splitlines()) if one["type"] == "explanation"
        )
        assert line["verdict"]["ja4"] == known


@pytest.mark.tshark
@pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")
def test_wireshark_writes_the_same(capture: Path) -> None:
    """Between each two ends."""
    found = compare(capture)
    assert min(found.equal["t"], found.equal["q"]) > 3
    assert found.listed == []
