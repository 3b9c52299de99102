"""Connections that never come about: forged resets of SYNs, and forged SYN/ACKs."""

import attrs

from netinterf.simulate.boxes.forger import ForgedPacket, Rule, burst, into_reset
from netinterf.simulate.boxes.triggers import answers, opens
from netinterf.simulate.network.packet import ACK, RST, SYN
from netinterf.simulate.plays.tcp_china import counting
from netinterf.simulate.plays.tcp_stage import Targets, both_ends, forging, published
from netinterf.simulate.plays.tcp_world import plain_form

__all__ = ["PLAYS"]

RA = RST | ACK
WORD = "tcp.connect.reset"


def event_of_2025(targets: Targets) -> tuple[Rule, ...]:
    """Three RST/ACKs for every SYN and every SYN/ACK, to both ends; hop limit and window rise by one."""
    rng = targets.rng
    syn_form = attrs.evolve(counting(targets), window=published(rng, 1940, 900, 4600), id_rule="random")
    syn_ack_form = attrs.evolve(syn_form, window=published(rng, 3253, 900, 4600))
    return (
        Rule(when=opens(targets.servers), mechanism=WORD, bursts=(both_ends(syn_form, (RA,) * 3),), once=False),
        Rule(when=answers(targets.servers), mechanism=WORD, bursts=(both_ends(syn_ack_form, (RA,) * 3),), once=False),
    )


def resolver_of_2023(targets: Targets) -> tuple[Rule, ...]:
    """Three resets of one number for every SYN and every SYN/ACK, to the client."""
    form = counting(targets)
    packets = burst(form, (RA,) * published(targets.rng, 3, 2, 4))
    return (
        Rule(when=opens(targets.servers), mechanism=WORD, bursts=(packets,), once=False),
        Rule(when=answers(targets.servers), mechanism=WORD, bursts=(packets,), once=False),
    )


def rewritten(targets: Targets) -> tuple[Rule, ...]:
    """Let SYNs pass and turn what the server says into resets."""
    return (Rule(when=opens(targets.servers), mechanism=WORD, rewrite=into_reset),)


def two_makers(targets: Targets) -> tuple[Rule, ...]:
    """Two boxes of different make reset the opening, one at the SYN, one at the SYN/ACK."""
    rng = targets.rng
    first, second = plain_form(rng), attrs.evolve(plain_form(rng), ttl=255)
    return (
        Rule(when=opens(targets.servers), mechanism=WORD, bursts=(burst(first, (RA,)),), share=0.8),
        Rule(when=answers(targets.servers), mechanism=WORD, bursts=(burst(second, (RA,)),)),
    )


def refused(targets: Targets) -> tuple[Rule, ...]:
    """Swallow SYNs and refuse them as the server would."""
    form = attrs.evolve(plain_form(targets.rng, centre=2e5), window_rule="zero")
    return (Rule(when=opens(targets.servers), mechanism=WORD, bursts=(burst(form, (RA,)),), once=False, swallow=True),)


def undescribed(targets: Targets) -> tuple[Rule, ...]:
    """Reset openings in a form of one's own, on the path or in it."""
    rng = targets.rng
    form, count = plain_form(rng), int(rng.choice([1, 1, 2, 3]))
    packets = burst(form, (RA,) * count)
    if rng.random() < 0.4:
        kinds = tuple(int(flag) for flag in rng.choice([RST, RA], count))
        packets += burst(form, kinds, to_client=False)
    late = bool(rng.random() < 0.3)
    when = answers(targets.servers) if late else opens(targets.servers)
    return (Rule(when=when, mechanism=WORD, bursts=(packets,), once=False, swallow=bool(rng.random() < 0.4)),)


def wrong_greeting(targets: Targets) -> tuple[Rule, ...]:
    """Answer SYNs to listed addresses with SYN/ACKs of random numbers; the server's own come later."""
    rng = targets.rng
    form = plain_form(rng)
    form = attrs.evolve(form, window_rule="random") if form.window_rule == "zero" else form
    packets = tuple(
        ForgedPacket(form=form, flags=SYN | ACK, random_seq=True, late=order * form.gap)
        for order in range(int(rng.choice([1, 1, 2])))
    )
    return (Rule(when=opens(targets.servers), mechanism="tcp.synack", bursts=(packets,), once=False),)


def other_byte_order(targets: Targets) -> tuple[Rule, ...]:
    """Answer SYNs to listed addresses from and to ports in the wrong byte order, with a few bytes and no options."""
    rng = targets.rng
    form = attrs.evolve(plain_form(rng), window_rule="random")
    words = rng.bytes(published(rng, 5, 0, 12))
    packet = ForgedPacket(form=form, flags=SYN | ACK, random_seq=True, swapped=True, payload=words)
    return (Rule(when=opens(targets.servers), mechanism="tcp.synack", bursts=((packet,),), once=False),)


PLAYS = (
    forging(WORD, "cn.port-443-2025", event_of_2025, by_address=True, inbound=0.3),
    forging(WORD, "cn.resolver-2023", resolver_of_2023, by_address=True),
    forging(WORD, "ru.tspu-ip", rewritten, by_address=True, inbound=1.0, on_path=False, series=True),
    forging(WORD, "handshake-reset", two_makers, by_address=True, inbound=0.4),
    forging(WORD, "cisco", refused, by_address=True, on_path=False, series=True, vantages=("client",)),
    forging(WORD, "generic", undescribed, "Openings towards listed addresses are reset.", by_address=True,
            ports=(443, 80, 22), vantages=("client",)),
    forging("tcp.synack", "generic", wrong_greeting, "Forged SYN/ACKs race those of listed addresses.",
            by_address=True, ports=(443, 80)),
    forging("tcp.synack", "generic-swapped", other_byte_order, by_address=True, ports=(443, 80),
            says="Forged SYN/ACKs whose ports are in the wrong byte order answer those of listed addresses.",
            vantages=("client", "middle")),
)  # fmt: skip
