"""Verdicts in flat rows, one each, for spreadsheets and SQL; what is nested stays whole in JSON lines and Parquet."""

import csv
import io
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO

from netinterf.writing import TextTarget, opened, printable, write_text
from netinterf.written.record import Verdict, iso_time

__all__ = ["COLUMNS", "write_csv", "write_sqlite"]

COLUMNS = {
    "capture": "TEXT", "kind": "TEXT", "protocol": "TEXT", "client": "TEXT", "client_port": "INTEGER",
    "server": "TEXT", "server_port": "INTEGER", "name": "TEXT", "grouped_by": "TEXT", "first_frame": "INTEGER",
    "outcome": "TEXT", "grade": "TEXT", "mechanism": "TEXT", "probability": "REAL", "q_value": "REAL",
    "trigger": "TEXT", "start": "TEXT", "end": "TEXT", "rules": "TEXT", "reasons": "TEXT", "frames": "TEXT",
    "members": "INTEGER", "affected": "INTEGER", "community_id": "TEXT", "ja4": "TEXT", "explanation": "TEXT",
}  # fmt: skip
"""Columns and their types in SQL; what is a list in a verdict has its entries apart by spaces."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet computes: senders of packets choose names."""


def row_of(verdict: Verdict) -> list[object]:
    """Give the cells of one verdict, in the order of `COLUMNS`."""
    subject, group, trigger = verdict.subject, verdict.group, verdict.trigger
    return [
        verdict.capture, subject.kind, subject.protocol, subject.client, subject.client_port,
        subject.server, subject.server_port, subject.name, subject.by, subject.first_frame,
        verdict.outcome.value, verdict.grade.value, verdict.mechanism, verdict.probability, verdict.q_value,
        None if trigger is None else f"{trigger.kind} {trigger.value}", iso_time(verdict.start), iso_time(verdict.end),
        " ".join(sign.rule for sign in verdict.evidence), " ".join(why.code for why in verdict.reasons),
        " ".join(map(str, verdict.frames)), None if group is None else group.members,
        None if group is None else group.affected, verdict.community_id, verdict.ja4,
        verdict.explanation,
    ]  # fmt: skip


def write_csv(verdicts: Iterable[Verdict], target: TextTarget) -> None:
    """Write a table for spreadsheets (RFC 4180): text is made printable, and nothing in it is a formula.

    Raises:
        OSError: The target cannot be written.
    """

    def lines() -> Iterator[str]:
        held = io.StringIO()
        writer = csv.writer(held, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for verdict in verdicts:
            writer.writerow(map(cell, row_of(verdict)))
            yield held.getvalue()
            held.seek(0)
            held.truncate()
        yield held.getvalue()

    write_text(target, lines())


def cell(value: object) -> object:
    """Make text safe for a spreadsheet."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(FORMULA) else printable(value)


def write_sqlite(verdicts: Iterable[Verdict], target: str | os.PathLike[str] | BinaryIO) -> None:
    """Write a database with one table, ``verdicts``; text is what it was, since SQL obeys no cell.

    Raises:
        OSError: The target cannot be written.
    """
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE verdicts ({columns})")
        places = ", ".join("?" * len(COLUMNS))
        database.executemany(f"INSERT INTO verdicts VALUES ({places})", map(as_sql, map(row_of, verdicts)))
        database.execute("CREATE INDEX by_name ON verdicts (name, mechanism)")
        database.commit()
        content = database.serialize()
    with opened(target) as file:
        file.write(content)


def as_sql(row: list[object]) -> list[object]:
    """Write what is no text in UTF-8 (halves of surrogates in paths) as its escape."""
    return [one.encode("utf-8", "backslashreplace").decode() if isinstance(one, str) else one for one in row]
