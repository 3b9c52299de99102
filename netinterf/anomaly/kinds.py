"""Kinds of conversations, each compared with its own kind by facts of its own."""

from netinterf.anomaly.connections import CONNECTIONS
from netinterf.anomaly.datagrams import DATAGRAMS
from netinterf.anomaly.exchanges import EXCHANGES
from netinterf.anomaly.fact import Fact
from netinterf.values import frozen

__all__ = ["CONNECTION", "CONVERSATION", "KINDS", "QUESTION", "TCP", "Kind", "kind_of"]


@frozen(kw_only=True)
class Kind:
    """Conversations that are compared with each other."""

    id: str
    many: str  # what people call them
    facts: tuple[Fact, ...]
    ported: bool = True  # peers share protocol and port

    @property
    def blind(self) -> frozenset[str]:
        """Flags of Recording under which some of the facts say nothing."""
        return frozenset(flag for fact in self.facts for flag in fact.blind)


CONNECTION = Kind(id="connection", many="connections", facts=CONNECTIONS)
CONVERSATION = Kind(id="conversation", many="conversations", facts=DATAGRAMS)
QUESTION = Kind(id="question", many="DNS questions", facts=EXCHANGES, ported=False)

KINDS = (CONNECTION, CONVERSATION, QUESTION)
"""TCP connections; conversations over UDP and the like; DNS exchanges."""

TCP = 6


def kind_of(*, exchange: bool, protocol: int) -> Kind:
    """Name the kind of one subject."""
    return QUESTION if exchange else CONNECTION if protocol == TCP else CONVERSATION
