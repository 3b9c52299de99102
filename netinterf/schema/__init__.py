"""The data dictionary: every table, every column, every code.

A star schema. Packets, messages, evidence and verdicts point at dimensions (hosts, flows) by row number; nothing is
stored twice. A reference of -1 means "none". Times are signed 64-bit nanoseconds since 1970 UTC; sequence numbers are
as on the wire (32 bits, use serial arithmetic).
"""

from netinterf.schema.codes import (
    Diagnostic,
    Grade,
    GroupBy,
    IpFlag,
    Mark,
    OrientedBy,
    Outcome,
    ParseError,
    RttKind,
    SegmentKind,
    Status,
    SubjectKind,
    TcpFlag,
    TcpOption,
    TlsKind,
    TriggerKind,
)
from netinterf.schema.judgement import (
    Evidence,
    Groups,
    Rule,
    Verdicts,
)
from netinterf.schema.traffic import (
    Answers,
    Dns,
    Endpoints,
    Exchanges,
    Flows,
    HeadSegments,
    Hosts,
    Http,
    IcmpQuotes,
    Packets,
    Records,
    RttSamples,
    Sides,
    Tls,
)

__all__ = [
    "Answers",
    "Diagnostic",
    "Dns",
    "Endpoints",
    "Evidence",
    "Exchanges",
    "Flows",
    "Grade",
    "GroupBy",
    "Groups",
    "HeadSegments",
    "Hosts",
    "Http",
    "IcmpQuotes",
    "IpFlag",
    "Mark",
    "OrientedBy",
    "Outcome",
    "Packets",
    "ParseError",
    "Records",
    "RttKind",
    "RttSamples",
    "Rule",
    "SegmentKind",
    "Sides",
    "Status",
    "SubjectKind",
    "TcpFlag",
    "TcpOption",
    "Tls",
    "TlsKind",
    "TriggerKind",
    "Verdicts",
]
