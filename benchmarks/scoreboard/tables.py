"""The scoreboard for people: the same tables for the terminal and, as Markdown, for the manual."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from benchmarks.machine import number, table
from benchmarks.scoreboard.counts import BASE_RATES

__all__ = ["Section", "markdown", "sections", "text"]

WORST = 15
"""Rows of a table that lists only the worst."""


@attrs.frozen(kw_only=True)
class Section:
    """One table with its title and a sentence on how to read it."""

    title: str
    says: str
    head: list[str]
    rows: list[list[Any]]


def sections(results: Mapping[str, Any]) -> list[Section]:
    """Lay all results out, leaving out tables without rows."""
    made = [
        core_table(results["core"], results["left_out"].get("core", {})),
        *(decided_table(part, row) for part, row in results["decided"].items()),
        suspicion_table(results.get("suspicions") or {}),
        dns_table(results.get("dns") or {}),
        mechanism_table(results["mechanisms"]),
        source_table(results["by_source"]),
        alarm_table(results["false_alarms"]),
        part_table("False alarms by benign look-alike", results["confounders"]),
        part_table("False alarms by scenario, the worst", results["benign_scenarios"]),
        recall_table("Scenarios found least", results["scenarios"]),
        recall_table("Documented systems found least", results["systems"]),
        split_table(results["splits"]),
        calibration_table(
            {
                **results["calibration"],
                **{
                    f"{name}, systems left out, prior as in the corpus": report
                    for name, report in results["left_out"].get("calibration", {}).items()
                },
            }
        ),
        trigger_table(results["triggers"]),
        delay_table(results["time_to_verdict"]),
        long_table(results.get("long_run") or {}),
        rival_table(results["rivals"]),
    ]
    return [section for section in made if section.rows]


def share(value: float | None) -> str:
    """Write a share with three digits."""
    return "–" if value is None else f"{value:.3f}"


def between(low: float | None, high: float | None) -> str:
    """Write an interval."""
    return "–" if low is None or high is None else f"{low:.2f}–{high:.2f}"


def rate(value: float | None) -> str:
    """Write a rate per million, or a time, without needless digits."""
    return "–" if value is None else number(float(value)) if value else "0"


def core_table(rows: Mapping[str, Mapping[str, Any]], unseen: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the mechanisms whose analyzers are built, where the capture holds what can be seen."""
    lines: list[list[Any]] = []
    for word, row in rows.items():
        other = unseen.get(word)
        lines.append(
            [word, rate_of(row["found"], row["units"]), share(row["recall"]),
             between(row["recall_low"], row["recall_high"]),
             *(["–", "–"] if other is None else [share(other["recall"]),
                                                  between(other["recall_low"], other["recall_high"])]),
             rate_of(row["alarms"], row["benign"]), rate(row["alarms_upper_per_million"]),
             *(["–", "–"] if other is None else [rate_of(other["alarms"], other["benign"]),
                                                  rate(other["alarms_upper_per_million"])])]
        )  # fmt: skip
    return Section(
        title="At the client, on unseen seeds",
        says="Captures of simulator and lab taken at the client, both directions, less than 1 % of packets missing; "
        "paths lose up to 1 %; flows and exchanges that are decidable by themselves. *Left out*: judged by a fit that "
        "never saw the system, or the look-alike. False alarms are those of any mechanism, among all untouched "
        "subjects.",
        head=["mechanism", "found", "recall", "95 %", "recall, left out", "95 %", "false alarms", "≤ per million",
              "false alarms, left out", "≤ per million"],
        rows=lines,
    )  # fmt: skip


def decided_table(part: str, row: Mapping[str, Any]) -> Section:
    """Lay out what is found of what can be decided in one part of the captures."""
    lines: list[list[Any]] = [
        [word, one["units"], share(one["decidable"] / one["units"]), rate_of(one["found"], one["decidable"]),
         share(one["likely"]), between(*(one["likely_interval"] or (None, None))), share(one["possible"])]
        for word, one in row["mechanisms"].items()
    ]  # fmt: skip
    lines.append(["all alike", "", "", "", share(row["likely"]), "", share(row["possible"])])
    return Section(
        title=f"Of what can be decided: {part}",
        says="Units that somebody with the capture alone could suspect, by a rule in packets (tries, controls, "
        f"witnesses). False alarms: {row['alarms']} of {row['benign']:,} untouched subjects.",
        head=["mechanism", "units", "decidable", "likely", "share", "95 %", "possible or better"],
        rows=lines,
    )


def suspicion_table(rows: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out whom suspicions are about."""
    lines: list[list[Any]] = [
        [word, row["printed"], row["right"], row["other"], row["untouched"], share(row["right_share"]),
         between(*row["right_interval"]), share(row["right_share_100"]),
         rate(None if row["untouched_share"] is None else 1e6 * row["untouched_share"])]
        for word, row in rows.items()
    ]  # fmt: skip
    return Section(
        title="What *possible* means",
        says="Subjects that are suspected and not accused: of the mechanism that was at work, of another, and those "
        "that nobody touched. The share of right ones as counted, and with 100 benign subjects to one interfered.",
        head=["suspected of", "printed", "right", "something else", "untouched", "share right", "95 %", "at 1:100",
              "untouched suspected, per million"],
        rows=lines,
    )  # fmt: skip


def dns_table(rows: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out DNS by what the capture holds."""
    lines: list[list[Any]] = [
        [name, rate_of(row["found"], row["units"]), share(row["recall"]),
         between(row["recall_low"], row["recall_high"]),
         f"{share(row['precision_100'])} (≥ {share(row['precision_100_bound'])})",
         rate_of(row["alarms"], row["benign"]), rate(row["alarms_upper_per_million"])]
        for name, row in rows.items()
    ]  # fmt: skip
    return Section(
        title="DNS by what the capture holds",
        says="Exchanges of simulator and lab, from every tap and however badly captured. A *profile* is 20 untouched "
        "exchanges of the same server with replies; *enough lookups* are three of the name, six where more than 5 % of "
        "packets are lost. False alarms are those of any DNS mechanism, among all untouched exchanges.",
        head=["part", "found", "recall", "95 %", "precision 1:100", "false alarms", "≤ per million"],
        rows=lines,
    )


def mechanism_table(rows: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out one row per mechanism of the verdict format."""
    lines: list[list[Any]] = []
    for word, row in rows.items():
        state = (
            "not built" if not row["built"] else rate_of(row["found"], row["units"]) if row["units"] else "not played"
        )
        cells: list[Any] = [word, row["units"], state]
        if row["built"] and row["units"]:
            cells += [
                share(row["recall"]),
                between(row["recall_low"], row["recall_high"]),
                row["possible"],
                row["wrong"],
            ]
            cells += [
                f"{share(row[f'precision_{one}'])} (≥ {share(row[f'precision_{one}_bound'])})" for one in BASE_RATES
            ]
            cells += [share(row["frame_recall"]), share(row["frame_precision"])]
        else:
            cells += ["–", "–", row["possible"], row["wrong"], *["–"] * (len(BASE_RATES) + 2)]
        cells += [f"{row['alarms']}/{row['benign']}", rate(row["alarms_upper_per_million"]),
                  rate(row["alarms_clustered_upper_per_million"])]  # fmt: skip
        lines.append(cells)
    return Section(
        title="Mechanisms",
        says="Recall of labelled flows, exchanges and series with the 95 % Wilson interval; precision at base rates, "
        "and in brackets what the counts show at least (ends of both intervals); forged frames; false alarms among the "
        "benign subjects that the mechanism could happen to, with the upper 95 % Clopper–Pearson bounds per million, "
        "of independent subjects and of captures as clusters.",
        head=["mechanism", "units", "found", "recall", "95 %", "possible", "wrong",
              *[f"precision 1:{one:,}".replace(",", " ") for one in BASE_RATES],
              "frame recall", "frame precision", "false alarms", "≤ per million", "≤ clustered"],
        rows=lines,
    )  # fmt: skip


def rate_of(part: int, whole: int) -> str:
    """Write a part of a whole."""
    return f"{part}/{whole}"


def source_table(sources: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Section:
    """Lay out the mechanisms of every source of captures."""
    rows: list[list[Any]] = [
        [source, word, rate_of(row["captures_found"], row["captures"]), rate_of(row["found"], row["units"]),
         share(row["recall"]), row["possible"], row["wrong"], row["unmatched"], share(row["frame_recall"]),
         share(row["frame_precision"])]
        for source, words in sources.items() for word, row in words.items()
    ]  # fmt: skip
    return Section(
        title="Mechanisms by source",
        says="A unit with several mechanisms at work is counted under each.",
        head=["source", "mechanism", "captures", "units", "recall", "possible", "wrong", "no verdict", "frame recall",
              "frame precision"],
        rows=rows,
    )  # fmt: skip


def alarm_cells(row: Mapping[str, Any]) -> list[Any]:
    """Lay out the rates of false alarms."""
    said = ", ".join(f"{word} {count}" for word, count in row["said"].items())
    rates = [rate(row[name]) for name in ("per_million", "upper_per_million", "clustered_upper_per_million")]
    return [row["units"], row["alarms"], *rates, rate_of(row["captures_alarmed"], row["captures"]), said]


ALARM_HEAD = ["units", "alarms", "per million", "≤ (independent)", "≤ (captures as clusters)", "captures", "said"]


def alarm_table(sources: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the false alarms of every source."""
    rows = [
        [source, name.replace("_", " "), *alarm_cells(parts[name])]
        for source, parts in sources.items()
        for name in ("in_benign_captures", "beside_interference", "together")
        if parts[name]["units"]
    ]
    return Section(
        title="False alarms",
        says="Per million subjects that nobody interfered with, with one-sided upper 95 % bounds.",
        head=["source", "where", *ALARM_HEAD],
        rows=rows,
    )


def part_table(title: str, parts: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the parts with the most false alarms."""
    worst = sorted(parts.items(), key=lambda item: (-(item[1]["per_million"] or 0), -item[1]["units"], item[0]))
    return Section(
        title=title,
        says=f"The {WORST} worst of {len(parts)}; without an alarm, those with the most subjects.",
        head=["part", *ALARM_HEAD],
        rows=[[name, *alarm_cells(row)] for name, row in worst[:WORST]],
    )


def recall_table(title: str, parts: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the parts with the least recall, among mechanisms that are built."""
    able = {name: row for name, row in parts.items() if row["built_units"]}
    worst = sorted(able.items(), key=lambda item: (item[1]["built_recall"], -item[1]["built_units"], item[0]))
    recalls = [row["built_recall"] for row in able.values()]
    spread = f"{recalls.count(1.0)} are found wholly, {recalls.count(0.0)} not at all"
    rows: list[list[Any]] = []
    for name, row in worst[:WORST]:
        found = [rate_of(row["built_found"], row["built_units"]), share(row["built_recall"])]
        words = ", ".join(row["mechanisms"])
        rows.append([name, words, *found, share(row["built_recall_low"]), row["possible"], row["wrong"]])
    return Section(
        title=title,
        says=f"The {WORST} worst of {len(able)} whose mechanism is built ({len(parts)} in all); {spread}.",
        head=["part", "mechanisms", "found", "recall", "≥", "possible", "wrong"],
        rows=rows,
    )


def split_table(splits: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Section:
    """Lay out every rate of every split."""
    rows: list[list[Any]] = []
    for split, parts in splits.items():
        for part, row in parts.items():
            found = [rate_of(row["found"], row["units"]), share(row["recall"]), share(row["recall_low"])]
            sure = f"{share(row['precision_100'])} (≥ {share(row['precision_100_bound'])})"
            frames = [share(row["frame_recall"]), share(row["frame_precision"])]
            wrong = [rate_of(row["alarms"], row["benign"]), rate(row["alarms_upper_per_million"])]
            times = row["time_to_verdict"].get("median")
            last = [
                rate(row["alarms_clustered_upper_per_million"]),
                share(row["calibration"].get("error")),
                share(times),
            ]
            rows.append([split, part, *found, sure, *frames, *wrong, *last])
    return Section(
        title="By condition",
        says="Mechanisms that are built, by how the capture was taken; calibration error at 1:100, median time to "
        "verdict in seconds.",
        head=["split", "part", "found", "recall", "≥", "precision 1:100", "frame recall", "frame precision",
              "false alarms", "≤ per million", "≤ clustered", "calibration error", "time to verdict"],
        rows=rows,
    )  # fmt: skip


def calibration_table(reports: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the scores of the probabilities."""
    rows: list[list[Any]] = [
        [name, row["units"], row["interfered"], *(f"{row[key]:.4f}" for key in
         ("brier", "log_loss", "error", "error_if_calibrated"))]
        for name, row in reports.items() if row["units"]
    ]  # fmt: skip
    return Section(
        title="Calibration",
        says="Probabilities against truth, units weighted to a base rate; the last column is the calibration error "
        "that exactly right probabilities would show by chance.",
        head=["units, base rate", "units", "interfered", "Brier", "log loss", "calibration error", "by chance"],
        rows=rows,
    )


def trigger_table(rows: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out whether the right name is blamed."""
    return Section(
        title="Triggers",
        says="Right findings that blame a name, and how many of them blame the one that was asked for.",
        head=["mechanism", "name a trigger", "the right one", "share"],
        rows=[[word, row["named"], row["right"], f"{row['share']:.4f}"] for word, row in rows.items()],
    )


def delay_table(delays: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the time to verdict."""
    rows: list[list[Any]] = [
        [word, row["sample"], *(f"{row[key]:.3f}" for key in ("median", "p90", "max"))] for word, row in delays.items()
    ]
    return Section(
        title="Time to verdict",
        says="Seconds of capture time from the trigger (or the first forged frame) until a scan of what was captured "
        "so far names the mechanism.",
        head=["mechanism", "sample", "median", "90 %", "longest"],
        rows=rows,
    )


def long_table(readings: Mapping[str, Mapping[str, Any]]) -> Section:
    """Lay out the long run."""
    rows: list[list[Any]] = [
        [name, row["subjects"], row["distinct"], row["donors"], row["clients"], row["alarms"], rate(row["per_million"]),
         rate(row["upper_per_million"]), rate(row["clustered_upper_per_million"]),
         rate(row["origins_upper_per_million"]), rate_of(row["hours_with_alarm"], row["hours"])]
        for name, row in readings.items()
    ]  # fmt: skip
    return Section(
        title="Long run",
        says="Benign flow tables drawn from the packet-level runs: each flow with its own evidence (relived), or with "
        "that of others like it, group by group (recombined). Bounds of independent subjects, of clients and of pooled "
        "runs as clusters; only the last says how far the pools themselves can be trusted.",
        head=["reading", "subjects", "distinct", "donors", "clients", "alarms", "per million", "≤ (independent)",
              "≤ (clients as clusters)", "≤ (runs as clusters)", "hours with an alarm"],
        rows=rows,
    )  # fmt: skip


def rival_table(table_of: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Section:
    """Lay out the library and the rivals on the rivals' home mechanisms."""
    rows: list[list[Any]] = []
    for mechanism, judges in table_of.items():
        for judge, row in judges.items():
            if row["units"]:
                rows.append(
                    [mechanism, judge, rate_of(row["found"], row["units"]), share(row["recall"]),
                     between(row["recall_low"], row["recall_high"]), rate_of(row["alarms"], row["benign"]),
                     rate(row["alarms_per_million"]), share(row["precision_1"]), share(row["precision_100"]),
                     share(row["frame_recall"]), share(row["frame_precision"]), ", ".join(row.get("ahead", ()))]
                )  # fmt: skip
    return Section(
        title="Rivals",
        says="The same units for everybody; a rival stands only where it claims to find the mechanism. The last column "
        "names what it does better than this library.",
        head=["mechanism", "judge", "found", "recall", "95 %", "false alarms", "per million", "precision 1:1",
              "precision 1:100", "frame recall", "frame precision", "ahead in"],
        rows=rows,
    )  # fmt: skip


def text(found: Sequence[Section]) -> str:
    """Write sections for a terminal."""
    return "\n\n".join(f"== {one.title} ==\n{one.says}\n\n{table(one.head, one.rows)}" for one in found)


def markdown(found: Sequence[Section]) -> str:
    """Write sections as Markdown."""
    parts = []
    for one in found:
        lines = ["| " + " | ".join(one.head) + " |", "|" + "---|" * len(one.head)]
        lines += ["| " + " | ".join(cell if isinstance(cell, str) else number(cell) for cell in row) + " |"
                  for row in one.rows]  # fmt: skip
        parts.append(f"### {one.title}\n\n{one.says}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)
