"""Captures with something to hide: names, addresses and payload in every protocol that is read."""

import io

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap

KEY = bytes(range(32))

PLAYS = {
    "dns.injection.gfw-triplet": 4,
    "dns.forged.iran": 6,
    "benign.dns.dns64": 6,
    "tcp.reset.cn-gfw-ii": 6,
    "http.blockpage.ru-isp-stub": 4,
    "http.blockpage.ru-ecofilter": 4,
    "tls.interception.kazakhstan": 4,
    "quic.drop.gfw": 4,
    "benign.tcp.refused-by-icmp": 4,
    "benign.tcp.packet-too-big": 6,
    "benign.tcp.tunnel": 4,
    "benign.dns.private-names": 4,
    "tcp.connect.reset.cn-port-443-2025": 4,
}
"""Scenarios and the address family they are played in."""


def played(name, seed=3, **fixed):
    """Play a scenario and give it as the bytes of a pcap file."""
    one = simulate.run(name, seed, simulate.Conditions.clean(**fixed))
    file = io.BytesIO()
    write_pcap(file, one.times, one.frames, one.link_type)
    return file.getvalue()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Write the plays to files whose names hold an address."""
    place = tmp_path_factory.mktemp("visits-of-alexandra")
    for number, (name, ip) in enumerate(PLAYS.items()):
        (place / f"{name}-from-198.18.7.{number}.pcap").write_bytes(played(name, ip=ip))
    return place


@pytest.fixture(scope="session")
def result(folder):
    """Scan the plays."""
    return netinterf.scan(str(folder))


@pytest.fixture(scope="session")
def traces(result):
    """Read the plays, in the order of the result."""
    return [netinterf.read(one.source) for one in result.judged]


@pytest.fixture(scope="session")
def redacted(result):
    """Give the result without addresses and names."""
    return result.redacted(KEY)
