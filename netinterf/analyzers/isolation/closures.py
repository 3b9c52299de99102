"""Was the border closed, and does that explain it best? Attempts in, one finding out; nothing here sees packets.

First it is found out when most of what is abroad failed (`spans`). Then all networks, at home and abroad, closed and
otherwise, are matched against closed borders and harmless causes (`causes`). Causes that began or ended meanwhile pay
the logarithm of the number of places where that could have been.
"""

import numpy as np

from netinterf.analyzers.isolation.attempts import IPV6_ROWS, ROWS, Attempts, Row
from netinterf.analyzers.isolation.causes import Counts, Match, match
from netinterf.analyzers.isolation.places import FEWEST_AT_HOME
from netinterf.analyzers.isolation.shares import (
    became_slower,
    intermittent_counts,
    shares,
    splits_systems,
    together,
    turns,
)
from netinterf.analyzers.isolation.spans import (
    FEWEST_SILENT,
    sharpened,
    spans_of,
    time_to_notice,
    units_of,
    whole_bins,
    within,
)
from netinterf.arrays import I64, Mask
from netinterf.values import frozen

__all__ = ["HINT", "Closure", "judge"]


FEWEST_ABROAD, FEWEST_SYSTEMS = 20, 3
"""Networks abroad that must have been tried, and autonomous systems of those that failed while it seemed closed.
Judgement: with fewer, one hoster or one cable explains what failed."""

ENOUGH, ENOUGH_SYSTEMS = 15, 6
"""With fewer networks abroad that were tried while it seemed closed it stays a hint (judgement). So it does where
nothing at all passes, in fewer autonomous systems: these may hang on one cable; and where no handshakes complete and
what passes are whole systems that are not known to be as near as before."""

HINT = 7.0
"""Nats of a hint: ``possible`` by the packaged priors, and never ``likely`` (0.22 % beforehand times e to the 7th is
0.7)."""

PASSING = (Row.WEB, Row.DNS)
"""Protocols that borders let pass that decide by protocol (Aryapour, arXiv:2507.14183); so time is cut by the others as
well."""


@frozen(eq=False, kw_only=True)
class Closure:
    """What explains best that networks abroad did not answer."""

    match: Match
    llr: float  # nats against harmless causes, capped where too little was tried
    begins: I64  # ns: from when on it was closed, each time
    ends: I64  # ns: until when
    struck: Mask  # attempts that the border stopped
    silent: int  # networks abroad that did not answer while it was closed
    tried: int  # networks abroad that were tried meanwhile
    systems: int  # autonomous systems that the silent ones are in
    answered: int  # networks at home that answered meanwhile
    home: int  # networks at home that were tried meanwhile
    passing: int  # networks abroad that answered although it was closed
    opened: int  # networks abroad of the silent ones that completed handshakes
    fell: int  # networks abroad of the silent ones that had answered, or did later
    alarm: int  # networks abroad that it took to notice


def judge(attempts: Attempts, abroad: Mask, home: Mask) -> Closure | None:
    """Find out whether what lies abroad was cut off.

    Args:
        attempts: Attempts in the order of time.
        abroad: Which of them lead abroad.
        home: Which lead to places at home; what is neither takes no part.

    Returns:
        The best explanation, harmless or not; None where too little failed or too little was tried to say anything.
    """
    known = attempts.passed >= 0
    far, near = np.flatnonzero(abroad & known), np.flatnonzero(home & known)
    failed, answered = far[attempts.passed[far] == 0], near[attempts.passed[near] == 1]
    enough = (
        (attempts.cluster, far, FEWEST_ABROAD),
        (attempts.cluster, failed, FEWEST_SILENT),
        (attempts.system, failed, FEWEST_SYSTEMS),
        (attempts.cluster, answered, FEWEST_AT_HOME),
    )
    if any(different(column[rows]) < fewest for column, rows, fewest in enough):
        return None
    deciding = far[~np.isin(attempts.row[far] % IPV6_ROWS, PASSING)]
    closures = [explain(attempts, far, near, spans_of(attempts, rows)) for rows in (far, deciding)]
    return max((closure for closure in closures if closure is not None), key=lambda closure: closure.llr, default=None)


def different(values: I64) -> int:
    """Count the different values."""
    return len(np.unique(values))


def explain(attempts: Attempts, far: I64, near: I64, spans: tuple[I64, I64, int]) -> Closure | None:
    """Match what was seen while it seemed closed, and at other times, against causes."""
    begins, ends, places = spans
    if not len(begins):
        return None
    begins, ends = sharpened(attempts, far, begins, ends)
    closed = within(attempts.time, begins, ends)
    shut, rest, home = far[closed[far]], far[~closed[far]], near[closed[near]]
    changes = int(np.sum(begins > attempts.time[far[0]])) + int(np.sum(ends <= attempts.time[far[-1]]))
    abroad = shares(attempts, shut)
    tcp = shut[np.isin(attempts.row[shut] % IPV6_ROWS, (Row.WEB, Row.TCP)) & (attempts.passed[shut] == 0)]
    opened = shares(attempts, tcp, attempts.opened)
    at_home, otherwise = shares(attempts, home), shares(attempts, rest)
    ever = together(abroad, otherwise)
    slower, survivors = became_slower(attempts, shut, rest[attempts.time[rest] < begins[0]])
    counts = Counts(
        abroad=abroad.by_row(),
        home=at_home.by_row(),
        otherwise=otherwise.by_row(),
        networks=abroad.by(abroad.cluster),
        system=np.unique(abroad.system[np.unique(abroad.cluster, return_index=True)[1]], return_inverse=True)[1],
        networks_home=at_home.by(at_home.cluster),
        networks_rest=otherwise.by(otherwise.cluster),
        networks_ever=ever.by(ever.cluster),
        opened=np.array([opened.share.sum(), len(opened.share)]),
        turns=turns(units_of(attempts, np.sort(np.append(shut, home))).passed),
        intermittent=intermittent_counts(attempts, shut),
        spans=len(begins),
        search=changes * float(np.log(places)),
        slower=slower,
        survivors=survivors,
    )
    matched = match(counts)
    low = closed_rows(counts, matched)
    struck = np.zeros(len(attempts), np.bool_)
    struck[shut] = (attempts.passed[shut] == 0) & low[attempts.row[shut]]
    silent, systems = np.unique(attempts.cluster[struck]), different(attempts.system[struck])
    well = near[(attempts.passed[near] == 1) & within(attempts.time[near], *whole_bins(attempts, begins, ends))]
    if len(silent) < FEWEST_SILENT or systems < FEWEST_SYSTEMS or different(attempts.cluster[well]) < FEWEST_AT_HOME:
        return None
    tried = different(attempts.cluster[shut])
    too_few = tried < ENOUGH or (matched.closed == "full" and systems < ENOUGH_SYSTEMS)
    cut_off = counts.opened[0] <= counts.opened[1] / 2  # a cut completes no handshakes
    as_near = counts.survivors > 0 and not counts.slower
    too_few |= matched.closed in {"listed", "near"} and cut_off and not as_near and not splits_systems(abroad)
    return Closure(
        match=matched,
        llr=min(matched.llr, HINT) if too_few else matched.llr,
        begins=begins,
        ends=ends,
        struck=struck,
        silent=len(silent),
        tried=tried,
        systems=systems,
        answered=different(attempts.cluster[home[attempts.passed[home] == 1]]),
        home=different(attempts.cluster[home]),
        passing=len(np.setdiff1d(attempts.cluster[shut[attempts.passed[shut] == 1]], silent)),
        opened=different(attempts.cluster[tcp[attempts.opened[tcp] == 1]]),
        fell=len(np.intersect1d(silent, attempts.cluster[rest[attempts.passed[rest] == 1]])),
        alarm=time_to_notice(attempts, shut[low[attempts.row[shut]]]),
    )


def closed_rows(counts: Counts, matched: Match) -> Mask:
    """Say which protocols do not pass: all of them, unless it is the protocol that decides."""
    if matched.closed != "protocols":
        return np.ones(ROWS, np.bool_)
    low: Mask = counts.abroad[0] < counts.abroad[1] / 2
    return low
