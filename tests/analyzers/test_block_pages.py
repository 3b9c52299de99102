"""Forged HTTP answers: by time, header, ending and content; origins, portals and caches are left alone."""

import attrs
import numpy as np
import pytest
from scapy.all import IP, TCP

from netinterf.analyzers.block_pages import BlockPages
from netinterf.analyzers.block_pages.rules import ONE_ID
from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.context.pages import KEY, match_pages, signatures
from netinterf.simulate import Conditions, run
from netinterf.table import Ragged
from netinterf.trace import Trace, read
from tests.analyzers.talk import Talk

PAGE = b'HTTP/1.1 403 Forbidden\r\n\r\n<iframe src="http://10.10.34.34?type=Invalid Site&policy=MainPolicy "></iframe>'
ORDINARY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def rules(trace: Trace, port: int = 40000) -> dict[str, float]:
    """Name the rules that fired on the flow from a client port, with their weights."""
    found = BlockPages()(trace)
    flow = int(np.flatnonzero(trace.flows.client_port == port)[0])
    mine = np.flatnonzero(found.subject == flow)
    return {found.rules[found.rule[row]].id: float(found.llr[row]) for row in mine}


def answered(
    page: bytes, *, at: float, host: bytes = b"blocked.example", talk: Talk | None = None, port: int = 40000,
    begin: float = 0.0, fin: float | None = None, **fields: object,
) -> Talk:  # fmt: skip
    """Ask for a host and get *page* some ms later; a healthy neighbour shows the round trip."""
    if talk is None:
        talk = Talk()
        talk.healthy(-1000)
    talk.port = port
    sent, end = talk.request(talk.open(begin), b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    talk.send("S", "PA", 901, end, at=sent + at, data=page, **fields)
    if fin is not None:
        talk.send("S", "FA", 901 + len(page), end + 1, at=sent + at + fin, **fields)
    talk.send("C", "A", end, 901 + len(page), at=sent + at + 1)
    return talk


def test_an_answer_that_came_too_early_is_somebody_elses() -> None:
    """It acknowledges a request that its claimed sender cannot have read, and lacks the agreed timestamps."""
    found = rules(answered(PAGE, at=4, ttl=61, df=False, stamped=False).trace())
    assert {"page.premature", "page.no_timestamps", "page.df", "page.known", "page.private"} <= set(found)


@pytest.mark.parametrize(("number", "ttl", "named"), [(5, 47, True), (500, 47, False), (5, 50, False)])
def test_resets_that_go_on_with_a_pages_count_are_its_writers(number: int, ttl: int, named: bool) -> None:
    """They have a hop limit of their own; one with the server's, or out of the count, may be the server's."""
    talk = answered(PAGE, at=101, ttl=83, id=4)
    for place, later in enumerate((0.2, 900)):
        talk.send("S", "R", 901, 0, at=205 + later, ttl=ttl, id=number + 700 * place, stamped=False)
    trace = talk.trace()
    forged = np.unique(BlockPages()(trace).forged.values)
    assert int(np.sum(trace.packets.tcp_flags[forged] & 4 != 0)) == (2 if named else 0)
    assert len(forged) == (3 if named else 1)


@pytest.mark.parametrize("own", [False, True])
def test_the_writer_of_a_page_is_no_witness_of_its_senders_looks(own: bool) -> None:
    """It acknowledges the client's end as well, with the header of the page: the greeting alone shows the server's."""
    fields = {} if own else {"ttl": 50, "df": False, "stamped": False}
    talk = answered(PAGE, at=101, fin=0, **fields)
    end = 102 + len(b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n")
    talk.send("S", "A", 902 + len(PAGE), end, at=400, **fields)
    assert ({"page.df", "page.no_timestamps"} <= set(rules(talk.trace()))) == (not own)


@pytest.mark.parametrize(("size", "excused"), [(20_000, True), (3_000, False)])
def test_somebody_else_may_greet_for_a_server(size: int, excused: bool) -> None:
    """A long answer of the same server looks like the page, unlike its greeting; a short one may be a box's as well."""
    talk = answered(PAGE, at=101, ttl=83, df=False)
    talk.port = 41000
    sent, end = talk.request(talk.open(2000), b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
    for begin in range(0, size, 1000):
        part = b"HTTP/1.1 200 OK\r\n\r\n".ljust(1000, b"x") if begin == 0 else b"x" * 1000
        talk.send("S", "A", 901 + begin, end, at=sent + 101 + begin / 1e3, data=part, ttl=83, df=False)
    found = set(rules(talk.trace()))
    assert bool({"page.ttl", "page.ttl_class", "page.df"} & found) == (not excused)


@pytest.mark.parametrize(("at", "number", "copy", "back"), [
    (20, 901, False, True),  # its server acknowledges from before the page
    (20, 901 + len(PAGE), False, False),  # from behind it
    (1, 901, False, False),  # so soon that both may have swapped places
    (20, 901, True, False),  # a copy of what it had said before
])  # fmt: skip
def test_a_server_that_acknowledges_from_before_a_page_did_not_write_it(
    at: float, number: int, copy: bool, back: bool
) -> None:
    """The page is perfect in time and header; the server's own next number tells."""
    talk = Talk(stamps=False)
    talk.healthy(-1000)
    talk.port = 40000
    sent, end = talk.request(talk.open(0))
    if copy:
        talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "PA", 901, end, at=sent + 101, data=PAGE)
    talk.send("S", "A", number, end, at=sent + 101 + at)
    trace = talk.trace()
    found = BlockPages()(trace)
    told = [row for row in range(len(found)) if found.rules[found.rule[row]].id == "page.ack_regression"]
    assert [found.witness[row].tolist() for row in told] == [[len(trace.packets) - 2, len(trace.packets) - 1]] * back


@pytest.mark.parametrize(("fin", "more", "after"), [
    (0.1, 40, True),  # the server's own answer goes on behind the end of the page
    (0.1, 0, False),  # it has nothing that the page does not cover
    (None, 40, False),  # a page without an end is followed by anything
    (50.0, 40, False),  # an end long after it is another matter
])  # fmt: skip
def test_a_server_that_goes_on_behind_the_end_of_a_page(fin: float | None, more: int, after: bool) -> None:
    """The page is perfect in time and header, but nothing follows an end of stream."""
    talk = answered(PAGE, at=101, fin=fin)
    end = 102 + len(b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n")
    talk.send("S", "PA", 901, end, at=330, data=b"HTTP/1.1 200 OK".ljust(len(PAGE) + more, b"x"))
    assert ("page.alive_after" in rules(talk.trace())) == after


@pytest.mark.parametrize(("body", "page"), [
    (b"HTTP/1.1 403 Forbidden\r\n\r\n", True),
    (b"<html><title>Surf Safely</title></html>", True),  # markup without a status line
    (b"Object not found", False),  # an end of stream that carries a few words is an end
])  # fmt: skip
def test_an_end_that_carries_words_is_no_page(body: bytes, page: bool) -> None:
    """Forged markup is read as a page by browsers, a few words on a FIN are not."""
    talk = Talk()
    talk.healthy(-1000)
    talk.port = 40000
    sent, end = talk.request(talk.open(0), b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n")
    talk.send("S", "FPA", 901, end, at=sent + 4, data=body, ttl=61, df=False, stamped=False)
    trace = talk.trace()
    told = {
        found.rules[code].id.split(".")[0]
        for found in (BlockPages()(trace), RstInjection()(trace))
        for code in found.rule
    }
    assert told & {"page", "fin"} == ({"page"} if page else {"fin"})


def test_a_page_in_place_of_the_answer_is_known_by_what_it_says() -> None:
    """Time and headers are those of the server; the page alone leads to a private address and bears a mark."""
    found = rules(answered(PAGE, at=101).trace())
    assert {"page.known", "page.private"} <= set(found)
    assert not {"page.premature", "page.ttl", "page.no_timestamps"} & set(found)


def test_an_ordinary_answer_is_no_matter() -> None:
    """On time, with its sender's headers, and nothing in it."""
    assert rules(answered(ORDINARY, at=101).trace()) == {}


def test_an_end_that_miscounts_is_no_servers() -> None:
    """The FIN right behind the page acknowledges a byte that the client never sent."""
    found = rules(answered(PAGE, at=101, fin=0.1).trace())
    assert {"page.off_by_one", "page.at_once"} <= set(found)


@pytest.mark.parametrize(
    ("count", "number", "anew", "odd"),
    [(3, 13330, False, True), (2, 13330, False, False), (4, 0, False, False), (4, 2, True, False), (4, 90, True, True)],
)
def test_one_number_on_all_answers_is_one_writers(count: int, number: int, anew: bool, odd: bool) -> None:
    """Three answers share a number far from their greetings'; two may, zero may, and so may counts begun anew."""
    talk = Talk()
    talk.healthy(-1000)
    for place in range(count):
        talk.ids["S"] = 0 if anew else 1000 * place
        answered(ORDINARY, at=101, talk=talk, port=41000 + place, begin=5000.0 * place, id=number)
    answered(ORDINARY, at=101, talk=talk, port=40000, begin=60_000.0)
    trace = talk.trace()
    assert ("page.one_id" in rules(trace, 41000)) == odd
    assert "page.one_id" not in rules(trace, 40000)


@pytest.mark.parametrize(("ahead", "own"), [(1, True), (3000, False)])
def test_a_page_that_goes_on_with_its_servers_count_is_its_own(ahead: int, own: bool) -> None:
    """The server acknowledged an upload piece by piece, counting; the page has the next number, or one far from it."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), b"POST / HTTP/1.1\r\nHost: blocked.example\r\nContent-Length: 500\r\n\r\n")
    for step in range(5):
        talk.send("C", "PA", end, 901, at=sent + 110 * step + 1, data=b"x" * 100)
        end += 100
        talk.send("S", "A", 901, end, at=sent + 110 * step + 101)
    talk.send("S", "PA", 901, end, at=sent + 551, data=PAGE, id=talk.ids["S"] + ahead)
    found = rules(talk.trace())
    assert (found.get("page.in_counter", 0.0) < 0) == own
    assert (found.get("page.ip_id", 0.0) > 0) == (not own)


@pytest.mark.parametrize(("hops", "reset"), [(61, True), (50, False)])
def test_what_the_writer_of_a_page_adds_is_named_with_it(hops: int, reset: bool) -> None:
    """The FIN and RST that continue the page came its way; where the server's way is the same, a RST may be its own."""
    talk = answered(PAGE, at=4, fin=0.1, ttl=hops, stamped=False)
    number = 901 + len(PAGE)
    talk.send("S", "R", number + 1, 0, at=600, ttl=hops)
    talk.send("S", "PA", 901, 200, at=700, data=ORDINARY)
    trace = talk.trace()
    evidence = BlockPages()(trace)
    page = next(row for row, code in enumerate(evidence.rule) if evidence.rules[code].id == "page.premature")
    flags = [int(trace.packets.tcp_flags[row]) for row in evidence.forged[page]]
    assert flags == [0x18, 0x11, *([0x04] if reset else [])]


@pytest.mark.parametrize("networks", [1, 3])
def test_one_number_on_many_answers_accuses_nobody_alone(networks: int) -> None:
    """A guard or cache before one operator's servers may number them alike, in however many networks they stand."""
    talk = Talk()
    talk.healthy(-1000)
    for place in range(6):
        talk.server = f"203.0.{113 + place % networks}.9"
        answered(ORDINARY, at=101, talk=talk, port=41000 + place, begin=5000.0 * place, id=13330)
    assert rules(talk.trace(), 41000)["page.one_id"] == ONE_ID.weight


@pytest.mark.parametrize("greeted", [True, False])
def test_without_a_greeting_nobody_knows_whose_way_a_page_came(greeted: bool) -> None:
    """The server's own bytes behind the page have its hop limit; only against the SYN/ACK is that another's."""
    talk = answered(PAGE, at=4, ttl=61, stamped=False)
    talk.send("S", "PA", 901 + len(PAGE), 200, at=700, data=ORDINARY, ttl=61)
    if not greeted:
        talk.frames = [(at, frame) for at, frame in talk.frames if not IP(frame)[TCP].flags.S]
    trace = talk.trace()
    evidence = BlockPages()(trace)
    flow = int(np.flatnonzero(trace.flows.client_port == 40000)[0])
    named = {
        int(row) for rows, about in zip(evidence.forged, evidence.subject, strict=True) if about == flow for row in rows
    }
    assert len(named) == (2 if greeted else 1)


def test_where_somebody_renumbers_all_packets_equal_numbers_say_nothing() -> None:
    """A translator that writes identifications of its own blinds the sign."""
    talk = Talk()
    talk.healthy(-1000)
    for place in range(3):
        answered(ORDINARY, at=101, talk=talk, port=41000 + place, begin=5000.0 * place, id=13330)
    trace = talk.trace()
    assert "page.one_id" in rules(trace, 41000)
    blind = attrs.evolve(
        trace, recording=attrs.evolve(trace.recording, ip_id_informative=np.zeros(len(trace.flows), np.bool_))
    )
    assert "page.one_id" not in rules(blind, 41000)


def test_what_is_first_in_the_capture_need_not_be_first_in_the_stream() -> None:
    """Bytes without a status line at the start of the stream are no server's; further on the start was missed."""
    body = b"<html><head><title>Surf Safely</title></head></html>"
    assert "page.headless" in rules(answered(body, at=101, ttl=61).trace())
    talk = Talk()
    talk.healthy(-1000)
    talk.port = 40000
    sent, end = talk.request(talk.open(0.0))
    talk.send("S", "PA", 2361, end, at=sent + 101, data=body, ttl=61)
    assert "page.headless" not in rules(talk.trace())


def test_a_redirect_to_tls_is_harmless() -> None:
    """To the same site or to its www, over TLS; to another site without TLS is worth a note."""
    for place, expected in ((b"https://www.blocked.example/", False), (b"http://stub.example.net/deny", True)):
        page = b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\n\r\n"
        assert ("page.elsewhere" in rules(answered(page, at=101).trace())) == expected


def test_names_that_get_other_answers_are_a_contrast() -> None:
    """One name gets the page, another from the same client an ordinary answer."""
    talk = answered(PAGE, at=101)
    answered(ORDINARY, at=101, host=b"other.example", talk=talk, port=41000, begin=5000)
    assert "page.contrast" in rules(talk.trace())


def test_a_page_that_every_name_gets_is_a_portals() -> None:
    """Three names, one page: nobody chose."""
    talk = Talk()
    for number in range(3):
        answered(PAGE, at=101, host=b"site%d.example" % number, talk=talk, port=40000 + number, begin=3000 * number)
    found = rules(talk.trace())
    assert found["page.all_alike"] < 0
    assert "page.contrast" not in found


def test_nothing_is_said_at_the_server() -> None:
    """There the answer is its own."""
    talk = answered(PAGE, at=4, talk=Talk(at_server=True))
    assert len(BlockPages()(talk.trace(vantage="server"))) == 0


def test_every_pattern_contains_its_key() -> None:
    """The fast search finds what trying all patterns one by one finds."""
    pages = [
        b"HTTP/1.1 200 OK\r\n\r\n" + one.literal + b" and more"
        for one in signatures()
        if len(one.literal) >= KEY and one.matches(one.literal)
    ]
    assert len(pages) > 800
    for page, found in zip(pages, match_pages(Ragged.of([list(page) for page in pages], np.uint8)), strict=True):
        slow = {one.name for one in signatures() if one.matches(page) and (one.blocks or len(one.literal) >= KEY)}
        assert {one.name for one in found} == slow


@pytest.mark.parametrize("scenario", ["http.blockpage.ir-http-403", "http.blockpage.th-redirect"])
def test_simulated_pages_are_seen(scenario: str) -> None:
    """A client behind a forger of pages: evidence for interference on the answers that were forged."""
    played = run(scenario, 32, Conditions(ip=4, vantage="client", luck=0.0))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    found = BlockPages()(trace)
    total = np.bincount(found.subject, found.llr, minlength=len(trace.flows))
    hit = {(truth.client, truth.client_port) for truth in played.labels.truths if truth.mechanism == "http.blockpage"}
    assert hit
    for flow in range(len(trace.flows)):
        key = trace.address(int(trace.flows.client[flow])), int(trace.flows.client_port[flow])
        assert (total[flow] > 4) == (key in hit)


def test_it_keeps_the_contract_of_an_analyzer() -> None:
    """Deterministic, picklable, within its scope, and quiet on ordinary answers."""
    check_analyzer(BlockPages(), [answered(PAGE, at=4).trace()], benign=[answered(ORDINARY, at=101).trace()])
