"""Reset injectors: they watch what clients say, match, and add forged resets."""

import attrs

from netinterf.simulate.boxes.form import Form
from netinterf.simulate.network.packet import ACK, RST, Address, Packet
from netinterf.simulate.network.path import Onward, World

__all__ = ["ResetInjector"]


@attrs.define
class ResetInjector:
    """Watches what clients say and resets connections whose first bytes hold a blocked name."""

    world: World
    names: frozenset[bytes]
    form: Form
    share: float = 1.0  # of the triggers that it acts on: real ones miss some under load
    heard: dict[tuple[Address, int], bytes] = attrs.field(factory=dict)
    genuine: dict[tuple[Address, int], int] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass unless the form swallows triggers; inject on a match."""
        if not outbound:
            self.genuine[packet.source, packet.dport] = packet.ttl
            return [(0, outbound, packet)]
        self.genuine[packet.source, packet.sport] = packet.ttl
        if not packet.payload:
            return [(0, outbound, packet)]
        key = (packet.source, packet.sport)
        told = self.heard.get(key, b"")
        self.heard[key] = (told + packet.payload)[:4096]
        if not any(name in self.heard[key] for name in self.names):
            return [(0, outbound, packet)]
        self.heard[key] = b""
        if self.world.rng.random() >= self.share:
            return [(0, outbound, packet)]
        self.world.note(packet, "tcp.reset")
        burst = self.strike(packet)
        return burst if self.form.swallow else [(0, outbound, packet), *burst]

    def strike(self, trigger: Packet) -> list[Onward]:
        """Make the burst to one or both ends."""
        made: list[Onward] = []
        rng, form = self.world.rng, self.form
        burst = int(rng.integers(0, 2**15))
        end = (trigger.seq + len(trigger.payload)) % 2**32
        flags = (RST, *form.flags) if form.bare_first else form.flags
        for order, flag in enumerate(flags):
            when = int(form.delay + order * form.gap)
            step = order * form.step
            plain = Form(id_rule="random", window_rule="random", ttl=form.ttl, ttl_rule=form.ttl_rule)
            look = plain if form.bare_first and order == 0 else form
            if form.to_client:
                genuine = self.genuine.get((trigger.destination, trigger.sport), 0)
                fields = look.dress(trigger, genuine, order, rng, burst)
                ack = end if flag & ACK else 0
                forged = trigger.reply(
                    seq=(trigger.ack + step) % 2**32, ack=ack, flags=flag, payload=form.payload, tos=0,
                    forged="tcp.reset", **fields,
                )  # fmt: skip
                made.append((when, False, forged))
            if form.to_server:
                fields = look.dress(trigger, trigger.ttl, order, rng, burst + 1)
                seq = trigger.seq if form.start else end
                forged = attrs.evolve(
                    trigger, seq=(seq + step) % 2**32, ack=trigger.ack if flag & ACK else 0, flags=flag, options=b"",
                    payload=b"", tos=0, forged="tcp.reset", **fields,
                )  # fmt: skip
                made.append((when, True, forged))
        return made
