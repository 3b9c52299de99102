"""Whether a network is cut off as a whole: most of the world is silent there at once, while some of it goes on.

Each server alone may turn a network away; all servers of the world do not so on one day. The hours in which most are
silent and others answer are one picture together, which is weighed against what else draws it:

- a list that holds most of what was asked for, though lists are short mostly;
- a line or a recorder that loses packets: it hits now this server and now that, where a border hits the same again;
- a cable or a provider that fails: it takes networks of servers away as a whole or not at all, and is repaired.

Sources: net4people/bbs 516, 586, 630 (lists of what stays open); the form, and how common the causes are, as in
`netinterf.analyzers.isolation.causes`, which asks the same of one capture that shows both home and abroad.
"""

from typing import Self

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.line import OUT
from netinterf.pooling.causes import CAUSES, Cause
from netinterf.pooling.reach import Reach, Servers, shares
from netinterf.pooling.ways import LISTED
from netinterf.pooling.witnesses import HOUR_NS, Hours
from netinterf.values import frozen

__all__ = ["Isolation", "isolation_of"]

Beta = tuple[float, float]

CLOSED: Beta = (12.0, 3.0)
ANY: Beta = (1.0, 1.0)
"""Share of servers that is silent: of a network that is cut off but for a list four fifths, and seldom less than half;
where somebody blocks what is on a list, as `LISTED` says; on a bad line nobody knows (judgements)."""

DEAD: Beta = (99.0, 1.0)
ALIVE: Beta = (1.0, 19.0)
"""The same of one network of servers that is out of reach as a whole (now and then another way is left, one in a
hundred as in the causes of one capture), and of one that is not."""

LINE, CUT = 0.02, 8e-4
"""How often a line loses about half of everything, and a cable or provider fails (as in the causes of one capture)."""

REPAIR_HOURS = 24.0
"""Mean time until what a cable or provider carried is reached again (judgement: by other ways after a day or two)."""

LEAST = -30.0
"""Log-likelihood ratios are kept above this."""

BESIDES = np.array([-1, Cause.ACCESS, CAUSES.index("transit")])
"""What is named besides isolation, by rival; a list is no harmless cause."""


@frozen(eq=False, kw_only=True)
class Isolation:
    """What is found of each network as a whole, one entry per place."""

    llr: F64  # that it is cut off, nats; 0 where nothing can be said
    cause: I64  # likeliest harmless cause, place in CAUSES; -1 for none
    together: Mask  # what is silent at once is so for one reason, whichever, rather than name by name


def isolation_of(reach: Reach, servers: Servers, hours: Hours, places: int, prior: float) -> Isolation:
    """Weigh that each network is cut off, by all hours that look so; where none does, by all that say anything.

    Args:
        reach: What is reached.
        servers: Which servers answered.
        hours: When that was.
        places: How many places there are.
        prior: Log-odds that a network is cut off, before any evidence.
    """
    looks_so = np.zeros(places, np.bool_)
    looks_so[reach.place[reach.cut]] = True
    counted = reach.take(reach.cut | (~looks_so[reach.place] & ~reach.out))
    mine = np.isin(servers.place * hours.count + servers.step, counted.place * hours.count + counted.step)
    picture = Picture.of(servers.take(mine))
    place = picture.place
    silent, tried, _ = shares(picture.number, picture.site, picture.silent / picture.hours)
    first, last = np.full(places, hours.count), np.zeros(places, np.int64)
    np.minimum.at(first, counted.place, counted.step)
    np.maximum.at(last, counted.place, counted.step)
    lasted = (last - first)[place] * (hours.width / HOUR_NS)
    closed = weigh(silent, tried, CLOSED)
    rivals = np.stack([
        weigh(silent, tried, LISTED),
        np.log(LINE) + weigh(silent, tried, ANY) - picture.repeated(),
        np.log(CUT) + closed - picture.scattered() - lasted / REPAIR_HOURS,
    ])  # fmt: skip
    llr, cause = np.zeros(places), np.full(places, -1)
    llr[place] = np.maximum(closed - np.logaddexp.reduce(rivals, axis=0), LEAST)
    cause[place] = BESIDES[rivals.argmax(axis=0)]
    scanned, together = np.zeros(places), np.zeros(places, np.bool_)
    np.maximum.at(scanned, reach.place, reach.scanned)
    together[place] = np.logaddexp.reduce([prior + closed, *rivals[1:]], axis=0) > rivals[0]
    together |= prior + scanned > 0
    return Isolation(llr=np.where(scanned > 0, np.maximum(llr, scanned), llr), cause=cause, together=together)


@frozen(eq=False, kw_only=True)
class Picture:
    """Servers over all hours that count together, one entry per place and server."""

    place: I64  # of each number
    number: I64  # of the place of each server, from 0
    site: I64
    silent: F64  # hours in which it was silent
    hours: F64  # hours in which it was tried

    @classmethod
    def of(cls, servers: Servers) -> Self:
        """Add hours up."""
        server, first = numbered(combined(servers.place, servers.service))
        number, head = numbered(servers.place[first])
        return cls(
            place=servers.place[first][head],
            number=number,
            site=servers.site[first],
            silent=totals(server, servers.silent, len(first)),
            hours=totals(server, None, len(first)),
        )

    def repeated(self) -> F64:
        """Weigh that the same servers are silent in all hours, against any of them being so in each; nats by place."""
        silent, passed, count = self.silent, self.hours - self.silent, len(self.place)
        share = totals(self.number, silent, count) / totals(self.number, self.hours, count)
        share = np.clip(share, 1 - OUT, OUT)[self.number]
        shut = np.log(share) + silent * np.log(OUT) + passed * np.log1p(-OUT)
        spared = np.log1p(-share) + silent * np.log1p(-OUT) + passed * np.log(OUT)
        worth = np.logaddexp(shut, spared) - silent * np.log(share) - passed * np.log1p(-share)
        return totals(self.number, np.where(self.hours > 1, worth, 0.0), count)

    def scattered(self) -> F64:
        """Weigh that servers are spared one by one, against networks of them being so as a whole; nats by place."""
        site, head = numbered(combined(self.number, self.site))
        silent, tried = totals(site, self.silent / self.hours, len(head)), totals(site, None, len(head))
        of, count = self.number[head], len(self.place)
        share = totals(of, silent * 2 > tried, count) / totals(of, None, count)
        share = np.clip(share, 1 - OUT, OUT)[of]
        gone = np.log(share) + weigh(silent, tried, DEAD)
        some, none = (np.log1p(-share) + weigh(silent, tried, of_them) for of_them in (ANY, ALIVE))
        worth = np.logaddexp(gone, some) - np.logaddexp(gone, none)
        return totals(of, np.where(tried > 1, worth, 0.0), count)


def weigh(silent: F64, tried: F64, share: Beta) -> F64:
    """Compute log-likelihoods of counts whose share is silent comes from a Beta distribution."""
    from scipy.special import betaln

    return np.asarray(betaln(share[0] + silent, share[1] + tried - silent) - betaln(*share), np.float64)
