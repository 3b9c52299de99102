"""Whatever the bytes, decoding agrees with its slow twin, never raises and never reads outside a frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.decode import LINK_TYPES
from netinterf.decode.checksum import ip_ok, transport_ok
from netinterf.decode.link import broadcast
from netinterf.decode.transport import sack_blocks
from tests.oracles import naive_decoder
from tests.oracles.frames import check, decoded
from tests.oracles.stacks import every_stack

pytestmark = pytest.mark.usefixtures("each_way")

STACKS = every_stack()
links = st.sampled_from(sorted(LINK_TYPES))
# Values that steer the decoder somewhere; uniform bytes would nearly always end at once.
pieces = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([bytes.fromhex(code) for code in ("0800", "86dd", "8100", "8847", "8864", "4500", "60", "0006")]),
    st.sampled_from([bytes.fromhex(code) for code in ("4fff", "45000000", "aaaa030000000800", "ff030021", "2f", "29")]),
)
strange = st.lists(pieces, max_size=30).map(b"".join)


@st.composite
def damaged(draw):
    """Take a real stack, overwrite a few bytes and cut it anywhere."""
    _, link_type, frame, _, _ = draw(st.sampled_from(STACKS))
    frame = bytearray(frame)
    for _ in range(draw(st.integers(0, 4))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(
            st.sampled_from([0, 1, 2, 4, 6, 41, 44, 47, 0x45, 0x4F, 255])
        )
    return link_type, bytes(frame[: draw(st.integers(0, len(frame)))]), len(frame)


@given(links, st.lists(st.one_of(st.binary(max_size=120), strange), max_size=6))
def test_any_bytes_decode_as_the_twin_says(link_type, frames):
    """Arbitrary frames of every link type give the rows of the twin."""
    check(frames, link_type)


@settings(max_examples=300)
@given(st.lists(damaged(), min_size=1, max_size=5))
def test_damaged_stacks_decode_as_the_twin_says(batch):
    """Real stacks with wrong bytes, cut anywhere, give the rows of the twin."""
    for link_type in {item[0] for item in batch}:
        chosen = [item for item in batch if item[0] == link_type]
        check([item[1] for item in chosen], link_type, [item[2] for item in chosen])


@given(st.binary(max_size=60), st.booleans())
def test_any_option_list_is_read_as_the_twin_reads_it(octets, aligned):
    """Option bytes of any content and length give the columns of the twin, and never raise."""
    octets = (b"\x01\x01\x08\x0a" if aligned else b"") + octets[:40]
    size = min((len(octets) + 3) // 4, 10) * 4
    header = bytes.fromhex("9c4101bb0000000100000002") + bytes([(5 + size // 4) << 4, 0x10, 1, 0, 0, 0, 0, 0])
    body = header + octets[:size].ljust(size, b"\0")
    ip = b"\x45\0" + (20 + len(body)).to_bytes(2, "big") + bytes.fromhex("0001400040060000c0000201c0000202")
    check([ip + body, (ip + body)[:-1], (ip + body)[:45]], 101, [20 + len(body)] * 3)


@given(links, st.lists(strange, min_size=1, max_size=4))
def test_helpers_survive_any_bytes(link_type, frames):
    """The helpers on demand give one answer per packet whatever the packets hold."""
    result = decoded(frames, link_type)
    buffer = np.frombuffer(b"".join(b"\xa5" * 7 + frame for frame in frames), np.uint8)
    everything = slice(None)
    assert len(frames) == len(ip_ok(buffer, result.packets, everything))
    assert len(frames) == len(transport_ok(buffer, result.packets, everything))
    assert len(frames) == len(sack_blocks(buffer, result.packets, everything))
    assert len(frames) == len(broadcast(buffer, result.packets, everything, [link_type]))


@given(st.lists(damaged(), min_size=1, max_size=5))
def test_quotes_are_what_the_twin_quotes(batch):
    """A quoted packet is decoded as if it stood alone, cut where the error ends."""
    errors = []
    for kind, (_, data, _) in zip((3, 11, 5, 12, 4), batch, strict=False):
        body = bytes([kind, 1, 0, 0, 0, 0, 0, 0]) + data[14:]
        head = b"\x45\0" + (20 + len(body)).to_bytes(2, "big") + bytes.fromhex("0001400040010000c0000201c0000202")
        errors.append(head + body)
    quotes = decoded(errors, 101).quotes
    expected = [
        (row, quote)
        for row, error in enumerate(errors)
        if (quote := naive_decoder.decode_quote(error[28:])) is not None
    ]
    assert [row for row, _ in expected] == quotes.packet.tolist()
    for place, (_, quote) in enumerate(expected):
        for name in ("version", "protocol", "ttl", "tos", "ip_id", "source_port", "target_port", "seq"):
            assert quote[name] == int(getattr(quotes, name)[place]), name
        assert quote["source"] == int(quotes.source_high[place]) << 64 | int(quotes.source_low[place])
        assert quote["target"] == int(quotes.target_high[place]) << 64 | int(quotes.target_low[place])
