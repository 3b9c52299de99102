"""Random talks between a client and name servers, of few names, servers and answers, so that they often meet."""

from netinterf.trace import read
from tests.oracles.dns_frames import CNAME, MILLISECOND, RAW_IP, Talk, address_record, name_bytes, record

RECORDS = [
    *(address_record(text) for text in ("8.7.198.46", "23.1.2.3", "23.1.2.4", "23.9.2.3", "10.1.1.1", "127.0.0.1")),
    *(record(CNAME, name_bytes(name)) for name in ("a.example.net", "b.example.net")),
    record(16, b"\x03abc"),
    record(15, b"\x00\x05" + name_bytes("mail.example.net")),
    address_record("2001::1"),
]


def drawn_talk(rng):
    """Play lookups of few names at few servers, with replies of few kinds; some stay unanswered."""
    talk = Talk()
    for _ in range(rng.integers(1, 12)):
        name = str(rng.choice(["www.example.com", "a.example.com", "www.example.net", "www.example.org"]))
        talk.server = str(rng.choice(["8.8.8.8", "9.9.9.9", "1.1.1.1", "192.168.0.1"]))
        for again in range(rng.integers(1, 4)):
            talk.ask(name, new=not again, after=again * int(rng.choice([0, 20])) * MILLISECOND)
        for _ in range(rng.choice([0, 1, 1, 2, 3, 19])):
            picked = [RECORDS[place] for place in rng.integers(0, len(RECORDS), rng.choice([0, 1, 1, 2]))]
            flags = 0x8000 + int(rng.choice([0x180, 0x580, 0x183, 0x182, 0x380]))
            after = int(rng.integers(1, 40_000)) * 10_000
            talk.reply(name, *picked, flags=flags, after=after, ttl=int(rng.choice([50, 52, 56, 64])))
    times, frames, _ = talk.capture()
    return read(times=times, frames=frames, link_type=RAW_IP)
