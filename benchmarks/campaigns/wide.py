"""Stores that are written without captures: as many names and networks as wanted, of which some block some names.

For what takes a store and not its captures: pages and reports of any size. Rows are such as scans give for the simplest
cases; nothing is measured on them but time and size.
"""

from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from netinterf import Campaign
from netinterf.arrays import I64, Mask
from netinterf.campaign.stored.names import write
from netinterf.campaign.stored.parts import Aside, commit
from netinterf.campaign.stored.schema import CAPTURES, NAMES, OBSERVATIONS
from netinterf.campaign.stored.store import Store

__all__ = ["Wide", "wide_store"]

TRANSPORTS = ("dns", "tcp/http", "tcp/tls", "quic")
WAYS = (
    (None, None, None, None),
    ("dns.injection", "http.blockpage", "tcp.reset", None),
    ("dns.drop", "tcp.drop", "tcp.drop", "quic.drop"),
    ("dns.injection", None, "tls.interception", "quic.drop"),
)
"""What networks do to what they block, by transport; they take turns."""

SILENT = frozenset({"dns.drop", "tcp.drop", "quic.drop"})
START, DAY = 1_735_689_600 * 10**9, 86_400 * 10**9  # 2025, ns
PRIOR, WELL, FORGED, CHANCE = -4.0, -2.3, 9.0, -3.5
"""Log-odds and log-likelihood ratios of attempts that were answered, or answered by somebody else; nats."""


@attrs.frozen(kw_only=True)
class Wide:
    """Measures of a store."""

    names: Sequence[str]  # each over four transports
    networks: int = 20
    runs: int = 2  # captures of each network, one a day
    blocked: float = 0.03  # share of names that a network blocks
    dead: float = 0.02  # share of names that are dead
    seed: int = 1


def wide_store(folder: Path, wide: Wide) -> Campaign:
    """Write a store; the folder must not hold one."""
    store, generator = Store(folder), np.random.default_rng(wide.seed)
    store.path.mkdir(parents=True)
    store.make()
    lists = generator.random((len(wide.names), 3)) < wide.blocked  # networks of one kind share most of a list
    dead = generator.random(len(wide.names)) < wide.dead
    for network in range(wide.networks):
        kind = network % len(WAYS)
        listed = lists[:, kind - 1] & (generator.random(len(wide.names)) < 0.8)
        for run in range(wide.runs):
            write_part(store, wide, network, run, listed, dead)
    store.path.joinpath("names").mkdir()
    write(store, NAMES, [{"name_key": key, "name": name} for key, name in enumerate(wide.names)])
    return Campaign(folder)


def write_part(store: Store, wide: Wide, network: int, run: int, listed: Mask, dead: Mask) -> None:
    """Write one capture: an attempt at each name over each transport."""
    place, capture = f"net-{network:02}", f"{network:016x}{run:016x}"
    aside = Aside()
    for code, way in enumerate(WAYS[network % len(WAYS)]):
        hit = listed & (way is not None) & (run > 0 or network % 2 == 0)
        aside.add(OBSERVATIONS, rows(wide, place, capture, code, way if hit.any() else None, hit, dead, run))
    about = {"capture": capture, "path": f"captures/{place}/{run:04}.pcap", "place": place, "state": "judged"}
    aside.add(CAPTURES, CAPTURES.of_rows([about]))
    number = f"{network:08x}{run:08x}"
    folder = store.pending / number
    aside.finish(folder)
    commit(store, folder, number)


def rows(
    wide: Wide, place: str, capture: str, code: int, way: str | None, hit: Mask, dead: Mask, run: int
) -> object:  # fmt: skip
    """Give the rows of one transport."""
    count, silently = len(wide.names), way in SILENT
    struck = hit & (not silently)
    silent = (dead | hit) & ~struck
    names: I64 = np.arange(count)
    words: dict[str, object] = {
        "capture": capture, "place": place, "vantage": "client", "transport": TRANSPORTS[code], "suffix": "example",
        "asn": 64512 + int(place[4:]), "country": f"X{chr(65 + int(place[4:]) // 3 % 26)}",
    }  # fmt: skip
    columns: dict[str, object] = {column.name: [None] * count for column in OBSERVATIONS.columns}
    columns |= {name: [value] * count for name, value in words.items()}
    columns |= {column.name: np.zeros(count, np.int32) for column in OBSERVATIONS.columns if column.unit == "attempts"}
    log_odds = PRIOR + np.where(struck, FORGED, np.where(silent, 0.0, WELL))
    columns |= {
        "bin": np.full(count, START + run * DAY), "unit": names * len(TRANSPORTS) + code, "name_key": names,
        "service": names // 3, "site": names // 50, "clients": np.ones(count, np.int32),
        "answered": np.where(struck | silent, 0, 1 + names * (run + 7) // 3 % 3).astype(np.int32),
        "silent": silent.astype(np.int32),
        "struck": struck.astype(np.int32), "visits": (silent | struck).astype(np.int32),
        "at_opening": (silent & (TRANSPORTS[code] == "quic")).astype(np.int32),
        "neighbour_alive": silent.astype(np.int32), "around": 20 * silent.astype(np.int32),
        "chance": np.where(struck | silent, CHANCE, 0.0), "missed": np.zeros(count),
        "llr": np.where(struck, FORGED, np.where(silent, 0.0, WELL)), "prior": np.full(count, PRIOR),
        "log_odds": log_odds, "probability": 1 / (1 + np.exp(-log_odds)),
        "mechanism": [way if one else None for one in struck.tolist()],
        "frames": [[frame] for frame in range(1, count + 1)],
        "states": [[state] for state in np.select([struck, silent], ["struck", "silent"], "answered").tolist()],
    }  # fmt: skip
    return OBSERVATIONS.table(columns)
