"""All numbers of one run as plain values: what goes to JSON, and what tables are laid out from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.scoreboard.calibration import report
from benchmarks.scoreboard.counts import (
    BASE_RATES,
    alarms,
    alarms_by,
    benign_units,
    by_mechanism,
    found_by,
    grouped,
    rates_at,
    tally,
)
from benchmarks.scoreboard.decided import decided
from benchmarks.scoreboard.dns_company import DNS_PARTS
from benchmarks.scoreboard.judging import LIBRARY
from benchmarks.scoreboard.left_out import LEFT_OUT
from benchmarks.scoreboard.mechanisms import MECHANISMS, built
from benchmarks.scoreboard.splits import SPLITS
from benchmarks.scoreboard.suspicions import suspicions
from benchmarks.scoreboard.units import Judged, Unit
from netinterf.verdict.model import SUBJECTS, default_model

__all__ = ["details", "results"]

SPLIT_RATE = 100
"""Base rate, benign subjects to one interfered, at which calibration is compared between parts."""


def results(judged: Sequence[Judged], homes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Compute every number of the scoreboard.

    Args:
        judged: All captures.
        homes: The rivals by name, each with the mechanisms that it claims to find.
    """
    units = [unit for one in judged for unit in one.units]
    sources = grouped(units, lambda unit: unit.source)
    return {
        "captures": len(judged),
        "packets": sum(one.packets for one in judged),
        "mechanisms": by_mechanism(units, LIBRARY),
        "by_source": {name: sourced(part) for name, part in sources.items()},
        "false_alarms": false_alarms(judged, units),
        "scenarios": found_by(units, LIBRARY, lambda unit: unit.scenario),
        "systems": found_by(units, LIBRARY, lambda unit: unit.system),
        "confounders": alarms_by(units, LIBRARY, lambda unit: unit.confounder),
        "benign_scenarios": alarms_by(units, LIBRARY, lambda unit: unit.scenario),
        "splits": {
            name: {part: conditioned(members) for part, members in grouped(units, key).items()}
            for name, key in SPLITS.items()
        },
        "mechanism_splits": mechanism_splits(units),
        "left_out": left_out(units),
        "core": core(units),
        "decided": decided(units),
        "suspicions": suspicions(units),
        "dns": dns(units),
        "calibration": calibrations(units),
        "triggers": triggers(units),
        "time_to_verdict": {
            mechanism: times
            for mechanism in MECHANISMS
            if (times := delays(unit for unit in units if unit.mechanisms[:1] == (mechanism,)))
        },
        "rivals": side_by_side(units, homes),
        "stray": dict(sum((one.stray.get(LIBRARY, Counter()) for one in judged), Counter[str]()).most_common()),
        "unreadable": dict(Counter(one.unreadable for one in judged if one.unreadable).most_common()),
        "failed": {f"{one.capture}: {who}": text for one in judged for who, text in one.failed.items()},
    }


def triggers(units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Count, among right findings that blame a name, those that blame the right one."""
    rows = {}
    for mechanism in MECHANISMS:
        told = [unit.answers[LIBRARY].trigger for unit in units if unit.mechanisms[:1] == (mechanism,)]
        named = [one for one in told if one is not None]
        if named:
            rows[mechanism] = {"named": len(named), "right": sum(named), "share": sum(named) / len(named)}
    return rows


def sourced(units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Give the recall of each mechanism in one source, leaving out those it does not play."""
    found = {mechanism: tally(units, LIBRARY, mechanism) for mechanism in MECHANISMS}
    return {mechanism: counts.rates() for mechanism, counts in found.items() if counts.units}


def mechanism_splits(units: Sequence[Unit]) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Give the recall of each mechanism by scenario, by system and by every split."""
    keys = {"scenario": lambda unit: unit.scenario, "system": lambda unit: unit.system, **SPLITS}
    wanted = ("units", "found", "recall", "recall_low", "recall_high", "wrong")
    table: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for mechanism in MECHANISMS:
        own = [unit for unit in units if mechanism in unit.mechanisms]
        for split, key in keys.items() if own else ():
            parts = {part: tally(members, LIBRARY, mechanism).rates() for part, members in grouped(own, key).items()}
            table.setdefault(mechanism, {})[split] = {
                part: {name: rates[name] for name in wanted} for part, rates in parts.items()
            }
    return table


def false_alarms(judged: Sequence[Judged], units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Count false alarms by source: in benign captures, beside interference, and all together."""
    rows = {}
    parts = {"all": units, **grouped(units, lambda unit: unit.source)}
    for source, part in parts.items():
        benign = benign_units(part)
        of_source = [one for one in judged if source in {"all", one.source} and not one.interfered]
        readable = [one for one in of_source if not one.unreadable and "reading" not in one.failed]
        rows[source] = {
            "benign_captures": len(readable),
            "in_benign_captures": alarms([unit for unit in benign if not unit.control], LIBRARY).rates(),
            "beside_interference": alarms([unit for unit in benign if unit.control], LIBRARY).rates(),
            "together": alarms(benign, LIBRARY).rates(),
            "groups": sum(sum(one.stray.get(LIBRARY, Counter()).values()) for one in of_source),
        }
    return rows


def conditioned(units: Sequence[Unit]) -> dict[str, Any]:
    """Give every rate of the units that were captured alike, among interfered ones those whose mechanism is built."""
    able = [unit for unit in units if not unit.mechanisms or built() & set(unit.mechanisms)]
    said, true = probabilities(able)
    return {
        **rates_at(tally(able, LIBRARY), alarms(able, LIBRARY)),
        "calibration": report(said, true, SPLIT_RATE),
        "time_to_verdict": delays(able),
    }


def left_out(units: Sequence[Unit]) -> dict[str, Any]:
    """Give the rates and the calibration of fits that never saw the system, or look-alike, of the unit."""
    mine = [unit for unit in units if LEFT_OUT in unit.answers]
    if not mine:
        return {}
    able = [unit for unit in mine if not unit.mechanisms or built() & set(unit.mechanisms)]
    return {
        "mechanisms": by_mechanism(mine, LEFT_OUT),
        "core": core_of(mine, LEFT_OUT),
        "calibration": {
            "built": report(*at_corpus_prior(able, LEFT_OUT), None),
            "all": report(*at_corpus_prior(mine, LEFT_OUT), None),
        },
    }


def dns(units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Give the rates of DNS exchanges by what the capture holds beside them, of simulator and lab.

    False alarms are those of any DNS mechanism, among all untouched exchanges.
    """
    own = [unit for unit in units if unit.kind == "exchange" and unit.source in {"simulator", "lab"}]
    wrong = alarms(own, LIBRARY, "dns")
    parts = {name: [unit for unit in own if belongs(unit)] for name, belongs in DNS_PARTS.items()}
    return {name: rates_at(tally(part, LIBRARY), wrong) for name, part in parts.items() if part}


def core(units: Sequence[Unit]) -> dict[str, Any]:
    """Give the rates where the capture holds what can be seen; see `core_of`."""
    return core_of(units, LIBRARY)


def core_of(units: Sequence[Unit], judge: str) -> dict[str, Any]:
    """Give the rates at the client's tap: both directions, less than 1 % of packets missing, simulator and lab.

    Paths of the simulator lose up to 1 %. Units that are decidable only as a series are left out of the recall.
    """
    whole = [
        unit for unit in units
        if unit.where.get("vantage") == "client" and unit.where.get("direction") == "both"
        and float(unit.where.get("capture_loss") or 0.0) < 0.01 and unit.source in {"simulator", "lab"}
        and unit.kind != "capture"
    ]  # fmt: skip
    single = [unit for unit in whole if not unit.series]
    return {
        mechanism: rates_at(tally(single, judge, mechanism), alarms(whole, judge))
        for mechanism in MECHANISMS
        if mechanism in built() and tally(single, judge, mechanism).units
    }


def at_corpus_prior(units: Sequence[Unit], judge: str) -> tuple[list[float], list[bool]]:
    """List what the probabilities would be were interference as frequent as in the corpus, and what was true.

    All mechanisms of a kind of subject are taken to be more frequent by the same factor, so the odds shift by it.
    """
    parts: dict[str, list[Unit]] = {}
    for unit in units:
        parts.setdefault("exchange" if unit.kind == "exchange" else unit.protocol, []).append(unit)
    said, true = [], []
    model = default_model()
    for kind, part in parts.items():
        chance, real = (np.asarray(column) for column in probabilities(part, judge))
        name = kind if kind in SUBJECTS else "other"
        assumed = sum(np.exp(value) for (subject, _), value in model.priors.items() if subject == name)
        if not len(real) or not assumed:
            continue
        odds = (np.sum(real) + 0.5) / (np.sum(~real.astype(np.bool_)) + 0.5) / assumed
        chance = np.clip(chance, 1e-12, 1 - 1e-12)
        shifted = chance * odds / (chance * odds + 1 - chance)
        said.extend(shifted.tolist())
        true.extend(real.tolist())
    return said, true


def probabilities(units: Iterable[Unit], judge: str = LIBRARY) -> tuple[list[float], list[bool]]:
    """List a judge's probability of each unit that has one of its own, and whether it was interfered with."""
    said, true = [], []
    for unit in units:
        chance = unit.answers[judge].probability if judge in unit.answers else None
        if chance is not None and unit.kind != "capture" and not unit.series:
            said.append(chance)
            true.append(bool(unit.mechanisms))
    return said, true


def calibrations(units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Score the library's probabilities: over all units, and over those that it has an analyzer for."""
    able = [unit for unit in units if not unit.mechanisms or built() & set(unit.mechanisms)]
    kinds = (("built", able), ("all", units))
    return {
        **{f"{name}, prior as in the corpus": report(*at_corpus_prior(part, LIBRARY), None) for name, part in kinds},
        **{f"{name}, 1:{rate}": report(*probabilities(part), rate) for name, part in kinds for rate in BASE_RATES},
    }


def delays(units: Iterable[Unit]) -> dict[str, Any]:
    """Summarize the time to verdict, in seconds of capture time; empty without a sample."""
    times = [unit.delay for unit in units if unit.delay is not None]
    if not times:
        return {}
    return {"sample": len(times), "median": float(np.median(times)), "p90": float(np.quantile(times, 0.9)),
            "max": max(times)}  # fmt: skip


def side_by_side(units: Sequence[Unit], homes: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Compare the library and every rival on the rival's home mechanisms, on the same units.

    Returns:
        By mechanism and judge: recall, false alarms and precision. A rival whose home is a prefix is at home in all
        that it covers.
    """
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for mechanism in MECHANISMS:
        names = [name for name, home in homes.items() if any((mechanism + ".").startswith(word + ".") for word in home)]
        if not names:
            continue
        table[mechanism] = {}
        for name in (LIBRARY, *names):
            found, wrong = tally(units, name, mechanism), alarms(units, name, mechanism)
            table[mechanism][name] = rates_at(found, wrong)
        ours = table[mechanism][LIBRARY]
        for name in names:
            table[mechanism][name]["ahead"] = ahead(table[mechanism][name], ours)
    return table


def ahead(rival: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Say in what a rival beats the library."""
    better = []
    if rival["recall"] is not None and rival["recall"] > (ours["recall"] or 0):
        better.append("recall")
    if ours["alarms"] > rival["alarms"]:
        better.append("false alarms")
    if rival["precision_100"] is not None and rival["precision_100"] > (ours["precision_100"] or 0):
        better.append("precision at 1:100")
    return better


def details(units: Iterable[Unit]) -> list[dict[str, Any]]:
    """List every decision of the library that deserves a look: misses, wrong mechanisms, false alarms."""
    rows = []
    for unit in units:
        answer = unit.answers.get(LIBRARY)
        if answer is None or answer.right or (not unit.mechanisms and not answer.said):
            continue
        wrong = "wrong mechanism" if answer.said else "missed"
        rows.append(
            {"what": wrong if unit.mechanisms else "control flagged" if unit.control else "false alarm",
             "source": unit.source, "capture": unit.capture, "scenario": unit.scenario, "system": unit.system,
             "confounder": unit.confounder, "true": list(unit.mechanisms), "said": list(answer.said),
             "name": unit.name, "first_frame": unit.first_frame, "probability": answer.probability,
             "rules": list(answer.rules)}
        )  # fmt: skip
    return rows
