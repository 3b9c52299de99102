"""Paths to roots: what was good at the time is good, and what is broken anywhere leads nowhere."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from netinterf.context.authorities import public_roots
from netinterf.protocols.certificates import certificates_behind, has_stapled_timestamps, read_certificate
from netinterf.protocols.chains import Anchor, Signatures, is_for, is_rooted, top_of

START = datetime(2015, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def name(common):
    """Build a distinguished name."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def make(subject, issuer, key, signer, *, days=365, ca=None, names=(), digest=None, pss=False, start=None):
    """Make one certificate, and read it."""
    built = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), 7)
    built = built.not_valid_before(start or START).not_valid_after((start or START) + timedelta(days=days))
    if ca is not None:
        built = built.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if names:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
    scheme = {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA256()), 32)} if pss else {}
    read = read_certificate(built.sign(signer, digest or hashes.SHA256(), **scheme).public_bytes(Encoding.DER))
    assert read is not None
    return read


def trust(common, key, *, not_after=2**60):
    """Trust a name and a key."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    subject = name(common).public_bytes()
    return {subject: [Anchor(subject=subject, key=spki, not_before=0, not_after=not_after)]}


ROOT = trust("root", RSA_KEY)
OLD = make("middle", "root", EC_KEY, RSA_KEY, ca=True, start=START - 5 * YEAR)
MIDDLE = make("middle", "root", EC_KEY, RSA_KEY, ca=True)
LEAF = make("www.site.example", "middle", OTHER_KEY, EC_KEY, names=["www.site.example", "*.cdn.example"])


def leads(leaf, sent, anchors=ROOT):
    """Say whether a path is found."""
    return is_rooted(leaf, sent, anchors, Signatures())


def test_a_path_is_found_whatever_is_sent_with_it_in_any_order():
    """RSA and ECDSA links, and an unrelated certificate between."""
    stranger = make("stranger", "stranger", OTHER_KEY, OTHER_KEY, ca=True)
    assert leads(LEAF, [stranger, MIDDLE])
    assert leads(LEAF, [MIDDLE, stranger])


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("pss", [False, True])
def test_schemes_of_rsa(digest, pss):
    """PKCS #1 v1.5 and PSS."""
    direct = make("a.example", "root", EC_KEY, RSA_KEY, digest=hashes.SHA256() if pss else digest, pss=pss)
    assert leads(direct, [])


@pytest.mark.parametrize(
    ("leaf", "sent", "anchors"),
    [
        (LEAF, [], ROOT),  # the intermediate is missing
        (LEAF, [MIDDLE], {}),  # nobody trusts the root
        (LEAF, [MIDDLE], trust("root", EC_KEY)),  # a root of that name with another key
        (
            LEAF,
            [make("middle", "root", EC_KEY, RSA_KEY, ca=True, start=START - 5 * YEAR)],
            ROOT,
        ),  # never valid together
        (LEAF, [MIDDLE], trust("root", RSA_KEY, not_after=0)),  # the root was taken off before it was issued
        (LEAF, [make("middle", "root", EC_KEY, RSA_KEY, ca=False)], ROOT),  # may not sign
        (LEAF, [make("middle", "root", OTHER_KEY, RSA_KEY, ca=True)], ROOT),  # another key than that which signed
        (make("own.example", "own.example", EC_KEY, EC_KEY), [], ROOT),  # vouches for itself
    ],
)
def test_what_is_broken_leads_nowhere(leaf, sent, anchors):
    """One link that does not hold is enough."""
    assert not leads(leaf, sent, anchors)


def test_circles_end():
    """Two authorities that signed each other, and many of one name, are tried once each."""
    one, two = (make(a, b, EC_KEY, EC_KEY, ca=True) for a, b in (("middle", "second"), ("second", "middle")))
    many = [make("middle", "middle", EC_KEY, EC_KEY, ca=True, days=200 + day) for day in range(40)]
    assert not leads(LEAF, [one, two, *many])
    assert top_of(LEAF, [one, two], Signatures()).subject == "CN=second"


def test_names_as_browsers_compare_them():
    """A star is one label; the common name counts only without a list; whole domains have no stars."""
    assert is_for(LEAF, "www.site.example")
    assert is_for(LEAF, "a.cdn.example")
    assert not is_for(LEAF, "a.b.cdn.example")
    assert not is_for(LEAF, "cdn.example")
    assert not is_for(LEAF, "middle")
    assert is_for(make("old.example", "root", EC_KEY, RSA_KEY), "old.example")
    assert not is_for(make("*.example", "root", EC_KEY, RSA_KEY), "site.example")


def test_each_signature_is_verified_once():
    """A second path over the same link asks nothing again."""
    signatures = Signatures()
    is_rooted(LEAF, [MIDDLE], ROOT, signatures)
    known = dict(signatures.known)
    assert is_rooted(LEAF, [MIDDLE], ROOT, signatures)
    assert signatures.known == known
    assert len(known) == 2


def test_what_is_no_certificate_is_none():
    """Cut, damaged and empty ones are not read; lists of certificates may be cut anywhere."""
    der = LEAF.parsed.public_bytes(Encoding.DER)
    assert read_certificate(der) == LEAF
    assert read_certificate(der[:-9]) is None
    assert read_certificate(b"") is None
    listed = len(der).to_bytes(3, "big") + der
    assert certificates_behind(listed + listed[:50]) == [der, der[:47]]
    assert certificates_behind(b"\0\0") == []


def test_timestamps_in_a_staple():
    """The extension of RFC 6962 is found wherever it stands in the response."""
    assert has_stapled_timestamps(b"\x30\x82" + bytes.fromhex("060a2b06010401d679020405") + b"\x04\x00")
    assert not has_stapled_timestamps(b"\x30\x82" + bytes.fromhex("060a2b06010401d679020402"))


def test_roots_that_are_gone_were_public_in_their_time():
    """Equifax and GeoTrust signed the web of 2015; what is on the list today has no end."""
    by_name = {str(subject): anchors for subject, anchors in public_roots().items()}
    of = {word: [a for name, anchors in by_name.items() if word in name for a in anchors] for word in
          ("Equifax Secure Certificate Authority", "GeoTrust Global CA", "ISRG Root X1")}  # fmt: skip
    assert all(of.values())
    assert all(LEAF.not_after < anchor.not_after < 2**40 for anchor in of["GeoTrust Global CA"])
    assert all(anchor.not_after > 2**40 for anchor in of["ISRG Root X1"])
