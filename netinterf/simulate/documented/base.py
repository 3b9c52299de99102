"""What an entry of the lists of documented systems and look-alikes says."""

import attrs

__all__ = ["Confounder", "System"]


@attrs.frozen(kw_only=True)
class System:
    """Something that interferes, as the literature describes it."""

    id: str  # country code or product, dot, name: "cn.gfw-ii"
    says: str  # what it does on the wire, in one sentence
    mechanisms: tuple[str, ...]  # words of the verdict format
    source: str  # paper or report


@attrs.frozen(kw_only=True)
class Confounder:
    """A benign cause that looks like interference."""

    id: str  # words with hyphens: "load-balancer-reset"
    says: str
    resembles: tuple[str, ...]  # mechanisms of the verdict format that it can be taken for
    source: str
