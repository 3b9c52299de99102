"""One capture, read once, put before every judge, and each judgement held against the labels.

This is what a worker process does. The capture is simulated in memory or read from a file; the library and every rival
get the same trace; what goes back to the parent are counts per labelled unit, no packets.
"""

import io
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.decidable import decidable
from benchmarks.matching import Verdict, accused, gather, match, pair
from benchmarks.scoreboard.delay import time_to_verdict
from benchmarks.scoreboard.dns_company import dns_company
from benchmarks.scoreboard.folders import labels_beside
from benchmarks.scoreboard.labels import LabelledCapture, Row, of_labels
from benchmarks.scoreboard.left_out import LEFT_OUT, unseen
from benchmarks.scoreboard.mechanisms import answers, forges
from benchmarks.scoreboard.pools import pool_of
from benchmarks.scoreboard.units import Answer, Beside, Judged, Unit
from netinterf.context.networks import Network
from netinterf.errors import NetinterfError
from netinterf.schema import Evidence, Mark
from netinterf.simulate import Truth
from netinterf.trace import Trace, read

__all__ = ["LIBRARY", "Job", "judge"]

LIBRARY = "netinterf"
"""What the library is called among the judges."""

NAMED = frozenset({"tls.sni", "http.host", "quic.sni", "dns.qname"})
"""Kinds of triggers that are names."""

REACH = ("reach", "benign.reach")
"""Families of scenarios whose captures are judged with a table of networks."""

TIMED_UNITS = 1
"""Interfered subjects of a capture whose time to verdict is measured: each takes about ten further scans."""

LIMIT = 60.0
"""Seconds of processor time after which a capture counts as failed: an ordinary one takes a tenth of a second."""


@attrs.frozen(kw_only=True)
class Job:
    """One capture to judge: a scenario with a seed, or a file."""

    source: str  # simulator, lab, or the name of a folder
    name: str
    scenario: str = ""
    seed: int = -1
    path: Path | None = None
    labels: LabelledCapture | None = None  # None: the simulator gives them, or a file beside the capture holds them
    rivals: bool = True
    timed: bool = False  # measure the time to verdict


def judge(job: Job, limit: float = LIMIT) -> Judged:
    """Judge one capture; an error of any kind, or taking longer than *limit* seconds, is part of the result."""
    begin = time.process_time()
    try:
        with limited(limit):
            trace, labels = opened(job)
    except NetinterfError as error:
        known = f"{type(error).__name__}: {error}"
        return Judged(source=job.source, capture=job.name, units=unread(job), unreadable=known)
    except Exception:
        failure = {"reading": traceback.format_exc()}
        return Judged(source=job.source, capture=job.name, units=unread(job), failed=failure)
    with limited(limit):
        judged, failed, evidence = ask(trace, job)
        if job.labels is None and evidence is not None and (lines := unseen(trace, evidence, labels, judged[LIBRARY])):
            judged[LEFT_OUT] = lines
    rows = labels.rows
    if not labels.interfered:
        rows = (*rows, *unlabelled(rows, judged.get(LIBRARY, ())))
    units, stray = held_against(trace, labels, rows, job, judged)
    if job.timed and LIBRARY in judged:
        units = timed(trace, rows, units)
    pooled = job.labels is None and not labels.interfered  # strangers' captures name no scenario to part flows by
    pool = pool_of(trace, evidence, labels.scenario) if pooled and evidence is not None else None
    return Judged(
        source=job.source,
        capture=job.name,
        interfered=labels.interfered,
        units=units,
        stray=stray,
        failed=failed,
        pool=pool,
        packets=len(trace.packets),
        seconds=time.process_time() - begin,
    )


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError when what is done inside takes longer, in seconds of processor time.

    Where there are no such timers (Windows), or outside the main thread, there is no limit.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    armed = [True]

    def end(*_: object) -> None:
        if armed:
            raise TimeoutError(f"took more than {seconds:g} s")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)  # again and again: a first one may strike in a finalizer
    try:
        try:
            yield
        finally:
            armed.clear()
    finally:  # even when it struck on the way out
        armed.clear()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def timed(trace: Trace, rows: Sequence[Row], units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """Measure the time to verdict of the first :data:`TIMED_UNITS` units that the library names rightly."""
    wanted = [unit for unit in units if unit.answers[LIBRARY].right and not unit.series and unit.kind != "capture"]
    found = {unit.place: time_to_verdict(trace, rows[unit.place]) for unit in wanted[:TIMED_UNITS]}
    return tuple(attrs.evolve(unit, delay=found.get(unit.place)) for unit in units)


def opened(job: Job) -> tuple[Trace, LabelledCapture]:
    """Simulate or read a capture.

    Scenarios of reach come with the table of networks that the manual asks of their users: what lies abroad cannot be
    told without one. ``python -m benchmarks isolation`` judges them without as well.
    """
    if job.path is not None:
        labels = labels_beside(job.path) if job.labels is None else job.labels
        return read(job.path), labels
    from netinterf.capture import write_pcap
    from netinterf.simulate import run

    simulated = run(job.scenario, job.seed)
    held = io.BytesIO()
    write_pcap(held, simulated.times, simulated.frames, simulated.link_type, lengths=simulated.lengths)
    labels = of_labels(simulated.labels)
    table = simulated.labels.networks if labels.family in REACH else ()
    networks = [Network(ip_network(prefix), asn, country) for prefix, asn, country in table]
    return read(held.getvalue(), networks=networks), labels


def ask(trace: Trace, job: Job) -> tuple[dict[str, list[Verdict]], dict[str, str], Evidence | None]:
    """Put a trace before the library and, when asked for, the rivals.

    Returns:
        Verdicts by judge, tracebacks by judge that failed, and the library's evidence.
    """
    judged: dict[str, list[Verdict]] = {}
    failed: dict[str, str] = {}
    evidence = None
    try:
        evidence, judged[LIBRARY] = library(trace)
    except Exception:
        failed[LIBRARY] = traceback.format_exc()
    if job.rivals:
        from benchmarks.rivals import RIVALS, verdicts

        for rival in RIVALS:
            try:
                judged[rival.name] = verdicts(rival, trace, job.name)
            except Exception:
                failed[rival.name] = traceback.format_exc()
    return judged, failed, evidence


def library(trace: Trace) -> tuple[Evidence, list[Verdict]]:
    """Ask the library, through its public steps, for its evidence and verdicts."""
    import netinterf
    from netinterf.written.format import verdict_line

    evidence = netinterf.analyze(trace)
    ledger = netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)
    return evidence, [verdict_line(verdict) for verdict in ledger]


def unlabelled(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Row]:
    """Make labels for the flows and exchanges of a benign capture that have none: nobody interfered with them."""
    known = set(pair(rows, verdicts).values())
    made = []
    for place, verdict in enumerate(verdicts):
        subject = verdict["subject"]
        if place in known or subject["kind"] == "group":
            continue
        made.append(
            Row(
                truth=Truth(
                    kind=subject["kind"],
                    protocol=subject["protocol"] or "",
                    client=subject["client"] or "",
                    client_port=subject["client_port"] or 0,
                    server=subject["server"] or "",
                    server_port=subject["server_port"] or 0,
                    name=subject["name"] or "",
                    first_frame=subject["first_frame"] or 0,
                    query_type=subject["query_type"],
                    query_id=subject["query_id"],
                )
            )
        )
    return made


def held_against(
    trace: Trace, labels: LabelledCapture, rows: Sequence[Row], job: Job, judged: dict[str, list[Verdict]]
) -> tuple[tuple[Unit, ...], dict[str, Counter[str]]]:
    """Compare what every judge said with the labels.

    Returns:
        One entry per labelled unit, and per judge the accusations against flows without a label.
    """
    members = gather(rows)
    single = single_replies(trace)
    by_judge: dict[str, list[Answer]] = {}
    stray: dict[str, Counter[str]] = {}
    for name, verdicts in judged.items():
        spoken = match(rows, members, verdicts)
        by_judge[name] = [
            answer([rows[place] for place in places], said, single, labels.tolerated)
            for places, said in zip(members, spoken, strict=True)
        ]
        known = {id(one) for said in spoken for one in said}
        paired = set(pair(rows, verdicts).values())
        stray[name] = Counter(
            verdict["mechanism"]
            for place, verdict in enumerate(verdicts)
            if place not in paired and id(verdict) not in known and accused(verdict)
        )
    where, company = surroundings(trace, labels), dns_company(trace, rows)
    told = labels.interfered and labels.vantage  # strangers' labels do not say where captures were taken
    clear = decidable(trace, rows, labels.vantage) if told else (True,) * len(rows)
    units = tuple(
        attrs.evolve(
            unit_of(labels, rows, places, job, where, {name: told[number] for name, told in by_judge.items()}, company),
            decidable=any(clear[place] for place in places),
        )
        for number, places in enumerate(members)
    )
    return units, stray


def answer(
    rows: Sequence[Row], verdicts: Sequence[Verdict], single: frozenset[int], tolerated: Sequence[str]
) -> Answer:
    """Hold one judge's verdicts about one unit against its labels.

    Where an exchange holds one reply only, `dns.forged` is the right word for an injected answer.
    """
    said = tuple(dict.fromkeys(word for verdict in verdicts for word in accused(verdict)))
    lone = any(verdict["subject"].get("first_frame") in single for verdict in verdicts)
    hits = []
    for words in rows[0].right:
        accepted = (*words, "dns.forged") if lone and "dns.injection" in words else words
        hits.append(answers(said, accepted))
    doubted = tuple(verdict["mechanism"] or "" for verdict in verdicts if verdict.get("grade") == "possible")
    forged = {frame for row in rows for frame in row.truth.forged}
    named: set[int] = set()
    for verdict in verdicts:
        if any(forges(word) for word in accused(verdict)):
            named.update(verdict.get("frames") or ())
    best = max(verdicts, key=lambda one: one.get("probability") or 0.0, default=None)
    if not rows[0].right and all(word in tolerated for word in said):
        spared, said = said, ()
    else:
        spared = ()
    return Answer(
        said=said, hits=tuple(hits), spared=spared, matched=bool(verdicts), doubted=doubted,
        possible=any(answers(doubted, words) for words in rows[0].right),
        probability=None if best is None else best.get("probability"),
        named=len(named) if forged else 0, hit=len(named & forged),
        rules=tuple(one["rule"] for one in (best or {}).get("evidence") or ())[:8] if said or hits else (),
        trigger=named_rightly(rows[0], best) if any(hits) else None,
    )  # fmt: skip


def named_rightly(row: Row, verdict: Verdict | None) -> bool | None:
    """Say whether a verdict blames the name that was asked for; None where it blames none, or the labels have none."""
    trigger = (verdict or {}).get("trigger") or {}
    if trigger.get("kind") not in NAMED or not row.truth.name:
        return None
    return str(trigger["value"]).rstrip(".").lower() == row.truth.name.rstrip(".").lower()


def unit_of(
    labels: LabelledCapture, rows: Sequence[Row], places: tuple[int, ...], job: Job, where: dict[str, Any],
    answered: dict[str, Answer], company: dict[int, Beside],
) -> Unit:  # fmt: skip
    """Put together what is scored as one."""
    row = rows[places[0]]
    truth = row.truth
    return Unit(
        source=job.source, capture=job.name, scenario=labels.scenario, family=labels.family, place=places[0],
        mechanisms=row.mechanisms, system=truth.system, confounder=truth.confounder, kind=truth.kind,
        protocol=truth.protocol, name=truth.name, first_frame=truth.first_frame, series=truth.series,
        control=labels.interfered and not row.right, where=where, answers=answered,
        beside=company.get(truth.first_frame) if truth.kind == "exchange" else None,
        forged=len({frame for place in places for frame in rows[place].truth.forged}),
    )  # fmt: skip


def unread(job: Job) -> tuple[Unit, ...]:
    """List the interfered units of a capture that could not be read: they count as missed."""
    if job.labels is None:
        return ()
    silent = {LIBRARY: Answer()}
    return tuple(
        unit_of(job.labels, job.labels.rows, places, job, {}, silent, {})
        for places in gather(job.labels.rows)
        if job.labels.rows[places[0]].right
    )


def single_replies(trace: Trace) -> frozenset[int]:
    """Find the first frames of DNS exchanges that hold exactly one reply."""
    table = trace.exchanges
    frames = trace.packets.frame[trace.dns.packet]
    rows = np.flatnonzero(table.replies.lengths == 1).tolist()
    return frozenset(int(min(frames[[*table.queries[row], *table.replies[row]]])) for row in rows)


TCP = 6


def surroundings(trace: Trace, labels: LabelledCapture) -> dict[str, Any]:
    """Say how a capture was taken: by its labels, and where they are silent by what the trace shows."""
    packets, tcp = trace.packets, trace.flows.protocol == TCP
    both = np.all(trace.sides.packets.reshape(-1, 2) > 0, axis=1)[tcp]
    versions = np.unique(packets.version[packets.version > 0])
    seen = {
        "ip": int(versions[0]) if len(versions) == 1 else 0,
        "direction": "one way" if len(both) and not both.any() else "both",
        "capture_loss": float(np.mean(packets.marks & Mark.ACKED_UNSEEN != 0)) if len(packets) else 0.0,
        "snaplen": int(packets.captured.max(initial=0)) if np.any(packets.captured < packets.length) else 0,
    }
    return {"vantage": labels.vantage or str(trace.vantage), **seen, **labels.conditions}
