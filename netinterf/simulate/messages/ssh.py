"""The part of SSH that can be read: banners and the key exchange (RFC 4253 §4.2, §7.1; RFC 8731)."""

from struct import pack

import numpy as np

__all__ = ["ssh_banner", "ssh_exchange"]

BANNERS = ("OpenSSH_9.7", "OpenSSH_9.6", "OpenSSH_8.9p1 Ubuntu-3", "dropbear_2022.83", "libssh_0.10.6")
METHODS = ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256")
KEYS = ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256")
CIPHERS = ("chacha20-poly1305@openssh.com", "aes128-ctr", "aes256-gcm@openssh.com")
CODES = ("umac-64-etm@openssh.com", "hmac-sha2-256")
KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31


def ssh_banner(rng: np.random.Generator) -> bytes:
    """Write an identification line."""
    return f"SSH-2.0-{BANNERS[int(rng.integers(len(BANNERS)))]}\r\n".encode()


def string(body: bytes) -> bytes:
    """Write a string with its length (RFC 4251 §5)."""
    return pack("!I", len(body)) + body


def packet(kind: int, body: bytes, rng: np.random.Generator) -> bytes:
    """Wrap a message into an unencrypted packet: a multiple of eight bytes with at least four of padding."""
    padding = 4 + (-(10 + len(body))) % 8
    return pack("!IBB", 2 + len(body) + padding, padding, kind) + body + rng.bytes(padding)


def proposal(rng: np.random.Generator) -> bytes:
    """Write a KEXINIT with some of the usual algorithms in their usual order."""
    lists = [METHODS, KEYS, CIPHERS, CIPHERS, CODES, CODES, ("none",), ("none",), (), ()]
    kept = [words[: max(1, len(words) - int(rng.integers(2)))] for words in lists]
    names = b"".join(string(",".join(words).encode()) for words in kept)
    return packet(KEXINIT, rng.bytes(16) + names + bytes(5), rng)


def ssh_exchange(rng: np.random.Generator) -> list[tuple[bool, bytes]]:
    """Write what is said until keys are agreed on; True stands for the client."""
    host_key = string(b"ssh-ed25519") + string(rng.bytes(32))
    signature = string(b"ssh-ed25519") + string(rng.bytes(64))
    return [
        (True, ssh_banner(rng)),
        (False, ssh_banner(rng)),
        (True, proposal(rng)),
        (False, proposal(rng)),
        (True, packet(ECDH_INIT, string(rng.bytes(32)), rng)),
        (False, packet(ECDH_REPLY, string(host_key) + string(rng.bytes(32)) + string(signature), rng)
                + packet(NEWKEYS, b"", rng)),
        (True, packet(NEWKEYS, b"", rng)),
    ]  # fmt: skip
