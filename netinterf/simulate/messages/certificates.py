"""X.509 certificates that depend on a seed alone: authorities, their intermediates, and what they issue.

All names are fictional. Keys are P-256 from seeded numbers, signatures deterministic ECDSA (RFC 6979), validity counts
from the simulated clock.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import pack
from types import SimpleNamespace
from typing import Any

import numpy as np

from netinterf.simulate.messages.hellos import vector
from netinterf.values import frozen

__all__ = ["ANTIVIRUS", "GATEWAYS", "NATIONAL", "PUBLIC", "Authority", "Recipe", "double", "draw_authority", "draw_key",
           "issue", "make_authority", "self_signed"]  # fmt: skip

PUBLIC = (
    "Meadow Trust",
    "Harbour Certification",
    "Alder Digital",
    "Northlight Encrypt",
    "Quarry Sign",
    "Lumen Assurance",
)
NATIONAL = ("Valley Trust Network", "State Security Certificate", "Republic Root", "National Information Security")
GATEWAYS = ("Edgewall Web Gateway", "Clearlane SSL Inspection", "Acme Proxy Services", "Parapet Secure Access")
ANTIVIRUS = ("Bluefort Antivirus Personal Root", "Sentry Web Shield", "Homeguard Mail and Web Scanner")
COUNTRIES = ("US", "DE", "GB", "NL", "CH", "JP")
DAY = timedelta(days=1)
SCT_LIST, POLICY, AUTHORITY_INFO = "1.3.6.1.4.1.11129.2.4.2", "2.23.140.1.2.1", "http://{}.test.example/{}"
"""Extension of RFC 6962 §3.3; policy of domain validation (CA/Browser Forum); where issuers say they can be asked."""


def tools() -> Any:
    """Import what certificates need."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    return SimpleNamespace(x509=x509, hashes=hashes, ec=ec, rsa=rsa, serialization=serialization)


@frozen(eq=False)
class Authority:
    """Who signs: a name, a key, and the certificates that a server sends after its own."""

    subject: Any  # x509.Name
    key: Any  # P-256 private key
    above: tuple[bytes, ...] = ()  # DER of the intermediate; the root is not sent


@frozen(kw_only=True)
class Recipe:
    """What an issuer puts into certificates of servers; the default is what public ones do."""

    days: int = 90  # of validity
    age: float = 20.0  # days since it began
    scts: bool = True  # a list of signed certificate timestamps (RFC 6962)
    informed: bool = True  # policy, key identifiers, and where to ask for revocation
    bare: bool = False  # no extension but the names
    serial: int = 0  # drawn when 0
    exponent: int = 0  # an RSA key with this public exponent; 0: P-256
    bits: int = 2048  # of the RSA key
    organization: str = ""


def draw_key(rng: np.random.Generator) -> Any:
    """Draw a P-256 private key."""
    ec = tools().ec
    return ec.derive_private_key(int.from_bytes(rng.bytes(31), "big") + 1, ec.SECP256R1())


def draw_public_key(rng: np.random.Generator, recipe: Recipe) -> Any:
    """Draw the public key of a server; nobody needs the private one of an RSA key, so its modulus is any odd number."""
    if not recipe.exponent:
        return draw_key(rng).public_key()
    number = int.from_bytes(rng.bytes(recipe.bits // 8), "big") | 1 << (recipe.bits - 1) | 1
    return tools().rsa.RSAPublicNumbers(recipe.exponent, number).public_key()


def named(common: str, organization: str = "", country: str = "") -> Any:
    """Build a distinguished name."""
    x509 = tools().x509
    oid = x509.NameOID
    given = ((oid.COUNTRY_NAME, country), (oid.ORGANIZATION_NAME, organization), (oid.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in given if value])


def moment(now: int, days: float) -> datetime:
    """Give the time *days* before *now* (ns since 1970 UTC), to the second."""
    return (datetime.fromtimestamp(now // 10**9, UTC) - days * DAY).replace(microsecond=0)


def make_authority(rng: np.random.Generator, now: int, name: str, *, intermediate: bool = True) -> Authority:
    """Make an authority of a given name: a root, and an intermediate that does the work.

    Args:
        rng: Source of keys and numbers.
        now: Present, ns since 1970 UTC.
        name: Organization; the common names derive from it.
        intermediate: Whether certificates are signed by an intermediate; without one, servers send theirs alone.
    """
    country = str(rng.choice(COUNTRIES))
    root, key = named(f"{name} Root {rng.integers(1, 5)}", name, country), draw_key(rng)
    if not intermediate:
        return Authority(root, key)
    below = named(f"{name} TLS CA {rng.integers(1, 20)}", name, country)
    return subordinate(rng, now, below, root, key)


def subordinate(rng: np.random.Generator, now: int, subject: Any, issuer: Any, signer: Any) -> Authority:
    """Make an intermediate authority."""
    x509, own = tools().x509, draw_key(rng)
    start = moment(now, float(rng.uniform(200, 1500)))
    builder = (
        blank(rng, subject, issuer, own.public_key(), start, start + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return Authority(subject, own, (signed(builder, signer),))


def double(authority: Authority, rng: np.random.Generator, now: int) -> Authority:
    """Make an intermediate that has the names of another, but keys of its own."""
    issuer = tools().x509.load_der_x509_certificate(authority.above[0]).issuer
    return subordinate(rng, now, authority.subject, issuer, draw_key(rng))


def draw_authority(rng: np.random.Generator, now: int, names: Sequence[str], **options: bool) -> Authority:
    """Make an authority with one of *names*; *options* are those of :func:`make_authority`."""
    return make_authority(rng, now, names[int(rng.integers(len(names)))], **options)


def issue(
    authority: Authority, rng: np.random.Generator, names: Sequence[str], now: int, recipe: Recipe | None = None,
    *, public_key: Any = None,
) -> tuple[bytes, ...]:  # fmt: skip
    """Issue a certificate for a server.

    Args:
        authority: Who signs.
        rng: Source of keys and numbers.
        names: DNS names it is valid for, the first for its subject.
        now: Present, ns since 1970 UTC.
        recipe: What it holds; as public issuers do it when left out.
        public_key: Key of the server; drawn when left out.

    Returns:
        The chain as the server sends it: DER of its own certificate, then of the intermediate.
    """
    recipe = recipe or Recipe()
    key = public_key or draw_public_key(rng, recipe)
    start = moment(now, recipe.age)
    subject = named(names[0], recipe.organization)
    builder = blank(rng, subject, authority.subject, key, start, start + recipe.days * DAY, recipe.serial)
    builder = extended(builder, rng, names, now, recipe, key, authority)
    return signed(builder, authority.key), *authority.above


def self_signed(rng: np.random.Generator, name: str, now: int, recipe: Recipe) -> tuple[bytes, ...]:
    """Make the certificate of a device that vouches for itself."""
    key = draw_key(rng)
    return issue(
        Authority(named(name, recipe.organization), key), rng, [name], now, recipe, public_key=key.public_key()
    )


def blank(
    rng: np.random.Generator, subject: Any, issuer: Any, key: Any, start: datetime, end: datetime, serial: int = 0
) -> Any:
    """Begin a certificate."""
    return (
        tools().x509.CertificateBuilder(issuer, subject, key, serial or int.from_bytes(rng.bytes(16), "big") >> 1 | 1)
        .not_valid_before(start)
        .not_valid_after(end)
    )  # fmt: skip


def usage(*, signs: bool) -> Any:
    """Build the key usage of an authority, or of a server."""
    return tools().x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def extended(
    builder: Any,
    rng: np.random.Generator,
    names: Sequence[str],
    now: int,
    recipe: Recipe,
    key: Any,
    authority: Authority,
) -> Any:
    """Add the extensions of a server's certificate."""
    x509 = tools().x509
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    if recipe.bare:
        return builder.add_extension(alternatives, critical=False)
    builder = (
        builder.add_extension(usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(alternatives, critical=False)
    )
    if recipe.informed:
        host = authority.subject.rfc4514_string().split("=")[1][:3].strip().lower() or "ca"
        methods = x509.AuthorityInformationAccessOID
        where = [(methods.OCSP, "o"), (methods.CA_ISSUERS, "i")]
        descriptions = [
            x509.AccessDescription(kind, x509.UniformResourceIdentifier(AUTHORITY_INFO.format(host, word)))
            for kind, word in where
        ]
        policy = x509.PolicyInformation(x509.ObjectIdentifier(POLICY), None)
        issuer = authority.key.public_key()
        builder = (
            builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
            .add_extension(x509.AuthorityInformationAccess(descriptions), critical=False)
            .add_extension(x509.CertificatePolicies([policy]), critical=False)
        )
    if recipe.scts:
        content = x509.UnrecognizedExtension(x509.ObjectIdentifier(SCT_LIST), sct_list(rng, now, recipe.age))
        builder = builder.add_extension(content, critical=False)
    return builder


def sct_list(rng: np.random.Generator, now: int, age: float) -> bytes:
    """Write two or three signed certificate timestamps (RFC 6962 §3.2, §3.3); their signatures fit no log's key."""
    stamp = now // 1_000_000 - int(age * 86_400_000)
    scts = [
        b"\x00" + rng.bytes(32) + pack("!QH", stamp + int(rng.integers(5000)), 0) + b"\x04\x03"
        + vector(b"\x30\x45\x02\x20" + rng.bytes(32) + b"\x02\x21\x00" + rng.bytes(32))
        for _ in range(int(rng.integers(2, 4)))
    ]  # fmt: skip
    listed = vector(b"".join(vector(sct) for sct in scts))
    return b"\x04\x82" + vector(listed) if len(listed) > 255 else b"\x04\x81" + vector(listed, 1)


def signed(builder: Any, key: Any) -> bytes:
    """Sign a certificate so that the same content gives the same bytes."""
    kit = tools()
    made = builder.sign(key, kit.hashes.SHA256(), ecdsa_deterministic=True)
    return bytes(made.public_bytes(kit.serialization.Encoding.DER))
