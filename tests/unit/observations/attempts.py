"""Made-up tables of attempts, one tuple a row."""

import numpy as np

from netinterf.comparison.units import Side
from netinterf.numbering import combined, numbered_text
from netinterf.observations.attempts import TRANSPORTS, Attempts, State
from netinterf.table import Text

SECOND = 1_000_000_000
PRIOR = -4.0


def attempts(*rows, transport="tcp/tls"):
    """Lay out attempts given as (side, name, server number, seconds, state) and, if told, log-odds and own weight."""
    told = [(*row, PRIOR, 0.0)[:7] if len(row) == 5 else row for row in rows]
    side, names, server, seconds, state, log_odds, llr = zip(*told, strict=True) if told else ([],) * 7
    server = np.array(server, np.int64)
    name, count = numbered_text(Text.of(names))[0], len(told)
    bare = np.array([not one for one in names], bool)
    state = np.array([State[one.upper()] for one in state], np.uint8)
    return Attempts(
        place=np.array([Side[one.upper()] for one in side], np.int32),
        capture=np.array([Side[one.upper()] for one in side], np.int32),
        row=np.arange(count, dtype=np.int32),
        client=np.zeros(count, np.int32),
        asn=np.full(count, -1),
        site=server,
        unit=combined(bare.astype(np.int64), np.where(bare, server, name)) if count else np.zeros(0, np.int64),
        called=np.where(bare, -1, name),
        service=combined(server) if count else server,
        host=combined(server) if count else server,
        high=np.zeros(count, np.uint64),
        low=np.uint64(0xFFFF_CB00_7100) + server.astype(np.uint64),
        port=np.full(count, 443, np.uint16),
        transport=np.full(count, TRANSPORTS.index(transport), np.uint8),
        name=Text.of(names),
        time=(np.array(seconds, float) * SECOND).astype(np.int64),
        state=state,
        abrupt=state == State.BROKEN,
        at_opening=bare & np.isin(state, (State.SILENT, State.BROKEN)),
        unread=np.zeros(count, bool),
        traced=np.zeros(count, bool),
        missed=np.zeros(count),
        prior=np.full(count, PRIOR),
        llr=np.array(llr, float),
        log_odds=np.array(log_odds, float),
    )


def several(side, name, server, states, *, begin=0.0, step=10.0):
    """List several attempts at one name, some seconds apart."""
    return [(side, name, server, begin + place * step, state) for place, state in enumerate(states)]
