"""Forgers: boxes that watch TCP connections and add packets in the name of their ends, swallow or rewrite packets.

A forger has rules. A rule says what provokes it and what it does then; it draws one of its bursts, so that the form may
differ from strike to strike. An on-path forger works on a copy of the traffic and can only add; an in-path one can also
swallow the trigger, silence the connection and rewrite what the server says.
"""

from collections.abc import Callable
from typing import Any

import attrs

from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.sight import ConnectionView, EndView, Rewrite, end_of
from netinterf.simulate.boxes.triggers import Trigger
from netinterf.simulate.encode import TCP
from netinterf.simulate.messages.tcp_options import syn_options
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define, frozen

__all__ = ["ForgedPacket", "Forger", "Rule", "burst", "into_page", "into_reset"]


PAYLOADS = ("http.blockpage", "tcp.data")
"""Mechanisms that resets may accompany; such a reset is one by itself, and all that a tap at the server sees of it."""


@frozen(kw_only=True)
class ForgedPacket:
    """One forged packet; its numbers are those of the next packet in its direction."""

    form: Handwriting
    flags: int = RST | ACK
    to_client: bool = True
    payload: bytes | Callable[[Packet], bytes] = b""  # as it is, or made from the trigger
    start: bool = False  # in the trigger's own direction, as if that had not been sent; so too when it is swallowed
    behind: bool = False  # its numbers follow the payload that the burst has sent to that end so far
    shift: int = 0  # added to the sequence number
    ack_shift: int = 0  # added to the acknowledgement number
    random_seq: bool = False  # the sequence number is random, as that of a forged SYN/ACK has to be
    left_ack: bool = False  # the acknowledgement field is filled without the ACK flag
    swapped: bool = False  # its ports are those of the connection in the other byte order
    late: float = 0.0  # ns after the first of the burst
    rtt_share: float = 0.0  # later by this share of the round trip between box and server
    mechanism: str = ""  # when it is not the rule's


@frozen(kw_only=True)
class Rule:
    """When a forger strikes, and how."""

    when: Trigger
    mechanism: str  # of the verdict format
    bursts: tuple[tuple[ForgedPacket, ...], ...] = ((),)  # one of them is drawn per strike
    share: float = 1.0  # of the triggers that it acts on: real ones miss some under load
    once: bool = True  # at most once per connection
    spread: float = 0.3  # of the logarithm of the delay, from strike to strike
    penalty: tuple[float, float] = (0.0, 0.0)  # least and most ns that client, server and port stay punished
    swallow: bool = False  # the trigger goes no further
    silence: tuple[bool, ...] = ()  # directions in which nothing passes from then on
    rewrite: Rewrite | None = None  # what becomes of the server's packets


def burst(form: Handwriting, flags: tuple[int, ...], *, step: int = 0, **same: Any) -> tuple[ForgedPacket, ...]:
    """Build a burst of empty packets, `form.gap` apart.

    Args:
        form: How all of them look.
        flags: Flags of each.
        step: Added to the sequence number from packet to packet.
        same: Further fields of :class:`ForgedPacket`, the same for all.
    """
    return tuple(
        ForgedPacket(form=form, flags=flag, shift=order * step, late=order * form.gap, **same)
        for order, flag in enumerate(flags)
    )


def into_reset(packet: Packet, _: ConnectionView) -> Packet:
    """Turn a server's packet into a RST/ACK and keep its header (TSPU SNI-I; Xue et al., IMC 2022)."""
    return packet.copy(flags=RST | ACK, payload=b"")


def into_page(page: bytes) -> Rewrite:
    """Make a rewriter that puts *page* into the first packet with which the server answers, and keeps back the rest."""

    def rewrite(packet: Packet, view: ConnectionView) -> Packet | None:
        if not packet.payload:
            return None if packet.flags & FIN or view.replaced >= 0 else packet
        view.replaced = packet.seq if view.replaced < 0 else view.replaced
        if packet.seq != view.replaced:
            return None
        return packet.copy(payload=page, flags=ACK | PSH | FIN)

    return rewrite


@frozen(eq=False)
class Injection:
    """One injection: what a forger writes for one trigger."""

    rule: Rule
    trigger: Packet
    outbound: bool  # direction of the trigger
    view: ConnectionView
    numbers: tuple[int, int]  # random, the same for all packets to the server, and to the client


@define(eq=False)
class Forger:
    """A box with rules."""

    world: World
    rules: tuple[Rule, ...]
    lag: int = 0  # ns that the traffic takes longer than its copy: forged packets may overtake their trigger
    views: dict[tuple[Address, int, Address, int], ConnectionView] = attrs.field(factory=dict)
    punished_until: dict[tuple[Address, Address, int], int] = attrs.field(factory=dict)  # until when whom it punishes
    syn_acks: dict[Address, tuple[EndView, float]] = attrs.field(factory=dict)  # last one of servers, their distance

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Look at a packet, let it pass unless a rule forbids, and strike where a rule says so."""
        if packet.protocol != TCP:
            return [(self.lag, outbound, packet)]
        view = self.look(packet, outbound)
        kept: Packet | None = packet
        if outbound in view.silent:
            kept = None
        elif not outbound and view.rewrite is not None:
            kept = view.rewrite(packet, view)
            if kept is not None and kept is not packet:
                kept.forged = view.reason
        passed: list[Onward] = [] if kept is None else [(self.lag, outbound, kept)]
        made: list[Onward] = []
        for number, rule in enumerate(self.rules):
            if (rule.once and number in view.spent_rules) or not rule.when(packet, outbound, view):
                continue
            view.spent_rules.add(number)
            if self.world.chance.random() < rule.share:
                passed = [] if rule.swallow else passed
                made += self.inject(rule, packet, outbound, view)
        return passed + made

    def look(self, packet: Packet, outbound: bool) -> ConnectionView:
        """Find or open the record of the connection, and add what this packet shows."""
        client, port, server, service = (
            (packet.source, packet.sport, packet.destination, packet.dport)
            if outbound
            else (packet.destination, packet.dport, packet.source, packet.sport)
        )
        key, now = (client, port, server, service), self.world.now
        view = self.views.get(key)
        fresh = outbound and packet.flags & (SYN | ACK) == SYN
        if view is None or (fresh and packet.seq != view.isn):
            syn_ack, distance = self.syn_acks.get(server, (EndView(), 0.0))
            view = ConnectionView(
                {True: EndView(), False: attrs.evolve(syn_ack)}, isn=packet.seq, began=now if fresh else 0
            )
            view.punished = self.punished_until.get((client, server, service), 0) > now
            view.far_rtt = distance
            self.views[key] = view
        view.see(packet, outbound, now)
        side = view.sides[False]
        if not outbound and packet.flags & SYN:
            self.syn_acks[server] = attrs.evolve(side), view.far_rtt
        elif not outbound and server in self.syn_acks:
            self.syn_acks[server][0].usual = side.usual
        return view

    def inject(self, rule: Rule, trigger: Packet, outbound: bool, view: ConnectionView) -> list[Onward]:
        """Do what a rule says."""
        world = self.world
        world.note(trigger, rule.mechanism)
        view.silent |= set(rule.silence)
        if rule.rewrite is not None:
            view.rewrite, view.reason = rule.rewrite, rule.mechanism
        if rule.penalty[1]:
            client, server = (trigger.source, trigger.destination)[:: 1 if outbound else -1]
            port = trigger.dport if outbound else trigger.sport
            self.punished_until[client, server, port] = world.now + int(world.chance.uniform(*rule.penalty))
        packets = rule.bursts[world.chance.randrange(len(rule.bursts))]
        stretch = world.chance.lognormvariate(0.0, rule.spread)
        injection = Injection(
            rule, trigger, outbound, view, (world.chance.randrange(2**15), world.chance.randrange(2**15))
        )
        counts, sent_bytes = {True: 0, False: 0}, {True: 0, False: 0}
        made: list[Onward] = []
        for spec in packets:
            to = spec.to_client
            wait = spec.form.delay * stretch + spec.late + spec.rtt_share * view.far_rtt
            packet = self.forge(injection, spec, counts[to], wait)
            accompanying = packet.flags & RST and not packet.payload and rule.mechanism in PAYLOADS
            packet.forged = spec.mechanism or ("tcp.reset" if accompanying else rule.mechanism)
            packet.seq = (packet.seq + (sent_bytes[to] if spec.behind else 0)) % 2**32
            counts[to] += 1
            sent_bytes[to] += len(packet.payload)
            made.append((int(wait), not to, packet))
        return made

    def forge(self, injection: Injection, spec: ForgedPacket, order: int, wait: float) -> Packet:
        """Make packet *order* towards one end of a strike, to leave after *wait* ns."""
        trigger, view, rng = injection.trigger, injection.view, self.world.rng
        along = injection.outbound != spec.to_client  # in the name of the trigger's own sender
        unsent = along and (spec.start or injection.rule.swallow)
        reached = trigger.seq if unsent else end_of(trigger)
        expected = trigger.ack if trigger.flags & ACK else 0
        seq, ack = (reached, expected) if along else (expected, reached)
        sender, receiver = view.sides[not spec.to_client], view.sides[spec.to_client]
        fields = spec.form.header_fields(
            trigger, sender.ttl, order, rng, injection.numbers[spec.to_client], sender.ids[1]
        )
        fields["options"] = b""
        if spec.form.imitates:
            fields |= sender.imitated(receiver, self.world.now + int(wait), order, int(rng.integers(2**16)))
        if spec.flags & SYN and spec.form.imitates:
            fields["options"] = self.syn_ack_options(sender, receiver)
            fields["window"] = sender.last.window if sender.last and sender.last.flags & SYN else fields["window"]
        fields["seq"] = int(rng.integers(2**32)) if spec.random_seq else (seq + spec.shift) % 2**32
        fields["ack"] = (ack + spec.ack_shift) % 2**32 if spec.flags & ACK or spec.left_ack else 0
        payload = spec.payload if isinstance(spec.payload, bytes) else spec.payload(trigger)
        fields |= {"flags": spec.flags, "payload": payload}
        made = trigger.copy(**fields) if along else trigger.reply(**fields)
        if spec.swapped:
            made.sport, made.dport = (port >> 8 | (port & 0xFF) << 8 for port in (made.sport, made.dport))
        return made

    def syn_ack_options(self, sender: EndView, receiver: EndView) -> bytes:
        """Build the options of a forged SYN/ACK as its server usually has them."""
        stamped = receiver.stamp is not None
        value = sender.stamp[0] if sender.stamp else int(self.world.rng.integers(2**31))
        return syn_options(1460, 7, value, receiver.stamp[0] if receiver.stamp else 0, timestamps=stamped)
