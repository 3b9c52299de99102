"""The vocabulary for intercepted TLS: what each observation is called, says and weighs (where the fit begins)."""

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = ["RULES", "WEIGHTS"]

RAMAN = "Sundara Raman et al., Investigating Large Scale HTTPS Interception in Kazakhstan, IMC 2020"
DURUMERIC = "Durumeric et al., The Security Impact of HTTPS Interception, NDSS 2017"
ONEILL = "O'Neill et al., TLS Proxies: Friend or Foe?, IMC 2016"
LOGS = "RFC 6962; browsers demand logged certificates of public authorities since 2018"


rule = family("tls", "tls.interception")

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        6.0,
        rule(
            "state", "issuer", "the certificate is signed by an authority with which a state intercepted", source=RAMAN
        ),
    ),
    (5.0, rule("product", "issuer", "an authority of a filtering product signed the certificate", source=ONEILL)),
    (
        -6.0,
        rule("local", "issuer", "the certificate is signed by a program on the user's own machine", source=DURUMERIC),
    ),
    (
        6.0,
        rule(
            "one_key",
            "key",
            "{sites} unrelated sites show certificates with one key",
            "sites",
            source=RAMAN,
            shared=True,
        ),
    ),
    (
        5.0,
        rule(
            "one_issuer",
            "many",
            "{sites} unrelated sites show certificates of one issuer, none of which is in a transparency log",
            "sites",
            source=ONEILL,
            shared=True,
        ),
    ),
    (
        4.0,
        rule(
            "unlogged",
            "log",
            "the certificate is in no transparency log, while those of {spared} other sites are",
            "spared",
            "selective",
            source=LOGS,
        ),
    ),
    (
        1.0,
        rule(
            "differs",
            "differs",
            "{times} other connections for the same name showed a certificate of another issuer",
            "times",
            source=RAMAN,
            shared=True,
        ),
    ),
    (3.0, rule("bare", "form", "the certificate has no extension but the list of names", source=RAMAN)),
    (3.0, rule("weak", "exponent", "the certificate's key has exponent 3", source=RAMAN)),
)

WEIGHTS: dict[str, float] = {known.id: weight for weight, known in TABLE}
RULES: tuple[Rule, ...] = tuple(known for _, known in TABLE)
