"""Other people's detectors on the same captures: plain rules and published tests, each faithful to its source.

They read the library's tables of packets, flows and messages, never what it holds of them. `RIVALS` lists them;
`verdicts` writes what one says in the words of the verdict format. What each is and where it is blind is told in
``docs/project/rivals.md``.
"""

from benchmarks.rivals.base import Call, Rival, verdicts
from benchmarks.rivals.cloudflare import CLOUDFLARE
from benchmarks.rivals.flach import FLACH
from benchmarks.rivals.forged_list import FORGED_LIST
from benchmarks.rivals.holdon import HOLD_ON
from benchmarks.rivals.ooni import OONI
from benchmarks.rivals.replies import EXCESS_REPLIES
from benchmarks.rivals.resets import ANY_RESET, RESET_TTL
from benchmarks.rivals.silence import UNANSWERED
from benchmarks.rivals.weaver import WEAVER
from benchmarks.rivals.wehe import WEHE

__all__ = ["RIVALS", "Call", "Rival", "verdicts"]

RIVALS: tuple[Rival, ...] = (
    ANY_RESET,
    RESET_TTL,
    EXCESS_REPLIES,
    UNANSWERED,
    CLOUDFLARE,
    WEAVER,
    HOLD_ON,
    FORGED_LIST,
    OONI,
    FLACH,
    WEHE,
)
