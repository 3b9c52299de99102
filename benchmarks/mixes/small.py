"""Mixes of packets without much in them: floods, scans, short visits, lookups and what answers them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.capture import EPOCH, pcap_records
from benchmarks.lookups import write_lookups
from netinterf.arrays import I64, U64
from netinterf.simulate.encode import UDP, Segments, encode
from netinterf.table import Ragged

__all__ = ["SMALL"]

SYN, RST, ACK, FIN = 2, 4, 16, 1
MAPPED = 0xFFFF << 32
CLIENT, SERVER = 0x0A000002, 0xC6120001  # RFC 1918, RFC 2544
BLOCK = 50_000
GAP = 20_000  # ns between packets of a flood
RTT = 30_000_000  # ns

VISIT = (
    (True, SYN, 0, 0),
    (False, SYN | ACK, 0, 1),
    (True, ACK, 1, 1),
    (True, FIN | ACK, 1, 1),
    (False, FIN | ACK, 1, 2),
)
"""A connection that says nothing: direction, flags, sequence number and acknowledgement behind the first one."""


def addresses(first: int, numbers: I64) -> U64:
    """Give IPv4 addresses, mapped, counted from one."""
    return (MAPPED + first + numbers).astype(np.uint64)


def put(path: Path, segments: Segments) -> None:
    """Write packets in the order of their times."""
    order = np.argsort(segments.time, kind="stable")
    with path.open("wb") as out:
        out.write(np.array([0xA1B23C4D, 2 | 4 << 16, 0, 0, 262_144, 1], "<u4").tobytes())
        for first in range(0, len(order), BLOCK):
            some = segments.take(order[first : first + BLOCK])
            out.write(pcap_records(encode(some), some.time, 262_144))


def visits(path: Path, packets: int, *, clients: int, servers: int) -> None:
    """Write connections that open and close, of so many clients at so many servers."""
    count = packets // len(VISIT)
    number = np.repeat(np.arange(count), len(VISIT))
    slot = np.tile(np.arange(len(VISIT)), count)
    out, flags, seq, ack = (np.array(column)[slot] for column in zip(*VISIT, strict=True))
    client, server = addresses(CLIENT, number % clients), addresses(SERVER, number % servers)
    turn = number // max(clients, servers)
    port = (1024 + turn % 60_000).astype(np.uint16)
    far = (443 + turn // 60_000).astype(np.uint16)
    isn = (number * 2_654_435_761).astype(np.uint32)  # (Knuth's multiplicative hash, TAOCP 3 §6.4)
    put(
        path,
        Segments(
            time=EPOCH + number * GAP * len(VISIT) + slot * RTT,
            source_low=np.where(out, client, server), destination_low=np.where(out, server, client),
            sport=np.where(out, port, far), dport=np.where(out, far, port),
            ttl=np.where(out, 64, 55).astype(np.uint8), ip_id=(number & 0xFFFF).astype(np.uint16),
            seq=isn + seq.astype(np.uint32), ack=np.where(ack > 0, isn + ack.astype(np.uint32), 0).astype(np.uint32),
            flags=flags.astype(np.uint16), window=np.full(len(slot), 64_240, np.uint16),
            options=Ragged.empty(len(slot), "u1"), payload=Ragged.empty(len(slot), "u1"),
        ),
    )  # fmt: skip


def opened(path: Path, packets: int, *, answered: bool, spread: bool) -> None:
    """Write connections that are asked for and not answered, or refused: a flood of sources, or a scan of ports."""
    each = 2 if answered else 1
    number = np.repeat(np.arange(packets // each), each)
    slot = np.tile(np.arange(each), packets // each)
    out = slot == 0
    client = addresses(CLIENT, number if spread else number * 0)
    server = addresses(SERVER, number * 0 if spread else number // 60_000)
    near = (1024 + number // 60_000 if not spread else 1024 + number % 60_000).astype(np.uint16)
    far = (np.full(len(number), 80) if spread else 1 + number % 60_000).astype(np.uint16)
    isn = (number * 2_654_435_761).astype(np.uint32)
    put(
        path,
        Segments(
            time=EPOCH + number * GAP * each + slot * RTT,
            source_low=np.where(out, client, server), destination_low=np.where(out, server, client),
            sport=np.where(out, near, far), dport=np.where(out, far, near),
            ttl=np.where(out, 64, 55).astype(np.uint8),
            seq=np.where(out, isn, 0).astype(np.uint32), ack=np.where(out, 0, isn + np.uint32(1)).astype(np.uint32),
            flags=np.where(out, SYN, RST | ACK).astype(np.uint16),
            window=np.where(out, 64_240, 0).astype(np.uint16),
            options=Ragged.empty(len(slot), "u1"), payload=Ragged.empty(len(slot), "u1"),
        ),
    )  # fmt: skip


def asked(path: Path, packets: int, *, replies: int, names: int, resolvers: int) -> None:
    """Write DNS queries, each with so many replies (with other answers), of so many names at so many resolvers."""
    each = 1 + replies
    number = np.repeat(np.arange(packets // each), each)
    slot = np.tile(np.arange(each), packets // each)
    out = slot == 0
    client, server = addresses(CLIENT, number % 50), addresses(SERVER, number % resolvers)
    port = (1024 + number // 50 % 60_000).astype(np.uint16)
    messages = [message(one % names, place, one) for one, place in zip(number.tolist(), slot.tolist(), strict=True)]
    put(
        path,
        Segments(
            time=EPOCH + number * GAP * each + np.where(out, 0, RTT) + slot * 50_000,
            protocol=np.full(len(slot), UDP, np.uint8),
            source_low=np.where(out, client, server), destination_low=np.where(out, server, client),
            sport=np.where(out, port, 53).astype(np.uint16), dport=np.where(out, 53, port).astype(np.uint16),
            ttl=np.where(out, 64, 55).astype(np.uint8),
            options=Ragged.empty(len(slot), "u1"),
            payload=Ragged.of([np.frombuffer(one, np.uint8) for one in messages], "u1"),
        ),
    )  # fmt: skip


def message(name: int, reply: int, number: int) -> bytes:
    """Write a query for an address, or its n-th reply with one address of a network that stands for nobody."""
    label = b"w%05d" % name
    question = bytes([len(label)]) + label + b"\7example\3com\0" + b"\0\1\0\1"
    head = (number * 40_503 & 0xFFFF).to_bytes(2, "big")
    if not reply:
        return head + b"\1\0\0\1\0\0\0\0\0\0" + question
    address = bytes([93, 184, number % 200, reply % 250])
    return head + b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + address


def whole(write: Callable[[Path, int], object]) -> Callable[[Path, int, int], object]:
    """Give what writes a mix of so many packets so many times as large."""
    return lambda path, packets, times: write(path, packets * times)


SMALL: dict[str, Callable[[Path, int, int], object]] = {
    "100,000 visits, one server": whole(lambda path, packets: visits(path, packets, clients=packets, servers=1)),
    "100,000 visits, one client": whole(lambda path, packets: visits(path, packets, clients=1, servers=5)),
    "SYN flood": whole(partial(opened, answered=False, spread=True)),
    "SYNs lost": whole(partial(opened, answered=False, spread=False)),
    "port scan": whole(partial(opened, answered=True, spread=False)),
    "DNS, many names": whole(lambda path, packets: write_lookups(path, lookups=packets // 2)),
    "DNS, one name": whole(partial(asked, replies=1, names=1, resolvers=2)),
    "DNS, unanswered": whole(partial(asked, replies=0, names=5000, resolvers=2)),
    "DNS, 250 replies": whole(partial(asked, replies=250, names=50, resolvers=2)),
    "resolver scan": whole(lambda path, packets: asked(path, packets, replies=1, names=1, resolvers=packets)),
}
