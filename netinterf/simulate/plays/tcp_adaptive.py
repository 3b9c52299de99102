"""Adaptive adversaries, one on the path and one in it for every mechanism that forges TCP packets.

They know how they are looked for. Their packets take over all that the box saw of the end they impersonate: hop limit,
IP ID, DF, TOS, window, options with running timestamps; numbers are exact. On the path they strike as late as they can
and still be first, so that no acknowledgement comes earlier than the server's could; in the path they keep the trigger
and answer when the server would. What they cannot do is to know what did not pass them.
"""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.forger import ForgedPacket, Rule
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.triggers import Trigger, farewell, opens, says
from netinterf.simulate.messages.tls import server_flight, tls_record
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN
from netinterf.simulate.network.path import MILLISECOND
from netinterf.simulate.plays.http_pages import any_page, paged
from netinterf.simulate.plays.tcp_stage import Build, Targets, forging
from netinterf.simulate.scenario import Scenario

__all__ = ["PLAYS"]

MakePackets = Callable[[np.random.Generator, Handwriting], tuple[ForgedPacket, ...]]


def imitation(rng: np.random.Generator) -> Handwriting:
    """Draw how quickly an imitator works; before it has seen a server it guesses common values."""
    return Handwriting(
        imitates=True, ttl=int(rng.choice([50, 54, 110, 238])), dont_fragment=True, id_rule="zero",
        window_rule="random", delay=float(rng.lognormal(np.log(1.5e5), 0.5)), gap=float(rng.uniform(1e4, 1e5)),
    )  # fmt: skip


def bare_form(rng: np.random.Generator, form: Handwriting) -> Handwriting:
    """Draw the look of the reset of a Linux host that knows no such connection: no options, window 0."""
    return (
        attrs.evolve(form, imitates=False, ttl_rule="match", id_rule="zero", window_rule="zero")
        if rng.random() < 0.5
        else form
    )


def resets(rng: np.random.Generator, form: Handwriting) -> tuple[ForgedPacket, ...]:
    """Reset as a program does that stops, or as a host that has forgotten."""
    look = bare_form(rng, form)
    return (ForgedPacket(form=look, flags=RST | ACK if look.imitates else RST),)


def fins(rng: np.random.Generator, form: Handwriting) -> tuple[ForgedPacket, ...]:
    """Close politely; over TLS at times with an alert before."""
    alert = tls_record(21, bytes([2, int(rng.choice([40, 112]))])) if rng.random() < 0.3 else b""
    return (ForgedPacket(form=form, flags=FIN | ACK | (PSH if alert else 0), payload=alert),)


def records(rng: np.random.Generator, form: Handwriting) -> tuple[ForgedPacket, ...]:
    """Say hello in the server's name, or refuse in it."""
    if rng.random() < 0.5:
        return (
            ForgedPacket(form=form, flags=PSH | ACK, payload=server_flight(rng, int(rng.integers(200, 1300)))[:1380]),
        )
    alert = tls_record(21, bytes([2, int(rng.choice([40, 80, 112]))]))
    return (
        ForgedPacket(form=form, flags=PSH | ACK, payload=alert),
        ForgedPacket(form=form, flags=FIN | ACK, behind=True, late=form.gap),
    )


def pages(rng: np.random.Generator, form: Handwriting) -> tuple[ForgedPacket, ...]:
    """Answer with a page."""
    return paged(any_page(rng), form, fin=str(rng.choice(["with", "after"])), mss=1380)


def syn_acks(_: np.random.Generator, form: Handwriting) -> tuple[ForgedPacket, ...]:
    """Answer a SYN with a number that is not the server's."""
    return (ForgedPacket(form=form, flags=SYN | ACK, random_seq=True),)


def refusals(_: np.random.Generator, form: Handwriting) -> tuple[ForgedPacket, ...]:
    """Refuse a SYN as a host without a listener does."""
    return (
        ForgedPacket(form=attrs.evolve(form, imitates=False, ttl_rule="match", id_rule="zero", window_rule="zero")),
    )


def spoken(targets: Targets) -> Trigger:
    """Take offence at what clients say."""
    return says(targets.words)


def opened(targets: Targets) -> Trigger:
    """Take offence at SYNs."""
    return opens(targets.servers)


def on_path(mechanism: str, make: MakePackets, when: Callable[[Targets], Trigger]) -> Build:
    """Make an adversary on the path: as late as it can be first, and the server is sent away meanwhile."""

    def build(targets: Targets) -> tuple[Rule, ...]:
        rng = targets.rng
        form = imitation(rng)
        wait = float(rng.uniform(0.85, 0.97))
        packets = tuple(attrs.evolve(packet, rtt_share=wait) for packet in make(rng, form))
        if rng.random() < 0.5 and when is spoken:
            packets += (ForgedPacket(form=form, flags=RST | ACK, to_client=False),)
        return (Rule(when=when(targets), mechanism=mechanism, bursts=(packets,), spread=0.1),)

    return build


def in_path(mechanism: str, make: MakePackets, when: Callable[[Targets], Trigger]) -> Build:
    """Make an adversary in the path: the trigger goes no further, the answer comes when the server's would."""

    def build(targets: Targets) -> tuple[Rule, ...]:
        rng = targets.rng
        form = imitation(rng)
        wait = float(rng.uniform(1.0, 1.1))
        think = float(rng.exponential(5 * MILLISECOND))
        packets = tuple(attrs.evolve(packet, rtt_share=wait, late=packet.late + think) for packet in make(rng, form))
        if when is spoken:
            packets += (ForgedPacket(form=form, flags=RST | ACK, to_client=False),)
        again = when is opened
        silent = (True, False) if when is spoken else ()
        goodbye = (ForgedPacket(form=form, flags=ACK, rtt_share=wait),)
        return (
            Rule(
                when=when(targets),
                mechanism=mechanism,
                bursts=(packets,),
                once=not again,
                swallow=True,
                silence=silent,
                spread=0.1,
            ),
            Rule(when=farewell, mechanism=mechanism, bursts=(goodbye,), once=False),
        )

    return build


def pair(
    mechanism: str, make: MakePackets, when: Callable[[Targets], Trigger], **stage: Any
) -> tuple[Scenario, Scenario]:
    """Make both adversaries of a mechanism."""
    inside = {**stage, "on_path": False, "series": True}
    if when is opened:
        inside["vantages"] = ("client",)
    return (
        forging(mechanism, "adaptive-on-path", on_path(mechanism, make, when), "An imitator on the path.", **stage),
        forging(mechanism, "adaptive-in-path", in_path(mechanism, make, when), "An imitator in the path.", **inside),
    )


PLAYS = (
    *pair("tcp.reset", resets, spoken, ports=(443, 443, 80)),
    *pair("tcp.fin", fins, spoken),
    *pair("tcp.data", records, spoken),
    *pair("http.blockpage", pages, spoken, ports=(80,)),
    *pair("tcp.synack", syn_acks, opened, by_address=True),
    *pair("tcp.connect.reset", refusals, opened, by_address=True),
)
