"""What clients and servers say on connections that forgers listen to: web searches, SSH, mail, BitTorrent, DNS."""

import attrs
import numpy as np

from netinterf.simulate.hosts.app import Turn
from netinterf.simulate.messages.dns import Record, dns_message, framed
from netinterf.simulate.messages.hellos import SHAPES, hello_message
from netinterf.simulate.messages.http import http_request
from netinterf.simulate.messages.ssh import ssh_exchange
from netinterf.simulate.messages.tls import tls_record
from netinterf.simulate.network.path import MILLISECOND
from netinterf.simulate.talks import web_script

__all__ = ["ESNI", "again", "ask_over_tcp", "hello_with", "in_two", "mail", "search", "shell", "swarm"]

ESNI = b"\xff\xce\x01\x6e"
"""Number and usual length of the extension of encrypted server names (draft-ietf-tls-esni-02)."""


def search(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Ask a web server for a page whose address holds the listed words."""
    target = f"/find?q={name}" if listed else f"/find?q={rng.integers(10**6)}"
    return [Turn(True, http_request(name, target)), *web_script(rng, name, 80)[1:]]


def again(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Ask a web server two to four times on one connection; only the last question holds listed words."""
    script: list[Turn] = []
    for _ in range(int(rng.integers(1, 4))):
        request, response = web_script(rng, "www.example.org", 80)
        script += [attrs.evolve(request, delay=float(rng.exponential(300 * MILLISECOND))), response]
    request, response = web_script(rng, name if listed else "www.example.org", 80)
    return [*script, attrs.evolve(request, delay=float(rng.exponential(300 * MILLISECOND))), response]


def in_two(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Say hello in two packets: some boxes want to see two with data."""
    hello, *rest = web_script(rng, name, 443)
    cut = int(rng.integers(1, 40)) if listed else int(rng.integers(100, 300))
    return [Turn(True, hello.payload[:cut], hello.delay), Turn(True, hello.payload[cut:], 3 * MILLISECOND), *rest]


def hello_with(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Say hello with an encrypted server name when listed, otherwise as browsers do."""
    script = web_script(rng, name, 443)
    if not listed:
        return script
    key, digest = b"\x13\x01\x00\x1d\x00\x20" + rng.bytes(32), b"\x00\x20" + rng.bytes(32)
    extra = ((int.from_bytes(ESNI[:2], "big"), key + digest + b"\x01\x24" + rng.bytes(292)),)
    message = hello_message("", rng, SHAPES["firefox"], extra=extra)
    return [Turn(True, tls_record(22, message, 0x0301), script[0].delay), *script[1:]]


def shell(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Open an SSH session (RFC 4253 §4.2, §7.1) when listed, otherwise a TLS one."""
    if not listed:
        return web_script(rng, name, 443)
    script = [
        Turn(outbound, payload, float(rng.exponential(2 * MILLISECOND))) for outbound, payload in ssh_exchange(rng)
    ]
    later = range(int(rng.integers(5, 16)))  # what follows is encrypted
    return script + [Turn(turn % 2 == 0, rng.bytes(int(rng.integers(36, 700))), 2.0 * MILLISECOND) for turn in later]


def mail(rng: np.random.Generator, name: str, _: bool) -> list[Turn]:
    """Hand over a letter (RFC 5321 §3.3); its sender lives at *name*."""
    think = float(rng.exponential(8 * MILLISECOND))
    user = f"user{rng.integers(1, 999)}"
    dialogue = (
        (False, f"220 mx{rng.integers(1, 9)}.example ESMTP"),
        (True, "EHLO client.example"),
        (False, "250-mx.example\r\n250 SIZE 35882577"),
        (True, f"MAIL FROM:<{user}@{name}>"),
        (False, "250 2.1.0 Ok"),
        (True, f"RCPT TO:<friend{rng.integers(1, 99)}@example.org>"),
        (False, "250 2.1.5 Ok"),
        (True, "DATA"),
        (False, "354 End data with <CR><LF>.<CR><LF>"),
        (True, "Subject: hello\r\n\r\n" + "text " * int(rng.integers(20, 400)) + "\r\n."),
        (False, "250 2.0.0 Ok"),
        (True, "QUIT"),
        (False, "221 2.0.0 Bye"),
    )
    return [Turn(outbound, line.encode() + b"\r\n", 0.0 if outbound else think) for outbound, line in dialogue]


def swarm(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Shake hands as BitTorrent peers (BEP 3) and send pieces when listed, otherwise browse."""
    if not listed:
        return web_script(rng, name, 443)
    greeting = b"\x13BitTorrent protocol" + bytes(8)
    pieces = [
        Turn(bool(turn % 2), b"\x00\x00\x40\x09\x07" + rng.bytes(64) * int(rng.integers(20, 120)), 4e7)
        for turn in range(int(rng.integers(2, 6)))
    ]
    return [Turn(True, greeting + rng.bytes(40)), Turn(False, greeting + rng.bytes(40), 3e6), *pieces]


def ask_over_tcp(rng: np.random.Generator, name: str, _: bool) -> list[Turn]:
    """Look a name up over TCP (RFC 7766); the answer holds up to six addresses."""
    identifier = int(rng.integers(2**16))
    records = tuple(Record(name, 1, int(rng.integers(20, 3600)), (rng.bytes(4),)) for _ in range(rng.integers(1, 7)))
    answer = dns_message(identifier, 0x8180, name, 1, records)
    query = framed(dns_message(identifier, 0x0100, name, 1))
    return [Turn(True, query), Turn(False, framed(answer), float(rng.exponential(9 * MILLISECOND)))]
