"""Harmless rivals by name: each stays quiet, and the interference that it resembles does not."""

from pathlib import Path

import numpy as np
import pytest

from netinterf.analyzers.block_pages import BlockPages
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.analyzers.run import analyze
from netinterf.analyzers.shaping import Shaping
from netinterf.analyzers.silence import Silence
from netinterf.analyzers.throttling import Throttling
from netinterf.schema import Grade
from netinterf.simulate import Conditions, run
from netinterf.trace import read
from netinterf.verdict.combine import classify
from tests.analyzers.bulk import Bottleneck, Flow, merge, policer, shaper, transfer
from tests.analyzers.talk import Talk

POSSIBLE = list(Grade).index(Grade.POSSIBLE)


def found(talk: Talk, vantage: str = "client") -> dict[str, float]:
    """Name the rules that a talk shows, the healthy one beside it left out, with their weights."""
    trace = talk.trace(vantage)
    evidence = RstInjection()(trace)
    mine = trace.flows.client_port[evidence.subject] == talk.port
    rules = [evidence.rules[code].id for code in evidence.rule[mine].tolist()]
    return dict(zip(rules, evidence.llr[mine].tolist(), strict=True))


def suspected(trace) -> list[str]:
    """Name the mechanisms of which anything is held to be possible or worse."""
    verdicts = classify(analyze(trace), trace)
    return [verdicts.mechanisms[verdicts.mechanism[row]] for row in np.flatnonzero(verdicts.grade <= POSSIBLE)]


@pytest.mark.parametrize(
    "scenario", ["benign.tcp.late-segment-guard", "benign.tcp.idle-front-end", "benign.tcp.marks-data-only"]
)
@pytest.mark.parametrize("vantage", ["client", "middle"])
def test_what_stands_before_servers_is_not_suspected(scenario: str, vantage: str) -> None:
    """Devices that answer late segments, front ends that close what is idle, servers that mark data only."""
    for seed in range(41, 44):
        played = run(scenario, seed, Conditions(ip=4, vantage=vantage))
        assert suspected(read(times=played.times, frames=played.frames, link_type=played.link_type)) == []


TURNED_AWAY = (
    "benign.http.geoblock",
    "benign.http.captcha",
    "benign.http.rate-ban",
    "benign.http.inline-firewall",
    "benign.tcp.fail-to-ban",
    "benign.tcp.user-mode-nat",
    "benign.tcp.program-stack",
    "benign.tcp.gateway-redials",
    "benign.tcp.circumvention",
    "benign.tcp.roles-reversed",
    "benign.rate.own-uplink",
)
"""Refusals of sites and what stands on the client's own side: possible at most, since packets may not tell."""


@pytest.mark.parametrize("scenario", TURNED_AWAY)
def test_refusals_and_own_devices_are_not_accused(scenario: str) -> None:
    """By country, for too many requests, for what looks like an attack; by machines and programs of one's own."""
    for seed in (5005, 5009, 5017):
        played = run(scenario, seed)
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
        assert (classify(analyze(trace), trace).grade >= POSSIBLE).all()


QUIET = (
    "appneta-tcpreplay/test.pcap",  # pages of delivery networks
    "gear420-malware-traffic-collection/example.pcap",  # an old server that marks data only
    "nfstream-nfstream/1kxun.pcap",  # the same
    "nfstream-nfstream/webex.pcap",  # the network program of a virtual private network
    "ntop-ndpi/default__pcap__bittorrent.pcap",  # peers in the middle of their talk
    "ntop-ndpi/default__pcap__rtsp.pcap",  # a service that begins between two tries of one client
    "ntop-ndpi/default__pcap__tunnelbear.pcap",  # a tunnel program inside a virtual machine
    "ntop-ndpi/default__pcap__ultrasurf.pcap",  # roles swapped, in the middle
    "ntop-ndpi/default__pcap__webdav.pcap",  # a site's own refusals
    "ntop-ndpi/default__pcap__wow.pcap",  # a front end that closes what is idle
    "oisf-suricata-verify/firewall__ruletype-firewall-17-http-txbits-multi-tx__http-sticky-server-s8.pcap",
    "seclab-ucr-themis/pcaps__composite.old__tcpdump_COMPOSITE_7_20210429_185609.pcap",  # a client's own decoys
    "zeek-zeek/http__methods.pcap",  # a site's own refusals
    "zeek-zeek/workshop_2011_browse.pcap",  # a virtual machine's host ends all connections
    "seladb-pcapplusplus/ExamplesTest__pcap_examples__tls2.pcap",  # an export of packets with data
)


@pytest.mark.captures
@pytest.mark.parametrize("name", QUIET)
def test_harmless_public_captures_are_not_suspected(captures_dir: Path, name: str) -> None:
    """Real captures of the rivals below."""
    assert suspected(read(captures_dir / "benign" / name)) == []


def in_the_middle(*, greeted: bool) -> dict[str, float]:
    """End a talk with a FIN that came sooner than anything else of its sender, with or without its beginning."""
    talk = Talk()
    if greeted:
        talk.open(-5000)
    for at, seq, ack in ((0.0, 101, 901), (400.0, 121, 911)):
        talk.send("C", "PA", seq, ack, at=at, data=b"x" * 20)
        talk.send("S", "PA", ack, seq + 20, at=at + 300, data=b"y" * 10)
        talk.send("C", "A", seq + 20, ack + 10, at=at + 300.1)
    talk.send("C", "PA", 141, 921, at=900, data=b"x" * 20)
    talk.send("S", "FA", 921, 161, at=920, ttl=61)
    return found(talk)


def test_a_round_trip_that_no_handshake_timed_is_unknown() -> None:
    """Acknowledgements may wait for half a second or for words; where a handshake was captured none need have."""
    assert "fin.premature" in in_the_middle(greeted=True)
    assert "fin.premature" not in in_the_middle(greeted=False)


def first_end(*, greeted: bool) -> dict[str, float]:
    """Answer data with an odd FIN at once; they are the client's first only where its greeting was captured."""
    talk = Talk()
    if greeted:
        talk.open(-200)
        talk.request(0)
    else:
        talk.send("C", "PA", 101, 901, at=1, data=b"x" * 41)
        talk.send("C", "A", 142, 901, at=2)
    talk.send("S", "FA", 901, 142, at=101, stamped=not greeted, df=False)
    talk.send("S", "A", 950, 142, at=180)
    return found(talk)


def test_without_a_greeting_no_data_are_the_first() -> None:
    """Sequence numbers before the capture are unknown, so no FIN comes right after a first request."""
    assert "fin.after_request" in first_end(greeted=True)
    assert "fin.after_request" not in first_end(greeted=False)


def answered(*, greeting: bool, data: bool, window: int) -> dict[str, float]:
    """Greet with 16,384 bytes of room, and end after the request; say which of the two has the flag."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=100, df=greeting, window=16_384, scale=[])
    talk.send("C", "A", 101, 901, at=100.1)
    talk.send("C", "PA", 101, 901, at=101, data=b"x" * 20)
    talk.send("S", "FPA", 901, 121, at=202, df=data, window=window, data=b"y" * 30)
    return found(talk)


def test_a_server_may_mark_its_data_only() -> None:
    """That data ask the path for its width is natural, that they do not while greetings do is not."""
    assert "fin.df" not in answered(greeting=False, data=True, window=65_515)
    assert "fin.df" in answered(greeting=True, data=False, window=65_515)


def test_a_buffer_less_what_came_in_is_its_servers_window() -> None:
    """65,535 less the twenty bytes of the request; any other number is nobody's count."""
    assert "fin.odd_window" not in answered(greeting=True, data=False, window=65_515)
    assert "fin.odd_window" in answered(greeting=True, data=False, window=65_000)


def refused(*, again: bool) -> dict[str, float]:
    """Refuse a SYN and greet later, with or without a second SYN in between."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "RA", 0, 101, at=100, window=0, stamped=False)
    if again:
        talk.send("C", "S", 100, 0, at=600)
    talk.send("S", "SA", 900, 101, at=700 if again else 160)
    talk.send("C", "A", 101, 901, at=700.1 if again else 160.1)
    return found(talk)


def test_a_service_may_begin_between_two_questions() -> None:
    """A SYN/ACK to the SYN that had been refused contradicts the refusal, one to a later SYN does not."""
    assert "rst.connect_alive_after" in refused(again=False)
    assert "rst.connect_alive_after" not in refused(again=True)


def after_close(*, late: int, resets: int) -> dict[str, float]:
    """Let the server close, the client send some late segments, and resets with its window come at once."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 100, data=b"y" * 10)
    talk.send("S", "FA", 911, end, at=sent + 101)
    for place in range(late):
        talk.send("C", "PA", end + 100 * place, 911, at=sent + 101.5 + place / 10, data=b"x" * 100)
    for place in range(resets):
        ack = end + 100 * (place + 1)
        talk.send("S", "RA", 911, ack, at=sent + 203 + place / 10, window=500, stamped=False, ttl=254, id=77)
    return found(talk)


def test_a_reset_for_each_late_segment_is_a_device_that_answers() -> None:
    """Not more than came late, whatever they copy; more than that is no answer."""
    rules = after_close(late=4, resets=4)
    assert not {"rst.burst", "rst.copied_window", "rst.copied_id"} & set(rules)
    assert {"rst.after_fin", "rst.per_segment"} <= set(rules)
    assert "rst.copied_window" in after_close(late=1, resets=4)


def at_rest(*, seconds: float, asks: bool) -> dict[str, float]:
    """End a connection from another hop some time after an answer; *asks*: another request waits."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"y" * 40)
    talk.send("C", "A", end, 941, at=sent + 101.1)
    at = sent + 101 + 1000 * seconds
    if asks:
        talk.send("C", "PA", end, 941, at=at - 20, data=b"z" * 30)
    talk.send("S", "FA", 941, end + 30 * asks, at=at, ttl=240, df=False)
    return found(talk)


def test_front_ends_close_what_is_idle() -> None:
    """Nobody is cut off where nothing is owed; a FIN upon a request, or soon after the answer, has no such excuse."""
    assert at_rest(seconds=5, asks=False)["fin.rested"] == -3.0
    assert "fin.rested" not in at_rest(seconds=5, asks=True)
    assert "fin.rested" not in at_rest(seconds=0.3, asks=False)


def narrow(*, counts: int, elsewhere: int) -> set[str]:
    """Let a server answer with bytes that never arrive, while another server's packet of some size does."""
    talk = Talk()
    sent, end = talk.request(talk.open(0))
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("C", "FA", end, 901, at=sent + 9000)
    talk.send("S", "FA", 901 + counts, end + 1, at=sent + 9100)
    talk.server, talk.port = "198.51.100.44", 41000
    sent, end = talk.request(talk.open(3000))
    talk.send("S", "PA", 901, end, at=sent + 100, data=b"y" * elsewhere)
    talk.send("C", "A", end, 901 + elsewhere, at=sent + 100.1)
    trace = talk.trace()
    evidence = Silence()(trace)
    mine = trace.flows.client_port[evidence.subject] == 40000
    return {evidence.rules[code].id for code in evidence.rule[mine].tolist()}


def test_a_narrow_path_withholds_large_answers() -> None:
    """Full-size packets vanish on a path that tells nobody (RFC 2923 §2.1), unless as large ones pass elsewhere."""
    assert {"drop.withheld", "drop.large"} <= narrow(counts=2800, elsewhere=400)
    assert "drop.large_here" in narrow(counts=2800, elsewhere=1400)
    assert not {"drop.large", "drop.large_here"} & narrow(counts=300, elsewhere=400)


def test_what_crossed_no_router_is_of_the_clients_own_network() -> None:
    """A gateway that answers in the server's name is named; a box farther away, or a server next door, is not."""
    for ttl, server, named in ((255, 50, True), (64, 50, True), (61, 50, False), (64, 64, False)):
        talk = Talk()
        talk.ttl["S"] = server
        sent, end = talk.request(talk.open())
        talk.send("S", "RA", 901, end, at=sent + 1, ttl=ttl, stamped=False)
        assert ("rst.gateway" in found(talk)) == named


def reset_by_gateway(*, talks: bool) -> dict[str, float]:
    """Let a gateway answer a request; *talks*: the server had answered and taken others before it."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    if talks:
        talk.send("S", "PA", 901, end, at=sent + 100, data=b"y" * 10)
        talk.send("C", "PA", end, 911, at=sent + 101, data=b"x" * 30)
        talk.send("S", "PA", 911, end + 30, at=sent + 201, data=b"y" * 10)
        talk.send("C", "PA", end + 30, 921, at=sent + 300, data=b"x" * 30)
    seq, ack, at = (921, end + 60, sent + 301) if talks else (901, end, sent + 1)
    talk.send("S", "RA", seq, ack, at=at, ttl=255, stamped=False)
    return found(talk)


def test_a_gateway_forgets_talks_that_went_on_well() -> None:
    """A filter of the own network strikes at the name or the certificate; what lost its state strikes anywhere."""
    assert reset_by_gateway(talks=True)["rst.gateway_forgot"] == -3.0
    assert "rst.gateway_forgot" not in reset_by_gateway(talks=False)


def test_a_page_of_the_own_network_says_so() -> None:
    """The page of a filter that a household or a company chose is still a page, and the words name its owner."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    page = b"HTTP/1.1 302 Found\r\nLocation: http://192.168.1.1/blocked\r\nContent-Length: 0\r\n\r\n"
    talk.send("S", "FPA", 901, end, at=sent + 1, ttl=64, stamped=False, data=page)
    evidence = BlockPages()(talk.trace())
    says = {evidence.rules[code].id: evidence.rules[code].says for code in evidence.rule.tolist()}
    assert {"page.gateway", "page.private"} <= set(says)
    assert "own network" in says["page.gateway"]


def moved(*transfers: object, vantage: str = "auto"):
    """Read what a tap captured of several transfers."""
    whole = merge(*transfers)
    return read(times=np.array(whole.times), frames=whole.frames, link_type=101, vantage=vantage)


def told(analyzer: object, trace) -> set[str]:
    """Name the rules of one analyzer."""
    evidence = analyze(trace, [analyzer])
    return {evidence.rules[code].id for code in evidence.rule.tolist()}


def free() -> Bottleneck:
    """Let everything pass at once."""
    return Bottleneck(lambda _now, _size: 0.0)


@pytest.mark.parametrize(("second", "rule"), [(b"b.example.net", "rate.one_server"), (b"c.example.org", "rate.spared")])
def test_a_server_may_police_its_own_line(second: bytes, rule: str) -> None:
    """Names of two domains at one address are limited alike and only another server is spared; or one domain is."""
    ask = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
    flows = [Flow(500, request=ask % b"a.example.org"), Flow(500, port=40001, request=ask % second)]
    slow = transfer(59, policer(62_500, 5e4), flows=flows, rtt=0.08)
    fast = Flow(3000, port=40009, start=1.0, request=ask % b"quick.example.com")
    fast_one = transfer(61, free(), flows=[fast], rtt=0.08, server="198.51.100.5")
    assert rule in told(Throttling(), moved(slow, fast_one))


def test_a_servers_line_may_be_met_at_different_times() -> None:
    """Another domain at the address was limited a while later, by the same line: neither is accused."""
    ask = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
    first = Flow(500, request=ask % b"a.example.org")
    later = Flow(500, port=40001, start=30.0, request=ask % b"b.example.net")
    slow = transfer(59, policer(62_500, 5e4), flows=[first, later], rtt=0.08)
    quick = [Flow(3000, port=40009 + k, start=1.0 + 30 * k, request=ask % b"q.example.com") for k in range(2)]
    fast = transfer(61, free(), flows=quick, rtt=0.08, server="198.51.100.5")
    trace = moved(slow, fast)
    assert "rate.one_server" in told(Throttling(), trace)
    assert (classify(analyze(trace), trace).grade >= POSSIBLE).all()


def test_a_queue_behind_a_tap_at_the_client_is_a_slow_reader() -> None:
    """What waits there has crossed the network; seen at the sender, the same queue is one of the network."""
    slow = transfer(1, shaper(62_500.0, 30e3), flows=[Flow(400)], rtt=0.05, tap="sender", begin=1.7e9)
    quick = transfer(2, free(), flows=[Flow(300)], rtt=0.04, tap="sender", server="198.51.100.4", begin=1.7e9 + 2)
    assert "shaping.at_client" in told(Shaping(), moved(slow, quick, vantage="server"))
    assert told(Shaping(), moved(slow, quick, vantage="client")) == set()
