"""Resets by the censors of many countries, on the path and in it."""

from functools import partial

import attrs
import numpy as np

from netinterf.simulate.boxes.forger import ForgedPacket, Rule, burst, into_reset
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.triggers import punished, says
from netinterf.simulate.network.packet import ACK, PSH, RST
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.tcp_stage import Targets, both_ends, drawn_delay, forging, published
from netinterf.simulate.plays.tcp_talks import ESNI, again, hello_with, in_two, search, shell, swarm

__all__ = ["PLAYS", "plain_form"]

RA = RST | ACK


def plain_form(rng: np.random.Generator, *, centre: float = 6e5) -> Handwriting:
    """Draw the look of a box that nobody has described field by field."""
    return Handwriting(
        ttl_rule=str(rng.choice(["constant", "match", "spread", "mirror"], p=[0.6, 0.15, 0.15, 0.1])),
        ttl=int(rng.choice([64, 128, 255, int(rng.integers(40, 250))])), ttl_high=250,
        id_rule=str(rng.choice(["random", "zero", "same", "constant", "sequence", "mirror", "next"])),
        ip_id=int(rng.integers(2**16)), dont_fragment=bool(rng.random() < 0.4), delay=drawn_delay(rng, centre),
        window_rule=str(rng.choice(["zero", "random", "constant", "mirror"])), window=int(rng.integers(0, 9000)),
        gap=float(rng.uniform(5e3, 4e5)), tos=int(rng.choice([0, 0, 0, 0x20, 0x28, 0x48])),
    )  # fmt: skip


def undescribed(targets: Targets, *, ends: float = 0.5, penalty: tuple[float, float] = (0.0, 0.0)) -> tuple[Rule, ...]:
    """Reset in a form of one's own: one to three packets, bare or not, to the client or to both ends.

    Args:
        targets: What the forger is after.
        ends: Probability that the server gets it too.
        penalty: Least and most ns for which later connections are reset as well.
    """
    rng = targets.rng
    form, flags = plain_form(rng), (int(rng.choice([RST, RA])),) * int(rng.choice([1, 1, 2, 3]))
    packets = both_ends(form, flags, start=bool(rng.random() < 0.3)) if rng.random() < ends else burst(form, flags)
    swallow = bool(rng.random() < 0.3)
    rule = Rule(
        when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), penalty=penalty, swallow=swallow,
        silence=(True, False) if swallow and rng.random() < 0.5 else (), share=float(rng.uniform(0.9, 1)),
    )  # fmt: skip
    again = Rule(when=punished, mechanism="tcp.reset", bursts=(packets,), share=0.95)
    return (rule, again) if penalty[1] else (rule,)


def iran(targets: Targets, *, ttl_rule: str = "constant", flags: int = RA) -> tuple[Rule, ...]:
    """Reset the client once, with an empty window and a hop limit that owes nothing to the server."""
    rng = targets.rng
    ttl = published(rng, int(rng.choice([64, 200])), 50, 220)
    form = Handwriting(
        ttl_rule=ttl_rule, ttl=ttl, delay=drawn_delay(rng, 1.5e6), dont_fragment=bool(rng.random() < 0.1)
    )
    dead = (True, False) if rng.random() < 0.6 else ()  # most flows saw no genuine packet after it
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(burst(form, (flags,)),), silence=dead),)


def rewritten(targets: Targets) -> tuple[Rule, ...]:
    """Let the client speak on and rewrite all that the server says."""
    return (Rule(when=says(targets.words), mechanism="tcp.reset", rewrite=into_reset),)


def to_both(targets: Targets) -> tuple[Rule, ...]:
    """Reset both ends at once and let nothing more pass."""
    packets = both_ends(plain_form(targets.rng, centre=2e5), (int(targets.rng.choice([RST, RA])),))
    return (
        Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), swallow=True, silence=(True, False)),
    )


def one_sided(targets: Targets) -> tuple[Rule, ...]:
    """Reset only the client, or only the server."""
    packets = burst(
        plain_form(targets.rng), (int(targets.rng.choice([RST, RA])),), to_client=bool(targets.rng.random() < 0.6)
    )
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,)),)


def pushed(targets: Targets) -> tuple[Rule, ...]:
    """Answer the hello with an empty PSH/ACK in the client's own header, and drop what the server says."""
    form = Handwriting(ttl_rule="mirror", id_rule="mirror", window_rule="mirror", delay=drawn_delay(targets.rng, 8e5))
    packets = (ForgedPacket(form=form, flags=ACK | PSH),)
    return (Rule(when=says(targets.words), mechanism="tcp.drop", bursts=(packets,), silence=(False,)),)


def late(targets: Targets) -> tuple[Rule, ...]:
    """Disconnect both ends seconds after the hello, and at once for a minute after that."""
    rng = targets.rng
    form, flags = plain_form(rng), (int(rng.choice([RST, RA])),)
    slow = attrs.evolve(form, delay=drawn_delay(rng, 1.5e9))
    return (
        Rule(
            when=says(targets.words), mechanism="tcp.reset", bursts=(both_ends(slow, flags),), silence=(True, False),
            penalty=(30 * SECOND, 90 * SECOND),
        ),
        Rule(when=punished, mechanism="tcp.reset", bursts=(both_ends(form, flags),), silence=(True, False)),
    )  # fmt: skip


def unheard(targets: Targets) -> tuple[Rule, ...]:
    """Keep the hello and reset the server; the client is reset too or hears nothing more."""
    rng = targets.rng
    form, flags = plain_form(rng, centre=2e5), (int(rng.choice([RST, RA])),) * int(rng.choice([1, 1, 2]))
    packets = burst(form, flags, to_client=False)
    packets += burst(form, flags) if rng.random() < 0.7 else ()
    return (
        Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), swallow=True, silence=(True, False)),
    )


def tajikistan(targets: Targets) -> tuple[Rule, ...]:
    """Reset with zero bytes as payload once the client has sent two packets."""
    rng = targets.rng
    form = attrs.evolve(plain_form(rng), ttl_rule="constant")
    packets = burst(form, (RA,), payload=bytes(published(rng, 22, 8, 40)))
    return (Rule(when=says(targets.words, turn=2), mechanism="tcp.reset", bursts=(packets,)),)


def brunei(targets: Targets) -> tuple[Rule, ...]:
    """Reset with the request's own identification."""
    form = attrs.evolve(plain_form(targets.rng), id_rule="mirror")
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(burst(form, (RST,)),)),)


def airtel(targets: Targets) -> tuple[Rule, ...]:
    """Reset the server as if there had been no hello, with a small window and one identification; and the client."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 64, 50, 128), id_rule="constant", ip_id=published(rng, 242, 1, 999), window_rule="constant",
        window=published(rng, 16, 1, 64), delay=drawn_delay(rng, 4e5),
    )  # fmt: skip
    packets = (ForgedPacket(form=form, to_client=False, start=True), ForgedPacket(form=form, flags=RA))
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,)),)


def mirrored(targets: Targets) -> tuple[Rule, ...]:
    """Reset with the trigger's header turned round."""
    rng = targets.rng
    form = Handwriting(
        ttl_rule="mirror", id_rule=str(rng.choice(["mirror", "next"])), window_rule="mirror",
        dont_fragment=bool(rng.random() < 0.5), delay=drawn_delay(rng, 3e5),
    )  # fmt: skip
    packet = ForgedPacket(form=form, flags=int(rng.choice([RST, RA])), left_ack=bool(rng.random() < 0.7))
    dead = (True, False) if rng.random() < 0.5 else ()
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=((packet,),), silence=dead),)


def looping(targets: Targets) -> tuple[Rule, ...]:
    """Send one reset through a loop of routers: it comes again and again, each time older."""
    rng = targets.rng
    form, turns = Handwriting(ttl=255, delay=drawn_delay(rng, 5e5)), int(rng.integers(6, 24))
    lap, each = int(rng.integers(2, 9)), float(rng.uniform(0.3, 8)) * MILLISECOND
    form = attrs.evolve(form, id_rule="constant", ip_id=int(rng.integers(1, 2**16)))
    packets = tuple(
        ForgedPacket(form=attrs.evolve(form, ttl=255 - lap * turn), flags=RST, late=turn * each)
        for turn in range(turns)
    )
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,)),)


def comcast(targets: Targets) -> tuple[Rule, ...]:
    """Reset BitTorrent in pairs: the second 12,503 higher, identifications a little ahead of the sender's."""
    rng = targets.rng
    form = Handwriting(
        ttl=int(rng.integers(60, 255)), id_rule="after", id_step=published(rng, 4, 2, 9), window_rule="random",
        delay=drawn_delay(rng, 5e6), gap=float(rng.uniform(2e4, 5e5)),
    )  # fmt: skip
    packets = both_ends(form, (RST, RST), step=published(rng, 12_503, 4_000, 20_000))
    return (Rule(when=says(frozenset({b"BitTorrent protocol"})), mechanism="tcp.reset", bursts=(packets,)),)


def by_bytes(targets: Targets, word: bytes) -> tuple[Rule, ...]:
    """Reset whoever says *word*, whatever the name."""
    return tuple(attrs.evolve(rule, when=says(frozenset({word}))) for rule in undescribed(targets))


def product(targets: Targets) -> tuple[Rule, ...]:
    """Stand in the path as a firewall does: the hello goes no further, both ends are reset in a genuine-looking way."""
    rng = targets.rng
    form = attrs.evolve(plain_form(rng, centre=1e5), ttl_rule=str(rng.choice(["match", "constant"])))
    flags = (int(rng.choice([RST, RA])),)
    packets = both_ends(form, flags) if rng.random() < 0.8 else burst(form, flags)
    return (
        Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), swallow=True, silence=(True, False)),
    )


WEB = (443, 443, 80)

PLAYS = (
    forging("tcp.reset", "ir.sni", iran, inbound=0.25),
    forging("tcp.reset", "ir.mirror", partial(iran, ttl_rule="mirror"), ports=WEB),
    forging("tcp.drop", "ir.mirror-push", pushed),
    forging("tcp.reset", "ir.2025-06", partial(iran, flags=RST)),
    forging("tcp.reset", "ir.2026", undescribed, inbound=0.2),
    forging("tcp.reset", "ir.2026-01", late, back_after=95),
    forging("tcp.reset", "post-handshake", unheard, ports=WEB, on_path=False),
    forging("tcp.reset", "ru.tspu-sni-i", rewritten, on_path=False, series=True),
    forging("tcp.reset", "ru.ecofilter", to_both, on_path=False),
    forging("tcp.reset", "ru.doh-2021", undescribed, ports=(443, 853)),
    forging("tcp.reset", "ru.rostelecom-2019", one_sided, ports=WEB),
    forging("tcp.reset", "tm.resets", undescribed, ports=WEB, inbound=0.4),
    forging("tcp.reset", "tj.as51346", tajikistan, talk=in_two, inbound=0.3),
    forging("tcp.reset", "bn.as10094", brunei, ports=WEB, inbound=0.3),
    forging("tcp.reset", "in.jio", undescribed),
    forging("tcp.reset", "in.airtel", airtel),
    forging("tcp.reset", "tr.resets", undescribed, ports=WEB, inbound=0.3),
    forging("tcp.reset", "kr.sni", undescribed),
    forging("tcp.reset", "id.sni", undescribed),
    forging("tcp.reset", "geedge", partial(undescribed, ends=0.7), ports=WEB),
    forging("tcp.reset", "eg.resets", undescribed, ports=WEB, inbound=0.4),
    forging("tcp.reset", "by.2020", undescribed),
    forging("tcp.reset", "residual.33-countries", partial(undescribed, penalty=(20 * SECOND, 180 * SECOND)),
            ports=WEB, back_after=185),
    forging("tcp.reset", "routing-loop", looping, ports=(80, 443)),
    forging("tcp.reset", "mirror-box", mirrored, ports=(80, 443)),
    forging("tcp.reset", "fortinet", product, on_path=False),
    forging("tcp.reset", "paloalto", product, on_path=False),
    forging("tcp.reset", "cisco", product, ports=WEB, on_path=False),
    forging("tcp.reset", "sandvine.2007", comcast, ports=(443, 6881), talk=swarm),
    forging("tcp.reset", "generic-ssh", partial(by_bytes, word=b"SSH-2.0-"), "SSH sessions are reset.",
            ports=(22, 443), talk=shell),
    forging("tcp.reset", "generic-esni", partial(by_bytes, word=ESNI),
            "Hellos with encrypted server names are reset.", talk=hello_with),
    forging("tcp.reset", "generic-later", undescribed, "Later requests of a connection are reset.", ports=(80,),
            talk=again),
    forging("tcp.reset", "generic-url", undescribed, "Words in web addresses are reset.", ports=(80,), talk=search),
)  # fmt: skip
