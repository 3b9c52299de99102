"""Sites that turn somebody away on purpose: by country, by sanction, for what was asked, until a riddle is solved.

Nobody on the path takes part. The pages are those of delivery networks, as far as their marks are public: McDonald et
al., 403 Forbidden: A Global View of CDN Geoblocking, IMC 2018 (§3, pages by provider); the networks' manuals for the
fields. What refuses below HTTP is the firewall at the site's own door.
"""

from collections.abc import Callable
from string import ascii_letters, digits

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.http import http_answer, http_request
from netinterf.simulate.network.firewall import OpeningLimiter, ResetLook, WebFirewall
from netinterf.simulate.network.oddities import BusyHost
from netinterf.simulate.network.packet import SYN
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes
from netinterf.values import frozen

__all__ = ["PLAYS"]

Fields = tuple[tuple[str, str], ...]

SITES = ("IKA", "FRA", "DXB", "SVO", "SIN", "MIA")
PLACES = "Cuba, Iran, North Korea, Sudan, Syria"


def letters(setup: Setup, count: int, alphabet: str = "0123456789abcdef") -> str:
    """Draw an identification of a request."""
    return "".join(alphabet[int(setup.rng.integers(len(alphabet)))] for _ in range(count))


def cloudflare(setup: Setup) -> Fields:
    """Write the fields of Cloudflare's edge."""
    site = SITES[int(setup.rng.integers(len(SITES)))]
    return (("Server", "cloudflare"), ("CF-RAY", f"{letters(setup, 16)}-{site}"),
            ("Cache-Control", "private, max-age=0, no-store, no-cache, must-revalidate"))  # fmt: skip


def cloudfront(setup: Setup) -> Fields:
    """Write the fields of CloudFront's edge."""
    node, token = letters(setup, 32), letters(setup, 55, ascii_letters + digits)
    site = SITES[int(setup.rng.integers(len(SITES)))]
    return (("Server", "CloudFront"), ("X-Cache", "Error from cloudfront"),
            ("Via", f"1.1 {node}.cloudfront.net (CloudFront)"), ("X-Amz-Cf-Pop", f"{site}50-C1"),
            ("X-Amz-Cf-Id", f"{token}=="))  # fmt: skip


def akamai(_: Setup) -> Fields:
    """Write the fields of Akamai's edge."""
    return (("Server", "AkamaiGHost"), ("Mime-Version", "1.0"), ("Expires", "Mon, 01 Jan 2025 00:00:00 GMT"))


def app_engine(_: Setup) -> Fields:
    """Write the fields of Google's front end."""
    return (("Referrer-Policy", "no-referrer"),)


def own_server(_: Setup) -> Fields:
    """Write the fields of a site that asks a database of countries itself."""
    return (("Server", "nginx"),)


@frozen
class Edge:
    """Who stands before sites, and how it says that a country or a request is not welcome."""

    fields: Callable[[Setup], Fields]
    country: tuple[str, ...]  # marks of its page for a country
    request: tuple[str, ...]  # marks of its page for a request
    closes: bool = False


EDGES = (
    Edge(cloudflare, ("Error 1009", "The owner of this website has banned the country or region your IP address is in"),
         ("Sorry, you have been blocked", "Cloudflare Ray ID")),
    Edge(cloudfront, ("The request could not be satisfied",
                      "The Amazon CloudFront distribution is configured to block access from your country"),
         ("The request could not be satisfied", "Request blocked")),
    Edge(akamai, ("Access Denied", "Reference #18."), ("Access Denied", "Reference #18."), closes=True),
    Edge(app_engine, ("403. That's an error", f"sanctioned: {PLACES}"), ("403. That's an error",)),
    Edge(own_server, ("Unavailable For Legal Reasons", "not available in your country"), ("403 Forbidden", "Blocked")),
)  # fmt: skip


def page(setup: Setup, edge: Edge, marks: tuple[str, ...], status: int) -> bytes:
    """Write a page of an edge."""
    filler = " ".join("words" for _ in range(int(setup.log_uniform(5, 900))))
    paragraphs = "".join(f"<p>{mark}</p>\n" for mark in (*marks, letters(setup, 16)))
    body = f"<html><head><title>{marks[0]}</title></head><body>\n{paragraphs}<!-- {filler} -->\n</body></html>\n"
    fields = (*edge.fields(setup), ("Content-Type", "text/html; charset=UTF-8"))
    return http_answer(status, body.encode(), fields, closes=edge.closes)


def pick(setup: Setup) -> Edge:
    """Draw who stands before the site."""
    return EDGES[int(setup.rng.integers(len(EDGES)))]


def ask(setup: Setup, answer: bytes, target: str = "/") -> list[Turn]:
    """Write a request and what the edge says, which it need not fetch from anywhere."""
    return [Turn(True, http_request(setup.name, target)), Turn(False, answer, setup.log_uniform(1e5, 5e6))]


def geoblock(setup: Setup) -> None:
    """A site turns countries away, by law or by choice: a page of its delivery network, a reset, or silence."""
    form = ("page", "page", "refused", "reset", "silence")[int(setup.rng.integers(5))]
    edge = pick(setup)
    door: list[Station] = []
    if form == "silence":
        answers_syn = setup.chance(0.5)  # the firewall behind the edge that greets, or one that lets nothing in
        deaf = BusyHost(setup.scene.world, lambda packet: not (answers_syn and packet.flags & SYN), 1e15)
        door = [deaf]
    path = setup.path(door=door)
    ending = {"refused": Ending.REFUSE, "reset": Ending.RESET}.get(form, Ending.CLOSE if edge.closes else Ending.WAIT)
    apps = (App(ending=Ending.CLOSE, patience=setup.log_uniform(8e9, 4e10)), App(ending=ending))
    for begin in setup.times(3, 6):
        if form == "page":
            answer = page(setup, edge, edge.country, setup.choice(403, 403, 451))
            setup.visit(path, begin, port=80, script=ask(setup, answer), apps=apps)
        elif form == "reset":
            hello = download(setup, 100)[:1]
            setup.visit(path, begin, script=hello, apps=apps)
        else:
            setup.visit(path, begin, port=setup.choice(80, 443), apps=apps)


def captcha(setup: Setup) -> None:
    """A delivery network wants a riddle solved first: a page full of script, and the real one afterwards."""
    edge = Edge(cloudflare, ("Just a moment...", "Enable JavaScript and cookies to continue"), ())
    path = setup.path()
    apps = (App(ending=Ending.CLOSE), App())
    for begin in setup.times(2, 4):
        challenge = page(setup, edge, edge.country, setup.choice(403, 403, 503, 200))
        marked = challenge.replace(b"Server:", b"cf-mitigated: challenge\r\nServer:", 1)
        setup.visit(path, begin, port=80, script=ask(setup, marked), apps=apps)
        setup.visit(path, begin + setup.log_uniform(2e9, 9e9), port=80, look_alike=False)


def rate_ban(setup: Setup) -> None:
    """A site answers some requests, then says that they are too many, then says nothing or resets for a while."""
    edge = pick(setup)
    served, warned = int(setup.rng.integers(2, 5)), int(setup.rng.integers(1, 4))
    look = ResetLook(ttl=setup.choice(setup.host.ttl, 64, 255), ip_flags=2) if setup.chance(0.5) else None
    ban = OpeningLimiter(setup.scene.world, served + warned, 6e10, ban=setup.log_uniform(2e10, 2e11), look=look,
                  reads=setup.chance(0.5))  # fmt: skip
    path = setup.path(door=[ban])
    patience = App(ending=Ending.CLOSE, patience=setup.log_uniform(8e9, 3e10))
    for order in range(served + warned + int(setup.rng.integers(2, 5))):
        begin = 1e7 + order * setup.log_uniform(0.6, 1.4) * SECOND
        if order < served:
            setup.visit(path, begin, port=80, look_alike=False)
            continue
        retry = page(setup, edge, ("Too Many Requests", "rate limited"), 429)
        answer = retry.replace(b"Content-Type", b"Retry-After: 60\r\nContent-Type", 1)
        setup.visit(path, begin, port=80, script=ask(setup, answer, "/api/items"), apps=(patience, App()))


def inline_firewall(setup: Setup) -> None:
    """A device at the site's door swallows requests that look like attacks and answers with resets of its own."""
    look = ResetLook(ttl=setup.choice(255, 64, 128), ip_id=setup.choice(0, setup.rng.integers(2**16)),
                acknowledges=setup.chance(0.6), ip_flags=setup.choice(0, 2))  # fmt: skip
    attack = ("/?id=1%27%20OR%201=1--", "/?f=../../etc/passwd", "/?q=%3Cscript%3Ealert(1)")[int(setup.rng.integers(3))]
    path = setup.path(door=[WebFirewall(look, attack.encode()[2:])])
    apps = (App(ending=Ending.CLOSE, patience=setup.log_uniform(8e9, 3e10)), App())
    for begin in setup.times(2, 4):
        setup.visit(path, begin, port=80, script=ask(setup, page(setup, EDGES[-1], ("Found",), 200), attack), apps=apps)
    for begin in setup.times(2, 4):
        setup.visit(path, begin, port=80, look_alike=False)


PLAYS = look_alikes("http", geoblock, captcha, rate_ban, inline_firewall)
