"""What slows, freezes and cuts off does so on the wire, and its look-alikes do not pretend to be more."""

from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from random import Random
from statistics import median

import attrs
import numpy as np
import pytest
from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether

from netinterf.simulate import Conditions, Simulated, run, scenarios
from netinterf.simulate.boxes.buckets import Policer, Shaper
from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.network.packet import Packet, address
from netinterf.simulate.network.path import MILLISECOND, SECOND, World
from netinterf.simulate.network.queues import Arrival, CoDel, Link, Pie, Red
from netinterf.simulate.plays.reach import networks
from netinterf.simulate.plays.reach_places import HOME

FAMILIES = ("rate", "reach", "benign.rate", "benign.reach")
MINE = [play for play in scenarios() if play.family in FAMILIES]
LIMITED = [play.name for play in MINE if play.mechanism]


@cache
def played(name: str, seed: int = 0, vantage: str = "", ip: int = 4) -> Simulated:
    """Play a scenario under a faithful recorder."""
    play = next(play for play in MINE if play.name == name)
    return run(name, seed, Conditions.clean(vantage=vantage or play.vantages[0], ip=ip))


@attrs.frozen
class Seen:
    """One captured segment or datagram."""

    number: int
    time: int
    outbound: bool
    flags: int
    seq: int
    payload: bytes
    size: int  # of the IP packet


def flow(simulated: Simulated, port: int, server: str, client_port: int) -> list[Seen]:
    """Read the packets of one flow."""
    return [seen for key, seen in packets(simulated) if key == (client_port, server, port)]


def packets(simulated: Simulated) -> Iterator[tuple[tuple[int, str, int], Seen]]:
    """Read all TCP and UDP packets by hand, there are many: client port, server and its port, then the packet."""
    servers = {(truth.client_port, truth.server, truth.server_port) for truth in simulated.labels.truths}
    for number, (time, raw) in enumerate(zip(simulated.times, simulated.frames, strict=True), start=1):
        ipv6 = raw[12:14] == b"\x86\xdd"
        protocol, at = (raw[20], 54) if ipv6 else (raw[23], 14 + 4 * (raw[14] & 15))
        if protocol not in (6, 17):
            continue
        tcp = protocol == 6
        size = int.from_bytes(raw[18:20]) + 40 if ipv6 else int.from_bytes(raw[16:18])
        source, target = (raw[22:38], raw[38:54]) if ipv6 else (raw[26:30], raw[30:34])
        ports = int.from_bytes(raw[at : at + 2]), int.from_bytes(raw[at + 2 : at + 4])
        there, back = (ports[0], spelt(target), ports[1]), (ports[1], spelt(source), ports[0])
        outbound = there in servers
        payload = raw[at + (4 * (raw[at + 12] >> 4) if tcp else 8) : 14 + size]
        flags, seq = (raw[at + 13], int.from_bytes(raw[at + 4 : at + 8])) if tcp else (0, 0)
        yield there if outbound else back, Seen(number, time, outbound, flags, seq, payload, size)


@cache
def spelt(packed: bytes) -> str:
    """Write an address."""
    return str(ip_address(packed))


def flows(simulated: Simulated) -> dict[tuple[int, str, int], list[Seen]]:
    """Read all flows."""
    found: dict[tuple[int, str, int], list[Seen]] = {}
    for key, seen in packets(simulated):
        found.setdefault(key, []).append(seen)
    return found


def labelled(simulated: Simulated, kind: str = "flow") -> list[tuple[str | None, list[Seen]]]:
    """Give mechanism and packets of every flow."""
    found = flows(simulated)
    return [
        (truth.mechanism, found[truth.client_port, truth.server, truth.server_port])
        for truth in simulated.labels.truths
        if truth.kind == kind
    ]


def repeated(seen: list[Seen]) -> int:
    """Count data segments of the server that were captured before."""
    numbers = [one.seq for one in seen if not one.outbound and one.payload]
    return len(numbers) - len(set(numbers))


# --- the list ---


def test_look_alikes_are_as_many() -> None:
    """There are benign causes for every way to slow down, and boxes that adapt."""
    assert sum(not play.mechanism for play in MINE) >= sum(bool(play.mechanism) for play in MINE)
    adaptive = {play.mechanism for play in MINE if play.system == "adaptive"}
    assert adaptive >= {"rate.policing", "rate.shaping", "rate.freeze", "rate.handshake", "reach.isolation"}


@pytest.mark.parametrize(("seed", "ip"), [(0, 4), (1, 6)])
@pytest.mark.parametrize("play", MINE, ids=lambda play: str(play.name))
def test_labels_say_what_is_played(play: object, seed: int, ip: int) -> None:
    """Interfering scenarios hit someone and spare someone; benign ones mark their look-alike; nobody forges."""
    truths = played(play.name, seed, "", ip).labels.truths  # type: ignore[attr-defined]
    found = {truth.mechanism for truth in truths}
    assert not any(truth.forged for truth in truths)
    if play.mechanism:  # type: ignore[attr-defined]
        assert found == {None, play.mechanism}  # type: ignore[attr-defined]
        assert {truth.system for truth in truths if truth.mechanism} == {play.system}  # type: ignore[attr-defined]
    else:
        assert found == {None}
        assert play.confounder in {truth.confounder for truth in truths}  # type: ignore[attr-defined]
    assert all((":" in truth.server) == (ip == 6) for truth in truths) or "ipv6" in play.name  # type: ignore[attr-defined]


# --- boxes and queues ---


def packet(size: int, sport: int = 40_000, outbound: bool = False, payload: bytes = b"") -> Packet:
    """Make a TCP packet of *size* bytes with Ethernet header, from or to the client."""
    ends = [(address("10.0.0.2"), sport), (address("192.0.2.1"), 443)]
    (source, first), (destination, second) = ends if outbound else ends[::-1]
    return Packet(
        source=source,
        destination=destination,
        sport=first,
        dport=second,
        payload=payload or bytes(size - 54),
        subject=0,
    )


def test_a_policer_passes_its_bucket_and_then_its_rate() -> None:
    """Of a steady stream at twice the rate everything passes until the bucket is empty, then half does."""
    world = World(np.random.default_rng(1))
    policer = Policer(world=world, rate=8e5, bucket=20_000, mechanism="rate.policing")
    passed = []
    for _ in range(400):
        world.now += 5 * MILLISECOND
        passed.append(bool(policer.cross(packet(1000), False)))
    assert all(passed[:39])
    assert 0.48 < sum(passed[100:]) / 300 < 0.52
    assert world.notes[0][0][0] == "rate.policing"


@pytest.mark.parametrize(("per", "share"), [("link", 0.25), ("client", 0.25), ("pair", 0.25), ("flow", 0.5)])
def test_buckets_are_shared_as_told(per: str, share: float) -> None:
    """Two flows of a pair share every bucket but one per flow."""
    world = World(np.random.default_rng(1))
    policer = Policer(world=world, rate=8e5, bucket=2000, per=per)
    passed = 0
    for _ in range(1000):
        world.now += 5 * MILLISECOND
        passed += sum(bool(policer.cross(packet(1000, sport), False)) for sport in (40_000, 40_001))
    assert passed / 2000 == pytest.approx(share, abs=0.02)


def test_limits_keep_to_their_direction_and_class() -> None:
    """Uploads, bare acknowledgements and other names pass a limit that is not theirs."""
    world = World(np.random.default_rng(1))
    listed = TrafficClass(names=frozenset({b"slow.example"}))
    policer = Policer(world=world, rate=1.0, bucket=1.0, traffic=listed, way="acks")
    hello = packet(0, outbound=True, payload=b"..slow.example..")
    assert policer.cross(packet(60, outbound=True), True)  # not yet recognised
    assert policer.cross(hello, True)  # data is no bare acknowledgement
    assert not policer.cross(packet(54, outbound=True).copy(payload=b""), True)
    assert policer.cross(packet(1000), False)
    assert policer.cross(packet(54, 40_001, outbound=True).copy(payload=b""), True)


def test_a_shaper_lets_a_burst_pass_and_then_delays() -> None:
    """Packets leave at the rate once the burst is used up, in order; a full queue drops."""
    world = World(np.random.default_rng(1))
    shaper = Shaper(world=world, rate=8e6, limit=10_000, burst=3000, mechanism="rate.shaping")
    delays = [shaper.cross(packet(1000), False) for _ in range(20)]
    assert [out[0][0] for out in delays[:5]] == [0, 0, 0, MILLISECOND, 2 * MILLISECOND]
    assert 12 <= sum(map(bool, delays)) <= 15


def feed(link: Link, load: float, seconds: float = 4.0) -> list[int]:
    """Offer a link *load* times its rate in packets of 1000 bytes, and give the waits (-1: dropped)."""
    chance, now, waits = Random(1), 10**18, []
    while now < 10**18 + seconds * SECOND:
        now += int(chance.expovariate(1.0) * 8e12 / link.rate / load)
        waits.append(link.enter(now, packet(1000), chance))
    return waits


@pytest.mark.parametrize(
    "manager", [CoDel(), Pie(), Red(6e3, 1.8e4, most=0.1, weight=0.02)], ids=["codel", "pie", "red"]
)
def test_managers_keep_the_queue_short_and_leave_light_loads_alone(manager: CoDel | Pie | Red) -> None:
    """At half load next to nothing is dropped; overload meets drops long before the queue is full."""
    light = feed(Link(8e6, 1e6, attrs.evolve(manager)), 0.5)
    heavy = feed(Link(8e6, 1e6, attrs.evolve(manager)), 1.1, 8.0)
    plain = feed(Link(8e6, 1e6), 1.1, 8.0)
    assert light.count(-1) < 0.002 * len(light)
    assert plain.count(-1) == 0
    assert heavy.count(-1) > 0.03 * len(heavy)
    assert max(heavy[-1000:]) < 0.5 * max(plain)


def test_codel_waits_an_interval_before_it_drops() -> None:
    """A queue above target for less than the interval is left alone (RFC 8289 §4)."""
    codel = CoDel()
    at = [codel.drops(Arrival(now * MILLISECOND, 20 * MILLISECOND, 30_000, Random(1))) for now in range(0, 99, 3)]
    assert not any(at)
    assert codel.drops(Arrival(101 * MILLISECOND, 20 * MILLISECOND, 30_000, Random(1)))


# --- rates ---


@pytest.mark.parametrize("name", ["rate.policing.tspu-twitter", "rate.policing.carrier", "rate.policing.binge-on"])
def test_policed_data_is_sent_again(name: str) -> None:
    """At the server policed flows repeat a good part of their data, spared ones next to nothing."""
    shares: dict[bool, list[float]] = {True: [], False: []}
    for seed in (0, 1, 2):
        for mechanism, seen in labelled(played(name, seed, "server")):
            data = sum(bool(one.payload) and not one.outbound for one in seen)
            if data > 20:  # downloads
                shares[bool(mechanism)].append(repeated(seen) / data)
    assert min(shares[True]) > 0.02
    assert median(shares[False]) < 0.02


def test_twitter_flows_keep_to_the_rate() -> None:
    """At the client no listed flow is faster than 160 kbit/s each way once the bucket is used up."""
    for mechanism, seen in labelled(played("rate.policing.tspu-twitter", 1)):
        for way in (True, False):
            mine = [one for one in seen if one.outbound == way]
            if mechanism and not way and len(mine) > 20:
                span = (mine[-1].time - mine[0].time) / 1e9
                assert sum(one.size + 14 for one in mine) <= 3e4 + 3 * 1514 + 1.6e5 / 8 * span


def test_lost_acknowledgements_make_servers_repeat_what_arrived() -> None:
    """At the client of acknowledgement policing data comes that it has already."""
    hit = [repeated(seen) for mechanism, seen in labelled(played("rate.policing.tspu-youtube", 3)) if mechanism]
    assert max(hit) > 10


@pytest.mark.parametrize("name", ["rate.shaping", "rate.shaping.slow-abroad"])
def test_shaped_flows_are_slower_than_spared_ones(name: str) -> None:
    """The shaped move fewer bytes a second than the fastest of the spared, and their rate is theirs alone."""
    for seed in (0, 1):
        rates: dict[bool, list[float]] = {True: [], False: []}
        for mechanism, seen in labelled(played(name, seed)):
            data = [one for one in seen if one.payload and not one.outbound]
            rates[bool(mechanism)].append(
                sum(map(len, (one.payload for one in data))) / (data[-1].time - data[0].time + 1)
            )
        assert max(rates[False]) > 2 * max(rates[True])


# --- freezes and handshakes ---


@pytest.mark.parametrize("name", ["rate.freeze.packets", "rate.freeze.bytes", "rate.freeze.exempt", "rate.freeze.quic"])
@pytest.mark.parametrize("seed", [0, 1])
def test_frozen_flows_fall_silent_without_an_end(name: str, seed: int) -> None:
    """At the client nothing of the server comes any more, no RST came, FINs in few, and the client is heard on."""
    frozen = [seen for mechanism, seen in labelled(played(name, seed)) if mechanism]
    assert not any(one.flags & 4 and not one.outbound for seen in frozen for one in seen)
    assert sum(any(one.flags & 1 and not one.outbound for one in seen) for seen in frozen) < 0.5 * len(frozen)
    for seen in frozen:
        assert sum(len(one.payload) for one in seen if not one.outbound) < 60_000
    assert any(seen[-1].outbound for seen in frozen)


def test_frozen_servers_repeat_themselves() -> None:
    """At the server the same segment is sent at least three times, with growing gaps."""
    told = 0
    for mechanism, seen in labelled(played("rate.freeze.packets", 0, "server")):
        data = [one for one in seen if one.payload and not one.outbound]
        times = [one.time for one in data if one.seq == data[-1].seq] if data else []
        told += bool(mechanism) and len(times) > 3 and times[-1] - times[-2] > times[1] - times[0]
    assert told


def test_packet_freezes_are_concentrated_and_adaptive_ones_are_not() -> None:
    """The number of packets seen before the silence scatters by a few, or widely when the box is clever."""

    def scatter(name: str) -> float:
        counts = []
        for mechanism, seen in labelled(played(name, 3)):
            if mechanism:
                last = max(one.time for one in seen if not one.outbound)
                counts.append(sum(one.time <= last for one in seen))
        return float(np.std(counts) / np.mean(counts))

    assert scatter("rate.freeze.packets") < 0.3
    assert scatter("rate.freeze.adaptive") > 0.15


def test_too_many_hellos_hang_until_a_minute_has_passed() -> None:
    """Silenced connections have a handshake and a repeated hello, and no data from the server; late ones work."""
    for mechanism, seen in labelled(played("tcp.drop.siberian", 0)):
        answered = any(one.payload and not one.outbound for one in seen)
        assert answered != bool(mechanism)
        if mechanism:
            assert any(one.flags & 0x12 == 0x12 for one in seen)
            said = [one.seq for one in seen if one.payload]
            assert len(said) > len(set(said))


@pytest.mark.parametrize("name", ["rate.handshake.turkey", "rate.handshake.tspu", "rate.handshake.youtube"])
def test_slow_handshakes_take_seconds(name: str) -> None:
    """From the hello to the client's next data it takes the listed names far longer than the others."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for seed in (0, 1):
        for mechanism, seen in labelled(played(name, seed)):
            said = [one for one in seen if one.outbound and one.payload]
            later = [one.time for one in said if one.seq != said[0].seq and len(one.payload) > 40]
            if later:
                begin = min(one.time for one in seen)
                times[bool(mechanism)].append((later[-1] - begin) / 1e9)
    assert median(times[True]) > 3 * median(times[False])
    assert median(times[True]) > 0.8


# --- reach ---


def test_networks_are_drawn_per_seed_and_do_not_overlap() -> None:
    """The same seed gives the same table, another one another; prefixes at home and abroad are disjoint."""
    assert networks(3) == networks(3)
    assert networks(3) != networks(4)
    for seed in range(5):
        rows = [(ip_network(row.prefix), row.country == HOME) for row in networks(seed)]
        assert len({row.asn for row in networks(seed) if row.country != HOME}) >= 3
        for place, (first, _) in enumerate(rows):
            assert not any(first.version == other.version and first.overlaps(other) for other, _ in rows[:place])


@pytest.mark.parametrize(("name", "ip"), [("reach.isolation.iran-2026", 4), ("reach.isolation.iran-2026", 6),
                                          ("reach.isolation.allowlist.iran-listed", 4)])  # fmt: skip
def test_isolated_places_are_abroad_and_silent(name: str, ip: int) -> None:
    """Everything labelled lies in a foreign prefix; nothing comes back from there; most of home answers."""
    for seed in (0, 2):
        simulated = played(name, seed, "client", ip)
        foreign = [ip_network(row.prefix) for row in networks(seed) if row.country != HOME]
        found = flows(simulated)
        answered = []
        for truth in simulated.labels.truths:
            seen = found[truth.client_port, truth.server, truth.server_port]
            abroad = any(ip_address(truth.server) in prefix for prefix in foreign)
            assert abroad or not truth.mechanism
            back = [one for one in seen if not one.outbound]
            if truth.mechanism and seen[0].time == min(one.time for one in seen) and len(back) == 0:
                answered.append(False)
            elif not abroad:
                assert back
                answered.append(True)
        assert len({truth.server for truth in simulated.labels.truths if truth.mechanism}) >= 10
        assert {True, False} <= set(answered)


@pytest.mark.parametrize("name", ["reach.isolation.allowlist.iran-silence", "reach.isolation.allowlist.russia-mobile"])
def test_allowlists_after_the_handshake_answer_syns_only(name: str) -> None:
    """Of TCP connections that are labelled the SYN is answered, and no data comes back."""
    checked = 0
    for mechanism, seen in labelled(played(name, 0)):
        if mechanism and any(one.flags & 2 for one in seen) and any(one.payload and one.outbound for one in seen):
            first = next(one.time for one in seen if one.payload and one.outbound)
            assert not any(one.payload for one in seen if not one.outbound and one.time > first)
            checked += any(one.flags & 0x12 == 0x12 for one in seen)
    assert checked >= 5


def test_the_stealthy_border_passes_the_web_and_drops_the_rest() -> None:
    """TCP to ports 80 and 443 abroad is answered; QUIC, tunnels and shells are not."""
    simulated = played("reach.isolation.allowlist.iran-stealth", 0)
    last = max(simulated.times)
    for truth in simulated.labels.truths:
        if truth.mechanism and truth.kind == "flow":
            assert truth.protocol == "udp" or truth.server_port not in (80, 443)
    assert last > 0
    assert any(truth.series and not truth.mechanism for truth in simulated.labels.truths)


# --- look-alikes ---


def test_a_hole_for_large_packets_lets_small_ones_pass() -> None:
    """At the client the odd server's handshake completes and none of its full-size packets arrives."""
    simulated = played("benign.rate.mtu-hole", 0)
    found = flows(simulated)
    for truth in simulated.labels.truths:
        seen = found[truth.client_port, truth.server, truth.server_port]
        if truth.confounder:
            assert any(one.flags & 0x12 == 0x12 for one in seen)
            assert max((one.size for one in seen if not one.outbound), default=0) <= 1480


def test_a_held_line_delivers_what_it_held() -> None:
    """During a handover nothing comes for at least half a second, then packets with old timestamps come at once."""
    simulated = played("benign.rate.radio-handover", 0)
    inbound = np.array(sorted(seen.time for _, seen in packets(simulated) if not seen.outbound))
    gaps = np.diff(inbound)
    after = int(np.argmax(gaps)) + 1
    assert gaps.max() > 0.5 * SECOND
    assert len(inbound[(inbound >= inbound[after]) & (inbound < inbound[after] + 20 * MILLISECOND)]) >= 2


def test_window_limited_flows_stay_within_their_window() -> None:
    """Clients with small buffers never have more in flight than they offered."""
    simulated = played("benign.rate.window-limited", 0, "server")
    odd = {truth.client_port for truth in simulated.labels.truths if truth.confounder}
    most: dict[int, int] = {}
    for raw in simulated.frames:
        frame = Ether(raw)
        if frame[TCP].dport in odd and frame[TCP].payload:
            most[frame[TCP].dport] = max(most.get(frame[TCP].dport, 0), len(frame[TCP].payload))
    assert odd
    assert set(most) <= odd


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A few of the scenarios, played twice."""
    for name in LIMITED[::9]:
        first, again = run(name, 5), run(name, 5)
        assert (first.times, first.frames, first.labels) == (again.times, again.frames, again.labels)


@pytest.mark.parametrize("name", ["rate.policing.tspu-twitter", "rate.shaping.differentiation", "rate.handshake.tspu"])
def test_the_hello_is_the_trigger(name: str) -> None:
    """Where a name decides, the trigger is the client's packet that tells it."""
    simulated = played(name, 0)
    for truth in simulated.labels.truths:
        if truth.mechanism:
            frame = Ether(simulated.frames[truth.trigger - 1])
            assert frame[TCP].sport == truth.client_port
            assert truth.name.encode() in bytes(frame[TCP].payload)
