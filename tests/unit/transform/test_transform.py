"""Changes of captures, held against the same packets as scapy builds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.all import GRE, ICMP, IP, TCP, UDP, CookedLinux, Dot1Q, Ether, IPv6, Loopback, Raw
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest

from netinterf import transform
from netinterf.capture import from_memory, open_capture
from netinterf.errors import ParameterError
from netinterf.simulate import run
from netinterf.trace import read
from netinterf.transform.segments import BATCH

LINK = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
HOME, AWAY, HOME_SIX, AWAY_SIX = "192.168.0.7", "203.0.113.9", "fd00:1:2:3::7", "2600:9000::9"
MILLISECOND = 1_000_000


def frames_of(packets, link_type=1, times=None):
    """Take packets that scapy builds as the frames of a capture, a millisecond apart."""
    built = [bytes(packet) for packet in packets]
    times = [number * MILLISECOND for number in range(len(built))] if times is None else times
    return transform.of_capture(from_memory(times, built, link_type))


def bytes_of(frames):
    """Cut the frames out, as a file has them."""
    capture = open_capture(transform.to_bytes(frames, file_format="pcapng"))
    rows = capture.records
    return [capture.buffer[at : at + size].tobytes() for at, size in zip(rows.at, rows.captured, strict=True)]


def talk(home=HOME, away=AWAY, port=40_000, hops=0, ip=IP):
    """Build what a client and two servers say, with an unsummed datagram, a fragment and an error that quotes."""
    six = ip is IPv6
    limit = {("hlim" if six else "ttl"): 60 - hops}
    out, back = ip(src=home, dst=away, **limit), ip(src=away, dst=home, **limit)
    said = [
        out / TCP(sport=port, dport=443, flags="S", seq=9),
        back / TCP(sport=443, dport=port, flags="SA", seq=5, ack=10),
        out / TCP(sport=port, dport=443, flags="A", seq=10, ack=6) / b"odd",
        out / UDP(sport=port + 1, dport=53) / b"asked",
        back / UDP(sport=53, dport=port + 1, **({} if six else {"chksum": 0})) / b"answered",
    ]
    if six:
        error = ICMPv6DestUnreach() / bytes(ip(src=away, dst=home) / UDP(sport=53, dport=port + 1, chksum=0))
        return [*said, out / error, out / ICMPv6EchoRequest(data=b"ping")]
    error = ICMP(type=3, code=3) / bytes(ip(src=away, dst=home, id=7) / UDP(sport=53, dport=port + 1, chksum=0))
    later = ip(src=home, dst=away, id=8, frag=185, proto=17, **limit) / Raw(b"the rest of something")
    return [*said, out / error, later]


@pytest.mark.parametrize("ip", [IP, IPv6])
@pytest.mark.parametrize("link", [True, False])
def test_renumbered_packets_are_those_of_other_clients(ip, link):
    """Byte for byte: addresses, every checksum over them, what errors quote; UDP without a checksum stays so."""
    home, other = (HOME, "192.168.1.7") if ip is IP else (HOME_SIX, "fd00:1:2:103::7")
    away = AWAY if ip is IP else AWAY_SIX
    before, after = ([Ether(**LINK) / one if link else one for one in talk(who, away, ip=ip)] for who in (home, other))
    changed = transform.renumber(frames_of(before, 1 if link else 101))
    assert bytes_of(changed) == [bytes(packet) for packet in after]


def test_other_clients_get_addresses_that_nobody_has():
    """Where the next network is somebody's, another one is taken; global addresses stay."""
    packets = [*talk(), *talk(HOME, "192.168.1.7", port=50_000)]
    seen = {read(transform.to_bytes(transform.renumber(frames_of(packets, 101)))).address(host) for host in range(3)}
    assert seen == {"192.168.2.7", "192.168.1.7", AWAY}
    with pytest.raises(ParameterError, match="no client"):
        transform.renumber(frames_of(talk("8.8.4.4", AWAY), 101))


def test_translated_packets_are_those_behind_a_translator():
    """Other addresses and ports, in what errors quote as well; the checksum of a quoted datagram is not looked at."""
    changed = transform.translate(frames_of(talk(), 101))
    after = talk("100.64.0.7", AWAY, port=40_000 + 7_919)
    assert bytes_of(changed) == [bytes(packet) for packet in after]
    with pytest.raises(ParameterError, match="no private"):
        transform.translate(frames_of(talk(HOME_SIX, AWAY_SIX, ip=IPv6), 101))


@pytest.mark.parametrize("ip", [IP, IPv6])
def test_forwarded_packets_have_one_hop_less(ip):
    """Byte for byte but for link addresses, which are others; the last hop stays."""
    ends = (HOME, AWAY) if ip is IP else (HOME_SIX, AWAY_SIX)
    changed = transform.forward(frames_of([Ether(**LINK) / one for one in talk(*ends, ip=ip)]))
    expected = [bytes(packet) for packet in talk(*ends, hops=1, ip=ip)]
    if ip is IP:
        expected[-1] = bytes(talk(*ends, hops=1)[-1])
    assert [frame[14:] for frame in bytes_of(changed)] == expected
    assert all(Ether(frame).src != LINK["src"] and Ether(frame).dst != LINK["dst"] for frame in bytes_of(changed))
    last = [IP(src=HOME, dst=AWAY, ttl=1) / UDP(dport=53)]
    assert bytes_of(transform.forward(frames_of(last, 101))) == [bytes(last[0])]


@pytest.mark.parametrize(("number", "header"), [(0, Loopback), (1, Ether), (113, CookedLinux), (101, None)])
def test_link_types_hold_the_same_packets(number, header):
    """Behind each link header the packets are the same, and scapy finds them; what is no packet goes."""
    packets = [*talk(), *talk(HOME_SIX, AWAY_SIX, ip=IPv6)]
    arp = Ether(**LINK, type=0x0806) / bytes(28)
    for given_frames in (
        frames_of([arp, *(Ether(**LINK) / one for one in packets)]), frames_of(packets, 101)
    ):  # fmt: skip
        changed = transform.link_type(given_frames, number)
        found = [frame if header is None else bytes(header(frame).payload) for frame in bytes_of(changed)]
        assert found == [bytes(packet) for packet in packets]
        again = read(transform.to_bytes(changed))
        assert [face.link_type for face in again.interfaces] == [number]
        assert again.checksum_ok(np.arange(len(packets))).all()


def test_tags_and_other_links_are_refused():
    """Tags may tell packets apart, so nobody takes them away; the message says which frame."""
    tagged = frames_of([Ether(**LINK) / talk()[0], Ether(**LINK) / Dot1Q(vlan=5) / talk()[1]])
    for change in (lambda frames: transform.link_type(frames, 101), transform.tunnel):
        with pytest.raises(ParameterError, match="frame 2 of link type 1"):
            change(tagged)
    with pytest.raises(ParameterError, match="one of 0, 1, 101, 113"):
        transform.link_type(tagged, 7)
    with pytest.raises(ParameterError, match="Ethernet"):
        transform.trail(frames_of(talk(), 101))


@pytest.mark.parametrize("link", [True, False])
def test_a_tunnel_holds_the_packets(link):
    """Scapy reads an outer header with right length and checksum, GRE, and the packet as it was."""
    packets = [*talk(), *talk(HOME_SIX, AWAY_SIX, ip=IPv6)]
    changed = transform.tunnel(frames_of([Ether(**LINK) / one if link else one for one in packets], 1 if link else 101))
    for frame, packet in zip(bytes_of(changed), packets, strict=True):
        found = Ether(frame)[IP] if link else IP(frame)
        fresh = found.copy()
        del fresh.chksum, fresh.len
        assert bytes(found) == bytes(fresh)
        assert bytes(found[GRE].payload) == bytes(packet)
    assert (read(transform.to_bytes(changed)).packets.protocol == read_protocols(packets)).all()


def read_protocols(packets):
    """Decode packets as they are."""
    return frames_of(packets, 101).packets.protocol


def test_trailers_stand_behind_frames_and_behind_no_cut():
    """A frame that was cut off is longer on the wire, and holds as much."""
    whole = frames_of([Ether(**LINK) / one for one in talk()])
    cut = transform.snaplen(whole, 40)
    behind = transform.trail(whole, 6)
    assert [frame[-6:] for frame in bytes_of(behind)] == [bytes(6)] * len(whole)
    assert [frame[:-6] for frame in bytes_of(behind)] == bytes_of(whole)
    assert bytes_of(transform.trail(cut)) == bytes_of(cut)
    assert (transform.trail(cut).packets.length == whole.packets.length + 4).all()


def test_segments_are_put_together_as_cards_do():
    """Runs of one direction with equal headers become one, up to PSH, a gap, or a limit; the stream stays the same."""
    out, ack = IP(src=HOME, dst=AWAY), {"sport": 40_000, "dport": 80, "ack": 1}
    sizes, flags = [1000, 1000, 500, 700, 300], ["A", "A", "PA", "A", "A"]
    starts = np.append(1, 1 + np.cumsum(sizes))
    segments = [
        out / TCP(seq=int(start), flags=flag, **ack) / Raw(bytes([65 + place]) * size)
        for place, (start, size, flag) in enumerate(zip(starts, sizes, flags, strict=False))
    ]
    before = frames_of(segments, 101, [0, 10_000, 20_000, 30_000, 30_000 + BATCH + 1])
    changed = transform.coalesce(before)
    assert changed.packets.payload_length.tolist() == [2500, 700, 300]
    assert changed.packets.time.tolist() == [20_000, 30_000, 130_001]
    assert changed.packets.frame.tolist() == [1, 4, 5]
    first = IP(bytes_of(changed)[0])
    assert (first.len, first[TCP].flags, bytes(first[TCP].payload)[::1000]) == (2540, "PA", b"ABC")
    again = read(transform.to_bytes(changed))
    assert again.stream(0, outbound=True) == read(transform.to_bytes(before)).stream(0, outbound=True)
    apart = transform.coalesce(before, 9_999)
    assert bytes_of(apart) == bytes_of(before)


def test_large_runs_stay_packets():
    """No segment is longer than an IPv4 packet can be."""
    out = IP(src=HOME, dst=AWAY)
    segments = [out / TCP(sport=4, dport=80, flags="A", seq=1 + 1400 * n) / Raw(bytes(1400)) for n in range(100)]
    changed = transform.coalesce(frames_of(segments, 101, [1000 * n for n in range(100)]))
    assert changed.packets.payload_length.sum() == 140_000
    assert changed.packets.length.max() <= 65_535
    assert len(changed) == 3


def simulated(scene="benign.tcp.traffic", seed=2):
    """Load a simulated capture."""
    made = run(scene, seed)
    return transform.of_capture(from_memory(made.times, made.frames, made.link_type))


def test_taps_lose_what_they_are_told_to():
    """Bytes, directions, shares from either end, and frames by chance, the same ones each time."""
    frames = simulated()
    count = len(frames)
    assert transform.snaplen(frames, 60).packets.captured.max() == 60
    assert (transform.snaplen(frames, 60).packets.length == frames.packets.length).all()
    ways = [transform.one_way(frames, outbound=outbound) for outbound in (True, False)]
    assert sum(map(len, ways)) == count
    assert not any(len({*way.packets.outbound.tolist()}) - 1 for way in ways)
    assert transform.begin_late(frames, 0.25).packets.frame[0] == count // 4 + 1
    assert transform.end_early(frames, 0.25).packets.frame[-1] == count - count // 4
    lost = transform.lose(frames, 0.1, seed=3)
    assert 0.85 < len(lost) / count < 0.95
    assert lost.packets.frame.tolist() == transform.lose(frames, 0.1, seed=3).packets.frame.tolist()
    assert len(transform.lose(frames, 1.0)) == 0
    for change, value in ((transform.lose, 1.5), (transform.begin_late, -0.1), (transform.snaplen, 0)):
        with pytest.raises(ParameterError):
            change(frames, value)


def test_what_is_recorded_twice():
    """A mirror gives each frame twice at once, a router's two sides one with a hop less a little later."""
    frames = simulated()
    assert transform.double(frames).packets.frame.tolist() == np.repeat(frames.packets.frame, 2).tolist()
    again = read(transform.to_bytes(transform.route_twice(frames, 1)))
    assert len(again.packets) == 2 * len(frames)
    assert sorted(again.packets.ttl) == sorted([*frames.packets.ttl, *(frames.packets.ttl - 1)])
    assert again.checksum_ok(np.arange(len(again.packets))).mean() == read(
        transform.to_bytes(frames)
    ).checksum_ok(np.arange(len(frames))).mean()  # fmt: skip


def test_a_skewed_clock_stamps_one_direction():
    """What clients are sent comes later, by as much; the file is in order again."""
    frames = simulated()
    changed = transform.skew(frames, 5)
    assert (np.diff(changed.packets.time) >= 0).all()
    order = np.argsort(changed.packets.frame)
    moved = changed.packets.time[order] - frames.packets.time
    assert (moved == np.where(frames.packets.outbound, 0, 5)).all()


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=40), st.integers(0, 9))
def test_orders_keep_each_conversation(rows, seed):
    """However ties are shuffled, times rise and every conversation keeps its order; so it does written one by one."""
    ports = [port for _, port in rows]
    times = sorted(time for time, _ in rows)
    packets = [bytes(IP(src=HOME, dst=AWAY) / UDP(sport=port + 4000, dport=53)) for port in ports]
    frames = transform.of_capture(from_memory(times, packets, 101))
    shuffled, sorted_out = transform.shuffle_ties(frames, seed=seed), transform.by_conversation(frames)
    assert shuffled.packets.time.tolist() == times
    for changed in (shuffled, sorted_out):
        assert sorted(changed.packets.frame) == list(range(1, len(rows) + 1))
        for flow in np.unique(frames.packets.flow):
            assert (np.diff(changed.packets.frame[changed.packets.flow == flow].astype(int)) > 0).all()
    assert (np.diff(sorted_out.packets.flow) >= 0).all()


def test_merged_captures_count_on():
    """Frame numbers and flows of the second follow those of the first, and file formats hold both link types."""
    first, second = frames_of([Ether(**LINK) / one for one in talk()]), frames_of(talk(port=50_000), 101)
    both = transform.merge([first, transform.shift(second, MILLISECOND // 2)])
    assert (np.diff(both.packets.time) > 0).all()
    assert both.packets.frame.tolist() == [place // 2 + 1 + place % 2 * len(first) for place in range(len(both))]
    assert set(both.packets.flow[1::2]).isdisjoint(both.packets.flow[::2])
    again = read(transform.to_bytes(both, file_format="pcapng"))
    assert [face.link_type for face in again.interfaces] == [1, 101]
    assert len(again.packets) == len(both)
    with pytest.raises(ParameterError, match="pcapng, since"):
        transform.to_bytes(both)
    with pytest.raises(ParameterError, match="one capture or more"):
        transform.merge([])
    assert transform.merge([first]).packets.frame.tolist() == first.packets.frame.tolist()


def test_times_are_rounded_down_and_shifted():
    """To the unit, and by as much."""
    frames = frames_of(talk(), 101, [1_999, *range(2_000, 2_006)])
    assert transform.round_times(frames, 1_000).packets.time.tolist() == [1_000] + [2_000] * 6
    assert transform.shift(frames, -5).packets.time.tolist() == [1_994, *range(1_995, 2_001)]
    with pytest.raises(ParameterError):
        transform.round_times(frames, 0)


def test_changes_leave_what_they_were_given(tmp_path):
    """No change writes into the frames that it was given, which may be those of a mapped file; nor onto their file."""
    path = tmp_path / "a.pcap"
    transform.save(simulated("dns.injection.benign"), path)
    before, frames = path.read_bytes(), transform.load(path)
    for change in transform.CHANGES:
        made = change.apply(frames)
        assert len(made) <= 2 * len(frames)
    assert path.read_bytes() == before
    assert transform.to_bytes(frames) == before
    with pytest.raises(ParameterError, match="another file"):
        transform.save(frames, path, inputs=[path])
    with pytest.raises(ParameterError, match="pcap or pcapng"):
        transform.save(frames, path, file_format="snoop")


def test_no_frames_stay_none():
    """Every change of nothing gives nothing, or says that there is nobody."""
    frames = simulated().take(np.empty(0, np.int64))
    for change in transform.CHANGES:
        try:
            assert len(change.apply(frames)) == 0
        except ParameterError:
            assert change.name.startswith("clients")
