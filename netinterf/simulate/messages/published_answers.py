"""Forged DNS answers as they were published, and address blocks that forgers like to draw from.

Each scenario mixes published addresses with fresh ones of the same kind, since such lists age (Hoang et al., "How Great
is the Great Firewall?", USENIX Security 2021: the pools change over the years).
"""

import numpy as np

from netinterf.simulate.network.packet import Address, address

__all__ = ["BLOCK_PAGES", "CYCLE", "INJECTOR_1", "NINE", "draw_meta_six", "draw_pool", "draw_teredo"]

NINE = (
    "8.7.198.45", "37.61.54.158", "46.82.174.68", "59.24.3.173", "78.16.49.15", "93.46.8.89", "159.106.121.75",
    "203.98.7.65", "243.185.187.39",
)  # fmt: skip
"""The GFW's answers of about 2011 to 2017 (ooni/blocking-fingerprints, cn_0 to cn_9)."""

INJECTOR_1 = ("8.7.198.46", "59.24.3.174", "46.82.174.69", "93.46.8.90")
"""The four answers of injector 1 (Anonymous, Triplet Censors, FOCI 2020, and reports up to 2026)."""

CYCLE = (
    "208.77.47.172", "199.59.148.20", "31.13.96.195", "199.96.61.1", "157.240.0.35", "96.44.137.28", "199.59.150.39",
    "174.37.243.85", "157.240.17.14", "75.126.164.178", "23.225.141.210", "31.13.94.37", "31.13.91.33",
    "104.244.46.165",
    "162.125.82.7", "59.24.3.173", "159.106.121.75",
)  # fmt: skip
"""Some of the 592 answers of injector 3 (Fan et al., Wallbleed, NDSS 2025, appendix A and text)."""

OWNERS = ("31.13.64.0/18", "157.240.0.0/16", "69.171.224.0/19", "173.252.64.0/18", "104.244.40.0/21", "199.59.148.0/22",
          "108.160.160.0/20", "162.125.0.0/16", "128.242.240.0/20", "174.36.0.0/15", "199.16.156.0/22")  # fmt: skip
"""Blocks of the owners of most forged answers: Meta, Twitter, Dropbox, NTT, SoftLayer (Hoang et al., 2021)."""

BLOCK_PAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ru.isp-stub": (("95.167.13.50", "95.167.13.51", "193.58.251.1", "217.148.54.171", "185.37.129.10"), ()),
    "tr.isp-stub": (("195.175.254.2",), ()),
    "in.isp-stub": (
        ("10.40.124.12", "10.197.186.13", "10.197.187.13", "172.16.16.250", "49.44.79.236", "202.83.21.14",
         "103.59.214.106", "106.51.113.17"),
        (),
    ),
    "id.trustpositif": (
        ("36.86.63.185", "114.121.254.4", "116.206.10.31", "202.169.44.80", "75.2.41.216", "99.83.188.13"),
        ("trustpositif.kominfo.go.id", "internet-positif.org", "mypage.blocked.bltsel", "blockpage.xl.co.id",
         "internetsehataman.cbn.net.id", "netsafe.indosatm2.com", ""),
    ),
    "pk.nayatel": (("203.82.48.83", "203.82.48.86"), ()),
    "by.mts": (("134.17.0.7",), ()),
    "it.adm-agcom": (("217.175.53.72", "83.224.65.74", "34.110.214.49"), ()),
    "de.cuii": (("167.233.14.14",), ("notice.cuii.info", "")),
    "cz.gambling": (("78.128.216.33", "80.250.8.1"), ()),
    "gb.isp": (("90.255.255.14",), ()),
    "pl.gambling": (("145.237.235.240", "195.187.6.33", "78.133.250.166", "195.116.107.98"), ()),
    "au.isp": (("101.167.164.53", "101.167.166.53", "202.136.99.184"), ()),
    "sg.isp": (("202.156.3.53", "202.166.118.162", "103.7.201.57", "52.223.25.91"), ()),
    "ca.isp": (("67.43.226.22", "173.209.39.114", "64.59.135.158", "206.248.146.244"), ()),
    "th.gambling": (("125.26.170.3",), ()),
    "mm.isp": (("59.153.90.11", "167.172.4.60", "103.105.174.6", "172.31.31.2"), ()),
    "kh.isp": (("36.37.242.94", "10.10.10.1"), ()),
    "vn.isp": (("125.212.224.108", "103.192.236.94"), ()),
    "ph.isp": (("121.1.49.100",), ()),
    "my.isp": (("175.139.142.25",), ()),
    "mn.isp": (("218.100.84.78",), ()),
}  # fmt: skip
"""Answers of resolvers that lie, and names that their CNAMEs point at (the reference's list: OONI, Citizen Lab)."""


def draw_pool(
    rng: np.random.Generator, published: tuple[str, ...], size: int, share: float = 0.5, blocks: tuple[str,
                                                                                                       ...] = OWNERS
) -> tuple[Address, ...]:  # fmt: skip
    """Draw distinct forged answers.

    Args:
        rng: Source of chance.
        published: Known ones.
        size: How many at most.
        share: Of published ones among them.
        blocks: Where the others lie: blocks of the usual owners.
    """
    known = [str(place) for place in rng.permutation(list(published))[: round(size * share)]]
    fresh = list[Address]()
    for block in rng.choice(blocks, size - len(known)):
        net, _, length = str(block).partition("/")
        fresh.append((0, address(net)[1] + int(rng.integers(1, 2 ** (32 - int(length)) - 1))))
    return tuple(dict.fromkeys([*map(address, known), *fresh]))


def draw_teredo(rng: np.random.Generator, size: int) -> tuple[Address, ...]:
    """Draw AAAA answers within 2001::/32, all that the GFW gave in 2020 (Hoang et al., 2021)."""
    return tuple(address(f"2001::{rng.integers(1, 65536):x}:{rng.integers(1, 65536):x}") for _ in range(size))


def draw_meta_six(rng: np.random.Generator, size: int) -> tuple[Address, ...]:
    """Draw AAAA answers as injector 3 gives since 2021: 2a03:2880::/32 with ``face:b00c`` (Fan et al., 2025)."""
    return tuple(
        address(f"2a03:2880:f1{rng.integers(256):02x}:{rng.integers(1, 256):x}:face:b00c:0:25de") for _ in range(size)
    )
