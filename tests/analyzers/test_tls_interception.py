"""Certificates that somebody else signed: one key or issuer for all, and what is harmless about it."""

import numpy as np
import pytest

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.tls_interception import TlsInterception
from netinterf.analyzers.tls_interception.leaves import others, sites
from netinterf.context.interceptors import interceptor
from netinterf.protocols.certificates import read_leaf
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read


def played(scenario: str, seed: int) -> tuple[Trace, set[tuple[str, int]]]:
    """Play a scenario at the client; the trace, and whose TLS was intercepted."""
    made = run(scenario, seed, Conditions(ip=4, vantage="client", luck=0.0))
    hit = {(truth.client, truth.client_port) for truth in made.labels.truths if truth.mechanism}
    return read(times=made.times, frames=made.frames, link_type=made.link_type), hit


def weights(trace: Trace) -> dict[tuple[str, int], float]:
    """Add up the weights on each connection."""
    found = TlsInterception()(trace)
    total = np.bincount(found.subject, found.llr, minlength=len(trace.flows))
    clients = [trace.address(int(host)) for host in trace.flows.client]
    return {key: float(llr) for *key, llr in []} | {
        (client, int(port)): float(llr)
        for client, port, llr in zip(clients, trace.flows.client_port, total, strict=True)
    }


@pytest.mark.parametrize("scenario", ["tls.interception.kazakhstan", "tls.interception.gateway"])
def test_intercepted_connections_are_told(scenario: str) -> None:
    """Evidence against their certificates, and none against the others."""
    trace, hit = played(scenario, 33)
    assert hit
    for key, llr in weights(trace).items():
        assert (llr > 4) == (key in hit)


def test_encrypted_certificates_say_nothing() -> None:
    """TLS 1.3 hides them: no evidence either way."""
    trace, hit = played("tls.interception.modern", 33)
    assert hit
    assert set(weights(trace).values()) == {0.0}


@pytest.mark.parametrize("scenario", ["benign.tls.several-certificates", "benign.tls.private-authority"])
def test_authorities_of_ones_own_are_harmless(scenario: str) -> None:
    """One authority for the machines of one organisation is no interceptor."""
    trace, _ = played(scenario, 33)
    assert max(weights(trace).values(), default=0.0) < 4


def test_sites_and_others_against_loops() -> None:
    """Counts of unrelated sites and of other issuers, row by row."""
    rng = np.random.default_rng(2)
    what, client, domain, network = (rng.integers(0, 4, 60) for _ in range(4))
    use = rng.random(60) < 0.8
    fast, differing = sites(what, client, domain, network, use), others(np.stack([client, domain], axis=1), what)
    for row in range(60):
        same = [o for o in range(60) if use[o] and what[o] == what[row] and client[o] == client[row]]
        slow = min(len({domain[o] for o in same}), len({network[o] for o in same})) if use[row] else 0
        assert fast[row] == slow
        group = [o for o in range(60) if (client[o], domain[o]) == (client[row], domain[row])]
        assert differing[row] == sum(what[o] != what[row] for o in group)


def test_what_is_no_certificate_is_not_read() -> None:
    """Cut and damaged ones give nothing."""
    trace, _ = played("tls.interception.gateway", 33)
    rows = np.flatnonzero(trace.tls.certificates.lengths > 0)
    whole = trace.tls.certificates.bytes(int(rows[0]))
    assert read_leaf(whole) is not None
    assert read_leaf(whole[:-9]) is None
    assert read_leaf(b"") is None


def test_known_interceptors() -> None:
    """By who signed, whatever the case."""
    assert interceptor("CN=Qaznet Trust Network,C=KZ") == "state"
    assert interceptor("CN=kaspersky anti-virus personal root,O=ao kaspersky lab") == "local"
    assert interceptor("CN=R11,O=Let's Encrypt,C=US") == ""


def test_it_keeps_the_contract_of_an_analyzer() -> None:
    """Deterministic, picklable, within its scope."""
    check_analyzer(TlsInterception(), [played("tls.interception.gateway", 33)[0]])
