"""Evidence: any observations that an analyzer may hand over, judged and written out."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from random import Random

import numpy as np

from benchmarks.fuzz.parts import changed_parts, pack, scrambled, unpack
from benchmarks.fuzz.twice import Told, told_of
from netinterf.analyzers.registry import builtin
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.simulate import run
from netinterf.table import Ragged
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from netinterf.written.format import verdict_line
from netinterf.written.ledger import explain

__all__ = ["changed_observations", "check_evidence", "seeds_evidence"]

FORM = struct.Struct(">HHhBBBB")
"""An observation: rule, subject, weight in hundredths of a nat, two packets, their number, what was measured."""

MEASURED = (0.0, 1.0, -1.0, 0.5, float("nan"), 1e-300, 1e300, -1e300, 65_535.0, 2.0**63, 3.0, 100.0)
FLOWS = 12

ONE_IN = 4
"""Inputs of which one is written out, which takes as long as judging three."""


@cache
def background() -> Trace:
    """Give the capture that all evidence is about: connections of every kind, and lookups."""
    made = run("reach.isolation", 1)
    trace = read(times=made.times, frames=made.frames, link_type=made.link_type)
    rows = np.unique(np.concatenate([np.flatnonzero(trace.flows.protocol == 6)[:FLOWS], trace.exchanges.flow[:FLOWS]]))
    return trace.select(rows)


@cache
def rules() -> tuple[Rule, ...]:
    """List all rules of built-in analyzers."""
    return tuple(dict.fromkeys(rule for analyzer in builtin() for rule in analyzer.rules))


def evidence_of(data: bytes) -> Evidence:
    """Read observations."""
    trace, known = background(), rules()
    rows = [FORM.unpack(one[: FORM.size]) for one in unpack(data) if len(one) >= FORM.size]
    counts = (len(trace.flows), len(trace.exchanges))
    codes = [row[0] % len(known) for row in rows]
    kinds = [row[1] & 1 for row in rows]  # (half of them about flows)
    packets = len(trace.packets)
    witness = [sorted({(row[3] * 3) % packets, (row[4] * 3 + 1) % packets})[: 1 + row[5] % 2] for row in rows]
    kind_codes = (SubjectKind.FLOW, SubjectKind.EXCHANGE)
    measured = [[MEASURED[(row[6] + place) % len(MEASURED)] for place in range(len(known[code].measures))]
                for row, code in zip(rows, codes, strict=True)]  # fmt: skip
    forged = [one[:1] if row[5] & 2 else [] for one, row in zip(witness, rows, strict=True)]
    return Evidence(
        subject=np.array([(row[1] >> 1) % counts[kind] for row, kind in zip(rows, kinds, strict=True)], np.int32),
        subject_kind=np.array([kind_codes[kind] for kind in kinds], np.uint8),
        rule=np.array(codes, np.uint16),
        time=trace.packets.time[[one[0] for one in witness]] if rows else np.empty(0, np.int64),
        llr=np.array([row[2] / 100 for row in rows], np.float64),
        forged=Ragged.of([np.array(one, np.int32) for one in forged], np.int32),
        witness=Ragged.of([np.array(one, np.int32) for one in witness], np.int32),
        measured=Ragged.of([np.array(one, np.float64) for one in measured], np.float64),
        rules=known,
    )


def check_evidence(data: bytes) -> Told:
    """Judge observations and write them out; their order must not matter, and probabilities are some."""
    trace, evidence = background(), evidence_of(data)
    if not len(evidence):
        return set()
    verdicts = classify(evidence, trace)
    for name in ("probability", "q_value"):
        values = getattr(verdicts, name)
        assert ((values >= 0) & (values <= 1)).all(), f"{name} outside of 0 to 1"
    turned = classify(evidence.take(np.arange(len(evidence))[::-1]), trace)
    for name in ("outcome", "grade", "mechanism"):
        assert verdicts_named(verdicts, name) == verdicts_named(turned, name), f"the order of evidence decides {name}"
    assert np.allclose(verdicts.probability, turned.probability, rtol=0, atol=1e-9), "the order decides a probability"
    if zlib.crc32(data) % ONE_IN == 0:
        for verdict in explain(verdicts, evidence, trace):
            verdict_line(verdict)
            assert verdict.explanation, "a verdict without words"
    return told_of(verdicts, "outcome", "grade") | {("rule", place) for place in set(evidence.rule.tolist())}


def verdicts_named(verdicts: object, name: str) -> list[object]:
    """Give a column with the names of mechanisms instead of their places."""
    values: list[int] = getattr(verdicts, name).tolist()
    mechanisms: tuple[str, ...] = getattr(verdicts, "mechanisms", ())
    return [mechanisms[one] if name == "mechanism" and one >= 0 else one for one in values]


def changed_observations(data: bytes, rng: Random) -> bytes:
    """Change observations: another rule, subject, weight or packet; several about one subject."""

    def change(part: bytes, rng: Random) -> bytes:
        if len(part) < FORM.size or rng.random() < 0.2:
            return (scrambled(part, rng) + bytes(FORM.size))[: FORM.size]
        values = list(FORM.unpack(part[: FORM.size]))
        place = rng.randrange(len(values))
        values[place] = (rng.randrange(-2000, 2000), rng.randrange(256), rng.randrange(1 << 16))[
            0 if place == 2 else 1 if place > 2 else 2
        ]
        return FORM.pack(*values)

    parts = changed_parts(unpack(data), rng, change)
    if rng.random() < 0.4:  # about one subject
        parts = [one[:2] + parts[0][2:4] + one[4:] for one in parts]
    return pack(parts)


def seeds_evidence(trace: Trace) -> Iterator[bytes]:
    """Speak of every rule once, some rules at a time; the capture is not asked."""
    del trace
    for first in range(0, len(rules()), 8):
        yield pack([FORM.pack(rule, first & 0xFFFE, 400, rule & 255, 7, rule & 3, rule % 12) for rule in
                    range(first, min(first + 8, len(rules())))])  # fmt: skip
