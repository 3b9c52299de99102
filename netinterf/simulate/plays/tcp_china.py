"""Resets by the Great Firewall, from 2006 to 2025, and by Henan's firewall."""

from functools import partial

import attrs

from netinterf.simulate.boxes.forger import ForgedPacket, Rule, burst
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.triggers import opens, punished, says, speaks_to
from netinterf.simulate.messages.dns import dns_name
from netinterf.simulate.network.packet import ACK, RST, SYN
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.tcp_stage import Targets, both_ends, drawn_delay, forging, keeps, published
from netinterf.simulate.plays.tcp_talks import ask_over_tcp, search

__all__ = ["PLAYS", "counting", "gfw_two"]

RA = RST | ACK
NS = 0x100
"""The ECN nonce bit of a TCP header (RFC 3540, historic)."""


def bare(targets: Targets, *, centre: float = 4e6) -> Handwriting:
    """Draw type I of 2023: hop limit below 120, identification 0, no DF."""
    low = int(targets.rng.integers(40, 90))
    return Handwriting(
        ttl_rule="spread", ttl=low, ttl_high=low + int(targets.rng.integers(0, 64)), window_rule="random",
        id_rule="zero" if keeps(targets.rng, 0.6) else "random", delay=drawn_delay(targets.rng, centre),
    )  # fmt: skip


def counting(targets: Targets, *, centre: float = 4e6) -> Handwriting:
    """Draw type II: hop limit and window from one counter, one identification per burst, DF."""
    rng = targets.rng
    return Handwriting(
        ttl_rule="counter", id_rule="same", window_rule="counter", window=int(rng.integers(900, 4600)),
        dont_fragment=keeps(rng, 0.9), gap=float(rng.uniform(2e4, 3e5)), delay=drawn_delay(rng, centre),
    )  # fmt: skip


def gfw_two(targets: Targets, *, leader: float = 0.0) -> Rule:
    """Reset with the triples of type II, at times one packet or four.

    Args:
        targets: What the forger is after.
        leader: Share of the bursts of three before which a bare reset of type I goes (2025: 5 of 11).
    """
    form, first = counting(targets), attrs.evolve(bare(targets), delay=0.0)
    to_server = bool(targets.rng.random() < 0.9)
    kinds = []
    for count in (3, 3, 3, 1, 4):
        packets = burst(form, (RA,) * count)
        kinds.append(
            packets + (burst(form, (RA,) * count, to_client=False, start=targets.rng.random() < 0.3) * to_server)
        )
    lone = ForgedPacket(form=attrs.evolve(first, id_rule="random", delay=form.delay * 0.7), flags=RST)
    kinds = [(lone, *kind) if len(kind) > 2 and targets.rng.random() < leader else kind for kind in kinds]
    return Rule(
        when=says(targets.words), mechanism="tcp.reset", bursts=tuple(kinds), share=float(targets.rng.uniform(0.9, 1))
    )


def simple(targets: Targets, form: Handwriting, flags: tuple[int, ...], *, step: int = 0) -> tuple[Rule, ...]:
    """Reset both ends with one burst."""
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(both_ends(form, flags, step=step),)),)


def of_2006(targets: Targets) -> tuple[Rule, ...]:
    """Three resets ahead of each other, and minutes of punishment for all that follows."""
    rng = targets.rng
    form = Handwriting(ttl=published(rng, 60, 40, 120), gap=float(rng.uniform(2e4, 4e5)), delay=drawn_delay(rng, 3e6))
    step = published(rng, 1460, 1000, 1460)
    packets = tuple(
        ForgedPacket(form=form, flags=RST, to_client=to_client, shift=shift, late=order * form.gap)
        for to_client in (True, False)
        for order, shift in enumerate((0, step, 3 * step))
    )
    return (
        Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), penalty=(60 * SECOND, 1200 * SECOND)),
        Rule(when=punished, mechanism="tcp.reset", bursts=(packets,), share=0.9),
    )


def of_2012(targets: Targets) -> tuple[Rule, ...]:
    """Four resets with identifications in sequence, and hours of punishment."""
    rng = targets.rng
    form = Handwriting(
        ttl=int(rng.integers(60, 128)), id_rule="sequence", ip_id=int(rng.integers(2**15)), delay=drawn_delay(rng, 3e6),
        window_rule="random", gap=float(rng.uniform(1e4, 2e5)),
    )  # fmt: skip
    packets = both_ends(form, (RST,) * published(rng, 4, 3, 5))
    return (
        Rule(
            when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), penalty=(3600 * SECOND, 43_200 * SECOND)
        ),
        Rule(when=punished, mechanism="tcp.reset", bursts=(packets,)),
    )


def rising(targets: Targets, *, step: int = 0) -> tuple[Rule, ...]:
    """Hop limit and window rise together over three packets, which may be ahead of each other."""
    return simple(targets, attrs.evolve(counting(targets), id_rule="random"), (RA,) * 3, step=step)


def type_two_2017(targets: Targets) -> tuple[Rule, ...]:
    """Rising triples at X, X+1460 and X+4380, and a minute and a half in which other packets draw them too."""
    form = attrs.evolve(counting(targets), id_rule="random")
    packets = tuple(
        ForgedPacket(form=form, to_client=to_client, shift=shift, late=order * form.gap)
        for to_client in (True, False)
        for order, shift in enumerate((0, 1460, 4380))
    )
    return (
        Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), penalty=(60 * SECOND, 120 * SECOND)),
        Rule(when=punished, mechanism="tcp.reset", bursts=(packets, packets + burst(bare(targets), (RST,)))),
    )


def of_2020(targets: Targets) -> tuple[Rule, ...]:
    """Equal triples, sometimes with a bare reset of identification 0."""
    form, lone = counting(targets), attrs.evolve(bare(targets), id_rule="zero")
    kinds = (both_ends(form, (RA,) * 3), both_ends(form, (RA,)), (*both_ends(form, (RA,) * 3), *burst(lone, (RST,))))
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=kinds),)


def type_three(targets: Targets) -> tuple[Rule, ...]:
    """One packet with a high hop limit and an identification from a narrow range."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 248, 200, 255), id_rule="constant", ip_id=published(rng, 0x9916, 0x9000, 0xA000),
        window_rule=str(rng.choice(["zero", "random"])), delay=drawn_delay(rng, 4e6),
    )  # fmt: skip
    return simple(targets, form, (RA,))


def henan(targets: Targets) -> tuple[Rule, ...]:
    """One packet with payload, to the client only; the box knows no connections and looks only at plain headers."""
    rng = targets.rng
    form = Handwriting(
        ttl=published(rng, 58, 50, 70), id_rule="constant", ip_id=published(rng, 1, 1, 300),
        window_rule=str(rng.choice(["zero", "random"])), delay=drawn_delay(rng, 6e5),
    )  # fmt: skip
    payload = bytes.fromhex("01020304050607080900") if keeps(rng, 0.5) else rng.bytes(int(rng.integers(5, 12)))
    packets = burst(form, (RA,), payload=payload)
    picky = bool(rng.random() < 0.3)  # China Mobile's box in Henan takes other headers too
    return (Rule(when=says(targets.words, whole=True, bare_header=picky), mechanism="tcp.reset", bursts=(packets,)),)


def keyword(targets: Targets) -> tuple[Rule, ...]:
    """Reset requests for listed hosts, three in four, and punish for a minute or more."""
    rule = attrs.evolve(
        gfw_two(targets), share=float(targets.rng.uniform(0.75, 0.9)), penalty=(60 * SECOND, 90 * SECOND)
    )
    return (rule, attrs.evolve(rule, when=punished, share=float(targets.rng.uniform(0.5, 0.8)), penalty=(0.0, 0.0)))


def looked_up(targets: Targets) -> tuple[Rule, ...]:
    """Reset lookups of listed names over TCP."""
    return (attrs.evolve(gfw_two(targets), when=says(frozenset(dns_name(name) for name in targets.names))),)


def doh_name(targets: Targets) -> tuple[Rule, ...]:
    """Reset once, then swallow the SYNs of the client to that server."""
    rng = targets.rng
    form = attrs.evolve(counting(targets), ttl=int(rng.integers(40, 240)))
    return (
        Rule(
            when=says(targets.words),
            mechanism="tcp.reset",
            bursts=(burst(form, (RA,)),),
            penalty=(20 * SECOND, 360 * SECOND),
        ),
        Rule(when=opens(frozenset(), punished_only=True), mechanism="tcp.drop", once=False, swallow=True),
    )


def residual(targets: Targets) -> tuple[Rule, ...]:
    """After a reset answer SYNs with SYN/ACKs of wrong numbers, and other packets with resets."""
    form = counting(targets)
    syn_ack = (ForgedPacket(form=attrs.evolve(form, delay=form.delay / 4), flags=SYN | ACK, random_seq=True),)
    return (
        attrs.evolve(gfw_two(targets), penalty=(40 * SECOND, 180 * SECOND)),
        Rule(
            when=opens(frozenset(), punished_only=True),
            mechanism="tcp.synack",
            bursts=(syn_ack,),
            once=False,
            share=0.9,
        ),
        Rule(when=punished, mechanism="tcp.reset", bursts=(both_ends(form, (RA,)),), once=False),
    )


def listener(targets: Targets) -> tuple[Rule, ...]:
    """Complete the handshakes of addresses behind which nobody is, and reset on the first data."""
    rng = targets.rng
    form = Handwriting(
        ttl=int(rng.integers(40, 200)), id_rule="mirror", window_rule="random", delay=drawn_delay(rng, 8e6),
        dont_fragment=bool(rng.random() < 0.5),
    )  # fmt: skip
    syn_ack = (ForgedPacket(form=form, flags=SYN | ACK, random_seq=True),)
    return (
        Rule(
            when=opens(targets.servers),
            mechanism="tcp.synack",
            bursts=(syn_ack,),
            once=False,
            swallow=True,
            silence=(True,),
        ),
        Rule(when=speaks_to(targets.servers), mechanism="tcp.reset", bursts=(burst(form, (RST,)),)),
    )


def many(targets: Targets) -> tuple[Rule, ...]:
    """Two injectors of different make strike each connection."""
    return (gfw_two(targets), *simple(targets, bare(targets, centre=6e6), (RST,)))


def fingerprinted(targets: Targets, kind: str) -> tuple[Rule, ...]:
    """Reset in one of the ways that were told apart in 2009."""
    rng = targets.rng
    form = Handwriting(
        ttl=int(rng.integers(50, 128)),
        window_rule="random",
        delay=drawn_delay(rng, 4e6),
        gap=float(rng.uniform(1e4, 3e5)),
    )
    if kind == "seq-1460":
        return simple(targets, form, (RST,) * int(rng.integers(2, 4)), step=published(rng, 1460, 500, 3000))
    if kind == "rae":
        return simple(targets, form, (RA | NS,) * int(rng.integers(1, 3)))
    if kind == "ip-id-64":
        return simple(targets, attrs.evolve(form, id_rule="constant", ip_id=published(rng, 64, 1, 200)), (RST,))
    return simple(targets, attrs.evolve(form, id_rule="after", id_step=-published(rng, 26, 5, 90)), (RST,))


WEB = (443, 443, 80)

PLAYS = (
    forging("tcp.reset", "cn.2006", of_2006, ports=(80,)),
    forging("tcp.reset", "cn.2012", of_2012, ports=(80,)),
    forging("tcp.reset", "cn.2015", rising, ports=(80,), inbound=0.5),
    forging("tcp.reset", "cn.2017-type-1", lambda targets: simple(targets, bare(targets), (RST,)), ports=(80,)),
    forging("tcp.reset", "cn.2017-type-2", type_two_2017, ports=(80, 443), back_after=130),
    forging("tcp.reset", "cn.2020", of_2020, ports=WEB, inbound=0.3),
    forging("tcp.reset", "cn.gfw-i", lambda targets: simple(targets, bare(targets), (RST,)), ports=WEB, inbound=0.25),
    forging("tcp.reset", "cn.gfw-i-2025", lambda targets: (gfw_two(targets, leader=0.7),), ports=WEB),
    forging("tcp.reset", "cn.gfw-ii", lambda targets: (gfw_two(targets),), ports=WEB, inbound=0.25),
    forging("tcp.reset", "cn.gfw-iii", type_three, ports=WEB, inbound=0.25),
    forging("tcp.reset", "cn.gfw-many", many, ports=WEB, inbound=0.25),
    forging("tcp.reset", "cn.henan", henan),
    forging("tcp.reset", "cn.dns-tcp", looked_up, ports=(53,), talk=ask_over_tcp, inbound=0.25),
    forging("tcp.reset", "cn.http-keyword", keyword, ports=(80,), talk=search, back_after=95, least=3),
    forging("tcp.reset", "cn.mb-new", doh_name, back_after=365, least=3),
    forging("tcp.reset", "cn.seq-1460", partial(fingerprinted, kind="seq-1460"), ports=(80,)),
    forging("tcp.reset", "cn.rae", partial(fingerprinted, kind="rae"), ports=(80,)),
    forging("tcp.reset", "cn.ip-id-64", partial(fingerprinted, kind="ip-id-64"), ports=(80,)),
    forging("tcp.reset", "cn.ip-id-minus-26", partial(fingerprinted, kind="ip-id-minus-26"), ports=(80,)),
    forging("tcp.drop", "cn.mb-new", doh_name, back_after=365, least=4, vantages=("client",)),
    forging("tcp.reset", "cn.residual", residual, ports=WEB, back_after=185),
    forging("tcp.synack", "cn.residual", residual, ports=WEB, back_after=185, least=4),
    forging(
        "tcp.synack", "cn.poison-listener", listener, ports=WEB, by_address=True, on_path=False, vantages=("client",)
    ),
)
