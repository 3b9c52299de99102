"""Open connections that fall silent after a name, a protocol or an address: documented systems, and a careful one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from netinterf.simulate.boxes.matchers import (
    Matcher,
    hello_names,
    hosts,
    opens_with,
    speaks_to,
    too_many_hellos,
    unlisted,
)
from netinterf.simulate.boxes.silencer import BOTH, DOWN, UP, Silencer
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.hosts.app import Turn
from netinterf.simulate.messages.hellos import ECH, ESNI, SHAPES, ech_outer
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.plays.silence_stage import Build, Deal, near, silence, spread, with_hello
from netinterf.simulate.plays.tongues import echo_script, openvpn_script, ssh_script
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import web_script

__all__ = ["PLAYS"]

HALF_HOUR = (1.8e12, 1.8e12)  # ns: longer than any capture here


def box(deal: Deal, **fields: Any) -> list[Station]:
    """Make one silencer that listens for the listed names in hellos, unless *fields* say otherwise."""
    settings: dict[str, Any] = {"matches": hello_names(deal.names), "lasts": HALF_HOUR, **fields}
    return [Silencer(world=deal.scene.world, **settings)]


def side(rng: np.random.Generator) -> frozenset[bool]:
    """Draw what vanishes: both directions, or only what the client sends."""
    return BOTH if rng.random() < 0.5 else UP


# --- Russia ---


def sni_ii(deal: Deal) -> list[Station]:
    """Let some packets pass after the hello, then nothing, on the flow or the 3-tuple."""
    low = min(11, int(near(deal.rng, 6)))
    scope = "server" if deal.rng.random() < 0.5 else "flow"
    grace = max(2, low), max(2, low) + int(deal.rng.integers(0, 5))
    return box(deal, grace=grace, lasts=spread(deal.rng, 420e9), scope=scope)


def sni_iv(deal: Deal) -> list[Station]:
    """Swallow everything from the hello on."""
    scope = "server" if deal.rng.random() < 0.5 else "flow"
    return box(deal, lasts=spread(deal.rng, 40e9), scope=scope)


def last_segment(deal: Deal) -> list[Station]:
    """Swallow the segment that completes the match, and what the client sends after it."""
    return box(deal, matches=hello_names(deal.names, whole=bool(deal.rng.random() < 0.7)), directions=UP)


def in_two(rng: np.random.Generator, name: str, _listed: bool) -> list[Turn]:
    """Say hello in two segments, as browsers with post-quantum shares do."""
    return with_hello(rng, name, shape=SHAPES["chrome" if rng.random() < 0.5 else "firefox"])


def ech(deal: Deal) -> list[Station]:
    """Look for an outer name together with ECH."""
    return box(deal, matches=hello_names(deal.names, needs=frozenset({ECH})), directions=side(deal.rng))


def ech_hello(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Say hello with ECH for listed names; others send GREASE of it, or none."""
    if listed:
        return with_hello(rng, name, shape=SHAPES["go"], extra=((ECH, ech_outer(rng)),))
    return with_hello(rng, name)


def crowd(deal: Deal) -> list[Station]:
    """Count hellos to one server with one name; the fifth within a minute is too many."""
    limit, memory = int(deal.rng.integers(2, 6)), near(deal.rng, 60e9, spread=0.2)
    matches = too_many_hellos(limit, memory, lambda: deal.scene.world.now)
    return box(deal, matches=matches, directions=side(deal.rng), lasts=spread(deal.rng, 60e9))


def anywhere(deal: Deal) -> Matcher:
    """Look for the listed names in TLS and in HTTP."""
    tls, http = hello_names(deal.names), hosts(deal.names)
    return lambda packet, stream: tls(packet, stream) or http(packet, stream)


def ecofilter(deal: Deal) -> list[Station]:
    """Silence names in TLS and in HTTP."""
    return box(deal, matches=anywhere(deal), directions=side(deal.rng))


def vpn_class(deal: Deal) -> list[Station]:
    """Silence OpenVPN over TCP once its first packet is seen: two bytes of length, then opcode 7 (§6.4)."""
    known = opens_with(*(bytes([0, size, opcode]) for size in range(14, 120) for opcode in (0x38, 0x50)))
    return box(deal, matches=known, grace=(int(deal.rng.integers(0, 3)), int(deal.rng.integers(3, 9))))


def vpn_talk(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Speak OpenVPN to listed names, TLS to others."""
    return openvpn_script(rng) if listed else web_script(rng, name, 443)


# --- China, Iran ---


def esni(deal: Deal) -> list[Station]:
    """Look for ESNI in hellos, whatever the name; swallow what the client sends, on the 3-tuple."""
    matches = hello_names(frozenset(), needs=frozenset({ESNI}))
    return box(deal, matches=matches, directions=UP, lasts=spread(deal.rng, 150e9), scope="server")


def esni_hello(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Say hello with an encrypted name to listed servers."""
    hidden = b"\x13\x01\x00\x1d\x00\x20" + rng.bytes(32) + b"\x00\x20" + rng.bytes(32) + b"\x01\x24" + rng.bytes(292)
    return with_hello(
        rng, "" if listed else name, shape=SHAPES["firefox-classic"], extra=((ESNI, hidden),) if listed else ()
    )


def sni_drop(deal: Deal) -> list[Station]:
    """Swallow hello and all that follows."""
    return box(deal, directions=side(deal.rng), matches=hello_names(deal.names, joined=bool(deal.rng.random() < 0.5)))


def muted(deal: Deal) -> list[Station]:
    """Let acknowledgements of the server pass, but nothing that carries data."""
    return box(deal, directions=DOWN, spares=lambda packet: not packet.payload)


def null_route(deal: Deal, *, seconds: float, renewed: bool, scope: str = "flow") -> list[Station]:
    """Null-route the flow of a listed Host or name, or the whole 3-tuple."""
    return box(
        deal, matches=anywhere(deal), scope=scope, renewed=renewed, lasts=spread(deal.rng, seconds * 1e9),
        directions=BOTH if deal.rng.random() < 0.7 else UP, grace=(0, int(deal.rng.integers(0, 3))),
    )  # fmt: skip


def mute_servers(deal: Deal) -> list[Station]:
    """Let handshakes with some addresses pass and no data."""
    return box(deal, matches=speaks_to(deal.servers), directions=side(deal.rng))


def off_the_list(deal: Deal) -> list[Station]:
    """Let names on the list pass; others get some packets and then a minute of silence."""
    low = int(deal.rng.integers(3, 9))
    return box(
        deal, matches=unlisted(deal.others), grace=(low, low + 6), lasts=spread(deal.rng, 60e9), scope="server"
    )  # fmt: skip


def ssh(deal: Deal) -> list[Station]:
    """Let SSH go on for some seconds."""
    seconds = float(deal.rng.choice([15, 33, 44]))
    wait = near(deal.rng, seconds * SECOND, spread=0.3)
    return box(deal, matches=opens_with(b"SSH-2.0"), wait=(wait, wait * 1.05), directions=side(deal.rng))


def ssh_talk(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Type for a minute into listed servers; visit others over TLS."""
    return ssh_script(rng, seconds=float(rng.uniform(50, 90))) if listed else web_script(rng, name, 443)


def echoes(deal: Deal) -> list[Station]:
    """Look for a listed name in what an echo service is sent, and silence the 3-tuple."""
    return box(deal, matches=hosts(deal.names), scope="server", lasts=spread(deal.rng, 90e9))


# --- nobody in particular ---


def generic(deal: Deal) -> list[Station]:
    """Drop by name in any way: direction, grace, delay, scope and duration drawn."""
    rng = deal.rng
    return box(
        deal,
        matches=anywhere(deal), directions=[BOTH, UP, DOWN][int(rng.integers(3))], grace=(0, int(rng.integers(0, 5))),
        wait=(0.0, float(rng.uniform(0, 0.03)) * SECOND), scope=str(rng.choice(["flow", "server", "pair"])),
        lasts=spread(rng, float(rng.choice([30e9, 60e9, 120e9, 300e9]))), renewed=bool(rng.random() < 0.3),
    )  # fmt: skip


def careful(deal: Deal) -> list[Station]:
    """Pass for a bad path: late, leaky, sparing what looks alive, or acting on some visits only."""
    rng = deal.rng
    forms: dict[str, dict[str, Any]] = {
        "lossy": {"leak": float(rng.uniform(0.1, 0.4)), "grace": (1, 6)},
        "late": {"grace": (6, 7 + int(rng.integers(1, 12)))},
        "mute": {"spares": lambda packet: len(packet.payload) < 100, "directions": DOWN, "grace": (1, 5)},
        "moody": {"share": float(rng.uniform(0.5, 0.8)), "wait": (0.0, float(rng.uniform(0.1, 1)) * SECOND)},
        "brief": {"lasts": (3e9, float(rng.uniform(4e9, 15e9))), "leak": 0.05},
    }
    drawn = [str(form) for form in rng.permutation(list(forms))[: int(rng.integers(1, 3))]]
    fields = {field: value for form in drawn for field, value in forms[form].items()}
    return box(deal, **fields, scope=str(rng.choice(["flow", "server"])))


def scenario(system: str, form: str, build: Build, says: str = "", **stage: Any) -> Scenario:
    """Write one entry of the list."""
    play: Callable[[Scene], None] = partial(silence, build=build, **stage)
    return Scenario(
        f"tcp.drop.{form}", says or SYSTEMS[system].says, "tcp.drop", play, ANYWHERE, system=system, family="tcp"
    )  # fmt: skip


WEB = (443, 443, 80)
PLAYS = (
    scenario("ru.tspu-sni-ii", "tspu-sni-ii", sni_ii, residual=420, count=(1, 2)),
    scenario("ru.tspu-sni-iv", "tspu-sni-iv", sni_iv, residual=40),
    scenario("ru.tspu-segment-2025", "tspu-segment", last_segment, script=in_two),
    scenario("ru.tspu-ech", "tspu-ech", ech, script=ech_hello),
    scenario("ru.connection-count", "connection-count", crowd, count=(5, 8)),
    scenario("ru.ecofilter-name", "ecofilter-name", ecofilter, ports=WEB),
    scenario("ru.ecofilter-class", "ecofilter-class", vpn_class, script=vpn_talk, ports=(443, 1194), shared=0),
    scenario("cn.gfw-esni", "gfw-esni", esni, script=esni_hello, residual=150),
    scenario("ir.sni-drop", "iran-sni", sni_drop),
    scenario("ir.hello-muted", "iran-muted", muted),
    scenario("ir.null-route", "iran-null-route", partial(null_route, seconds=180, renewed=False), ports=WEB,
             residual=180, same_port=0.6),
    scenario("ir.handshake-silence", "iran-handshake-silence", mute_servers, ports=(443, 443, 80, 8443), shared=0),
    scenario("ir.allowlist-2026", "iran-allowlist", off_the_list, residual=60),
    scenario("ir.ssh", "iran-ssh", ssh, script=ssh_talk, ports=(22, 22, 443), idle=True, shared=0, count=(1, 2)),
    scenario("kz.null-route", "kazakhstan", partial(null_route, seconds=120, renewed=True), ports=WEB, residual=120,
             same_port=0.6),
    scenario("bd.in-line", "bangladesh", ecofilter, ports=(80,)),
    scenario("geedge.exports", "geedge", sni_drop),
    scenario("residual.null-routing", "residual", partial(null_route, seconds=90, renewed=False, scope="server"),
             ports=WEB, residual=100),
    scenario("eg-jo.inbound", "echo", echoes, script=echo_script, ports=(7,), residual=100),
    scenario("generic", "generic", generic, "Visits to listed names fall silent in some way.", ports=WEB, residual=60),
    scenario("adaptive", "adaptive", careful, "Listed names die as if of a bad path.", residual=30, count=(3, 5)),
)  # fmt: skip
