"""From leaf certificates to evidence about flows."""

from typing import ClassVar

import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.signs import Cases, Sign, by_rule, none_forged, record, sign
from netinterf.analyzers.tls_interception import rules
from netinterf.analyzers.tls_interception.leaves import Leaves, find_leaves
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["TlsInterception"]


@frozen(kw_only=True)
class TlsInterception:
    """Find TLS that somebody on the path answered with a certificate of his own.

    What it looks for: one issuer that is no public authority over unrelated names, while other names, or the same
    name at another time, show public ones; authorities of known interceptors; certificates as interceptors make them.

    Why: whoever wants to read what is encrypted must sign for every name that is asked, with an authority that no
    browser knew.

    Also looks like this: private authorities, default certificates of hosting servers, authorities of vendors of
    systems, filters on the user's own machine. TLS 1.3 shows no certificate: nothing is said of it.

    References: Sundara Raman et al., IMC 2020; Durumeric et al., NDSS 2017; O'Neill et al., IMC 2016; RFC 5280, 6962.
    """

    name: ClassVar[str] = "tls_interception"
    scope: ClassVar[Scope] = Scope.CAPTURE  # that one authority signs for all shows in other flows
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the certificate of each connection."""
        leaves = find_leaves(trace)
        if leaves is None:
            return Evidence.empty(rules=self.rules)
        row = leaves.row
        cases = Cases(subject=leaves.flow, time=trace.packets.time[row], witness=row, forged=row)
        tables = record(self, cases, by_rule(certificate_signs(leaves)))
        return join(tables or [Evidence.empty(rules=self.rules)])


def certificate_signs(leaves: Leaves) -> list[Sign]:
    """Tell what speaks for or against each certificate; one that speaks against names no forged packet."""
    kind, none = np.array(leaves.kind), none_forged(len(leaves))
    contrast = (leaves.sites >= rules.LEAST_FOR_CONTRAST) & (leaves.spared > 0)
    return [
        sign(rules.STATE, kind == "state"),
        sign(rules.PRODUCT, (kind == "product") & leaves.for_host),
        sign(rules.LOCAL, kind == "local", forged=none),
        sign(rules.NEAR, leaves.near, forged=none),
        sign(rules.PUBLIC, leaves.public, forged=none),
        sign(
            rules.PRIVATE_ISSUER,
            leaves.sites >= rules.LEAST_SITES,
            {"sites": leaves.sites},
            llr=rules.weigh_sites(leaves.sites),
        ),
        sign(rules.REUSED_KEY, leaves.keys >= rules.LEAST_SITES, {"sites": leaves.keys}),
        sign(rules.SPARED, contrast, {"spared": leaves.spared}),
        sign(rules.TWO_ISSUERS, leaves.differs > 0, {"times": leaves.differs}),
        sign(rules.UNTIMED, leaves.missing),
        sign(rules.BARE, leaves.bare),
        sign(rules.WEAK, leaves.weak),
    ]
