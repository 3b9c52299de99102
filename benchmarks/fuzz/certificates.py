"""Certificates: read, joined into chains, and held against names."""

from collections.abc import Iterator
from random import Random

import numpy as np

from benchmarks.fuzz.parts import LONGEST, changed_parts, pack, scrambled, unpack
from benchmarks.fuzz.twice import Told
from netinterf.protocols.certificates import (
    Certificate,
    certificates_behind,
    has_stapled_timestamps,
    read_certificate,
)
from netinterf.protocols.chains import Anchor, Signatures, is_for, is_rooted, top_of
from netinterf.trace import Trace

__all__ = ["changed_certificates", "check_certificates", "seeds_certificates"]

FEW = 8
"""Certificates of an input: `netinterf.protocols.chains` tries 16, and below that their order must not matter."""


def check_certificates(data: bytes) -> Told:
    """Read certificates; the last one is trusted, and whether the first leads there does not depend on their order."""
    ders = unpack(data)[:FEW]
    has_stapled_timestamps(data)
    chain = b"".join(len(one).to_bytes(3, "big") + one for one in ders)
    assert certificates_behind(chain) == ders, "a list that is cut otherwise than it was joined"
    certificates_behind(data)
    read = [found for found in map(read_certificate, ders) if found is not None]
    told: Told = {("unread", len(ders) - len(read))} | {kind_of(one) for one in read}
    if not read:
        return told
    leaf, sent, trusted = read[0], read[1:], read[-1]
    anchor = Anchor(subject=trusted.subject_der, key=trusted.key, not_before=0, not_after=1 << 62)
    anchors = {anchor.subject: [anchor]}
    rooted = is_rooted(leaf, sent, anchors, Signatures())
    assert rooted == is_rooted(leaf, sent[::-1], anchors, Signatures()), "the order of certificates decides"
    top = top_of(leaf, sent, Signatures())
    for name in (*leaf.names[:2], "a.example", "", ".", "*"):
        is_for(leaf, name)
    return told | {("rooted", rooted, top is leaf)}


def kind_of(one: Certificate) -> tuple[object, ...]:
    """Say what kind of certificate it is."""
    return (
        "certificate",
        one.authority,
        one.timestamps,
        one.names_only,
        bool(one.exponent),
        one.self_issued,
        len(one.names) > 0,
    )


def changed_certificates(data: bytes, rng: Random) -> bytes:
    """Change certificates, mostly without touching the lengths around what is changed."""

    def change(part: bytes, rng: Random) -> bytes:
        if len(part) < 8 or rng.random() < 0.3:
            return scrambled(part, rng)
        made = bytearray(part)
        for _ in range(rng.choice((1, 1, 2, 6))):
            at = rng.randrange(4, len(made))
            made[at] = rng.choice((made[at] ^ 1 << rng.randrange(8), made[at] + 1 & 255, made[at] - 1 & 255, 0, 255))
        return bytes(made)

    return pack(changed_parts(unpack(data), rng, change)[:FEW])


def seeds_certificates(trace: Trace) -> Iterator[bytes]:
    """Give the chains of a capture, and one of each kind of key and version."""
    for row in np.flatnonzero(trace.tls.certificates.lengths > 0)[:6].tolist():
        ders = [trace.tls.certificates.bytes(row), *certificates_behind(trace.tls.chain.bytes(row))]
        yield pack([one for one in ders if len(one) <= LONGEST])
