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
from netinterf.simulate.plays.other_protocols import echo_script, openvpn_script, ssh_script
from netinterf.simulate.plays.silence_stage import Build, Targets, near, silence, spread, with_hello
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import web_script

__all__ = ["PLAYS"]

HALF_HOUR = (1.8e12, 1.8e12)  # ns: longer than any capture here


def box(targets: Targets, **fields: Any) -> list[Station]:
    """Make one silencer that listens for the listed names in hellos, unless *fields* say otherwise."""
    settings: dict[str, Any] = {"matches": hello_names(targets.names), "lasts": HALF_HOUR, **fields}
    return [Silencer(world=targets.scene.world, **settings)]


def side(rng: np.random.Generator) -> frozenset[bool]:
    """Draw what vanishes: both directions, or only what the client sends."""
    return BOTH if rng.random() < 0.5 else UP


# --- Russia ---


def sni_ii(targets: Targets) -> list[Station]:
    """Let some packets pass after the hello, then nothing, on the flow or the 3-tuple."""
    low = min(11, int(near(targets.rng, 6)))
    scope = "server" if targets.rng.random() < 0.5 else "flow"
    grace = max(2, low), max(2, low) + int(targets.rng.integers(0, 5))
    return box(targets, grace=grace, lasts=spread(targets.rng, 420e9), scope=scope)


def sni_iv(targets: Targets) -> list[Station]:
    """Swallow everything from the hello on."""
    scope = "server" if targets.rng.random() < 0.5 else "flow"
    return box(targets, lasts=spread(targets.rng, 40e9), scope=scope)


def last_segment(targets: Targets) -> list[Station]:
    """Swallow the segment that completes the match, and what the client sends after it."""
    return box(targets, matches=hello_names(targets.names, whole=bool(targets.rng.random() < 0.7)), directions=UP)


def in_two(rng: np.random.Generator, name: str, _listed: bool) -> list[Turn]:
    """Say hello in two segments, as browsers with post-quantum shares do."""
    return with_hello(rng, name, shape=SHAPES["chrome" if rng.random() < 0.5 else "firefox"])


def ech(targets: Targets) -> list[Station]:
    """Look for an outer name together with ECH."""
    return box(targets, matches=hello_names(targets.names, needs=frozenset({ECH})), directions=side(targets.rng))


def ech_hello(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Say hello with ECH for listed names; others send GREASE of it, or none."""
    if listed:
        return with_hello(rng, name, shape=SHAPES["go"], extra=((ECH, ech_outer(rng)),))
    return with_hello(rng, name)


def crowd(targets: Targets) -> list[Station]:
    """Count hellos to one server with one name; the fifth within a minute is too many."""
    limit, memory = int(targets.rng.integers(2, 6)), near(targets.rng, 60e9, spread=0.2)
    matches = too_many_hellos(limit, memory, lambda: targets.scene.world.now)
    return box(targets, matches=matches, directions=side(targets.rng), lasts=spread(targets.rng, 60e9))


def anywhere(targets: Targets) -> Matcher:
    """Look for the listed names in TLS and in HTTP."""
    tls, http = hello_names(targets.names), hosts(targets.names)
    return lambda packet, stream: tls(packet, stream) or http(packet, stream)


def ecofilter(targets: Targets) -> list[Station]:
    """Silence names in TLS and in HTTP."""
    return box(targets, matches=anywhere(targets), directions=side(targets.rng))


def vpn_class(targets: Targets) -> list[Station]:
    """Silence OpenVPN over TCP once its first packet is seen: two bytes of length, then opcode 7 (§6.4)."""
    known = opens_with(*(bytes([0, size, opcode]) for size in range(14, 120) for opcode in (0x38, 0x50)))
    return box(targets, matches=known, grace=(int(targets.rng.integers(0, 3)), int(targets.rng.integers(3, 9))))


def vpn_talk(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Speak OpenVPN to listed names, TLS to others."""
    return openvpn_script(rng) if listed else web_script(rng, name, 443)


# --- China, Iran ---


def esni(targets: Targets) -> list[Station]:
    """Look for ESNI in hellos, whatever the name; swallow what the client sends, on the 3-tuple."""
    matches = hello_names(frozenset(), needs=frozenset({ESNI}))
    return box(targets, matches=matches, directions=UP, lasts=spread(targets.rng, 150e9), scope="server")


def esni_hello(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Say hello with an encrypted name to listed servers."""
    hidden = b"\x13\x01\x00\x1d\x00\x20" + rng.bytes(32) + b"\x00\x20" + rng.bytes(32) + b"\x01\x24" + rng.bytes(292)
    return with_hello(
        rng, "" if listed else name, shape=SHAPES["firefox-classic"], extra=((ESNI, hidden),) if listed else ()
    )


def sni_drop(targets: Targets) -> list[Station]:
    """Swallow hello and all that follows."""
    return box(
        targets,
        directions=side(targets.rng),
        matches=hello_names(targets.names, joined=bool(targets.rng.random() < 0.5)),
    )


def muted(targets: Targets) -> list[Station]:
    """Let acknowledgements of the server pass, but nothing that carries data."""
    return box(targets, directions=DOWN, spares=lambda packet: not packet.payload)


def null_route(targets: Targets, *, seconds: float, renewed: bool, scope: str = "flow") -> list[Station]:
    """Null-route the flow of a listed Host or name, or the whole 3-tuple."""
    return box(
        targets, matches=anywhere(targets), scope=scope, renewed=renewed, lasts=spread(targets.rng, seconds * 1e9),
        directions=BOTH if targets.rng.random() < 0.7 else UP, grace=(0, int(targets.rng.integers(0, 3))),
    )  # fmt: skip


def mute_servers(targets: Targets) -> list[Station]:
    """Let handshakes with some addresses pass and no data."""
    return box(targets, matches=speaks_to(targets.servers), directions=side(targets.rng))


def off_the_list(targets: Targets) -> list[Station]:
    """Let names on the list pass; others get some packets and then a minute of silence."""
    low = int(targets.rng.integers(3, 9))
    return box(
        targets, matches=unlisted(targets.others), grace=(low, low + 6), lasts=spread(targets.rng, 60e9), scope="server"
    )  # fmt: skip


def ssh(targets: Targets) -> list[Station]:
    """Let SSH go on for some seconds."""
    seconds = float(targets.rng.choice([15, 33, 44]))
    wait = near(targets.rng, seconds * SECOND, spread=0.3)
    return box(targets, matches=opens_with(b"SSH-2.0"), wait=(wait, wait * 1.05), directions=side(targets.rng))


def ssh_talk(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Type for a minute into listed servers; visit others over TLS."""
    return ssh_script(rng, seconds=float(rng.uniform(50, 90))) if listed else web_script(rng, name, 443)


def echoes(targets: Targets) -> list[Station]:
    """Look for a listed name in what an echo service is sent, and silence the 3-tuple."""
    return box(targets, matches=hosts(targets.names), scope="server", lasts=spread(targets.rng, 90e9))


# --- nobody in particular ---


def generic(targets: Targets) -> list[Station]:
    """Drop by name in any way: direction, grace, delay, scope and duration drawn."""
    rng = targets.rng
    return box(
        targets,
        matches=anywhere(targets), directions=[BOTH, UP, DOWN][int(rng.integers(3))],
        grace=(0, int(rng.integers(0, 5))), wait=(0.0, float(rng.uniform(0, 0.03)) * SECOND),
        scope=str(rng.choice(["flow", "server", "pair"])),
        lasts=spread(rng, float(rng.choice([30e9, 60e9, 120e9, 300e9]))), renewed=bool(rng.random() < 0.3),
    )  # fmt: skip


def careful(targets: Targets) -> list[Station]:
    """Pass for a bad path: late, leaky, sparing what looks alive, or acting on some visits only."""
    rng = targets.rng
    forms: dict[str, dict[str, Any]] = {
        "lossy": {"leak": float(rng.uniform(0.1, 0.4)), "grace": (1, 6)},
        "late": {"grace": (6, 7 + int(rng.integers(1, 12)))},
        "mute": {"spares": lambda packet: len(packet.payload) < 100, "directions": DOWN, "grace": (1, 5)},
        "moody": {"share": float(rng.uniform(0.5, 0.8)), "wait": (0.0, float(rng.uniform(0.1, 1)) * SECOND)},
        "brief": {"lasts": (3e9, float(rng.uniform(4e9, 15e9))), "leak": 0.05},
    }
    drawn = [str(form) for form in rng.permutation(list(forms))[: int(rng.integers(1, 3))]]
    fields = {field: value for form in drawn for field, value in forms[form].items()}
    return box(targets, **fields, scope=str(rng.choice(["flow", "server"])))


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
