"""Answers that somebody else wrote: block pages, redirects, certificates, DNS answers; and DNS queries that vanish."""

from typing import Any

from benchmarks.lab.plays.resets import delay, listed, names
from benchmarks.lab.scenario import Scenario, Stage
from benchmarks.lab.wire import ACK, FIN, PSH, RST

__all__ = ["PLAYS"]


def page(stage: Stage) -> str:
    """Write a block page of some form, as hexadecimal."""
    rng = stage.rng
    where = stage.address(4)
    frame = f'<iframe src="http://{where}/?type=Invalid+Site&policy=MainPolicy" style="width: 100%"></iframe>'
    plain = f"<h1>Access to this site is restricted</h1><p>Ref {rng.randrange(10**6)}</p>{'<br>' * rng.randrange(90)}"
    away = f'<meta http-equiv="refresh" content="0; url=http://{stage.name("warning")}/dot/">'
    body = f"<html><head><title>M4-5</title></head><body>{rng.choice((frame, plain, away))}</body></html>"
    status = rng.choice(("403 Forbidden", "200 OK", "451 Unavailable For Legal Reasons"))
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode().hex()


def moved(stage: Stage) -> str:
    """Write a redirect, as hexadecimal."""
    status = stage.rng.choice(("301 Moved Permanently", "302 Found", "307 Temporary Redirect"))
    target = f"http://{stage.name('block')}/?id={stage.rng.randrange(10**6)}"
    return f"HTTP/1.1 {status}\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode().hex()


def pair(stage: Stage, text: str) -> list[dict[str, Any]]:
    """Put a page on the wire: with its FIN, or a FIN right after it; sometimes a reset to the server."""
    rng, first = stage.rng, delay(stage)
    look = {"ttl": rng.choice(("mirror", rng.randrange(45, 200))), "window": rng.choice(("mirror", 8192, "random"))}
    size = len(text) // 2
    if rng.random() < 0.5:
        forged = [{"flags": FIN | PSH | ACK, "ack": 0, "payload": text, "after": first, **look}]
    else:
        forged = [
            {"flags": PSH | ACK, "ack": 0, "payload": text, "after": first, **look},
            {
                "flags": FIN | ACK,
                "ack": rng.choice((0, 1)),
                "seq": size,
                "after": first + rng.uniform(5e-5, 3e-4),
                **look,
            },
        ]
    if rng.random() < 0.5:
        forged.append({"to": "server", "flags": RST | ACK, "ack": 0, "ttl": rng.randrange(45, 200), "after": first})
    return forged


def raced(stage: Stage) -> None:
    """The page overtakes the origin's answer."""
    stage.rule("Forge", names=names(listed(stage, tls=False)), forged=pair(stage, page(stage)))


def replaced(stage: Stage) -> None:
    """The request is swallowed and the page comes in place of the answer."""
    stage.rule(
        "Forge", names=names(listed(stage, tls=False)), forged=pair(stage, page(stage)), swallow=True, then="cut"
    )


def redirected(stage: Stage) -> None:
    """A redirect overtakes the answer, or replaces it."""
    inside = stage.rng.random() < 0.5
    stage.rule(
        "Forge",
        names=names(listed(stage, tls=False)),
        forged=pair(stage, moved(stage)),
        swallow=inside,
        then="cut" if inside else "pass",
    )


def intercepted(stage: Stage) -> None:
    """Somebody else's TLS endpoint answers in the place of listed hosts."""
    sites = listed(stage, tls=True, trusting=stage.rng.random() < 0.7, visible=True)
    for site in sites:
        stage.impostor(site)
    stage.rule("Redirect", addresses=[site.address for site in sites], ports=[443])


def pool(stage: Stage) -> list[str]:
    """Draw the addresses that forged answers give, of both families."""
    rng = stage.rng
    four = [stage.address(4) for _ in range(rng.randrange(1, 6))]
    if rng.random() < 0.3:
        four = [rng.choice(("10.10.34.34", "10.10.34.36", "127.0.0.1", "0.0.0.0"))]
    six = rng.choice(
        ([f"2001::{rng.randrange(1, 65_536):x}:{rng.randrange(1, 65_536):x}"], [stage.address(6)], ["d0::11"])
    )
    return four + six


def asked(stage: Stage, count: int = 3, kind: str = "") -> list[str]:
    """Let the client ask for listed names and for others; give the listed ones."""
    rng = stage.rng
    chosen = [stage.name(rng.choice(("www", "m", "api"))) for _ in range(count)]
    for name in chosen + [stage.name() for _ in range(4)]:
        stage.zone(name, stage.address(4), stage.address(6))
        stage.query(
            name, rng.uniform(0.1, 2.5), kind, edns=rng.choice((0, 1232, 1232, 4096)), linger=rng.choice((0, 0, 0.4))
        )
    stage.crowd(1)
    return chosen


def reply(stage: Stage, addresses: list[str], **look: Any) -> dict[str, Any]:
    """Draw the look of a forged answer."""
    rng = stage.rng
    return {
        "addresses": addresses,
        "flags": rng.choice((0x8180, 0x8180, 0x8580)),
        "lifetime": rng.randrange(60, 600),
        "after": delay(stage),
        "ttl": rng.randrange(40, 230),
        "dont_fragment": rng.random() < 0.3,
        "ip_id": rng.choice(("random", "mirror", rng.randrange(1, 40_000))),
        "pointer": rng.random() < 0.7,
        **look,
    }


def one_reply(stage: Stage) -> None:
    """One forged answer overtakes the resolver's."""
    stage.rule("Answer", names=asked(stage), replies=[reply(stage, pool(stage))])


def many_replies(stage: Stage) -> None:
    """Two or three injectors answer each query, one of them with the query's TTL."""
    addresses = [one for _ in range(3) for one in pool(stage)]
    replies = [reply(stage, addresses) for _ in range(stage.rng.randrange(2, 4))]
    replies[-1]["ttl"] = "mirror"
    stage.rule("Answer", names=asked(stage), replies=replies)


def wrong_type(stage: Stage) -> None:
    """AAAA questions are answered with A records."""
    replies = [reply(stage, pool(stage), wrong_family=True) for _ in range(stage.rng.randrange(1, 3))]
    stage.rule("Answer", names=asked(stage, kind="AAAA"), replies=replies)


def race_lost(stage: Stage) -> None:
    """The forged answer comes after the true one."""
    late = stage.rtt + stage.resolver_pause + stage.rng.uniform(0.02, 0.1)
    chosen = asked(stage)
    for errand in stage.errands:
        if errand["steps"][0][0] == "query":
            errand["steps"][0][3]["linger"] = 0.5
    stage.rule("Answer", names=chosen, replies=[reply(stage, pool(stage), after=late)])


def malformed(stage: Stage) -> None:
    """The forged answer lacks the class of its question and counts a record that is not there."""
    look = {"cut_class": True, "flags": 0x81A0, "lifetime": stage.rng.choice((418, stage.rng.randrange(60, 600)))}
    stage.rule("Answer", names=asked(stage), replies=[reply(stage, pool(stage), **look)])


def swallowed(stage: Stage) -> None:
    """The query is swallowed and a false answer is all that comes."""
    stage.rule("Answer", names=asked(stage), replies=[reply(stage, pool(stage))], swallow=True)


def denied(stage: Stage) -> None:
    """The query is swallowed and the name is said not to exist."""
    stage.rule("Answer", names=asked(stage), replies=[reply(stage, [], code=3)], swallow=True)


def dropped(stage: Stage) -> None:
    """Queries for some names are swallowed."""
    stage.rule("Answer", names=asked(stage), swallow=True)


PLAYS = (
    Scenario("http.blockpage.raced", "A page overtakes the answer.", raced, "http.blockpage", "ir.http-403"),
    Scenario("http.blockpage.replaced", "A page replaces the answer.", replaced, "http.blockpage", "ir.http-403"),
    Scenario("http.blockpage.redirect", "A redirect to a stub.", redirected, "http.blockpage", "in.airtel"),
    Scenario(
        "tls.interception.transit", "Somebody else's certificate.", intercepted, "tls.interception", "kz.qaznet-2019"
    ),
    Scenario("dns.injection.one", "One forged answer wins.", one_reply, "dns.injection", "generic"),
    Scenario(
        "dns.injection.many", "Two or three forged answers win.", many_replies, "dns.injection", "cn.gfw-dns-triplet"
    ),
    Scenario("dns.injection.type", "A records for AAAA questions.", wrong_type, "dns.injection", "cn.gfw-dns-3"),
    Scenario("dns.injection.late", "The forged answer loses.", race_lost, "dns.injection", "generic"),
    Scenario("dns.injection.malformed", "A damaged forged answer.", malformed, "dns.injection", "ir.dns-2023"),
    Scenario("dns.forged.single", "A false answer, the query swallowed.", swallowed, "dns.forged", "ru.er-telecom"),
    Scenario("dns.forged.denied", "A false denial, the query swallowed.", denied, "dns.forged", "ru.tspu-2026"),
    Scenario("dns.drop.names", "Queries for some names vanish.", dropped, "dns.drop", "generic"),
)
