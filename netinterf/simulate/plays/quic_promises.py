"""What leads a browser to QUIC: the HTTPS record of a name says that its server speaks HTTP/3 (RFC 9460 §7.1).

Browsers try QUIC where a record or an earlier answer promises it (RFC 9114 §3.1; Huston, Triggering QUIC, 2025); probes
try it anywhere. Of a promise made in an earlier connection nothing is seen.
"""

from collections.abc import Mapping

import attrs

from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.messages.dns import HTTPS, A
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.dns_lookups import Stub, Way, draw_habits
from netinterf.simulate.plays.dns_setup import add_resolver, draw_entry
from netinterf.simulate.scene import Scene

__all__ = ["BROKEN", "KEPT", "ask_ahead"]

ASKED = 0.5
"""Share of captures that show the lookups; others have them cached, encrypted, or hold a probe, which needs none."""

KEPT = 0.6
"""Share of names with QUIC that say so in DNS: no figure is published for names that browsers meet, so about half."""

BROKEN = 0.1
"""Share of names whose record promises what their server does not do: set high, for want of a published figure, since
so the fit trusts a promise less."""


def ask_ahead(scene: Scene, places: Mapping[str, Address], share: float) -> float:
    """Let the client look names up before it visits them, in some captures.

    Args:
        scene: Where it happens.
        places: Address of each name.
        share: Share of names whose record promises HTTP/3.

    Returns:
        When the visits may begin, ns from now.
    """
    rng = scene.rng
    if rng.random() >= ASKED:
        return 0.0
    zone = {
        name: draw_entry(scene, addresses=(place,), aliases=(), https=bool(rng.random() < share))
        for name, place in places.items()
    }
    resolver = add_resolver(scene, zone)
    path = scene.lay_path([], rtt=float(rng.uniform(2, 40)) * MILLISECOND)
    habits = attrs.evolve(draw_habits(rng), stream=False)
    stub = Stub(scene=scene, habits=habits, stack=draw_client(rng), client=scene.client, ways=[Way(path, resolver)])
    for name in places:
        stub.look_up(name, float(rng.uniform(0, 0.1)) * SECOND, kinds=(A, HTTPS))
    return 0.3 * SECOND
