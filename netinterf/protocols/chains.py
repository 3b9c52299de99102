"""Whether certificates lead to one of the keys that are trusted, link by link.

What was good once is good here: SHA-1 signatures, short keys, names in the subject alone, and certificates that have
expired since; all of a way must have been valid together, whenever that was, since clocks of recorders are often wrong.
A link holds when the issuer's name is the subject of what is above, its key verifies the signature, and what is above
may sign (RFC 5280 §6.1, without policies and revocation: nothing here is protected by the answer). A path that is not
found proves nothing: servers leave certificates out.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from netinterf.protocols.certificates import Certificate, cryptography_modules
from netinterf.values import define, frozen

__all__ = ["Anchor", "Signatures", "is_for", "is_rooted", "top_of"]

MOST = 16
"""Certificates that are tried, at most: public paths have three or four, and what is sent may be made to tire."""


@frozen(kw_only=True)
class Anchor:
    """A trusted name and key (RFC 5280 §6.1.1)."""

    subject: bytes  # DER
    key: bytes  # SubjectPublicKeyInfo, DER
    not_before: int  # when it was made, seconds since 1970 UTC
    not_after: int  # until when certificates of servers were issued for those who trust it


@define(eq=False)
class Signatures:
    """Which key signed which certificate; each pair is verified once."""

    known: dict[tuple[bytes, bytes], bool] = attrs.field(factory=dict)

    def holds(self, below: Certificate, key: bytes) -> bool:
        """Say whether *key* (SubjectPublicKeyInfo) verifies the signature of *below*."""
        pair = below.digest, key
        if pair not in self.known:
            self.known[pair] = verified(below.parsed, key)
        return self.known[pair]


def verified(below: Any, key: bytes) -> bool:
    """Verify one signature: RSA (PKCS #1 v1.5 or PSS) or ECDSA; whatever cannot be verified does not hold."""
    tools = cryptography_modules()
    try:
        public, scheme = tools.serialization.load_der_public_key(key), below.signature_algorithm_parameters
        verify = partial(public.verify, below.signature, below.tbs_certificate_bytes, scheme)
        if isinstance(public, tools.rsa.RSAPublicKey):
            if below.signature_hash_algorithm.name == "md5":  # forged in 2008 (Stevens et al., CRYPTO 2009)
                return False
            verify(below.signature_hash_algorithm)
        elif isinstance(public, tools.ec.EllipticCurvePublicKey):
            verify()
        else:
            return False
    except Exception:  # unsuited, unsupported, wrong: the library has a name for each
        return False
    return True


def is_rooted(
    leaf: Certificate, sent: Sequence[Certificate], anchors: Mapping[bytes, Sequence[Anchor]], signatures: Signatures
) -> bool:
    """Say whether there is a way from a certificate to an anchor over what was sent with it, in any order.

    Args:
        leaf: Where it begins.
        sent: Certificates that may stand between, as they came.
        anchors: What is trusted, by subject.
        signatures: Those that are verified already.
    """
    tried: set[bytes] = set()  # what led nowhere once leads nowhere again, and what is sent may go in circles

    def climb(below: Certificate, not_before: int, not_after: int) -> bool:
        not_before, not_after = max(not_before, below.not_before), min(not_after, below.not_after)
        if below.digest in tried or not_before > not_after:
            return False
        tried.add(below.digest)
        for anchor in anchors.get(below.issuer_der, ()):
            trusted = anchor.not_before <= below.not_before and leaf.not_before <= anchor.not_after
            if trusted and signatures.holds(below, anchor.key):
                return True
        return any(climb(above, not_before, not_after) for above in links(below, sent, signatures) if len(tried) < MOST)

    return climb(leaf, leaf.not_before, leaf.not_after)


def links(below: Certificate, sent: Sequence[Certificate], signatures: Signatures) -> list[Certificate]:
    """List what was sent and signed *below*."""
    named = [
        certificate for certificate in sent if certificate.authority and certificate.subject_der == below.issuer_der
    ]
    return [certificate for certificate in named if signatures.holds(below, certificate.key)]


def top_of(leaf: Certificate, sent: Sequence[Certificate], signatures: Signatures) -> Certificate:
    """Climb from a certificate as high as what was sent leads."""
    seen, top = [leaf], leaf
    while not top.self_issued:
        above = [certificate for certificate in links(top, sent, signatures) if certificate not in seen]
        if not above:
            break
        top = above[0]
        seen.append(top)
    return top


def is_for(leaf: Certificate, host: str) -> bool:
    """Say whether a certificate is made out to a host; a star stands for one whole label (RFC 6125 §6.4.3)."""
    return any(name == host or _covers(name, host) for name in leaf.names)


def _covers(pattern: str, host: str) -> bool:
    first, _, rest = host.partition(".")
    return pattern.startswith("*.") and bool(first) and "." in rest and pattern[2:] == rest
