"""How the line of a place fares: how likely an attempt fails by itself, by what came of others around it."""

import numpy as np

from netinterf.arrays import F64, I64

__all__ = ["OUT", "STRENGTH", "USUAL", "ordinary_failure"]

USUAL = 0.05
"""Share of attempts that fail for no reason that lasts, where nothing else is known: judgement, between the 1 % of
packets that paths lose and the fifth of connections that end early at a large CDN (Cloudflare, 2024)."""

STRENGTH = 20.0
"""How many attempts that share counts for, beside those around a failure (judgement)."""

OUT = 0.95
"""Share of attempts that an outage or a refusal lets fail: they flicker as they begin and end (judgement)."""

LINK_OUT = 0.05
"""Share of the minutes with a failure in which the client's whole link was out (judgement: as often as any other
failure that does not last)."""


def ordinary_failure(lost: I64, around: I64, missed: F64) -> F64:
    """Give the log-probability that an attempt fails for no reason of its own, by what came of others that minute.

    Either the link was out, or it was as it usually is, which the others tell too.

    Args:
        lost: Others that failed.
        around: Others of which it is known what came of them.
        missed: Share of such packets that the recorder is seen to have missed.
    """
    passed = around - lost
    out = lost * np.log(OUT) + passed * np.log1p(-OUT) + np.log(LINK_OUT)
    usual = lost * np.log(USUAL) + passed * np.log1p(-USUAL) + np.log1p(-LINK_OUT)
    share = np.exp(out - np.logaddexp(out, usual))
    rate = (lost + USUAL * STRENGTH) / (around + STRENGTH)
    fails = share * OUT + (1 - share) * rate
    return np.asarray(np.log(fails + (1 - fails) * np.minimum(missed, OUT)))
