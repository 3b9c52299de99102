"""From leaf certificates to evidence about flows."""

from collections.abc import Mapping
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.tls_interception.leaves import UNRELATED, Leaves, find_leaves
from netinterf.analyzers.tls_interception.rules import RULES, WEIGHTS
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

__all__ = ["TlsInterception"]


@attrs.frozen(kw_only=True)
class TlsInterception:
    """Find TLS that somebody on the path answered with a certificate of his own.

    What it looks for: certificates of known interceptors, one key or one unlogged issuer over unrelated sites, and
    sites that show another issuer at other times or places.

    Why: whoever wants to read what is encrypted must sign for every name that is asked, with an authority that no
    public log would take.

    Also looks like this: private authorities, front ends with certificates of two authorities, renewals, filters on
    the user's own machine. TLS 1.3 shows no certificate: nothing is said of it.

    References: Sundara Raman et al., IMC 2020; Durumeric et al., NDSS 2017; O'Neill et al., IMC 2016; RFC 6962.
    """

    name: ClassVar[str] = "tls_interception"
    scope: ClassVar[Scope] = Scope.CAPTURE  # that one authority signs for all shows in other flows
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "tls"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down what speaks for or against the certificate of each connection."""
        leaves = find_leaves(trace)
        if leaves is None or not len(leaves):
            return Evidence.empty(rules=self.rules)
        kind = np.array(leaves.kind)
        odd = leaves.bare | leaves.weak | (leaves.one_key >= UNRELATED) | (leaves.one_issuer >= UNRELATED)
        told: list[tuple[str, NDArray[np.bool_], Mapping[str, ArrayLike]]] = [
            ("state", kind == "state", {}),
            ("product", kind == "product", {}),
            ("local", kind == "local", {}),
            ("one_key", leaves.one_key >= UNRELATED, {"sites": leaves.one_key}),
            ("one_issuer", leaves.one_issuer > UNRELATED, {"sites": leaves.one_issuer}),
            ("unlogged", leaves.unlogged & odd, {"spared": leaves.spared, "selective": 1.0}),
            ("differs", leaves.differs > 0, {"times": leaves.differs}),
            ("bare", leaves.bare, {}),
            ("weak", leaves.weak, {}),
        ]
        tables = [self.write(trace, leaves, name, shown, measured) for name, shown, measured in told]
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def write(
        self, trace: Trace, leaves: Leaves, name: str, shown: NDArray[np.bool_], measured: Mapping[str, ArrayLike]
    ) -> Evidence:
        """Write one rule down for the leaves that show it."""
        pick = np.flatnonzero(shown)
        return observe(
            self,
            f"tls.{name}",
            subject=leaves.flow[pick],
            time=trace.packets.time[leaves.row[pick]],
            llr=WEIGHTS[f"tls.{name}"],
            forged=leaves.row[pick],
            witness=leaves.row[pick],
            measured={key: np.broadcast_to(value, (len(leaves),))[pick] for key, value in measured.items()},
        )
