"""A redacted capture holds the same packets, of nobody: searched in its bytes, and read again by others."""

import io
import ipaddress
import itertools
import random

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy import all as scapy

import netinterf
from netinterf.capture import write_pcap
from netinterf.errors import CaptureError, ParameterError
from netinterf.privacy import Redaction, redact
from netinterf.privacy.traces import redact_trace
from netinterf.schema import Status
from netinterf.table import Table
from tests.oracles import containers
from tests.oracles.recorded_stacks import FRAGMENTS, PROTECTED, in_a_msdu, in_the_air, nflog, pktap, radiotap, recorded
from tests.oracles.traces_left import addresses_of, left_in_bytes, left_in_text
from tests.unit.privacy.conftest import KEY, played

SAME = (
    *("frame", "time", "version", "protocol", "payload_length", "ttl", "tos", "ip_id", "ip_flags", "fragment_offset"),
    *("tcp_flags", "seq", "ack", "window", "tcp_options", "mss", "window_shift", "tsval", "tsecr", "icmp", "flow"),
    *("outbound", "relative_seq", "relative_ack", "marks"),
)
"""Columns of packets that a redacted capture shows as the original does."""

BELOW = np.uint16(0xFFFF ^ (Status.TAGGED | Status.TUNNELLED | Status.PAYLOAD_CUT))
"""Status bits that do not tell of what a redacted capture leaves out."""


def shared(source, key=KEY):
    """Redact a capture and give the bytes of the new one."""
    file = io.BytesIO()
    redact(source, file, key=key)
    return file.getvalue()


def pcap(*frames, link_type=1):
    """Write frames to a pcap file in memory."""
    file = io.BytesIO()
    write_pcap(file, np.arange(len(frames)) * 10**9, [bytes(frame) for frame in frames], link_type)
    return file.getvalue()


def new(*frames, link_type=1):
    """Redact some frames and give the new ones."""
    return frames_of(shared(pcap(*frames, link_type=link_type)))


def frames_of(data):
    """List the frames of a pcap file, as read by a slow reader."""
    return [data[one.at : one.at + one.captured] for one in containers.read_pcap(data)]


def mapped(address):
    """Map an address as the test key does."""
    return Redaction(key=KEY).address(address)


def test_nothing_of_anybody_is_left(result, traces):
    """No address, name or run of payload of any play is in its redacted capture."""
    for one, trace in zip(result.judged, traces, strict=True):
        written = shared(one.source)
        assert len(written) > 24 + 16 * len(trace.packets)
        assert left_in_bytes(written, trace) == []


@pytest.mark.captures
def test_nothing_of_anybody_is_left_of_real_captures(captures_dir):
    """The same of a sample of real captures, with all that real hosts and networks put into packets."""
    paths = sorted(path for path in captures_dir.rglob("*.*cap*") if path.is_file() and path.stat().st_size < 40_000)
    looked = 0
    for path in itertools.islice(paths, 0, None, 90):
        try:
            trace = netinterf.read(path)
        except CaptureError:
            continue
        moved = {str(one): mapped(str(one)) for one in addresses_of(trace)}
        left = set(left_in_bytes(shared(path), trace)) - set(moved.values())  # one may be mapped to another's
        assert left == set(), path
        looked += 1
    assert looked > 10


def test_the_packets_are_the_same(result, traces):
    """Read again, a redacted capture shows headers, flows, marks and round trips of the original in the same rows."""
    for one, trace in zip(result.judged, traces, strict=True):
        again = netinterf.read(shared(one.source))
        for name in SAME:
            assert np.array_equal(getattr(again.packets, name), getattr(trace.packets, name)), (one.source, name)
        assert np.array_equal(again.packets.status & BELOW, trace.packets.status & BELOW)
        assert again.rtts.equals(trace.rtts)
        assert [again.address(row) for row in range(len(again.hosts))] == [
            mapped(trace.address(row)) for row in range(len(trace.hosts))
        ]
        quoting = np.isin(np.arange(len(again.packets)), again.quotes.packet)
        assert not again.packets.payload_captured[~quoting].any()


def test_a_redacted_trace_is_the_redacted_capture_read(result, traces):
    """Figures and extracts see what the file shows: the same bytes and places."""
    for one, trace in zip(result.judged, traces, strict=True):
        inside, again = redact_trace(trace, Redaction(key=KEY)), netinterf.read(shared(one.source))
        for name in ("status", "captured", "length", "ip_at", "transport_at", "payload_at", *SAME):
            assert np.array_equal(getattr(inside.packets, name), getattr(again.packets, name)), (one.source, name)
        assert inside.hosts.equals(again.hosts)
        for row in range(0, len(again.packets), 7):
            size = int(again.packets.captured[row])
            places = int(inside.packets.at[row]), int(again.packets.at[row])
            assert bytes(inside.buffer[places[0] :][:size]) == bytes(again.buffer[places[1] :][:size])


def test_tables_of_a_redacted_trace_tell_of_nobody(traces):
    """Programs that read messages of a redacted capture get them without names, addresses and other text."""
    for trace in traces:
        inside = redact_trace(trace, Redaction(key=KEY))
        held = [getattr(inside, field.name) for field in attrs.fields(type(inside))]
        tables = [one.to_arrow().to_pylist() for one in held if isinstance(one, Table)]
        assert len(tables) > 10
        assert left_in_text(str(tables), trace) == []
        assert left_in_bytes(inside.buffer.tobytes(), trace) == []
        assert len(inside.tls) == len(trace.tls)
        assert not inside.tls.certificates.lengths.any()


@pytest.mark.parametrize(
    "name", ["tcp.reset.cn-gfw-ii", "tcp.synack.generic", "tcp.connect.reset.cn-port-443-2025", "rate.policing"]
)
def test_verdicts_that_need_no_payload_stay(name, tmp_path):
    """Forged resets and answers and token buckets show in headers."""
    (tmp_path / "original.pcap").write_bytes(played(name, ip=4))
    redact(tmp_path / "original.pcap", tmp_path / "shared.pcap", key=KEY)
    before, after = netinterf.scan(tmp_path / "original.pcap"), netinterf.scan(tmp_path / "shared.pcap")
    found = {v.row: v for v in before.verdicts if v.outcome == "interfered" and v.subject.kind == "flow"}
    still = {v.row: v for v in after.verdicts if v.outcome == "interfered" and v.subject.kind == "flow"}
    assert len(found) > 0
    assert found.keys() == still.keys()
    for row, verdict in still.items():
        assert verdict.subject.client == mapped(found[row].subject.client)
        assert (verdict.mechanism, verdict.frames) == (found[row].mechanism, found[row].frames)


def test_tshark_reads_it(tmp_path, tshark, folder):
    """Another program sees the frames, addresses, ports and lengths, and finds no wrong checksum."""
    for path in sorted(folder.iterdir())[3:4]:
        redact(path, tmp_path / "shared.pcap", key=KEY)
        names = (
            "frame.number",
            "frame.time_epoch",
            "ip.src",
            "ip.dst",
            "tcp.srcport",
            "udp.length",
            "icmpv6.type",
            "icmp.type",
        )
        before, after = tshark(path, *names), tshark(tmp_path / "shared.pcap", *names)
        assert len(before) == len(after) > 0
        for old, told in zip(before, after, strict=True):
            if old[-2:] == ["", ""]:  # of a quote, tshark shows only what is whole
                assert [*old[:2], *old[4:]] == [*told[:2], *told[4:]]
                assert told[2:4] == [mapped(one) if one else "" for one in old[2:4]]
        checks = ("ip.checksum.status", "tcp.checksum.status")
        options = ("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")
        told = tshark(tmp_path / "shared.pcap", *checks, options=options)
        assert {word for row in told for cell in row for word in cell.split(",")} <= {"", "1", "2"}  # 2: payload is cut


# --- what is kept of headers, by headers that scapy writes ------------------------------------------------------------

A, B, SECRET = "93.184.216.34", "151.101.1.69", "198.35.26.96"
A6, B6, SECRET6 = "2606:2800:220:1::1", "2a04:4e42::645", "2620:0:861:ed1a::1"
PACKED = [ipaddress.ip_address(one).packed for one in (A, B, SECRET, A6, B6, SECRET6)]
ETHER = scapy.Ether(src="02:11:22:33:44:55", dst="02:66:77:88:99:aa")
LETTER = b"Dear Alexandra, the address is as always"

HIDING = {
    "ethernet": ETHER / scapy.IP(src=A, dst=B) / scapy.TCP(flags="PA") / LETTER,
    "vlan": ETHER / scapy.Dot1Q(vlan=7) / scapy.IPv6(src=A6, dst=B6) / scapy.UDP() / LETTER,
    "gre": ETHER / scapy.IP(src=SECRET, dst=SECRET) / scapy.GRE() / scapy.IP(src=A, dst=B) / scapy.TCP() / LETTER,
    "6in4": ETHER / scapy.IP(src=SECRET, dst=SECRET) / scapy.IPv6(src=A6, dst=B6) / scapy.TCP() / LETTER,
    "record route": ETHER
    / scapy.IP(src=A, dst=B, options=[scapy.IPOption_RR(routers=[SECRET, A])])
    / scapy.TCP(flags="R"),
    "routing header": ETHER
    / scapy.IPv6(src=A6, dst=B6)
    / scapy.IPv6ExtHdrRouting(addresses=[SECRET6, A6])
    / scapy.TCP(flags="S"),
    "home address": ETHER
    / scapy.IPv6(src=A6, dst=B6)
    / scapy.IPv6ExtHdrDestOpt(options=[scapy.HAO(hoa=SECRET6)])
    / scapy.UDP()
    / LETTER,
    "fragments": ETHER / scapy.IPv6(src=A6, dst=B6) / scapy.IPv6ExtHdrFragment(nh=17, offset=9) / LETTER,
    "authentication": ETHER / scapy.IP(src=A, dst=B, proto=51) / scapy.AH(nh=6, icv=LETTER[:12]) / scapy.TCP() / LETTER,
    "fast open": ETHER / scapy.IP(src=A, dst=B) / scapy.TCP(flags="S", options=[("MSS", 1460), (34, b"Alexandr")]),
    "multipath": ETHER
    / scapy.IP(src=A, dst=B)
    / scapy.TCP(options=[("NOP", None), (30, b"\x30\x01" + ipaddress.ip_address(SECRET).packed)]),
    "overlong": ETHER / scapy.IP(src=A, dst=B) / scapy.TCP(options=[(2, b"Dear Alexandra")]),
    "unreachable": ETHER
    / scapy.IP(src=SECRET, dst=A)
    / scapy.ICMP(type=3, code=3)
    / scapy.IP(src=A, dst=B)
    / scapy.UDP(dport=53)
    / LETTER,
    "redirect": ETHER / scapy.IP(src=B, dst=A) / scapy.ICMP(type=5, code=1, gw=SECRET) / scapy.IP(src=A, dst=B),
    "too big": ETHER
    / scapy.IPv6(src=SECRET6, dst=A6)
    / scapy.ICMPv6PacketTooBig(mtu=1280)
    / scapy.IPv6(src=A6, dst=B6)
    / scapy.TCP(seq=77)
    / LETTER,
    "neighbour": ETHER / scapy.IPv6(src=A6, dst=B6) / scapy.ICMPv6ND_NS(tgt=SECRET6) / scapy.ICMPv6NDOptSrcLLAddr(),
    "router": ETHER / scapy.IP(src=A, dst=B) / scapy.ICMP(type=9) / (bytes(4) + PACKED[2]),
    "echo": ETHER / scapy.IP(src=A, dst=B) / scapy.ICMP(id=5, seq=9) / LETTER,
    "arp": scapy.Ether() / scapy.ARP(psrc=SECRET, pdst=A),
    "padding": ETHER / scapy.IP(src=A, dst=B) / scapy.TCP(flags="A") / scapy.Padding(LETTER[:6]),
    "unknown": ETHER / scapy.IP(src=A, dst=B, proto=132) / LETTER,
    "vxlan": ETHER
    / scapy.IP(src=SECRET, dst=SECRET)
    / scapy.UDP(dport=4789)
    / scapy.VXLAN(flags=8, vni=7)
    / ETHER
    / scapy.IP(src=A, dst=B)
    / scapy.TCP()
    / LETTER,
    "teredo": ETHER
    / scapy.IP(src=SECRET, dst=B)
    / scapy.UDP(sport=40000, dport=3544)
    / scapy.Raw(bytes(4) + scapy.inet_aton(SECRET))  # where it comes from, as if not veiled
    / scapy.IPv6(src=f"2001:0:{PACKED[0].hex(':', 2)}:0:3fff:{PACKED[2].hex(':', 2)}", dst=B6)
    / scapy.TCP()
    / LETTER,
}  # fmt: skip

PACKETS = {4: scapy.IP(src=A, dst=B) / scapy.TCP() / LETTER, 6: scapy.IPv6(src=A6, dst=B6) / scapy.UDP() / LETTER}
RECORDED = {
    f"{name} of version {version}": (number, frame)
    for version, packet in PACKETS.items()
    for name, number, frame, _ in recorded(packet)
}
"""Packets behind 802.11 and pseudo-headers, by name: link type and frame."""


@pytest.mark.parametrize("what", HIDING)
def test_no_header_carries_anything_out(what):
    """Wherever an address or a word stands in a packet, it is not in the new one, and lengths remain true."""
    (frame,) = new(HIDING[what])
    for hidden in [*PACKED, LETTER[:6], LETTER[8:12], b"\x02\x11\x22", b"lexandr"]:
        assert hidden not in frame
    before, after = (netinterf.read(one) for one in (pcap(HIDING[what]), shared(pcap(HIDING[what]))))
    if before.packets.version[0]:
        assert after.packets.length[0] == before.packets.length[0] - before.packets.ip_at[0]
    for name in SAME:
        assert getattr(after.packets, name)[0] == getattr(before.packets, name)[0], name


@pytest.mark.parametrize("what", RECORDED)
def test_no_other_link_layer_carries_anything_out(what):
    """Nor do the link addresses, names of programs and prefixes of rules that are put before a packet."""
    number, frame = RECORDED[what]
    (written,) = new(frame, link_type=number)
    for hidden in [*PACKED, LETTER[:6], b"lexandr", b"\2\0\0\0\0", b"curl", b"DROP", b"en0"]:
        assert hidden not in written
    before, after = (
        netinterf.read(one) for one in (pcap(frame, link_type=number), shared(pcap(frame, link_type=number)))
    )
    assert len(written) < len(frame) - len(LETTER)
    for name in SAME:
        assert getattr(after.packets, name)[0] == getattr(before.packets, name)[0], name


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (105, in_the_air(PACKETS[4], PROTECTED)),  # said to be encrypted, and is not
        (105, in_the_air(PACKETS[4], FRAGMENTS)),
        (127, radiotap(0x40) + in_the_air(PACKETS[4])),
        (239, nflog(PACKETS[4], family=7)),
        (258, pktap(99) + bytes(PACKETS[4])),
    ],
)
def test_what_is_not_read_is_left_out(link_type, frame):
    """A frame of which no packet is read is empty in the new capture, whatever it holds."""
    assert new(frame, link_type=link_type) == [b""]


def test_the_other_packets_of_an_aggregate_are_left_out():
    """Only the first is read, and only its headers are written."""
    first, second = new(in_a_msdu(PACKETS[4], PACKETS[6]), in_a_msdu(PACKETS[4], PACKETS[4]), link_type=105)
    assert first == second
    assert len(first) == 40


@pytest.mark.parametrize("what", ["unreachable", "too big"])
def test_quotes_still_name_their_conversation(what):
    """An ICMP error shows whose packet it quotes, under the new addresses, and no more of it."""
    before, after = (netinterf.read(one) for one in (pcap(HIDING[what]), shared(pcap(HIDING[what]))))
    assert len(after.quotes) == 1
    for name in ("version", "protocol", "ttl", "source_port", "target_port", "seq"):
        assert getattr(after.quotes, name)[0] == getattr(before.quotes, name)[0], name
    (frame,) = new(HIDING[what])
    packet = scapy.IP(frame) if before.quotes.version[0] == 4 else scapy.IPv6(frame)
    inner = packet[scapy.IPerror if before.quotes.version[0] == 4 else scapy.IPerror6]
    pair = (A, B) if before.quotes.version[0] == 4 else (A6, B6)
    assert (inner.src, inner.dst) == tuple(map(mapped, pair))


def test_a_redirect_names_the_new_gateway():
    """The second word of an ICMP redirect is an address, and is mapped as one."""
    (frame,) = new(HIDING["redirect"])
    assert scapy.IP(frame)[scapy.ICMP].gw == mapped(SECRET)


words = st.binary(min_size=12, max_size=12)


def noisy(seed, frame, payload):
    """Write a frame around other noise: hardware addresses, options, identifiers of tunnels, payload."""
    rng = random.Random(seed)
    mac = ":".join(f"{rng.randrange(256):02x}" for _ in range(6))
    host = ".".join(str(rng.randrange(1, 250)) for _ in range(4))
    outer = [scapy.Ether(src=mac, dst=mac), scapy.Ether(src=mac, dst=mac) / scapy.Dot1Q(vlan=rng.randrange(4000))]
    outer.append(scapy.Ether(src=mac, dst=mac) / scapy.IP(src=host, dst=host) / scapy.GRE())
    inner = scapy.IP(src=A, dst=B, id=9, options=[scapy.IPOption_RR(routers=[host, host])])
    if frame == "udp":
        return rng.choice(outer) / inner / scapy.UDP(sport=5000, dport=443) / payload
    options = [("MSS", 1400), (34, bytes(rng.randrange(256) for _ in range(8))), ("Timestamp", (5, 6))]
    return rng.choice(outer) / inner / scapy.TCP(sport=5000, seq=4, ack=7, flags="PA", options=options) / payload


@given(st.sampled_from(["tcp", "udp"]), st.integers(), st.integers(), words, words)
@settings(max_examples=8)
def test_what_is_left_out_leaves_no_trace(frame, first, second, one, other):
    """Two packets that differ only in what is left out are written as the same bytes, their checksums included."""
    packets = [noisy(first, frame, one), noisy(second, frame, other)]
    assert len({bytes(written) for packet in packets for written in new(packet)}) == 1


@given(st.integers(1, 0xFFFF), words)
@settings(max_examples=8)
def test_wrong_checksums_stay_wrong_and_right_ones_right(wrong, payload):
    """A bad checksum is evidence and stays bad, but not as it was: it would tell of addresses and payload."""
    ip = scapy.IP(src=A, dst=B)
    good = scapy.Ether(bytes(ETHER / ip / scapy.TCP(flags="R")))
    bad = good.copy()
    bad[scapy.TCP].chksum = (bad[scapy.TCP].chksum + wrong - 1) % 0xFFFF + 1
    broken = good.copy()
    broken[scapy.IP].chksum = (broken[scapy.IP].chksum + wrong - 1) % 0xFFFF + 1
    six = ETHER / scapy.IPv6(src=A6, dst=B6) / scapy.UDP() / payload
    frames = [good, bad, broken, six]
    before, after = netinterf.read(pcap(*frames)), netinterf.read(shared(pcap(*frames)))
    rows = np.arange(4)
    assert after.checksum_ok(rows).tolist() == before.checksum_ok(rows).tolist()
    again = new(*frames)
    assert scapy.IP(again[0]).chksum == scapy.IP(again[1]).chksum != scapy.IP(again[2]).chksum


def test_datagrams_without_a_checksum_stay_without():
    """UDP over IPv4 need have none (RFC 768), and one of zero is written as ones."""
    (frame,) = new(ETHER / scapy.IP(src=A, dst=B) / scapy.UDP(chksum=0) / LETTER)
    assert scapy.IP(frame)[scapy.UDP].chksum == 0
    (frame,) = new(ETHER / scapy.IP(src=A, dst=B) / scapy.UDP() / LETTER)
    assert scapy.IP(frame)[scapy.UDP].chksum != 0


def test_frames_keep_their_numbers():
    """What holds no IP packet is an empty frame, and so is a number that another block of a pcapng file has."""
    ip = bytes(ETHER / scapy.IP(src=A, dst=B) / scapy.TCP())
    journal = containers.block("<", 9, b"\x04\x00\x00\x00boot")
    comment = containers.option("<", 1, b"recorded by Alexandra")
    data = b"".join(
        [
            containers.section("<", comment),
            containers.interface("<", name="alexandra0"),
            containers.enhanced("<", 10**6, ip, options=comment),
            journal,
            containers.enhanced("<", 2 * 10**6, bytes(HIDING["arp"])),
            containers.enhanced("<", 3 * 10**6, ip),
        ]
    )
    before, written = netinterf.read(data), shared(data)
    after = netinterf.read(written)
    assert before.packets.frame.tolist() == [1, 3, 4]
    assert after.packets.frame.tolist() == [1, 2, 3, 4]
    assert after.packets.captured.tolist() == [40, 0, 0, 40]
    assert after.packets.time.tolist() == [10**9, 10**9, 2 * 10**9, 3 * 10**9]
    assert b"lexandra" not in written
    assert redact(data, io.BytesIO()) == redact(data, io.BytesIO(), key=KEY)
    assert redact(data, io.BytesIO()).empty == 2


def test_frames_out_of_time_order_stay_where_they_were():
    """The file is written in the order of frames, not of times."""
    frames = [bytes(ETHER / scapy.IP(src=A, dst=B, id=number) / scapy.TCP()) for number in range(3)]
    file = io.BytesIO()
    write_pcap(file, [30, 10, 20], frames, 1)
    assert [scapy.IP(frame).id for frame in frames_of(shared(file.getvalue()))] == [0, 1, 2]


@given(st.lists(st.binary(max_size=120), max_size=6), st.sampled_from([1, 101, 113, 228]))
@settings(max_examples=25)
def test_any_bytes_are_rewritten(frames, link_type):
    """Whatever lies in a frame, the new one is decoded as the old one, and holds nothing behind its headers."""
    try:
        before = netinterf.read(pcap(*frames, link_type=link_type))
    except CaptureError:
        return
    after = netinterf.read(shared(pcap(*frames, link_type=link_type)))
    for name in ("version", "ttl", "seq", "tcp_flags", "ip_id"):
        whole = after.packets.captured > 0
        assert np.array_equal(getattr(after.packets, name)[whole], getattr(before.packets, name)[whole]), name


@given(st.binary(min_size=20, max_size=60), st.integers(0, 40), st.integers(0, 15), st.sampled_from([6, 17, 1, 47, 51]))
@settings(max_examples=25)
def test_any_header_is_cut_where_it_ends(octets, options, words, protocol):
    """Of a packet whose lengths lie in every way, no byte of the payload that was marked is written."""
    head = bytearray(scapy.IP(src=A, dst=B, proto=protocol).build())
    head[0] = 0x40 | min(5 + options // 4, 15)
    body = bytearray(octets + b"\xa5" * 60)
    body[12:13] = bytes([words << 4])
    frame = bytes(head) + bytes(4 * min(options // 4, 10)) + bytes(body)
    (written,) = new(frame, link_type=101)
    assert b"\xa5" * 9 not in written or protocol == 6


def test_no_packets_give_an_empty_capture():
    """A capture without packets is redacted to one without packets."""
    assert len(netinterf.read(shared(pcap())).packets) == 0


def test_a_capture_is_not_written_over_itself(tmp_path):
    """The original would be gone."""
    path = tmp_path / "visit.pcap"
    path.write_bytes(pcap(HIDING["echo"]))
    (tmp_path / "link.pcap").symlink_to(path)
    with pytest.raises(ParameterError, match="another file than what is read"):
        redact(path, tmp_path / "link.pcap")
    assert path.read_bytes() == pcap(HIDING["echo"])


def test_times_that_pcap_cannot_hold_are_named(tmp_path):
    """A pcapng file may speak of the year 2262; the error names the file, and nothing is written."""
    frame = bytes(scapy.Ether() / scapy.IP(dst="192.0.2.1") / scapy.UDP() / b"late")
    blocks = (
        containers.section("<"),
        containers.interface("<"),
        containers.enhanced("<", 9_223_372_035_277_451, frame),
    )
    (tmp_path / "late.pcapng").write_bytes(b"".join(blocks))
    with pytest.raises(CaptureError, match=r"late\.pcapng: cannot be written as pcap: .*2106"):
        redact(tmp_path / "late.pcapng", tmp_path / "shared.pcap", key=KEY)
    assert not (tmp_path / "shared.pcap").exists()


def test_many_blocks_are_written_as_one(monkeypatch):
    """Packets are rewritten some at a time, which shows nowhere."""
    data = played("tcp.reset", ip=4)
    whole = shared(data)
    monkeypatch.setattr("netinterf.privacy.headers.BLOCK", 7)
    assert shared(data) == whole
