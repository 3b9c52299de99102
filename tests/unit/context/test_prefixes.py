"""Longest-prefix lookup against a walk over all prefixes."""

import ipaddress

import numpy as np
import pytest

from netinterf.context.prefixes import PrefixIndex
from netinterf.context.special import prefix_halves

SIX = ["::/0", "::ffff:0:0/96", "2001:db8::/32", "2001:db8:7::/48", "2001:db8::1/128", "::/8", "fe80::/10"]


def halves(addresses: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Write addresses as the tables hold them."""
    pairs = [prefix_halves(address)[:2] for address in addresses]
    return np.array([high for high, _ in pairs], np.uint64), np.array([low for _, low in pairs], np.uint64)


def whole(prefix: str) -> ipaddress.IPv6Network:
    """Write any prefix as an IPv6 one, IPv4 as mapped."""
    network = ipaddress.ip_network(prefix)
    if network.version == 6:
        return network
    return ipaddress.IPv6Network((0xFFFF << 32 | int(network.network_address), network.prefixlen + 96))


@pytest.mark.parametrize("more", [[], SIX[1:], SIX], ids=["IPv4", "both", "everything"])
@pytest.mark.parametrize("shortest", [1, 9, 20])
def test_agrees_with_a_walk(more: list[str], shortest: int):
    """The index finds the longest of all prefixes that hold an address, whatever their lengths."""
    rng = np.random.default_rng(shortest)
    drawn = zip(*rng.integers([0, 0, 0, shortest], [24, 4, 256, 33], (60, 4)).T.tolist(), strict=True)
    prefixes = [*(str(ipaddress.ip_network(f"{a}.{b}.{c}.0/{n}", strict=False)) for a, b, c, n in drawn), *more]
    asked = [f"{a}.{b}.{c}.1" for a, b, c in (rng.integers(0, 256, (300, 3)) % [24, 5, 256]).tolist()]
    asked += ["2001:db8::1", "2001:db8:7::9", "fe80::1", "::1", "2600::"]
    found = PrefixIndex.of(prefixes).find(*halves(asked))
    networks = [whole(prefix) for prefix in prefixes]
    for text, row in zip(asked, found.tolist(), strict=True):
        address = whole(text).network_address
        best = max((network.prefixlen for network in networks if address in network), default=-1)
        assert best == (networks[row].prefixlen if row >= 0 else -1), text
    assert (found >= 0).any()
