"""What is taken out of results and captures, under which key: one value that says what stands in place of what.

Names become names below ``invalid``, which exist nowhere (RFC 6761 §6.4): the same name the same, and names of one
registrable domain stay names of one domain, so that groups, comparisons and sentences say what they said before. Twelve
digits (40 bits) are drawn for a domain and for a name below it: among 10,000 names, two share theirs once in 20,000
captures (birthday bound). Digits, because letters would make words, and words in common are looked for in names
(`netinterf.stats.names`).
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network
from typing import Self

import attrs
import numpy as np

from netinterf.analyzers.run import FAILED, failed_analyzer
from netinterf.arrays import U64
from netinterf.capture.joined import LEFT_OUT
from netinterf.context.domains import registrable_domains
from netinterf.errors import CaptureError, ParameterError
from netinterf.numbering import numbered_text
from netinterf.privacy.addresses import map_halves, map_network
from netinterf.schema import Diagnostic, Files
from netinterf.table import Text
from netinterf.trace import host_text
from netinterf.values import frozen

__all__ = ["KEEPABLE", "SHORTEST_KEY", "Redaction", "read_key"]


SHORTEST_KEY, LONGEST_KEY = 16, 4096
"""Bytes of a key: 128 bits are beyond guessing (NIST SP 800-57 part 1, section 5.6.1); the upper bound is a judgement,
which tells a key from a file that was named by mistake."""

KEEPABLE = frozenset({"names"})
"""What can be kept when asked for."""

DIGITS = 12

PORTED = re.compile(r"^[^:]+:[0-9]{0,5}\Z|\]:[0-9]{0,5}\Z")
"""A name or IPv4 address, or an IPv6 address in brackets, with a port (RFC 3986 §3.2), which stays. A Host header may
hold any text: what stands behind a colon and is no port is a part of the name."""

REVERSE = (".in-addr.arpa", ".ip6.arpa")
"""Domains whose names spell addresses (RFC 1035 §3.5, RFC 3596 §2.5); they are no names that could be kept."""


def checked_key(_: object, __: object, key: bytes) -> None:
    """Refuse what is too short to be secret, without repeating it."""
    if not isinstance(key, bytes) or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        value = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
        raise ParameterError("key", value, f"{SHORTEST_KEY} to {LONGEST_KEY} random bytes")


def checked_keep(_: object, __: object, keep: frozenset[str]) -> None:
    """Refuse what cannot be kept."""
    if not keep <= KEEPABLE:
        raise ParameterError("keep", ", ".join(sorted(keep - KEEPABLE)), ", ".join(sorted(KEEPABLE)))


def as_set(words: Iterable[str]) -> frozenset[str]:
    """Take one word or several."""
    return frozenset([words] if isinstance(words, str) else words)


@frozen(kw_only=True)
class Redaction:
    """What to take out: addresses always, names unless they are kept. The same key maps alike, everywhere.

    Attributes:
        key: 16 bytes or more that nobody can guess; drawn at random when it is not given.
        keep: What stays: ``"names"`` or nothing.

    Raises:
        ParameterError: The key is too short, or something else is to be kept.
    """

    key: bytes = attrs.field(factory=lambda: secrets.token_bytes(32), repr=False, validator=checked_key)
    keep: frozenset[str] = attrs.field(default=frozenset(), converter=as_set, validator=checked_keep)

    @classmethod
    def of(cls, key: bytes | None, keep: Iterable[str] = ()) -> Self:
        """Build from a key, or with a random one for None."""
        return cls(keep=keep) if key is None else cls(key=key, keep=keep)

    @property
    def secret(self) -> bytes:
        """The key at the length that a keyed hash takes."""
        return blake2b(self.key, digest_size=32, person=b"netinterf.key").digest()

    def addresses(self, high: U64, low: U64) -> tuple[U64, U64]:
        """Map addresses; see `map_halves`."""
        return map_halves(self.secret, high, low)

    def address(self, written: str) -> str:
        """Map an address as people write it.

        Raises:
            ValueError: It is no address.
        """
        address = ipaddress.ip_address(written)
        whole = int(address) | (0xFFFF << 32 if address.version == 4 else 0)
        high, low = self.addresses(np.array([whole >> 64], np.uint64), np.array([whole & (1 << 64) - 1], np.uint64))
        return host_text(int(high[0]), int(low[0]))

    def network(self, network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
        """Map a prefix."""
        return map_network(self.secret, network)

    def names(self, column: Text) -> Text:
        """Replace a column of names as packets show them, with ports where they have some; empty ones stay empty."""
        number, different = numbered_text(column)
        domains = registrable_domains(different)
        return Text.of(map(self._renamed, different, domains)).take(number)

    def name(self, shown: str) -> str:
        """Replace one name; see `names`."""
        return self.names(Text.of([shown]))[0]

    def _renamed(self, name: str, domain: str) -> str:
        """Replace a name, of whose domain the new one stays; an address, as in a Host header, is mapped like all."""
        host, colon, port = name.rpartition(":") if PORTED.search(name) else (name, "", "")
        bare = host.lower().removesuffix(".")
        if not bare:
            return name
        try:
            mapped = self.address(bare.strip("[]"))
            return (f"[{mapped}]" if bare.startswith("[") else mapped) + colon + port
        except ValueError:  # a name indeed
            if "names" in self.keep and not bare.endswith(REVERSE):
                return name
        parts = [self._digits(part) for part in dict.fromkeys([bare, domain]) if part]
        return ".".join([*parts, "invalid"]) + colon + port

    def capture(self, path: str) -> str:
        """Replace the path of a capture, which may hold names and addresses of people."""
        return f"capture-{self._digits(path)}"

    def error(self, error: CaptureError) -> CaptureError:
        """Replace what could not be read; the reason is left out, which may quote what was found, its kind is kept."""
        return type(error)(self.capture(error.source), "could not be read")

    def files(self, files: Files) -> Files:
        """Replace the paths of joined files."""
        return Files(tuple(attrs.evolve(file, path=self.capture(file.path)) for file in files))

    def notes(self, notes: Iterable[Diagnostic], files: Files) -> tuple[Diagnostic, ...]:
        """Take the paths of joined files out of notes, and why something failed, which may quote what was found."""
        return tuple(self._note(note, files) for note in notes)

    def _note(self, note: Diagnostic, files: Files) -> Diagnostic:
        if note.code == FAILED:
            return attrs.evolve(note, message=failed_analyzer(note))
        if note.code == LEFT_OUT:
            return attrs.evolve(note, message="a file could not be read, and is left out")
        for file in files:
            if note.message.startswith(f"{file.path}: "):
                said = note.message.removeprefix(file.path)
                return attrs.evolve(note, message=self.capture(file.path) + said)
        return note

    def _digits(self, word: str) -> str:
        octets = word.encode("utf-8", "surrogateescape")
        digest = blake2b(octets, digest_size=8, key=self.secret, person=b"netinterf.word").digest()
        return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}}"


def read_key(path: str | os.PathLike[str]) -> bytes:
    """Read a key: all bytes of a file as they are, a line end included.

    Raises:
        ParameterError: The file cannot be read, or it holds fewer than 16 bytes or more than 4096.
    """
    try:
        with open(path, "rb") as file:
            key = file.read(LONGEST_KEY + 1)
    except OSError as cause:
        raise ParameterError("key", os.fspath(path), f"a readable file ({cause.strerror})") from cause
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        value = f"{os.fspath(path)} ({len(key) if len(key) <= LONGEST_KEY else 'more'} bytes)"
        raise ParameterError("key", value, f"a file of {SHORTEST_KEY} to {LONGEST_KEY} random bytes")
    return key
