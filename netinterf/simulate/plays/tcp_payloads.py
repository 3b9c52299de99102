"""Forged FINs and forged payload that is no web page, by documented boxes and by boxes of no known make."""

import attrs

from netinterf.simulate.boxes.forger import ForgedPacket, Rule, burst
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.triggers import says
from netinterf.simulate.messages.dns import Record, dns_message, dns_name, framed
from netinterf.simulate.messages.tls import application_data, tls_record
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, Packet
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.tcp_china import counting
from netinterf.simulate.plays.tcp_stage import Targets, both_ends, drawn_delay, forging, published
from netinterf.simulate.plays.tcp_talks import ask_over_tcp, mail
from netinterf.simulate.plays.tcp_world import plain_form

__all__ = ["PLAYS"]

FA, PA, RA = FIN | ACK, PSH | ACK, RST | ACK


def sandvine_fin(targets: Targets) -> tuple[Rule, ...]:
    """End connections towards the client with a FIN that carries a few words."""
    rng = targets.rng
    words = b"Object not found" if rng.random() < 0.4 else b"Page %d unavailable" % rng.integers(10**4)
    form = Handwriting(
        ttl=published(rng, 64, 50, 250), id_rule="constant", ip_id=published(rng, 13_330, 1, 60_000),
        window_rule=str(rng.choice(["zero", "random", "mirror"])), delay=drawn_delay(rng, 1e6),
    )  # fmt: skip
    flags = FA | (PSH if rng.random() < 0.3 else 0)
    packets: tuple[ForgedPacket, ...] = (ForgedPacket(form=form, flags=flags, payload=words),)
    if rng.random() < 0.4:
        packets += burst(form, (RA,), to_client=False, mechanism="tcp.reset")
    return (Rule(when=says(targets.words), mechanism="tcp.fin", bursts=(packets,)),)


def stubborn_fin(targets: Targets) -> tuple[Rule, ...]:
    """Send the same FIN again every second while the connection is kept from the server, and a RST in the end."""
    rng = targets.rng
    words = b"Middlebox v %d.%d" % tuple(rng.integers(0, 9, 2))
    form = attrs.evolve(plain_form(rng), id_rule="random", ttl_rule="match" if rng.random() < 0.5 else "constant")
    times = int(rng.integers(2, 5))
    packets = [ForgedPacket(form=form, flags=FA, payload=words, late=again * SECOND) for again in range(times)]
    end = ForgedPacket(form=form, flags=RA, shift=len(words) + 1, late=times * SECOND, mechanism="tcp.reset")
    return (
        Rule(
            when=says(targets.words),
            mechanism="tcp.fin",
            bursts=((*packets, end),),
            swallow=True,
            silence=(True, False),
        ),
    )


def plain_fin(targets: Targets) -> tuple[Rule, ...]:
    """End connections with empty FINs, towards the client or towards both ends."""
    rng = targets.rng
    form = plain_form(rng)
    ahead = int(rng.choice([0, 0, 1]))
    packets: tuple[ForgedPacket, ...] = (ForgedPacket(form=form, flags=FA, ack_shift=ahead),)
    if rng.random() < 0.5:
        packets += (ForgedPacket(form=form, flags=FA, to_client=False),)
    return (Rule(when=says(targets.words), mechanism="tcp.fin", bursts=(packets,), share=float(rng.uniform(0.9, 1))),)


def forged_quit(targets: Targets) -> tuple[Rule, ...]:
    """Tell the mail server in the client's name to stop, and reset both ends."""
    form = counting(targets)
    stop = ForgedPacket(form=form, flags=PA, to_client=False, payload=b"\r\n.\r\nQUIT\r\n")
    resets = both_ends(form, (RA,) * 3)
    resets = tuple(attrs.evolve(packet, mechanism="tcp.reset", late=packet.late + form.gap) for packet in resets)
    return (Rule(when=says(targets.words), mechanism="tcp.data", bursts=((stop, *resets),)),)


def forged_answer(targets: Targets) -> tuple[Rule, ...]:
    """Answer lookups over TCP with false addresses; nothing passes after it, as after Iran's pages."""
    rng = targets.rng
    form = attrs.evolve(plain_form(rng), ttl=published(rng, 64, 40, 250))
    lie = bytes([10, 10, 34, int(rng.integers(34, 37))]) if rng.random() < 0.5 else rng.bytes(4)
    lifetime = published(rng, 418, 30, 900)

    def answer(trigger: Packet) -> bytes:
        name = next(name for name in targets.names if dns_name(name) in trigger.payload)
        identifier = int.from_bytes(trigger.payload[2:4], "big")
        return framed(dns_message(identifier, 0x8180, name, 1, (Record(name, 1, lifetime, (lie,)),)))

    asked = frozenset(dns_name(name) for name in targets.names)
    packets: tuple[ForgedPacket, ...] = (ForgedPacket(form=form, flags=PA, payload=answer),)
    if rng.random() < 0.5:
        packets += (ForgedPacket(form=form, flags=FA, behind=True, late=form.gap, mechanism="tcp.fin"),)
    return (Rule(when=says(asked), mechanism="tcp.data", bursts=(packets,), silence=(True, False)),)


def contradiction(targets: Targets) -> tuple[Rule, ...]:
    """Answer hellos with a TLS alert, or with records of one's own, before the server can."""
    rng = targets.rng
    form = plain_form(rng)
    alert = tls_record(21, bytes([2, int(rng.choice([40, 49, 80, 112]))]))
    payload = alert if rng.random() < 0.5 else application_data(rng, int(rng.integers(40, 1200)))
    packets: tuple[ForgedPacket, ...] = (ForgedPacket(form=form, flags=PA, payload=payload),)
    if rng.random() < 0.4:
        packets += (ForgedPacket(form=form, flags=FA, behind=True, late=form.gap, mechanism="tcp.fin"),)
    return (Rule(when=says(targets.words), mechanism="tcp.data", bursts=(packets,), share=float(rng.uniform(0.9, 1))),)


def mail_refusal(targets: Targets) -> tuple[Rule, ...]:
    """Refuse letters in the mail server's name."""
    rng = targets.rng
    payload = b"%d 5.7.1 refused\r\n" % int(rng.choice([550, 554, 451]))
    packet = ForgedPacket(form=plain_form(rng), flags=PA, payload=payload)
    return (Rule(when=says(targets.words), mechanism="tcp.data", bursts=((packet,),)),)


def guesses(targets: Targets) -> tuple[Rule, ...]:
    """Spray words over a connection whose numbers the writer does not know, a window apart, and hit it or not."""
    rng = targets.rng
    form = attrs.evolve(plain_form(rng), id_rule="random", window_rule="random")
    payload = application_data(rng, int(rng.integers(40, 900)))
    step, count = int(rng.integers(200_000, 2**26)), int(rng.integers(8, 24))
    places = [step * (place - int(rng.integers(count))) for place in range(count)]
    packets = tuple(
        ForgedPacket(form=form, flags=PA, payload=payload, shift=place, late=order * form.gap)
        for order, place in enumerate(dict.fromkeys(places))
    )
    return (Rule(when=says(targets.words), mechanism="tcp.data", bursts=(packets,)),)


PLAYS = (
    forging("tcp.fin", "uz.sandvine", sandvine_fin, ports=(443, 80)),
    forging("tcp.fin", "uz.middlebox", stubborn_fin, on_path=False),
    forging("tcp.fin", "generic", plain_fin, "Connections of listed names end in forged FINs.", ports=(443, 80)),
    forging("tcp.data", "cn.smtp", forged_quit, ports=(25,), talk=mail),
    forging("tcp.data", "ir.dns-tcp", forged_answer, ports=(53,), talk=ask_over_tcp),
    forging("tcp.data", "generic-tls", contradiction, "Forged records or alerts race the server's hello."),
    forging("tcp.data", "generic-mail", mail_refusal, "Forged refusals race mail servers.", ports=(25, 587), talk=mail),
    forging("tcp.data", "generic-spray", guesses, "Words are sprayed over connections whose numbers nobody knows."),
)  # fmt: skip
