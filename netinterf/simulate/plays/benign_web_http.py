"""HTTP answers that look forged and are not: refusals, redirects and errors of origins, proxies, portals."""

from typing import Any

from netinterf.simulate.hosts.actor import Actor, ended
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_server
from netinterf.simulate.messages.http import http_answer, http_request, iframe_page, notice_page, redirect
from netinterf.simulate.network.oddities import Rewriter
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Packet
from netinterf.simulate.network.path import Path
from netinterf.simulate.plays.benign_tcp import House, look_alikes

__all__ = ["PLAYS", "all_at_once", "refusals"]

SERVERS = ("nginx", "Apache", "cloudfront", "AkamaiGHost", "Microsoft-IIS/10.0", "LiteSpeed", "")


def words(house: House, *choices: str) -> str:
    """Draw one of some words."""
    return choices[int(house.rng.integers(len(choices)))]


def exchange(house: House, path: Path, begin: float, answer: bytes, *, target: str = "/", **how: Any) -> None:
    """Schedule a request that gets *answer*; most origins close behind a refusal, some reset."""
    think = house.between(2e5, 6e7)
    ends = [App(ending=Ending.CLOSE), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD), App(ending=Ending.RESET)]
    apps = (App(), ends[int(house.rng.integers(4))]) if house.chance(0.7) else (App(ending=Ending.CLOSE), App())
    script = [Turn(True, http_request(house.name, target)), Turn(False, answer, think)]
    house.visit(path, begin, port=80, script=script, **{"apps": apps, **how})


def refusals(house: House, statuses: tuple[int, ...], *marks: str, path: Path | None = None) -> None:
    """Schedule requests that the origin answers with a page that says no, beside some that it answers as asked."""
    path = path or house.path()
    for begin in house.times(3, 6):
        status = house.one_of(*statuses)
        page = notice_page(
            house.rng, marks, status=status, server=words(house, *SERVERS), least=house.one_of(0, 0, 900, 5000)
        )
        exchange(house, path, begin, page, target=words(house, "/", "/admin", "/login?next=/", "/video/1"))
    house.visit(path, house.between(1e8, 5e9), port=80, odd=False)


def origin_forbidden(house: House) -> None:
    """An origin forbids what was asked for: 403 with a page of its own."""
    refusals(house, (403,), words(house, "403 Forbidden", "Access Denied", "You do not have permission"))


def origin_legal(house: House) -> None:
    """An origin withholds content for legal reasons and says so: 451 (RFC 7725), or 403 by country."""
    mark = words(
        house, "Unavailable For Legal Reasons", "This content is not available in your country", "Content restricted"
    )
    refusals(house, (451, 451, 403), mark)


def application_firewall(house: House) -> None:
    """A site's application firewall finds a request suspicious: a page with an incident number, sometimes a reset."""
    number = f"Incident ID: {house.rng.integers(10**9)}-{house.rng.integers(10**9)}"
    refusals(house, (403, 406, 403), words(house, "Request blocked", "Access denied", "Attention Required!"), number)


def delivery_error(house: House) -> None:
    """A delivery network fails to reach the origin or sheds load, and says so with a page of its own."""
    mark = words(house, "Error", "Request not satisfied", "Service Unavailable")
    refusals(house, (502, 503, 504, 429), mark, f"Ref A: {house.rng.bytes(8).hex().upper()}")


def redirect_to_tls(house: House) -> None:
    """A site sends everybody from port 80 to its TLS port, with a very short answer."""
    path = house.path()
    for begin in house.times(3, 6):
        answer = redirect(house.rng, f"https://{house.name}/", status=house.one_of(301, 302, 307, 308))
        exchange(house, path, begin, answer)
        house.visit(path, begin + house.between(5e7, 4e8), odd=False)


def redirect_elsewhere(house: House) -> None:
    """A site sends visitors to another one: a login, a shop, a short link's target."""
    path = house.path()
    for begin in house.times(3, 6):
        other = house.scene.names(1)[0]
        exchange(
            house,
            path,
            begin,
            redirect(house.rng, f"http://{other}/?from={house.name}", status=house.one_of(301, 302, 307)),
        )


def parked_domain(house: House) -> None:
    """A domain is parked or its account suspended: any request gets a page with an iframe, or a redirect."""
    path = house.path()
    other = house.scene.names(1)[0]
    for begin in house.times(2, 5):
        pages = [iframe_page(house.rng, f"http://{other}/park?d={house.name}", status=200),
                 notice_page(house.rng, ("This account has been suspended",), server=words(house, *SERVERS)),
                 redirect(house.rng, f"http://{other}/landing")]  # fmt: skip
        exchange(house, path, begin, pages[int(house.rng.integers(3))])


def page_about_blocking(house: House) -> None:
    """An ordinary page quotes block pages, their addresses and their phrases."""
    quoted = (
        "http://10.10.34.36/?type=Invalid Keyword&amp;policy=MainPolicy",
        "warning.or.kr",
        "internetpositif",
        "149-ФЗ",
    )
    body = "".join(f"<p>News: some see {quote} instead of pages</p>\n" for quote in quoted) * int(
        house.rng.integers(1, 40)
    )
    page = http_answer(200, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))
    path = house.path()
    for begin in house.times(2, 5):
        exchange(house, path, begin, page, apps=(App(ending=Ending.CLOSE), App()))


def answer_in_one_packet(house: House) -> None:
    """A small server says everything and closes in one segment: FIN, PSH and ACK together, resets behind it."""
    all_at_once(house, house.path(), resets=house.chance(0.4))


def all_at_once(house: House, path: Path, *, resets: bool = False) -> None:
    """Schedule requests whose whole answer, and the end of the connection, is one segment."""
    think = house.between(1e5, 2e7)
    page = notice_page(
        house.rng, (words(house, "It works!", "Not here", "Moved"),), status=house.one_of(200, 404, 403, 503)
    )

    def serve(actor: Actor, packet: Packet) -> None:
        if packet.flags & (SYN | ACK) == SYN:
            actor.send(SYN | ACK, actor.isn, packet.seq + 1, options=b"\x02\x04\x05\xb4")
        elif packet.payload:
            actor.later(think, FIN | PSH | ACK, actor.isn + 1, ended(packet), page[:1400])
            if resets:
                actor.later(think + 2e5, RST, actor.isn + 2 + len(page[:1400]), window=0, ip_id=0)
        elif packet.flags & FIN:
            actor.send(ACK, packet.ack, ended(packet))

    for begin in house.times(2, 5):
        script = [Turn(True, http_request(house.name)), Turn(False, page[:1400])]
        house.play_server(path, begin, serve, script=script, app=App(), port=80)


def empty_answer(house: House) -> None:
    """A server closes or resets after the request without a word: it is overloaded, or its worker died."""
    path = house.path()
    for begin in house.times(3, 6):
        request = [Turn(True, http_request(house.name))]
        app = App(ending=Ending.RESET if house.chance(0.5) else Ending.CLOSE)
        more = [*request, Turn(False, b"HTTP/1.1 200 OK\r\n\r\n")]
        house.meet(path, begin, says=more, knows=request, apps=(App(), app), port=80)


def transparent_proxy(house: House) -> None:
    """A transparent cache answers all of port 80 from nearby: short round trips, Via and Age fields, another TTL."""
    near, stacks = house.path(rtt=house.between(4e5, 1.5e7), where=0.5), (house.stack, draw_server(house.rng))
    far = house.path(rtt=house.between(6e7, 3e8))
    for begin in house.times(4, 8):
        via, age = f"1.1 cache{house.rng.integers(1, 9)}.test.example (squid)", str(house.rng.integers(0, 9000))
        fields = (("Via", via), ("Age", age), ("Content-Type", "text/html"))
        body = b"<p>text</p>\n" * int(house.rng.integers(5, 900))
        fetched = 0.0 if house.chance(0.5) else house.between(6e7, 5e8)
        script = [
            Turn(True, http_request(house.name)),
            Turn(False, http_answer(200, body, fields), fetched + house.between(1e5, 5e6)),
        ]
        house.visit(near, begin, port=80, script=script, stacks=stacks)
        house.visit(far, begin + house.between(1e8, 1e9), odd=False)


def rewriting_proxy(house: House) -> None:
    """A proxy changes words of requests and answers: encodings it cannot read, addresses it maps, lengths kept."""
    path = house.path(
        Rewriter(((b"Accept: */*", b"Acxept: */*"), (b"User-Agent", b"Xser-Agent")), outbound=True),
        Rewriter(((b"Content-Type: text/html", b"Content-Type: text/xml "),)),
    )
    for begin in house.times(3, 6):
        house.visit(path, begin, port=80)


def portal_login(house: House) -> None:
    """Before login a hotspot redirects every page to its own portal and refuses TLS; afterwards all works."""
    house.neighbours = 0
    login = house.between(4e9, 2e10)
    gateway, stacks = house.path(rtt=house.between(1e6, 2e7), where=0.5), (house.stack, draw_server(house.rng))
    portal = words(house, "http://10.1.0.1/login", "http://portal.test.example/", "https://wifi.example.net/start")
    for begin in house.rng.uniform(0, login * 0.9, int(house.rng.integers(4, 9))):
        if house.chance(0.6):
            answer = redirect(house.rng, f"{portal}?url=http://{house.name}/", status=house.one_of(302, 307))
            exchange(house, gateway, float(begin), answer, apps=(App(), App(ending=Ending.CLOSE)), stacks=stacks)
        else:
            house.visit(gateway, float(begin), apps=(App(), App(ending=Ending.REFUSE)), stacks=stacks)
    far = house.path()
    for begin in house.times(3, 6):
        house.visit(far, login + begin, port=house.one_of(80, 443), odd=False)


PLAYS = (
    *look_alikes("http", origin_forbidden, origin_legal, application_firewall, delivery_error, redirect_to_tls),
    *look_alikes("http", redirect_elsewhere, parked_domain, page_about_blocking, answer_in_one_packet, empty_answer),
    *look_alikes("http", transparent_proxy, rewriting_proxy),
    *look_alikes("http", portal_login, vantages=("client", "middle")),
)
