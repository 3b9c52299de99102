"""Forged HTTP answers: block pages, redirects and injected content, in a race or in place of the genuine answer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.forger import ForgedPacket, Rule, burst, into_page
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.triggers import says
from netinterf.simulate.messages.http import iframe_page, notice_page, redirect, script_page
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST
from netinterf.simulate.plays.tcp_stage import Build, Targets, drawn_delay, forging, published
from netinterf.simulate.plays.tcp_world import plain_form
from netinterf.simulate.scenario import Scenario

__all__ = ["PLAYS", "any_page", "either", "paged"]

FA, PA, RA = FIN | ACK, PSH | ACK, RST | ACK
PAGE = "http.blockpage"

MakePage = Callable[[np.random.Generator], bytes]


def paged(
    page: bytes, form: Handwriting, *, fin: str = "with", mss: int = 1400, closing: Handwriting | None = None
) -> tuple[ForgedPacket, ...]:
    """Build the packets that bring a page to the client.

    Args:
        page: The whole answer.
        form: How they look.
        fin: Whether the last one carries the FIN (with), a packet of its own does (after), or nothing ends it (none).
        mss: Most bytes of a packet.
        closing: How a FIN of its own looks; like the others when left out.
    """
    parts = [page[at : at + mss] for at in range(0, len(page), mss)]
    packets = [
        ForgedPacket(
            form=form, flags=PA if place == len(parts) - 1 else ACK, payload=part, behind=True, late=place * form.gap
        )
        for place, part in enumerate(parts)
    ]
    if fin == "with":
        packets[-1] = attrs.evolve(packets[-1], flags=PA | FIN)
    elif fin == "after":
        packets.append(ForgedPacket(form=closing or form, flags=FA, behind=True, late=len(parts) * form.gap))
    return tuple(packets)


def any_page(rng: np.random.Generator) -> bytes:
    """Draw a page of no known make."""
    stub = f"http://block{rng.integers(1, 99)}.example/{rng.integers(10**4)}"
    kind = int(rng.integers(4))
    if kind == 0:
        return iframe_page(rng, stub, status=int(rng.choice([200, 403])))
    if kind == 1:
        return redirect(rng, stub, status=int(rng.choice([301, 302, 307])))
    if kind == 2:
        return script_page(rng, stub)
    return notice_page(rng, ("Access denied",), status=int(rng.choice([200, 403, 404, 451, 503])))


def raced(targets: Targets, make: MakePage, *, resets: float = 0.4) -> tuple[Rule, ...]:
    """Let the request pass and answer first; at times reset the server too."""
    rng = targets.rng
    form = plain_form(rng)
    packets = paged(make(rng), form, fin=str(rng.choice(["with", "after", "none"], p=[0.5, 0.3, 0.2])))
    if rng.random() < resets:
        packets += burst(form, (int(rng.choice([RST, RA])),), to_client=False)
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=(packets,), share=float(rng.uniform(0.9, 1))),)


def replaced(targets: Targets, make: MakePage) -> tuple[Rule, ...]:
    """Answer in place of the server: the request goes no further."""
    rng = targets.rng
    form = attrs.evolve(plain_form(rng, centre=3e5), ttl_rule=str(rng.choice(["match", "constant"])))
    packets = paged(make(rng), form, fin=str(rng.choice(["with", "after"])))
    if rng.random() < 0.7:
        packets += burst(form, (int(rng.choice([RST, RA])),), to_client=False)
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=(packets,), swallow=True, silence=(True, False)),)


def iran_frame(rng: np.random.Generator) -> str:
    """Give the address that Iran's pages show: private, with the reason."""
    reason = str(rng.choice(["Invalid Keyword", "Invalid Site", "Invalid URL"]))
    return f"http://10.10.34.{rng.integers(34, 37)}/?type={reason}&policy=MainPolicy"


def iran_2025(targets: Targets) -> tuple[Rule, ...]:
    """A 403 page, 0.1 ms later a FIN that acknowledges one byte too many; then nothing passes any more."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 200, 60, 250), window_rule="constant", window=published(rng, 65_535, 1000, 65_535),
        delay=drawn_delay(rng, 1.5e6), gap=float(rng.uniform(3e4, 3e5)),
    )  # fmt: skip
    page, *_ = paged(iframe_page(rng, iran_frame(rng)), form, fin="none")
    end = ForgedPacket(
        form=attrs.evolve(form, window_rule="zero"),
        flags=FA,
        behind=True,
        ack_shift=1,
        late=form.gap,
        mechanism="tcp.fin",
    )
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=((page, end),), silence=(True, False)),)


def iran_2021(targets: Targets) -> tuple[Rule, ...]:
    """A 403 page with the FIN in it, and a reset that carries PSH."""
    rng = targets.rng
    form = Handwriting(ttl=int(rng.integers(50, 220)), window_rule="random", delay=drawn_delay(rng, 1.5e6))
    page = paged(iframe_page(rng, iran_frame(rng)), form)
    end = ForgedPacket(form=form, flags=RA | PSH, behind=True, shift=1, late=form.gap, mechanism="tcp.reset")
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=((*page, end),)),)


def iran_2013(targets: Targets) -> tuple[Rule, ...]:
    """A 403 page to the client; five resets to the server, three in sequence and two a little ahead."""
    rng = targets.rng
    form = Handwriting(ttl=int(rng.integers(50, 220)), delay=drawn_delay(rng, 1.5e6), gap=float(rng.uniform(2e4, 2e5)))
    ahead = published(rng, 30, 10, 90)
    resets = tuple(
        ForgedPacket(form=form, flags=RST, to_client=False, shift=shift, late=order * form.gap)
        for order, shift in enumerate((0, 0, 0, ahead, ahead))
    )
    return (
        Rule(
            when=says(targets.words),
            mechanism=PAGE,
            bursts=((*paged(iframe_page(rng, iran_frame(rng)), form), *resets),),
        ),
    )


def airtel(targets: Targets) -> tuple[Rule, ...]:
    """A short page and a FIN to the client, one reset of odd numbers to the server."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 64, 50, 128), id_rule="constant", ip_id=published(rng, 242, 1, 999), window_rule="constant",
        window=published(rng, 16, 1, 64), delay=drawn_delay(rng, 4e5),
    )  # fmt: skip
    page = iframe_page(rng, "http://www.airtel.in/dot/", status=200)
    reset = ForgedPacket(form=form, flags=RA, to_client=False, start=True)
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=((*paged(page, form, fin="after"), reset),)),)


def china_redirect(targets: Targets) -> tuple[Rule, ...]:
    """A 301 without FIN or a 302 with it, each with an identification of its own; the genuine answer follows."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 255, 200, 255), id_rule="constant", window_rule="random", delay=drawn_delay(rng, 4e6)
    )
    kinds = []
    for status, fin, number in ((301, "none", 0x99B3), (302, "with", 0x4C57)):
        answer = redirect(rng, f"http://182.43.124.6/{rng.integers(10**4)}", status=status)
        kinds.append(paged(answer, attrs.evolve(form, ip_id=published(rng, number, 1, 2**16 - 1)), fin=fin))
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=tuple(kinds), share=float(rng.uniform(0.6, 1))),)


def great_cannon(targets: Targets) -> tuple[Rule, ...]:
    """Answer some requests with a script and keep them from the server."""
    rng = targets.rng
    start = int(rng.integers(900, 4000))
    form = Handwriting(ttl_rule="counter", window_rule="counter", window=start, delay=drawn_delay(rng, 2e6))
    packets = paged(script_page(rng, f"http://ad{rng.integers(99)}.example/h.js"), form, fin="after")
    share = float(rng.uniform(0.4, 0.9))
    return (
        Rule(
            when=says(targets.words),
            mechanism=PAGE,
            bursts=(packets,),
            swallow=True,
            silence=(True, False),
            share=share,
        ),
    )


def notice(targets: Targets) -> tuple[Rule, ...]:
    """Put an operator's notice before the page, with a window of 1."""
    rng = targets.rng
    form = Handwriting(
        ttl=int(rng.choice([64, 128, 255])), window_rule="constant", window=published(rng, 1, 1, 40),
        delay=drawn_delay(rng, 5e5),
    )  # fmt: skip
    packets = paged(notice_page(rng, ("Message of your provider",)), form, fin=str(rng.choice(["with", "after"])))
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=(packets,)),)


def quantum(targets: Targets) -> tuple[Rule, ...]:
    """Win the race with one packet as simple tools build it."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 64, 50, 128), id_rule="constant", ip_id=published(rng, 1, 1, 9999), window_rule="constant",
        window=published(rng, 8192, 1024, 65_535), delay=drawn_delay(rng, 2e6),
    )  # fmt: skip
    page = (
        redirect(rng, "http://exploit.example/x")
        if rng.random() < 0.5
        else script_page(rng, "http://exploit.example/y")
    )
    return (
        Rule(
            when=says(targets.words), mechanism=PAGE, bursts=(paged(page, form, fin=str(rng.choice(["with", "none"]))),)
        ),
    )


def advertisement(targets: Targets) -> tuple[Rule, ...]:
    """Answer with a frame around an advertisement, in the request's own header turned round."""
    rng = targets.rng
    form = Handwriting(ttl_rule="match", id_rule="mirror", window_rule="mirror", delay=drawn_delay(rng, 5e5))
    page = script_page(rng, f"http://ads{rng.integers(99)}.example/a.js", "http://" + targets.names[0] + "/?")
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=(paged(page, form),)),)


def page_and_reset(targets: Targets) -> tuple[Rule, ...]:
    """A page with FIN, and a reset that another machine seems to have made."""
    rng = targets.rng
    form = plain_form(rng)
    ttl = int(rng.integers(30, 128))
    page = paged(notice_page(rng, ("Forbidden",), status=403), attrs.evolve(form, ttl_rule="constant"))
    end = ForgedPacket(
        form=attrs.evolve(form, ttl_rule="constant", ttl=ttl),
        flags=RST,
        behind=True,
        shift=1,
        late=1e5,
        mechanism="tcp.reset",
    )
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=((*page, end),)),)


def saudi(targets: Targets) -> tuple[Rule, ...]:
    """A 200 page in three segments, the first of them short; nothing passes after it."""
    rng = targets.rng
    form = plain_form(rng)
    page = notice_page(rng, ("Access to this page is not allowed",), least=2_500)
    head, size = published(rng, 97, 60, 200), published(rng, 1354, 1200, 1400)
    first = ForgedPacket(form=form, flags=PA, payload=page[:head])
    rest = paged(page[head:], form, fin=str(rng.choice(["with", "none"])), mss=size)
    rest = tuple(attrs.evolve(packet, late=packet.late + form.gap) for packet in rest)
    return (Rule(when=says(targets.words), mechanism=PAGE, bursts=((first, *rest),), silence=(True, False)),)


def rewritten(targets: Targets) -> tuple[Rule, ...]:
    """Put a redirect to a stub into the server's own packet."""
    answer = redirect(targets.rng, f"http://stub{targets.rng.integers(99)}.example/blocked")
    return (Rule(when=says(targets.words), mechanism=PAGE, rewrite=into_page(answer)),)


def either(targets: Targets, make: MakePage) -> tuple[Rule, ...]:
    """Race or replace, as operators differ."""
    return raced(targets, make) if targets.rng.random() < 0.5 else replaced(targets, make)


def to_stub(location: str) -> MakePage:
    """Make redirects to *location*."""
    return lambda rng: redirect(
        rng, f"{location}/?id={rng.integers(10**6)}", status=int(rng.choice([301, 302, 302, 307]))
    )


def with_marks(*marks: str, status: int = 200, server: str = "") -> MakePage:
    """Make notices that hold *marks*."""
    return lambda rng: notice_page(rng, marks, status=status, server=server)


def russian(rng: np.random.Generator) -> bytes:
    """Draw an operator's stub page or the redirect to it."""
    law = "Федеральный закон 149-ФЗ"
    return notice_page(rng, (law,)) if rng.random() < 0.6 else to_stub("http://warning.provider.example")(rng)


def sandvine(targets: Targets) -> tuple[Rule, ...]:
    """A 307 with one identification, and silence for the request."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 64, 50, 250), id_rule="constant", ip_id=published(rng, 13_330, 1, 60_000),
        window_rule=str(rng.choice(["zero", "mirror", "random"])), delay=drawn_delay(rng, 3e5),
    )  # fmt: skip
    page = redirect(rng, f"http://files{rng.integers(99)}.example/setup", status=307)
    resets = burst(form, (RA,), to_client=False)
    return (
        Rule(
            when=says(targets.words),
            mechanism=PAGE,
            bursts=((*paged(page, form), *resets),),
            swallow=rng.random() < 0.5,
        ),
    )


def on_web(system: str, build: Build, says: str = "", **stage: Any) -> Scenario:
    """Make a scenario of plain HTTP."""
    return forging(PAGE, system, build, says, ports=(80,), **stage)


PLAYS = (
    on_web("ir.http-403", iran_2025, inbound=0.2),
    on_web("ir.http-2021", iran_2021, inbound=0.4),
    on_web("ir.http-2013", iran_2013),
    on_web("in.airtel", airtel),
    on_web("cn.http-80-2023", china_redirect, least=4),
    on_web("cn.great-cannon", great_cannon, inbound=0.6, on_path=False, least=6),
    on_web("perftech", notice),
    on_web("quantum-insert", quantum),
    on_web("ad-injection", advertisement),
    on_web("page-fin-reset", page_and_reset, inbound=0.4),
    on_web("sa.iframe", saudi),
    on_web("ru.ecofilter", rewritten, on_path=False),
    on_web("ru.isp-stub", partial(either, make=russian)),
    on_web("kr.warning", partial(raced, make=to_stub("http://warning.or.kr"))),
    on_web("id.positif", partial(either, make=to_stub("http://internetpositif.example"))),
    on_web("pk.netsweeper-2013", partial(either, make=with_marks("Surf safely", "This site is not accessible"))),
    on_web("th.redirect", partial(raced, make=to_stub("http://103.208.24.21"), resets=0.0)),
    on_web("ae.netsweeper", partial(either, make=to_stub("http://lighthouse.example/webadmin/deny"))),
    on_web("by.2020", partial(either, make=with_marks("Доступ ограничен", "Министерство информации"))),
    on_web("sandvine.redirect", sandvine),
    on_web("netsweeper", partial(replaced, make=to_stub("http://filter.example:8080/webadmin/deny/index.php"))),
    on_web("fortinet", partial(replaced, make=with_marks("FortiGuard Intrusion Prevention", status=403))),
    on_web("paloalto", partial(replaced, make=with_marks("Web Page Blocked", status=503))),
    on_web("cisco", partial(replaced, make=with_marks("forbidden site", status=403, server="Cisco"))),
    on_web("kerio", partial(replaced, make=with_marks("Kerio Control", status=403, server="Kerio Control"))),
    on_web("generic", partial(either, make=any_page), "Requests for listed names draw pages of no known make."),
)
