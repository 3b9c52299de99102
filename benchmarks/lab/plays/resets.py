"""Forged resets and their kin: FINs, SYN/ACKs and the resetting of new connections.

The forms are those of the injectors that were documented (Wu et al., IEEE S&P 2025; Wang et al., IMC 2017; Weaver et
al., NDSS 2009; Xue et al., IMC 2022; Bock et al., USENIX Security 2021), every number drawn widely around them.
"""

from typing import Any

from benchmarks.lab.scenario import Scenario, Site, Stage
from benchmarks.lab.wire import ACK, FIN, PSH, RST, SYN

__all__ = ["PLAYS", "delay", "listed"]


def delay(stage: Stage) -> float:
    """Draw how long an injector thinks: mostly below a millisecond, some take several."""
    return stage.rng.lognormvariate(-7.6, 0.8)


def listed(stage: Stage, count: int = 2, *, tls: bool | None = None, size: int = 0, **errand: Any) -> list[Site]:
    """Let the client visit listed sites, and others that nobody minds; give the listed ones."""
    sites = [stage.site(tls=stage.rng.random() < 0.75 if tls is None else tls) for _ in range(count)]
    for site in sites:
        stage.visit(site, stage.rng.uniform(0.2, 2.5), size=size, **errand)
    stage.crowd(2)
    return sites


def names(sites: list[Site]) -> list[str]:
    """Give the names of sites."""
    return [site.name for site in sites]


def addresses(sites: list[Site]) -> list[str]:
    """Give the addresses of sites."""
    return [site.address for site in sites]


def single(stage: Stage) -> None:
    """One RST/ACK to the client, TTL whatever, window zero."""
    packet_spec = {"flags": RST | ACK, "ack": 0, "ttl": stage.rng.randrange(45, 200), "after": delay(stage)}
    stage.rule("Forge", names=names(listed(stage)), forged=[packet_spec])


def burst(stage: Stage) -> None:
    """Copies to both ends with one IP ID, TTL and window from a counter; sometimes a bare RST first."""
    rng, first = stage.rng, delay(stage)
    counter, gap = rng.randrange(200), rng.uniform(2e-5, 2e-4)
    forged: list[dict[str, Any]] = []
    for to in ("client", "server"):
        if rng.random() < 0.5:
            forged.append({"to": to, "flags": RST, "ttl": rng.randrange(40, 120), "window": "random", "after": first})
        look = {"ttl": 40 + counter, "window": counter + rng.randrange(300, 4000), "ip_id": rng.randrange(1, 65_536)}
        forged += [
            {"to": to, "flags": RST | ACK, "ack": 0, "dont_fragment": True, "after": first + (place + 1) * gap, **look}
            for place in range(rng.randrange(2, 4))
        ]
    stage.rule("Forge", names=names(listed(stage)), forged=forged)


def bare(stage: Stage) -> None:
    """A bare RST to both ends, IP ID zero."""
    look = {"flags": RST, "ttl": stage.rng.randrange(55, 119), "ip_id": 0, "window": "random", "after": delay(stage)}
    stage.rule("Forge", names=names(listed(stage)), forged=[{"to": to, **look} for to in ("client", "server")])


def mirror(stage: Stage) -> None:
    """A reset with the TTL, window and IP ID of the trigger."""
    rng = stage.rng
    flags = rng.choice((RST, RST | ACK))
    packet_spec = {
        "flags": flags,
        "ack": 0 if flags & ACK else None,
        "ttl": "mirror",
        "ip_id": "mirror",
        "window": "mirror",
        "dont_fragment": rng.random() < 0.5,
        "after": delay(stage),
    }
    stage.rule("Forge", names=names(listed(stage)), forged=[packet_spec])


def stepped(stage: Stage) -> None:
    """Resets with growing sequence numbers, so that one of them is in the window."""
    rng, first = stage.rng, delay(stage)
    steps = rng.choice(([0, 1460, 4380], [0, 12_503], [0, 1448, 4344]))
    forged = [
        {
            "to": to,
            "flags": RST | ACK,
            "ack": 0,
            "seq": step,
            "ttl": rng.randrange(40, 230),
            "after": first + place * 1e-4,
        }
        for to in ("client", "server")
        for place, step in enumerate(steps)
    ]
    stage.rule("Forge", names=names(listed(stage)), forged=forged)


def with_payload(stage: Stage) -> None:
    """A reset that carries some bytes, to the client only."""
    rng = stage.rng
    packet_spec = {
        "flags": RST | ACK,
        "ack": 0,
        "payload": rng.randbytes(rng.randrange(6, 24)).hex(),
        "ip_id": rng.randrange(1, 9),
        "ttl": rng.randrange(50, 70),
        "after": delay(stage),
    }
    stage.rule("Forge", names=names(listed(stage)), forged=[packet_spec])


def to_server(stage: Stage) -> None:
    """A reset to the server only, at the trigger's first byte; the client learns nothing."""
    rng = stage.rng
    packet_spec = {
        "to": "server",
        "flags": RST | ACK,
        "ack": 0,
        "start": True,
        "ip_id": rng.randrange(1, 999),
        "window": rng.randrange(8, 64),
        "ttl": rng.randrange(44, 64),
        "after": delay(stage) / 4,
    }
    stage.rule("Forge", names=names(listed(stage, patience=2.5)), forged=[packet_spec])


def rewritten(stage: Stage) -> None:
    """The server's packets after the trigger are made into RST/ACKs in place."""
    stage.rule("Rewrite", names=names(listed(stage)), keep_options=stage.rng.random() < 0.5)


def inline(stage: Stage) -> None:
    """The trigger is swallowed, the client gets a reset, the connection is dead afterwards."""
    packet_spec = {"flags": RST | ACK, "ack": 0, "ttl": stage.rng.randrange(50, 250), "after": delay(stage)}
    stage.rule("Forge", names=names(listed(stage)), forged=[packet_spec], swallow=True, then="cut")


def adaptive(stage: Stage) -> None:
    """A reset that imitates the server: TTL, IP ID, window, options, and the time a true answer takes."""
    packet_spec = {
        "flags": RST | ACK,
        "ack": 0,
        "ttl": "genuine",
        "ip_id": "genuine",
        "window": "genuine",
        "options": "genuine",
        "dont_fragment": "genuine",
        "wait": stage.rng.random() < 0.6,
        "after": delay(stage),
    }
    stage.rule("Forge", names=names(listed(stage)), forged=[packet_spec], swallow=True, then="cut")


def residual(stage: Stage) -> None:
    """A reset, and for some time every new connection to that place is reset at its SYN."""
    site = stage.site()
    for at in (0.2, 1.2, 2.0, 2.8):
        stage.visit(site, at + stage.rng.uniform(0, 0.3))
    stage.crowd(3)
    forged = [
        {"to": to, "flags": RST | ACK, "ack": 0, "ttl": stage.rng.randrange(40, 200), "after": delay(stage)}
        for to in ("client", "server")
    ]
    stage.rule("Forge", names=[site.name], forged=forged, residual=stage.rng.uniform(60, 180))


def at_syn(stage: Stage) -> None:
    """Every SYN to some addresses is answered by RST/ACKs, which overtake the server's SYN/ACK."""
    rng, sites = stage.rng, listed(stage, 2)
    first, ttl = delay(stage), rng.randrange(40, 200)
    forged = [
        {"flags": RST | ACK, "ack": 0, "ttl": ttl + place, "window": 1980 + place, "after": first + place * 1e-4}
        for place in range(rng.randrange(1, 4))
    ]
    stage.rule("Forge", stage="syn", addresses=addresses(sites), forged=forged, swallow=rng.random() < 0.4)


def fin(stage: Stage) -> None:
    """A forged FIN makes the client believe that the server has finished."""
    packet_spec = {
        "flags": FIN | ACK,
        "ack": 0,
        "ttl": stage.rng.randrange(45, 200),
        "window": "random",
        "after": delay(stage),
    }
    stage.rule("Forge", names=names(listed(stage, 3)), forged=[packet_spec])


def synack(stage: Stage) -> None:
    """A forged SYN/ACK with a number of its own wins the race, so that the handshake fails."""
    rng, sites = stage.rng, listed(stage, 2, patience=2.5)
    packet_spec = {
        "flags": SYN | ACK,
        "ack": 0,
        "ttl": rng.randrange(40, 230),
        "window": rng.randrange(1000, 60_000),
        "options": rng.choice(("none", "handshake")),
        "after": delay(stage),
    }
    stage.rule("Forge", stage="syn", addresses=addresses(sites), forged=[packet_spec])


def data(stage: Stage) -> None:
    """Forged payload: a fatal TLS alert that the server never sent."""
    rng = stage.rng
    alert = "15030300020250" if rng.random() < 0.5 else "1503030002" + f"02{rng.choice((40, 80, 112)):02x}"
    packet_spec = {
        "flags": PSH | ACK,
        "ack": 0,
        "payload": alert,
        "ttl": rng.choice(("genuine", rng.randrange(40, 200))),
        "window": "genuine",
        "options": rng.choice(("none", "genuine")),
        "after": delay(stage),
    }
    stage.rule("Forge", names=names(listed(stage, 2, tls=True)), forged=[packet_spec])


PLAYS = (
    Scenario("tcp.reset.single", "One RST/ACK to the client.", single, "tcp.reset", "ir.sni"),
    Scenario("tcp.reset.burst", "Bursts of RST/ACK to both ends.", burst, "tcp.reset", "cn.gfw-ii"),
    Scenario("tcp.reset.bare", "A bare RST to both ends.", bare, "tcp.reset", "cn.gfw-i"),
    Scenario("tcp.reset.mirror", "A reset with fields of the trigger.", mirror, "tcp.reset", "mirror-box"),
    Scenario("tcp.reset.stepped", "Resets with growing sequence numbers.", stepped, "tcp.reset", "cn.seq-1460"),
    Scenario("tcp.reset.payload", "A reset with payload, to the client.", with_payload, "tcp.reset", "cn.henan"),
    Scenario("tcp.reset.server", "A reset to the server only.", to_server, "tcp.reset", "in.airtel"),
    Scenario("tcp.reset.rewritten", "Server packets made into resets.", rewritten, "tcp.reset", "ru.tspu-sni-i"),
    Scenario("tcp.reset.inline", "Trigger swallowed, reset, silence.", inline, "tcp.reset", "generic"),
    Scenario("tcp.reset.adaptive", "A reset that imitates the server.", adaptive, "tcp.reset", "adaptive"),
    Scenario("tcp.reset.residual", "A reset, then SYNs are reset.", residual, "tcp.reset", "cn.residual"),
    Scenario("tcp.connect.reset.syn", "SYNs are answered by resets.", at_syn, "tcp.connect.reset", "cn.port-443-2025"),
    Scenario("tcp.fin.forged", "A forged FIN to the client.", fin, "tcp.fin", "generic"),
    Scenario("tcp.synack.forged", "A forged SYN/ACK wins.", synack, "tcp.synack", "cn.gfw-ii"),
    Scenario("tcp.data.alert", "A forged TLS alert.", data, "tcp.data", "generic"),
)
