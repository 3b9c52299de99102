"""The vocabulary for intercepted TLS: what each observation is called, says and weighs (where the fit begins)."""

import numpy as np

from netinterf.analyzers.vocabulary import Family
from netinterf.arrays import F64, I64

# fmt: off
__all__ = [
    "BARE", "LEAST_FOR_CONTRAST", "LEAST_SITES", "LOCAL", "NEAR", "PRIVATE_ISSUER", "PRODUCT", "PUBLIC",
    "REUSED_KEY", "RULES", "SPARED", "STATE", "TWO_ISSUERS", "UNTIMED", "WEAK", "certificates", "weigh_sites",
]

certificates = Family("tls.", "tls.interception", exposed="certificate")

RAMAN = "Sundara Raman et al., Investigating Large Scale HTTPS Interception in Kazakhstan, IMC 2020"
DURUMERIC = "Durumeric et al., The Security Impact of HTTPS Interception, NDSS 2017"
ONEILL = "O'Neill et al., TLS Proxies: Friend or Foe?, IMC 2016"
LENSTRA = "Lenstra et al., Public Keys, CRYPTO 2012: 0.5 % of the RSA keys of certificates have exponent 3"
STORE = "Mozilla's list of roots by release; RFC 5280 §6"
LOGS = "RFC 6962; Chrome's policy for certificates that begin after April 2018"

LEAST_SITES, ONE_MORE, MOST_FOR_SITES = 2, 1.39, 5.0
"""Names under one private issuer that are worth a word, nats for each further one, and at most.

Harmless is an authority of an organisation's own, which has names in several domains at several addresses: of four
such authorities in public captures one had (Signal, with two), so one in four for each further domain (ln 4 = 1.39)."""

LEAST_FOR_CONTRAST = 4
"""Names from which on an organisation's own authority is no longer the best excuse: it would show beside public ones as
well, and what remains, a network for tests whose names are all made up, would not."""

PRIVATE_ASKED = 3.0
"""ln(87 / 3) = 3.4: of 87 names in public captures whose clients asked for timestamps, 3 had private authorities."""

BARE_PRIVATE = 2.5
"""ln(0.5 / (2 / 47)): of 47 private authorities in public captures two sign such certificates; half the interceptors is
a guess (one system does always)."""

EXPONENT_THREE = 4.5
"""ln(0.5 / 0.005): Lenstra et al. found it in 0.5 % of keys; half the interceptors is a guess (one does always)."""

STATE = certificates.rule(
    "state", "issuer", 5.0, "the certificate is signed by an authority with which a state intercepted", source=RAMAN,
)
PRODUCT = certificates.rule(
    "product", "issuer", 5.0, "an authority of a filtering product signed the certificate", source=ONEILL,
)
LOCAL = certificates.rule(
    "local", "issuer", -6.0, "the certificate is signed by a program on the user's own machine", source=DURUMERIC,
)
PUBLIC = certificates.rule(
    "public", "root", -6.0,
    "the certificate is made out to the name that was asked for and leads to a root that browsers trusted then",
    source=STORE,
)
NEAR = certificates.rule(
    "near", "place", -4.0,
    "the answer came from the client's own machine or from beside it, as programs that filter there do",
    source=DURUMERIC,
)
PRIVATE_ISSUER = certificates.rule(
    "private_issuer", "many", MOST_FOR_SITES,
    "{sites} unrelated names show certificates of one issuer that is no public authority", "sites", source=ONEILL,
    shared=True,
)
REUSED_KEY = certificates.rule(
    "reused_key", "key", 3.0, "different certificates for {sites} unrelated names have one key", "sites", source=RAMAN,
    shared=True,
)
SPARED = certificates.rule(
    "spared", "spared", 2.0, "{spared} other names of the same client show certificates of public authorities",
    "spared", source=RAMAN, shared=True,
)
TWO_ISSUERS = certificates.rule(
    "two_issuers", "differs", 4.0,
    "{times} other connections for the same name showed a certificate of a public authority, this one did not", "times",
    source=RAMAN, shared=True,
)
UNTIMED = certificates.rule(
    "untimed", "log", PRIVATE_ASKED,
    "the issuer gives no timestamps of transparency logs, which browsers demand of public authorities", source=LOGS,
    shared=True,
)
BARE = certificates.rule(
    "bare", "form", BARE_PRIVATE, "the certificate has no extension but the list of names", source=RAMAN,
)
WEAK = certificates.rule(
    "weak", "exponent", EXPONENT_THREE, "the certificate's key has exponent 3", source=LENSTRA,
)
# fmt: on

RULES = certificates.rules


def weigh_sites(sites: I64) -> F64:
    """Weigh how many unrelated names one private issuer signed for, in nats."""
    weight: F64 = np.minimum(ONE_MORE * np.maximum(sites - 1, 0), MOST_FOR_SITES)
    return weight
