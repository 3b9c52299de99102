"""Certificates that somebody else signed: one private issuer for all, and what is harmless about it."""

import re

import attrs
import numpy as np
import pytest
from cryptography import x509

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.tls_interception import TlsInterception
from netinterf.analyzers.tls_interception.flights import DEMANDED, read_flights
from netinterf.analyzers.tls_interception.leaves import any_of, find_leaves, unrelated
from netinterf.analyzers.tls_interception.rules import PRIVATE_ISSUER, RULES, weigh_sites
from netinterf.context.authorities import interceptor
from netinterf.errors import NetinterfError
from netinterf.schema import TlsKind
from netinterf.simulate import Conditions, run
from netinterf.simulate.messages.certificates import PUBLIC, Authority, Recipe, draw_authority, draw_key, issue
from netinterf.simulate.messages.tls import certificate_flight, client_flight, client_hello
from netinterf.table import Ragged, Text
from netinterf.trace import Trace, read
from tests.analyzers.talk import BEGIN_NS, Talk

EVEN = 7.4
"""Nats that make interception as likely as not, by the prior that ships with the library."""

CERTIFICATE = re.compile(rb"\x30\x82..\x30\x82..\xa0\x03\x02\x01", re.DOTALL)
"""How certificates begin: two sequences and a version (RFC 5280 §4.1)."""

STAPLED = bytes.fromhex("060a2b06010401d679020405")


def played(scenario: str, seed: int) -> tuple[Trace, set[tuple[str, int]]]:
    """Play a scenario at the client; the trace, and whose TLS was intercepted."""
    made = run(scenario, seed, Conditions.clean(vantage="client"))
    hit = {(truth.client, truth.client_port) for truth in made.labels.truths if truth.mechanism}
    return read(times=made.times, frames=made.frames, link_type=made.link_type), hit


def weights(trace: Trace) -> dict[tuple[str, int], float]:
    """Add up the weights on each connection."""
    found = TlsInterception()(trace)
    total = np.bincount(found.subject, found.llr, minlength=len(trace.flows)).tolist()
    clients = [trace.address(int(host)) for host in trace.flows.client]
    return dict(zip(zip(clients, trace.flows.client_port.tolist(), strict=True), total, strict=True))


def rules_of(trace: Trace) -> set[str]:
    """Name the rules that speak."""
    found = TlsInterception()(trace)
    return {found.rules[rule].id for rule in found.rule.tolist()}


ASKED = "www.bank.example"
SEGMENT = 1400
"""Bytes of a flight that one packet carries."""


def show(talk: Talk, rng: np.random.Generator, chain: tuple[bytes, ...], *, at: float = 0.0, port: int = 40000) -> None:
    """Ask for one name by TLS 1.2, and get a certificate."""
    talk.port = port
    sent, end = talk.request(talk.open(at), client_hello(ASKED, rng))
    flight = certificate_flight(rng, chain)
    for begin in range(0, len(flight), SEGMENT):
        talk.send("S", "A", 901 + begin, end, at=sent + talk.rtt + begin / 1e4, data=flight[begin : begin + SEGMENT])
    talk.send("C", "PA", end, 901 + len(flight), at=sent + talk.rtt + 1, data=client_flight(rng))


def told(trace: Trace) -> dict[int, dict[str, tuple[float, int]]]:
    """Name the rules that speak of each client port, with their weights and how many packets they call forged."""
    found, ports = TlsInterception()(trace), trace.flows.client_port
    rules: dict[int, dict[str, tuple[float, int]]] = {int(port): {} for port in ports}
    for row, subject in enumerate(found.subject.tolist()):
        said = float(found.llr[row]), len(found.forged[row])
        rules[int(ports[subject])][found.rules[found.rule[row]].id] = said
    return rules


@pytest.mark.parametrize(
    ("issuer", "owner", "rule"),
    [
        ("CN=Security Certificate,C=KZ", ASKED, "tls.state"),
        ("CN=Security Certificate,C=CH", ASKED, ""),
        ("CN=FortiGate CA,O=Fortinet", ASKED, "tls.product"),
        ("CN=FortiGate CA,O=Fortinet", "fortigate.example", ""),
        ("CN=Kaspersky Anti-Virus Personal Root,O=AO Kaspersky Lab", ASKED, "tls.local"),
    ],
    ids=["state", "of a like name", "product", "a product's own page", "own machine"],
)
def test_an_issuer_is_known_by_its_name(issuer: str, owner: str, rule: str) -> None:
    """What states and products signed is forged, what a program on the own machine did speaks against interception.

    A product that shows a certificate of its own intercepts nothing.
    """
    rng, talk = np.random.default_rng(5), Talk()
    signer = Authority(x509.Name.from_rfc4514_string(issuer), draw_key(rng))
    show(talk, rng, issue(signer, rng, [owner], BEGIN_NS, Recipe(scts=False)))
    said = told(talk.trace())[40000]
    assert {known for known in said if known in {"tls.state", "tls.product", "tls.local"}} == {rule} - {""}
    if rule:
        llr, forged = said[rule]
        assert (llr > 0, forged) == ((False, 0) if rule == "tls.local" else (True, 1))


@pytest.mark.parametrize("private", [True, False])
def test_a_name_that_shows_public_certificates_as_well_has_two_issuers(private: bool) -> None:
    """Said of the connection with the private one alone; that a public authority follows another is a renewal."""
    rng, talk = np.random.default_rng(5), Talk()
    for place, names in enumerate((PUBLIC, ("Willow Clinic",) if private else PUBLIC)):
        recipe = Recipe(scts=names is PUBLIC)
        chain = issue(draw_authority(rng, BEGIN_NS, names), rng, [ASKED], BEGIN_NS, recipe)
        show(talk, rng, chain, at=5000.0 * place, port=40000 + place)
    said = told(talk.trace())
    assert "tls.two_issuers" not in said[40000]
    assert (said[40001].get("tls.two_issuers", (0.0, 0))[0] > 0) == private


@pytest.mark.parametrize("seed", range(50_000, 50_006))
def test_a_gateway_is_told_by_the_names_it_signs_for(seed: int) -> None:
    """More than even against its connections (a few at small k less), and nothing against those that it spares."""
    trace, hit = played("tls.interception.gateway", seed)
    total = weights(trace)
    assert hit
    assert np.mean([total[key] > EVEN for key in hit]) > 0.8
    assert max((llr for key, llr in total.items() if key not in hit), default=0.0) <= 0


def test_a_state_is_told_by_the_form_of_its_certificates() -> None:
    """One name is enough where extensions are taken off and the exponent is 3."""
    trace, hit = played("tls.interception.kazakhstan", 50_000)
    for key, llr in weights(trace).items():
        assert (llr > 6) == (key in hit)


def test_encrypted_certificates_say_nothing() -> None:
    """TLS 1.3 hides them: no evidence either way."""
    trace, hit = played("tls.interception.modern", 33)
    assert hit
    assert set(weights(trace).values()) == {0.0}


BENIGN = ("several-certificates", "private-authority", "local-antivirus", "two-authorities", "certificate-rotation")


@pytest.mark.parametrize("scenario", BENIGN)
@pytest.mark.parametrize("seed", [33, 50_001, 50_002])
def test_what_looks_alike_stays_below_even_odds(scenario: str, seed: int) -> None:
    """Authorities of one's own, programs on the own machine, renewals."""
    trace, _ = played(f"benign.tls.{scenario}", seed)
    assert max(weights(trace).values(), default=0.0) < EVEN


def changed(trace: Trace, **columns: object) -> Trace:
    """Change columns of TLS messages."""
    return attrs.evolve(trace, tls=attrs.evolve(trace.tls, **columns))


def test_timestamps_count_however_they_came() -> None:
    """In the ServerHello or by staple they make a certificate public, and nothing is left against its issuer."""
    trace, _ = played("tls.interception.gateway", 50_000)
    tls = trace.tls
    assert {"tls.untimed", "tls.private_issuer"} <= rules_of(trace)
    greeting = tls.kind == TlsKind.SERVER_HELLO
    lists = [[18] if here else row for here, row in zip(greeting.tolist(), tls.extensions, strict=True)]
    told = changed(trace, extensions=Ragged.of(lists, np.uint16))
    certified = (tls.kind == TlsKind.CERTIFICATE) & ~tls.outbound
    staples = Text.of([STAPLED if here else b"" for here in certified.tolist()])
    for one in (told, changed(trace, stapled=staples)):
        assert not {"tls.untimed", "tls.private_issuer", "tls.spared"} & rules_of(one)


@pytest.mark.parametrize("blind", ["not followed", "not asked", "greeting not whole"])
def test_absent_timestamps_mean_nothing_where_they_could_not_be_seen(blind: str) -> None:
    """A cut flight, a client that did not ask, a ServerHello that is not whole: no evidence of absence."""
    trace, _ = played("tls.interception.gateway", 50_000)
    tls = trace.tls
    if blind == "not followed":
        trace = changed(trace, followed=np.zeros(len(tls), np.bool_))
    elif blind == "not asked":
        lists = [[] if sent else row for sent, row in zip(tls.outbound.tolist(), tls.extensions, strict=True)]
        trace = changed(trace, extensions=Ragged.of(lists, np.uint16))
    else:
        trace = changed(trace, error=np.where(tls.kind == TlsKind.SERVER_HELLO, 1, tls.error).astype(np.uint8))
    flights = read_flights(trace)
    assert flights is not None
    assert flights.must_be_logged.all()
    assert not flights.missing.any()
    assert "tls.untimed" not in rules_of(trace)


def test_no_rule_accuses_alone() -> None:
    """None reaches even odds by itself, and further names stop to add."""
    assert max(rule.weight for rule in RULES) < EVEN
    assert not any(rule.decisive for rule in RULES)
    grown = weigh_sites(np.arange(0, 50))
    assert grown[:2].tolist() == [0.0, 0.0]
    assert (np.diff(grown) >= 0).all()
    assert grown.max() == PRIVATE_ISSUER.weight


def test_unrelated_names_against_loops() -> None:
    """Counts of names in other domains at other servers, row by row."""
    rng = np.random.default_rng(2)
    group, domain, server = (rng.integers(0, 5, 60) for _ in range(3))
    use = rng.random(60) < 0.7
    fast, some = unrelated(group, domain, server, use), any_of(group, use)
    for row in range(60):
        same = [other for other in range(60) if use[other] and group[other] == group[row]]
        slow = min(len({domain[other] for other in same}), len({server[other] for other in same})) if use[row] else 0
        assert fast[row] == slow
        assert some[row] == bool(same)


def test_known_interceptors() -> None:
    """By who signed, whatever the case."""
    assert interceptor("CN=Qaznet Trust Network,C=KZ") == "state"
    assert interceptor("CN=kaspersky anti-virus personal root,O=ao kaspersky lab") == "local"
    assert interceptor("CN=Microsoft Secure Server CA 2011,O=Microsoft Corporation") == "vendor"
    assert interceptor("CN=R11,O=Let's Encrypt,C=US") == ""


def test_it_keeps_the_contract_of_an_analyzer() -> None:
    """Deterministic, picklable, within its scope."""
    check_analyzer(TlsInterception(), [played("tls.interception.gateway", 33)[0]])


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("ntop-ndpi/default__pcap__facebook.pcap", "facebook.com"),
        ("ntop-ndpi/default__pcap__KakaoTalk_chat.pcap", "graph.facebook.com"),
        ("ntop-ndpi/default__pcap__wechat.pcap", "safebrowsing.googleusercontent.com"),
        ("oisf-suricata-verify/tls__tls-fingerprint-alert__input.pcap", "www.google.com"),
        ("zeek-zeek/tls__chrome-34-google.pcap", "google.de"),
    ],
)
def test_certificates_of_2014_to_2017_lead_to_the_roots_of_then(captures_dir, name: str, host: str) -> None:
    """Chains to Equifax, GeoTrust and DigiCert, as they were sent."""
    path = captures_dir / "benign" / name
    if not path.is_file():
        pytest.skip("not among the captures that are open")
    flights = read_flights(read(path))
    assert flights is not None
    of_host = [flights.hosts[place] == host if place >= 0 else False for place in flights.host.tolist()]
    assert (flights.rooted & flights.for_host)[of_host].all()
    assert any(leaf.not_before < DEMANDED for leaf in flights.leaves)


@pytest.mark.captures
def test_benign_captures_with_certificates(captures_dir) -> None:
    """No connection of theirs reaches even odds, and most that name a host lead to a root."""
    accused, rooted, asked = [], 0, 0
    for path in sorted((captures_dir / "benign").rglob("*.pcap*")):
        if path.stat().st_size > 100_000 or not CERTIFICATE.search(path.read_bytes()):
            continue
        try:
            trace = read(path)
        except NetinterfError:
            continue
        leaves = find_leaves(trace)
        if leaves is None:
            continue
        accused += [(path.name, *key, llr) for key, llr in weights(trace).items() if llr >= EVEN]
        rooted, asked = rooted + int(leaves.public.sum()), asked + int(leaves.for_host.sum())
    assert not accused
    assert rooted > 0.8 * asked
