"""The tables of a store: every column with its type, meaning and unit.

Types are those that every reader of Parquet knows: signed numbers, text, lists of these, times in UTC. What is null is
not known, or does not apply.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs

from netinterf.arrow import arrow_type, pyarrow
from netinterf.values import frozen

__all__ = [
    "CAPTURES",
    "MARKS",
    "MEASUREMENTS",
    "NAMES",
    "OBSERVATIONS",
    "PACKETS",
    "SCHEMA",
    "SEEN",
    "SERVERS",
    "TABLES",
    "VALUES",
    "Stored",
    "StoredTable",
]

SCHEMA = 1
"""Version of the tables. It rises when a column changes its meaning or goes; columns that are added leave it."""


@frozen
class Stored:
    """One column: its type as `netinterf.arrow.arrow_type` takes it."""

    name: str
    type: Any
    meaning: str
    unit: str = ""


@frozen(eq=False)
class StoredTable:
    """One table of a store."""

    name: str
    says: str  # what a row is
    columns: tuple[Stored, ...] = attrs.field(repr=False)
    words: tuple[str, ...] = ()  # columns of text with few values, which are read as dictionaries

    @cached_property
    def schema(self) -> Any:
        """The ``pyarrow.Schema``, with meanings and units as metadata of the columns."""
        library = pyarrow()
        fields = [
            library.field(
                column.name,
                arrow_type(column.type),
                metadata={"meaning": column.meaning} | ({"unit": column.unit} if column.unit else {}),
            )
            for column in self.columns
        ]
        return library.schema(fields, metadata={"netinterf.table": self.name, "netinterf.schema": str(SCHEMA)})

    def completed(self, batch: Any, columns: Sequence[str] | None) -> Any:
        """Add columns that a part does not have yet, since a version before wrote it: nothing is known of these.

        Args:
            batch: A ``pyarrow.RecordBatch`` of the part.
            columns: Which columns were asked for, None for all.
        """
        library = pyarrow()
        for field in self.schema:
            if field.name not in batch.schema.names and (columns is None or field.name in columns):
                kind = library.dictionary(library.int32(), field.type) if field.name in self.words else field.type
                arrays = [*batch.columns, library.nulls(len(batch), kind)]
                batch = library.RecordBatch.from_arrays(arrays, schema=batch.schema.append(field.with_type(kind)))
        return batch

    def table(self, columns: Mapping[str, Any]) -> Any:
        """Lay columns out as a ``pyarrow.Table``; rows that are masked or None become null.

        Args:
            columns: An array, a masked array or a sequence for each column.
        """
        library, schema = pyarrow(), self.schema
        arrays = [library.array(columns[field.name], type=field.type) for field in schema]
        return library.Table.from_arrays(arrays, schema=schema)

    def of_rows(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Lay rows out as a ``pyarrow.Table``."""
        return pyarrow().Table.from_pylist(list(rows), schema=self.schema)


PLACE = Stored("place", "string", "where the client is, as the store was told")
CAPTURE = Stored("capture", "string", "BLAKE2b of the content of the file, expanded: 128 bits in hexadecimal")
COUNT = "attempts"

PACKETS, MEASUREMENTS = "packets", "measurements"
"""Kinds of files."""

OBSERVATIONS = StoredTable(
    "observations",
    "What was tried and what came of it: one row per capture (or run of a test, of measurements), client network, "
    "unit, server and five minutes.",
    (
        CAPTURE,
        PLACE,
        Stored("asn", "int64", "AS of the client by the table of networks, else that of its place"),
        Stored("country", "string", "country of the client by the table of networks, else that of its place"),
        Stored("bin", "time", "five minutes in which the attempts began: their beginning"),
        Stored("vantage", "string", "where the capture was taken: client, server, middle or unknown"),
        Stored("transport", "string", "how the server was reached: dns, tcp/http, tcp/tls, quic, tcp or udp"),
        Stored("version", "int32", "IP version of the server"),
        Stored("unit", "int64", "what was tried, under the key: a name over a transport, or a server without a name"),
        Stored("name_key", "int64", "the name that was asked for, under the key; null without one"),
        Stored("suffix", "string", "public suffix of that name, as *.co.uk; * where no list knows it"),
        Stored("service", "int64", "address, port and transport of the server, under the key"),
        Stored("site", "int64", "network of the server: its AS, else its /24 or /48 under the key, below 0"),
        Stored("server_asn", "int64", "AS of the server by the table of networks"),
        Stored("server_country", "string", "country of the server by the table of networks"),
        Stored("clients", "int32", "clients that tried"),
        Stored("answered", "int32", "attempts that were answered", COUNT),
        Stored("heard", "int32", "attempts at which somebody spoke in the server's name, without an answer", COUNT),
        Stored("broken", "int32", "attempts that were reset", COUNT),
        Stored("silent", "int32", "attempts at which nothing came back", COUNT),
        Stored("struck", "int32", "attempts that the scan holds to be interfered with, whatever came back", COUNT),
        Stored("unknown", "int32", "attempts of which the capture does not show what came of them", COUNT),
        Stored("unread", "int32", "of those answered: what would show a forgery was cut out of the recording", COUNT),
        Stored("visits", "int32", "failures more than a minute behind the last one of the same client and unit", COUNT),
        Stored("abrupt", "int32", "failures that were resets rather than silence", COUNT),
        Stored("at_opening", "int32", "failures before anything could be asked for", COUNT),
        Stored("neighbour_alive", "int32", "failures whose nearest neighbour at the same server was alive", COUNT),
        Stored("neighbour_dead", "int32", "failures whose nearest neighbour at the same server failed as well", COUNT),
        Stored("around", "int32", "attempts at other things within a minute, over all failures", COUNT),
        Stored("lost", "int32", "those of them that failed with nobody held to have done it", COUNT),
        Stored("chance", "double", "sum over the failures: log-probability that an attempt fails by itself", "nats"),
        Stored("missed", "double", "share of such packets that the recorder is seen to have missed, the most of any"),
        Stored("llr", "double", "what the packets weigh by themselves, as one observation", "nats"),
        Stored("prior", "double", "log-odds of interference before any evidence", "nats"),
        Stored("log_odds", "double", "log-odds that the scan arrived at for the surest of them", "nats"),
        Stored("mechanism", "string", "what was done to the surest of them, null where nothing was found"),
        Stored("probability", "double", "probability that the surest of them was interfered with"),
        Stored(
            "frames",
            ["int32"],
            "where to look: first frames of up to three of them, failures first; of measurements, lines of the file",
        ),
        Stored("states", ["string"], "what came of each of these"),
    ),
    words=("capture", "place", "country", "vantage", "transport", "suffix", "server_country", "mechanism"),
)

CAPTURES = StoredTable(
    "captures",
    "One row per file: what was judged, what could not be, and what was there already.",
    (
        CAPTURE,
        Stored("path", "string", "where the file was, as it was given"),
        Stored("size", "int64", "size of the file", "bytes"),
        Stored("mtime_ns", "int64", "when it was last changed, as the file system says", "ns since 1970 UTC"),
        Stored("place", "string", f"{PLACE.meaning}; of measurements null where they are of several"),
        Stored("state", "string", "judged; error: it could not be; again: its content is in the store already"),
        Stored("first", "time", "time of the first packet"),
        Stored("last", "time", "time of the last packet"),
        Stored("packets", "int64", "packets", "packets"),
        Stored("bytes", "int64", "their length on the wire", "bytes"),
        Stored("vantage", "string", "where it was taken: client, server, middle or unknown"),
        Stored("link_types", ["int32"], "link types of its interfaces"),
        Stored("notes", ["string"], "codes of what there is to say of it: damage, gaps, a clock that was set"),
        Stored("pieces", "int32", "pieces that it was cut into; null for one that was judged as it is"),
        Stored(
            "crossed", "int64", "conversations and lookups that went on behind what was looked at with their beginning"
        ),
        Stored(
            "left_open", "int64", "conversations and lookups open where that ended, silent for less than two minutes"
        ),
        Stored("error", "string", "kind of the error"),
        Stored("message", "string", "what is wrong with it"),
        Stored("model", "string", "model that it was judged by"),
        Stored("version", "string", "version of the library that judged it"),
        Stored("kind", "string", "packets, or measurements of OONI's probes; null of what could not be judged"),
    ),
    words=("place", "state", "vantage", "error", "model", "version", "kind"),
)

MARKS = StoredTable(
    "marks",
    "What attempts have to show beside how they ended: one row per capture, what was tried, five minutes and value.",
    (
        CAPTURE,
        PLACE,
        Stored("asn", "int64", "AS of the client, as in observations"),
        Stored("bin", "time", "five minutes in which the attempts began: their beginning"),
        Stored("unit", "int64", "unit of observations; null for what is of the whole capture"),
        Stored(
            "kind",
            "string",
            "issuer, key: of the server's certificate; answer: an address that the name resolved to, or NXDOMAIN; "
            "system: a documented one that a finding looks like; rate: what a transfer was held to; injector: a hand "
            "among forged replies",
        ),
        Stored("key", "int64", "the value under the key"),
        Stored("value", "string", "the value; null where it might tell a name: see values"),
        Stored(
            "number",
            "double",
            "the mean of what was measured: of a rate in bit/s, of an answer the hop limit it came with",
        ),
        Stored("count", "int32", "how often"),
        Stored("frame", "int32", "a frame that shows it; of measurements, a line of the file"),
    ),
    words=("capture", "place", "kind"),
)

NAMES = StoredTable(
    "names",
    "Names that may be told.",
    (
        Stored("name_key", "int64", "name_key of observations"),
        Stored("name", "string", "the name"),
    ),
)

SERVERS = StoredTable(
    "servers",
    "Servers that may be told.",
    (
        Stored("service", "int64", "service of observations, and unit of those without a name"),
        Stored("address", "string", "address of the server"),
        Stored("port", "int32", "its port"),
        Stored("transport", "string", "how it was reached"),
    ),
)

VALUES = StoredTable(
    "values",
    "Values of marks that may be told: addresses that names resolved to, and keys.",
    (
        Stored("key", "int64", "key of marks"),
        Stored("value", "string", "the value"),
    ),
)

SEEN = StoredTable(
    "seen",
    "Private: what numbers stand for, and who asked for it.",
    (
        Stored("kind", "string", "name, server or value"),
        Stored("key", "int64", "name_key or service of observations, or key of marks"),
        Stored("text", "string", "the name, the address of the server, or the value"),
        Stored("port", "int32", "port of a server"),
        Stored("transport", "string", "transport of a server"),
        PLACE,
        Stored("clients", "int32", "clients of one capture that asked for it, the most of any"),
    ),
    words=("kind", "transport", "place"),
)

TABLES = (OBSERVATIONS, CAPTURES, MARKS, NAMES, SERVERS, VALUES, SEEN)
"""All tables of a store."""
