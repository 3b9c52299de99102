"""What is said on connections that are not the web: SSH, OpenVPN, proxies full of noise, mail, echoes."""

from struct import pack

import numpy as np

from netinterf.simulate.hosts.app import Turn
from netinterf.simulate.messages.hellos import vector
from netinterf.simulate.messages.http import http_request
from netinterf.simulate.messages.ssh import ssh_exchange
from netinterf.simulate.messages.tls import application_data
from netinterf.simulate.network.path import MILLISECOND, SECOND

__all__ = ["dns_script", "echo_script", "noise_script", "openvpn_script", "smtp_script", "ssh_script", "unknown_script"]


def pause(rng: np.random.Generator) -> float:
    """Draw how long a program thinks, in ns."""
    return float(rng.exponential(4 * MILLISECOND))


def ssh_script(rng: np.random.Generator, *, seconds: float = 6.0) -> list[Turn]:
    """Write an SSH session (RFC 4253 §4.2): banners, key exchange, then keystrokes and their echo.

    Args:
        rng: Source of chance.
        seconds: About how long somebody types.
    """
    turns = [Turn(outbound, payload, pause(rng)) for outbound, payload in ssh_exchange(rng)]
    left = seconds
    while left > 0:
        gap = float(rng.exponential(3.0))
        left -= gap
        turns += [
            Turn(True, rng.bytes(36), gap * SECOND),
            Turn(False, rng.bytes(int(rng.integers(36, 600))), pause(rng)),
        ]
    return turns


def smtp_script(rng: np.random.Generator, name: str) -> list[Turn]:
    """Write a submission dialogue (RFC 5321) up to STARTTLS."""
    return [
        Turn(True, f"EHLO {name}\r\n".encode()),
        Turn(False, f"220 {name} ESMTP\r\n250-{name}\r\n250 STARTTLS\r\n".encode(), pause(rng)),
        Turn(True, b"STARTTLS\r\n"),
        Turn(False, b"220 ready\r\n", pause(rng)),
    ]


def openvpn_script(rng: np.random.Generator) -> list[Turn]:
    """Write OpenVPN over TCP: lengths before packets, resets of both ends, TLS in control packets, then data."""
    session, peer = rng.bytes(8), rng.bytes(8)
    first = b"\x38" + session + (rng.bytes(20) + pack("!II", 1, 0x60000000) if rng.random() < 0.5 else b"") + bytes(5)
    answer = b"\x40" + peer + first[9:-5] + b"\x01" + bytes(4) + session + bytes(4)
    turns = [Turn(True, vector(first)), Turn(False, vector(answer), pause(rng))]
    proof = first[9:-5]
    for number in range(1, 3):
        for outbound, side in ((True, session), (False, peer)):
            inside = application_data(rng, int(rng.integers(150, 1000)))
            control = b"\x20" + side + proof + b"\x00" + number.to_bytes(4, "big") + inside
            turns.append(Turn(outbound, vector(control), pause(rng)))
    for size in rng.integers(80, 900, 4):
        turns += [Turn(True, vector(b"\x30" + rng.bytes(int(size))), pause(rng)),
                  Turn(False, vector(b"\x30" + rng.bytes(int(rng.integers(80, 1300)))), pause(rng))]  # fmt: skip
    return turns


def noise_script(rng: np.random.Generator) -> list[Turn]:
    """Write a fully encrypted proxy: noise from the first byte on."""
    turns = [
        Turn(True, rng.bytes(int(rng.integers(90, 700)))),
        Turn(False, rng.bytes(int(rng.integers(80, 2500))), pause(rng)),
    ]
    for _ in range(int(rng.integers(1, 6))):
        turns += [Turn(True, rng.bytes(int(rng.integers(60, 900))), float(rng.exponential(0.5 * SECOND))),
                  Turn(False, rng.bytes(int(rng.integers(60, 6000))), pause(rng))]  # fmt: skip
    return turns


def unknown_script(rng: np.random.Generator) -> list[Turn]:
    """Write a protocol that no filter knows: a made-up binary one, SSH, OpenVPN, or noise."""
    kind = int(rng.integers(4))
    if kind == 0:
        turns = []
        for _ in range(int(rng.integers(4, 9))):
            body = bytes(rng.integers(0, 8, int(rng.integers(20, 300))).astype(np.uint8))
            turns += [
                Turn(True, b"MSG1" + pack("!I", len(body)) + body, pause(rng)),
                Turn(False, b"OK" + rng.bytes(60), pause(rng)),
            ]
        return turns
    return [ssh_script, openvpn_script, noise_script][kind - 1](rng)


def dns_script(rng: np.random.Generator, query: bytes, answer: bytes) -> list[Turn]:
    """Write one DNS question over TCP (RFC 7766 §8)."""
    return [Turn(True, pack("!H", len(query)) + query), Turn(False, pack("!H", len(answer)) + answer, pause(rng))]


def echo_script(rng: np.random.Generator, name: str, _listed: bool) -> list[Turn]:
    """Send a request to an echo service (RFC 862), which sends it back."""
    request = http_request(name)
    return [Turn(True, request), Turn(False, request, pause(rng)), Turn(True, request, float(rng.exponential(SECOND))),
            Turn(False, request, pause(rng))]  # fmt: skip
