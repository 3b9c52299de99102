"""DNS injectors: they answer queries for listed names before the resolver can."""

import attrs

from netinterf.simulate.boxes.form import Form
from netinterf.simulate.messages.dns import address_bytes, dns_message
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import Onward, World

__all__ = ["DnsInjector", "asked", "raw_name"]


@attrs.define
class DnsInjector:
    """Answers queries for blocked names before the resolver can."""

    world: World
    names: frozenset[str]
    form: Form
    answers: list[Address]
    answers_six: list[Address] = attrs.field(factory=list)  # to AAAA questions; without any they get *answers*
    kinds: tuple[int, ...] = (1, 28)  # question types that it reacts to
    flags: int = 0x8180
    lifetime: int = 60
    count: int = 1  # replies per query
    copy_opt: bool = False
    swallow: bool = False

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass unless queries are swallowed; answer blocked names."""
        name, kind, opt = asked(packet.payload) if outbound else ("", 0, False)
        if name not in self.names or kind not in self.kinds:
            return [(0, outbound, packet)]
        self.world.note(packet, "dns.injection")
        rng = self.world.rng
        burst, made = int(rng.integers(0, 2**15)), list[Onward]()
        for order in range(self.count):
            pool = self.answers_six if kind == 28 and self.answers_six else self.answers
            answer = pool[int(rng.integers(len(pool)))]
            fields = self.form.dress(packet, 0, order, rng, burst)
            identifier = int.from_bytes(packet.payload[:2], "big")
            data = address_bytes(*answer)
            record = (1 if len(data) == 4 else 28, self.lifetime, data)
            spelled = raw_name(packet.payload)
            payload = dns_message(identifier, self.flags, spelled, kind, [record], opt=opt and self.copy_opt)
            forged = packet.reply(payload=payload, forged="dns.injection", tos=0, **{**fields, "window": 0})
            made.append((int(self.form.delay + order * self.form.gap), False, forged))
        return made if self.swallow else [(0, outbound, packet), *made]


def raw_name(message: bytes) -> str:
    """Read the question name of a query, letter case kept."""
    labels, at = [], 12
    while at < len(message) and message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels)


def asked(message: bytes) -> tuple[str, int, bool]:
    """Read name, type and presence of OPT from a DNS query; an empty name when it is none."""
    if len(message) < 17 or message[2] & 0x80:
        return "", 0, False
    name = raw_name(message)
    at = 12 + len(name) + 2
    return name.lower(), int.from_bytes(message[at : at + 2], "big"), message[11] > 0
