"""Connections that end, fail or stutter for ordinary reasons."""

import functools
from collections.abc import Sequence
from typing import Any

from benchmarks.lab.quic import answers, initial
from benchmarks.lab.scenario import Scenario, Stage

__all__ = ["PLAYS"]


def browse(stage: Stage) -> None:
    """Pages and downloads with what congestion control the hosts have."""
    stage.crowd(5)
    for kind in ("cubic", "reno", "bbr"):
        stage.congestion(kind)
        site = stage.site(tls=stage.rng.random() < 0.7, congestion=stage.controls["server"])
        stage.visit(site, stage.rng.uniform(0, 3), size=stage.rng.randrange(100_000, 900_000), affected=True)


def visits(
    stage: Stage, steps: Sequence[Sequence[Any]], *, errand: dict[str, Any] | None = None, **service: Any
) -> None:
    """Let the client do odd things at some sites of one kind, and ordinary things elsewhere."""
    for _ in range(3):
        site = stage.site(**{"tls": stage.rng.random() < 0.6, **service})
        stage.visit(
            site, stage.rng.uniform(0.1, 2.0), steps=steps, affected=True, **{"patience": 4.0, **(errand or {})}
        )
    stage.crowd(2)


def get(size: int) -> list[Any]:
    """Ask for a file of that size."""
    return ["get", f"/file-{size}.bin"]


def abort(stage: Stage) -> None:
    """The client loses interest and aborts downloads."""
    visits(stage, [get(400_000), ["read", stage.rng.randrange(2_000, 200_000)], ["abort"]])


def unread(stage: Stage) -> None:
    """The client closes with data unread, for which its kernel sends a reset (RFC 2525 section 2.17)."""
    visits(stage, [get(200_000), ["wait", stage.rtt * 3 + 0.1], ["close"]], tls=False)


def closed_port(stage: Stage) -> None:
    """Nobody listens; the server's kernel answers with RST/ACK."""
    for _ in range(4):
        host = stage.host()
        name = stage.name()
        stage.zone(name, host)
        stage.errand(
            stage.rng.uniform(0, 2),
            [["resolve"], ["connect"]],
            name=name,
            port=stage.rng.choice((80, 443, 8080)),
            affected=True,
        )
    stage.crowd(3)


def crash(stage: Stage) -> None:
    """The server's program is killed in the middle of an answer; its kernel ends the connections."""
    for place in (1, 2):
        limit = stage.rng.randrange(20_000, 100_000)
        site = stage.site(
            tls=stage.rng.random() < 0.5, program=place, break_after=limit, break_by="kill", pace=[5_000, 0.01]
        )
        stage.visit(site, stage.rng.uniform(0.1, 1.5), size=300_000, affected=True)
    stage.crowd(3)


def half_open(stage: Stage) -> None:
    """The server forgets connections without a word and answers what comes later with a bare RST."""
    wait = stage.rng.uniform(1.0, 1.6)
    visits(
        stage, [get(3_000), ["response"], ["wait", wait], get(3_000), ["response"]], idle=wait / 2, idle_end="vanish"
    )


def idle_reset(stage: Stage) -> None:
    """A load balancer resets what was idle for too long."""
    idle = stage.rng.uniform(0.5, 1.2)
    visits(stage, [get(8_000), ["response"], ["wait", idle + 1.0]], idle=idle, idle_end="reset")


def idle_close(stage: Stage) -> None:
    """The server closes a kept connection; the client's next request meets a reset."""
    idle = stage.rng.uniform(0.4, 0.9)
    again = [get(8_000), ["response"], ["wait", idle + 0.8], get(100), ["response"]]
    visits(stage, again, idle=idle, tls=False)


def keepalive(stage: Stage) -> None:
    """The link dies while a kept connection is idle; keep-alive probes find out."""
    visits(
        stage, [get(8_000), ["response"], ["read", 10]], errand={"options": {"keepalive": [1, 1, 3]}, "patience": 9.0}
    )
    for line in ("far_up", "far_down"):
        stage.lines[line]["dead_from"] = 3.4


def outage(stage: Stage) -> None:
    """The link is dead for some seconds; everything stalls together."""
    visits(stage, [get(900_000), ["response"]], errand={"patience": 8.0}, pace=[20_000, 0.05])
    begin = stage.rng.uniform(0.8, 1.5)
    for line in ("near_up", "near_down"):
        stage.lines[line].update(dead_from=begin, dead_until=begin + stage.rng.uniform(1.0, 2.5))


def impatient(stage: Stage) -> None:
    """The server thinks for long and the client gives up."""
    visits(stage, [get(5_000), ["response"]], errand={"patience": stage.rng.uniform(1.0, 2.0)}, pause=3.0)


def slow(stage: Stage) -> None:
    """The server thinks for long and the client waits."""
    visits(stage, [get(5_000), ["response"]], pause=stage.rng.uniform(1.5, 3.0), errand={"patience": 6.0})


def silent(stage: Stage) -> None:
    """A service takes connections and never says a word."""
    visits(stage, [get(5_000), ["response"]], errand={"patience": 3.0}, silent=True, tls=False)


def scan(stage: Stage) -> None:
    """The client tries many ports of a host; most are closed."""
    host = stage.host()
    stage.site(tls=False, address=host)
    for port in stage.rng.sample(range(20, 9000), 25):
        stage.errand(stage.rng.uniform(0, 2), [["connect"]], address=host, port=port, affected=True)
    stage.crowd(3)


def happy(stage: Stage) -> None:
    """IPv6 leads nowhere and IPv4 is tried a quarter of a second later (RFC 8305)."""
    rng = stage.rng
    for _ in range(3):
        at, name = rng.uniform(0, 2), stage.name()
        four = stage.site(name, address=stage.host(4))
        stage.zone(name, stage.address(6))
        stage.query(name, at, "AAAA")
        stage.query(name, at, "A")
        dead = stage.zones[name]["AAAA"][0]
        begin = at + stage.rtt + 0.08
        stage.errand(begin, [["connect"]], name=name, address=dead, port=443, family=6, patience=1.3, affected=True)
        stage.visit(four, begin + 0.25, resolve=False, family=4)
    stage.crowd(2)


def dead_host(stage: Stage) -> None:
    """Addresses that nobody has; their prefix-mates answer."""
    for _ in range(3):
        name = stage.name()
        stage.zone(name, stage.address())
        stage.errand(
            stage.rng.uniform(0, 1), [["resolve"], ["connect"]], name=name, port=443, affected=True, patience=3.5
        )
    stage.crowd(3)


def backlog(stage: Stage) -> None:
    """A server's queue of waiting connections is full; further SYNs are ignored."""
    site = stage.site(tls=False, deaf=True, backlog=1)
    for at in range(6):
        stage.visit(site, 0.1 + at * 0.3, patience=3.0, affected=True)
    stage.crowd(3)


def half_close(stage: Stage) -> None:
    """The client says that it is done and still reads."""
    visits(
        stage,
        [get(5_000), ["response"], ["shutdown"], ["read", 10**9]],
        afterwards=stage.rng.randrange(20, 90),
        tls=False,
    )


def reuse(stage: Stage) -> None:
    """The same client port is used again and again for the same server."""
    site, port = stage.site(tls=False), stage.rng.randrange(30_000, 60_000)
    for at in range(4):
        stage.visit(site, 0.2 + at * 1.1, steps=[get(9_000), ["response"], ["abort"]], local_port=port, affected=True)
    stage.crowd(2)


def translated(stage: Stage, idle: float = 0.0) -> None:
    """A NAT rewrites addresses and ports, and may forget idle connections."""
    stage.nat = {
        "outside": {stage.four: stage.address(4), stage.six: stage.address(6)},
        "idle": idle,
        "first_port": stage.rng.randrange(1024, 50_000),
    }
    if not idle:
        visits(stage, [get(60_000), ["response"]])
        return
    visits(stage, [get(9_000), ["response"], ["wait", idle + 1.0], get(9_000), ["response"]], errand={"patience": 3.0})


def forgotten(stage: Stage) -> None:
    """The NAT forgets an idle connection; its later packets look like somebody else's."""
    translated(stage, idle=stage.rng.uniform(0.8, 1.5))


def rejected(stage: Stage) -> None:
    """The client does not trust a certificate and says so by an alert."""
    for _ in range(3):
        site = stage.site(tls=True)
        stage.errand(
            stage.rng.uniform(0, 2),
            [["connect"], ["tls"]],
            name="other." + site.name,
            address=site.address,
            port=443,
            affected=True,
        )
    stage.crowd(2)


def private_authority(stage: Stage) -> None:
    """The hosts of one organisation show certificates of its own authority, to clients that trust it."""
    middle = stage.name("x").split(".", 1)[1]
    for first in ("www", "mail", "files"):
        site = stage.site(f"{first}.{middle}", tls=True, authority=f"{middle} Internal CA")
        stage.visit(site, stage.rng.uniform(0.1, 2.0), affected=True, visible=True, trusting=True)
    for _ in range(2):
        stage.visit(stage.site(tls=True), stage.rng.uniform(0.1, 2.0), visible=True)


def other_protocol(stage: Stage) -> None:
    """A protocol of its own on a well-known port, which works."""
    talk: list[list[Any]] = [
        ["read", 20],
        ["send", b"SSH-2.0-libssh2_1.11.0\r\n".hex()],
        ["read", 24],
        ["send", stage.rng.randbytes(900).hex()],
        ["read", 900],
    ]
    visits(stage, talk, tls=False, port=stage.rng.choice((22, 443)), banner=b"SSH-2.0-OpenSSH_9.6\r\n".hex(), echo=True)


def origin(stage: Stage, status: str) -> None:
    """The origin itself refuses, or sends elsewhere."""
    page = "<html><head><title>403 Forbidden</title></head><body><h1>Access denied</h1></body></html>"
    more: dict[str, Any] = {"location": f"https://{stage.name()}/"} if status.startswith("3") else {}
    visits(stage, [get(10), ["response"]], status=status, page=page, tls=False, **more)


def quic(stage: Stage, how: str) -> None:
    """QUIC that is not offered: nobody listens (ICMP says so) or nobody answers; the client falls back to TCP."""
    rng = stage.rng
    for _ in range(3):
        site = stage.site()
        if how == "mute":
            stage.servers[0].append({"addresses": [site.address], "port": 443, "answers": []})
        if how == "works":
            stage.servers[0].append({"addresses": [site.address], "port": 443, "answers": answers(rng)})
        at = rng.uniform(0.1, 1.5)
        stage.errand(
            at,
            [["datagrams", initial(site.name, rng) * 3, 0.4]],
            name=site.name,
            address=site.address,
            port=443,
            affected=True,
        )
        stage.visit(site, at + 0.3)
    stage.crowd(1)


PLAYS = (
    Scenario("benign.tcp.browsing", "Pages and downloads.", browse, confounder="ordinary"),
    Scenario("benign.tcp.client-abort", "Downloads are aborted.", abort, confounder="client-abort"),
    Scenario("benign.tcp.unread-data", "Closed with data unread.", unread, confounder="client-abort"),
    Scenario("benign.tcp.closed-port", "Nobody listens.", closed_port, confounder="closed-port"),
    Scenario("benign.tcp.server-crash", "The server is killed.", crash, confounder="server-crash"),
    Scenario("benign.tcp.half-open", "The server has forgotten.", half_open, confounder="crash-and-reboot"),
    Scenario("benign.tcp.load-balancer", "Idle connections are reset.", idle_reset, confounder="balancer-idle-reset"),
    Scenario("benign.tcp.idle-close", "Idle connections are closed.", idle_close, confounder="server-timeout"),
    Scenario("benign.tcp.keepalive-death", "Keep-alive finds a dead link.", keepalive, confounder="keepalive-death"),
    Scenario("benign.tcp.outage", "The link is dead for a while.", outage, confounder="link-outage"),
    Scenario("benign.tcp.client-timeout", "The client gives up.", impatient, confounder="client-gives-up"),
    Scenario("benign.tcp.slow-server", "The server thinks for long.", slow, confounder="overloaded-server"),
    Scenario("benign.tcp.silent-service", "The service says nothing.", silent, confounder="silent-service"),
    Scenario("benign.tcp.port-scan", "Many ports are tried.", scan, confounder="syn-scan"),
    Scenario("benign.tcp.happy-eyeballs", "IPv6 fails, IPv4 works.", happy, confounder="happy-eyeballs"),
    Scenario("benign.tcp.dead-host", "Nobody has the address.", dead_host, confounder="dead-destinations"),
    Scenario("benign.tcp.backlog", "The accept queue is full.", backlog, confounder="full-backlog"),
    Scenario("benign.tcp.half-close", "One direction is closed.", half_close, confounder="half-close"),
    Scenario("benign.tcp.port-reuse", "A port is used again.", reuse, confounder="port-reused"),
    Scenario("benign.tcp.nat", "A NAT rewrites.", translated, confounder="port-translation"),
    Scenario("benign.tcp.nat-timeout", "A NAT forgets.", forgotten, confounder="nat-timeout"),
    Scenario("benign.tcp.other-protocol", "SSH where it is not expected.", other_protocol, confounder="other-protocol"),
    Scenario("benign.tls.private", "An authority of one's own.", private_authority, confounder="private-authority"),
    Scenario("benign.tls.rejected", "A certificate is not trusted.", rejected, confounder="client-distrusts"),
    Scenario(
        "benign.http.forbidden",
        "The origin refuses.",
        functools.partial(origin, status="403 Forbidden"),
        confounder="origin-forbidden",
    ),
    Scenario(
        "benign.http.redirect",
        "The origin redirects.",
        functools.partial(origin, status="302 Found"),
        confounder="redirect-elsewhere",
    ),
    Scenario(
        "benign.quic.closed",
        "No QUIC; ICMP says so.",
        functools.partial(quic, how="closed"),
        confounder="quic-port-closed",
    ),
    Scenario(
        "benign.quic.mute",
        "QUIC is never answered.",
        functools.partial(quic, how="mute"),
        confounder="server-without-quic",
    ),
    Scenario("benign.quic.works", "QUIC is answered.", functools.partial(quic, how="works"), confounder="ordinary"),
)
