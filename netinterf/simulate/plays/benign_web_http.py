"""HTTP answers that look forged and are not: refusals, redirects and errors of origins, proxies, portals."""

from typing import Any

from netinterf.simulate.hosts.actor import Actor, ended
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_server
from netinterf.simulate.messages.http import http_answer, http_request, iframe_page, notice_page, redirect
from netinterf.simulate.network.oddities import Rewriter
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Packet
from netinterf.simulate.network.path import Path
from netinterf.simulate.plays.benign_tcp import Setup, look_alikes

__all__ = ["PLAYS", "all_at_once", "refusals"]

SERVERS = ("nginx", "Apache", "cloudfront", "AkamaiGHost", "Microsoft-IIS/10.0", "LiteSpeed", "")


def words(setup: Setup, *choices: str) -> str:
    """Draw one of some words."""
    return choices[int(setup.rng.integers(len(choices)))]


def exchange(setup: Setup, path: Path, begin: float, answer: bytes, *, target: str = "/", **how: Any) -> None:
    """Schedule a request that gets *answer*; most origins close behind a refusal, some reset."""
    think = setup.log_uniform(2e5, 6e7)
    ends = [App(ending=Ending.CLOSE), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD), App(ending=Ending.RESET)]
    apps = (App(), ends[int(setup.rng.integers(4))]) if setup.chance(0.7) else (App(ending=Ending.CLOSE), App())
    script = [Turn(True, http_request(setup.name, target)), Turn(False, answer, think)]
    setup.visit(path, begin, port=80, script=script, **{"apps": apps, **how})


def refusals(setup: Setup, statuses: tuple[int, ...], *marks: str, path: Path | None = None) -> None:
    """Schedule requests that the origin answers with a page that says no, beside some that it answers as asked."""
    path = path or setup.path()
    for begin in setup.times(3, 6):
        status = setup.choice(*statuses)
        page = notice_page(
            setup.rng, marks, status=status, server=words(setup, *SERVERS), least=setup.choice(0, 0, 900, 5000)
        )
        exchange(setup, path, begin, page, target=words(setup, "/", "/admin", "/login?next=/", "/video/1"))
    setup.visit(path, setup.log_uniform(1e8, 5e9), port=80, look_alike=False)


def origin_forbidden(setup: Setup) -> None:
    """An origin forbids what was asked for: 403 with a page of its own."""
    refusals(setup, (403,), words(setup, "403 Forbidden", "Access Denied", "You do not have permission"))


def origin_legal(setup: Setup) -> None:
    """An origin withholds content for legal reasons and says so: 451 (RFC 7725), or 403 by country."""
    mark = words(
        setup, "Unavailable For Legal Reasons", "This content is not available in your country", "Content restricted"
    )
    refusals(setup, (451, 451, 403), mark)


def application_firewall(setup: Setup) -> None:
    """A site's application firewall finds a request suspicious: a page with an incident number, sometimes a reset."""
    number = f"Incident ID: {setup.rng.integers(10**9)}-{setup.rng.integers(10**9)}"
    refusals(setup, (403, 406, 403), words(setup, "Request blocked", "Access denied", "Attention Required!"), number)


def delivery_error(setup: Setup) -> None:
    """A delivery network fails to reach the origin or sheds load, and says so with a page of its own."""
    mark = words(setup, "Error", "Request not satisfied", "Service Unavailable")
    refusals(setup, (502, 503, 504, 429), mark, f"Ref A: {setup.rng.bytes(8).hex().upper()}")


def redirect_to_tls(setup: Setup) -> None:
    """A site sends everybody from port 80 to its TLS port, with a very short answer."""
    path = setup.path()
    for begin in setup.times(3, 6):
        answer = redirect(setup.rng, f"https://{setup.name}/", status=setup.choice(301, 302, 307, 308))
        exchange(setup, path, begin, answer)
        setup.visit(path, begin + setup.log_uniform(5e7, 4e8), look_alike=False)


def redirect_elsewhere(setup: Setup) -> None:
    """A site sends visitors to another one: a login, a shop, a short link's target."""
    path = setup.path()
    for begin in setup.times(3, 6):
        other = setup.scene.names(1)[0]
        exchange(
            setup,
            path,
            begin,
            redirect(setup.rng, f"http://{other}/?from={setup.name}", status=setup.choice(301, 302, 307)),
        )


def parked_domain(setup: Setup) -> None:
    """A domain is parked or its account suspended: any request gets a page with an iframe, or a redirect."""
    path = setup.path()
    other = setup.scene.names(1)[0]
    for begin in setup.times(2, 5):
        pages = [iframe_page(setup.rng, f"http://{other}/park?d={setup.name}", status=200),
                 notice_page(setup.rng, ("This account has been suspended",), server=words(setup, *SERVERS)),
                 redirect(setup.rng, f"http://{other}/landing")]  # fmt: skip
        exchange(setup, path, begin, pages[int(setup.rng.integers(3))])


def page_about_blocking(setup: Setup) -> None:
    """An ordinary page quotes block pages, their addresses and their phrases."""
    quoted = (
        "http://10.10.34.36/?type=Invalid Keyword&amp;policy=MainPolicy",
        "warning.or.kr",
        "internetpositif",
        "149-ФЗ",
    )
    body = "".join(f"<p>News: some see {quote} instead of pages</p>\n" for quote in quoted) * int(
        setup.rng.integers(1, 40)
    )
    page = http_answer(200, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))
    path = setup.path()
    for begin in setup.times(2, 5):
        exchange(setup, path, begin, page, apps=(App(ending=Ending.CLOSE), App()))


def answer_in_one_packet(setup: Setup) -> None:
    """A small server says everything and closes in one segment: FIN, PSH and ACK together, resets behind it."""
    all_at_once(setup, setup.path(), resets=setup.chance(0.4))


def all_at_once(setup: Setup, path: Path, *, resets: bool = False) -> None:
    """Schedule requests whose whole answer, and the end of the connection, is one segment."""
    think = setup.log_uniform(1e5, 2e7)
    page = notice_page(
        setup.rng, (words(setup, "It works!", "Not here", "Moved"),), status=setup.choice(200, 404, 403, 503)
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

    for begin in setup.times(2, 5):
        script = [Turn(True, http_request(setup.name)), Turn(False, page[:1400])]
        setup.play_server(path, begin, serve, script=script, app=App(), port=80)


def empty_answer(setup: Setup) -> None:
    """A server closes or resets after the request without a word: it is overloaded, or its worker died."""
    path = setup.path()
    for begin in setup.times(3, 6):
        request = [Turn(True, http_request(setup.name))]
        app = App(ending=Ending.RESET if setup.chance(0.5) else Ending.CLOSE)
        more = [*request, Turn(False, b"HTTP/1.1 200 OK\r\n\r\n")]
        setup.meet(path, begin, says=more, knows=request, apps=(App(), app), port=80)


def transparent_proxy(setup: Setup) -> None:
    """A transparent cache answers all of port 80 from nearby: short round trips, Via and Age fields, another TTL."""
    near, stacks = setup.path(rtt=setup.log_uniform(4e5, 1.5e7), where=0.5), (setup.stack, draw_server(setup.rng))
    far = setup.path(rtt=setup.log_uniform(6e7, 3e8))
    for begin in setup.times(4, 8):
        via, age = f"1.1 cache{setup.rng.integers(1, 9)}.test.example (squid)", str(setup.rng.integers(0, 9000))
        fields = (("Via", via), ("Age", age), ("Content-Type", "text/html"))
        body = b"<p>text</p>\n" * int(setup.rng.integers(5, 900))
        fetched = 0.0 if setup.chance(0.5) else setup.log_uniform(6e7, 5e8)
        script = [
            Turn(True, http_request(setup.name)),
            Turn(False, http_answer(200, body, fields), fetched + setup.log_uniform(1e5, 5e6)),
        ]
        setup.visit(near, begin, port=80, script=script, stacks=stacks)
        setup.visit(far, begin + setup.log_uniform(1e8, 1e9), look_alike=False)


def rewriting_proxy(setup: Setup) -> None:
    """A proxy changes words of requests and answers: encodings it cannot read, addresses it maps, lengths kept."""
    path = setup.path(
        Rewriter(((b"Accept: */*", b"Acxept: */*"), (b"User-Agent", b"Xser-Agent")), outbound=True),
        Rewriter(((b"Content-Type: text/html", b"Content-Type: text/xml "),)),
    )
    for begin in setup.times(3, 6):
        setup.visit(path, begin, port=80)


def portal_login(setup: Setup) -> None:
    """Before login a hotspot redirects every page to its own portal and refuses TLS; afterwards all works."""
    setup.neighbours = 0
    login = setup.log_uniform(4e9, 2e10)
    gateway, stacks = setup.path(rtt=setup.log_uniform(1e6, 2e7), where=0.5), (setup.stack, draw_server(setup.rng))
    portal = words(setup, "http://10.1.0.1/login", "http://portal.test.example/", "https://wifi.example.net/start")
    for begin in setup.rng.uniform(0, login * 0.9, int(setup.rng.integers(4, 9))):
        if setup.chance(0.6):
            answer = redirect(setup.rng, f"{portal}?url=http://{setup.name}/", status=setup.choice(302, 307))
            exchange(setup, gateway, float(begin), answer, apps=(App(), App(ending=Ending.CLOSE)), stacks=stacks)
        else:
            setup.visit(gateway, float(begin), apps=(App(), App(ending=Ending.REFUSE)), stacks=stacks)
    far = setup.path()
    for begin in setup.times(3, 6):
        setup.visit(far, login + begin, port=setup.choice(80, 443), look_alike=False)


PLAYS = (
    *look_alikes("http", origin_forbidden, origin_legal, application_firewall, delivery_error, redirect_to_tls),
    *look_alikes("http", redirect_elsewhere, parked_domain, page_about_blocking, answer_in_one_packet, empty_answer),
    *look_alikes("http", transparent_proxy, rewriting_proxy),
    *look_alikes("http", portal_login, vantages=("client", "middle")),
)
