"""From leaf certificates to evidence about flows."""

from collections.abc import Mapping
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.tls_interception.leaves import Leaves, find_leaves
from netinterf.analyzers.tls_interception.rules import LEAST_FOR_CONTRAST, LEAST_SITES, RULES, WEIGHTS, weigh_sites
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

__all__ = ["TlsInterception"]


@attrs.frozen(kw_only=True)
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
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "tls"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the certificate of each connection."""
        leaves = find_leaves(trace)
        if leaves is None:
            return Evidence.empty(rules=self.rules)
        kind = np.array(leaves.kind)
        many, one_key = leaves.sites >= LEAST_SITES, leaves.keys >= LEAST_SITES
        told: list[tuple[str, NDArray[np.bool_], Mapping[str, ArrayLike]]] = [
            ("state", kind == "state", {}),
            ("product", (kind == "product") & leaves.made_out, {}),
            ("local", kind == "local", {}),
            ("near", leaves.near, {}),
            ("public", leaves.public, {}),
            ("private_issuer", many, {"sites": leaves.sites}),
            ("reused_key", one_key, {"sites": leaves.keys}),
            ("spared", (leaves.sites >= LEAST_FOR_CONTRAST) & (leaves.spared > 0), {"spared": leaves.spared}),
            ("two_issuers", leaves.differs > 0, {"times": leaves.differs}),
            ("untimed", leaves.missing, {}),
            ("bare", leaves.bare, {}),
            ("weak", leaves.weak, {}),
        ]
        weights: dict[str, NDArray[np.float64]] = {"private_issuer": weigh_sites(leaves.sites)}
        tables = [self.write(trace, leaves, name, shown, measured, weights.get(name)) for name, shown, measured in told]
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def write(
        self,
        trace: Trace,
        leaves: Leaves,
        name: str,
        shown: NDArray[np.bool_],
        measured: Mapping[str, ArrayLike],
        weight: NDArray[np.float64] | None,
    ) -> Evidence:
        """Write one rule down for the leaves that show it."""
        pick = np.flatnonzero(shown)
        return observe(
            self,
            f"tls.{name}",
            subject=leaves.flow[pick],
            time=trace.packets.time[leaves.row[pick]],
            llr=WEIGHTS[f"tls.{name}"] if weight is None else weight[pick],
            forged=leaves.row[pick] if WEIGHTS[f"tls.{name}"] > 0 else None,
            witness=leaves.row[pick],
            measured={key: np.broadcast_to(value, (len(leaves),))[pick] for key, value in measured.items()},
        )
