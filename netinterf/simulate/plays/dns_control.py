"""What a control would be answered about the names of a capture, measured where nobody interferes."""

import zlib
from ipaddress import IPv4Address, IPv6Address, ip_network

import numpy as np

from netinterf.simulate.hosts.dns_zone import Entry, Zone
from netinterf.simulate.network.packet import Address
from netinterf.simulate.scene import Scene, draw_global, draw_global_six

__all__ = ["note_answers"]

MOVED, ELSEWHERE = 0.5, 0.0155
"""Share of the names in delivery networks, and of all others, that lead a control to other addresses: an assumption,
and what comparisons with controls are wrong about (Tsai et al., CERTainty, PoPETs 2023; see ``dns.unlike_known``)."""

FIRST_OPERATOR = 4_200_000_000
"""Numbers for private use (RFC 6996): whoever has the addresses of a name."""


def note_answers(scene: Scene, zone: Zone) -> None:
    """Note for the labels what a control is answered, and whose the addresses are.

    A delivery network is one operator wherever it leads; other names that lead elsewhere lead to somebody else. Dead
    and private names have nothing to be known. What is drawn here is drawn apart: a capture is the same without it.
    """
    rng = np.random.default_rng([scene.seed, zlib.crc32(b"control")])
    networks = {prefix: (asn, country) for prefix, asn, country in scene.networks}
    for number, (name, entry) in enumerate(zone.items()):
        places = () if entry.rcode or entry.lame else entry.addresses
        control_answers = control(rng, entry, places)
        own = FIRST_OPERATOR + number
        delivered = bool(entry.aliases) or entry.per_answer
        for place in (*places, *(control_answers if delivered else ())):
            address = written(place)
            networks.setdefault(str(ip_network((address, 24 if address.version == 4 else 48), strict=False)), (own, ""))
        for address in map(written, control_answers):
            if address.is_global:
                scene.answers[name, str(address)] = None
    scene.networks = tuple((prefix, asn, country) for prefix, (asn, country) in networks.items())


def control(rng: np.random.Generator, entry: Entry, places: tuple[Address, ...]) -> tuple[Address, ...]:
    """Draw what a control is answered about a name with these addresses."""
    moved = rng.random() < (MOVED if entry.aliases or entry.per_answer else ELSEWHERE)
    if not moved or not places:
        return places
    six = any(high for high, _ in places)
    return (*draw_global(rng, 1), *(draw_global_six(rng, 1) if six else ()))


def written(place: Address) -> IPv4Address | IPv6Address:
    """Give an address as the standard library has it."""
    whole = IPv6Address(place[0] << 64 | place[1])
    return whole.ipv4_mapped or whole
