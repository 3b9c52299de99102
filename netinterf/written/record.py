"""Verdicts as people and programs receive them: one frozen object per subject, in the words of the verdict format."""

import re
from collections.abc import Sequence
from functools import cache

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.arrow import NOT_A_TIME
from netinterf.notebook import MOST_ROWS, html_lines, html_table
from netinterf.schema import Files, Grade, Outcome
from netinterf.values import frozen
from netinterf.verdict.attribution import Attributed
from netinterf.verdict.reasons import causes
from netinterf.writing import readable

__all__ = [
    "Affected",
    "Further",
    "Observation",
    "Subject",
    "Trigger",
    "Verdict",
    "Why",
    "iso_time",
    "whys",
]


@frozen(kw_only=True)
class Subject:
    """What a verdict is about."""

    kind: str
    protocol: str | None
    client: str | None
    client_port: int | None
    server: str | None
    server_port: int | None
    name: str | None
    first_frame: int | None
    query_type: str | None = None
    query_id: int | None = None
    by: str | None = None


@frozen(kw_only=True)
class Observation:
    """One piece of evidence in words."""

    rule: str
    says: str
    llr: float
    frames: tuple[int, ...]
    measured: dict[str, float | None]
    was: str | None = None  # what the rule was called before the last minor version, if it had another id
    mechanism: str = attrs.field(default="", repr=False)  # that the rule speaks of, empty for all


@frozen(kw_only=True)
class Why:
    """Why a subject is down or could not be judged."""

    code: str
    says: str


@cache
def whys(bits: int) -> tuple[Why, ...]:
    """Say why a subject is down or could not be judged."""
    return tuple(Why(code=cause.code, says=cause.says) for cause in causes(bits))


@frozen(kw_only=True)
class Trigger:
    """What set the interference off."""

    kind: str
    value: str
    frame: int | None


@frozen(kw_only=True)
class Further:
    """A further mechanism at work on the same subject."""

    mechanism: str
    probability: float


@frozen(kw_only=True)
class Affected:
    """How many members of a group are affected: expected number, share and its 95 % interval."""

    members: int
    affected: int
    share: float
    share_low: float
    share_high: float
    findings: int = attrs.field(default=0, repr=False)  # how many of the affected are findings by their own verdict


@frozen(kw_only=True)
class Verdict:
    """One verdict, field by field as the verdict format's JSON lines have it; times are ns since 1970 UTC."""

    capture: str
    subject: Subject
    outcome: Outcome
    grade: Grade
    grade_if_rarer: Grade = attrs.field(repr=False)  # were such interference ten times rarer than the prior says
    mechanism: str | None
    probability: float
    also: tuple[Further, ...]
    q_value: float
    evidence: tuple[Observation, ...]
    reasons: tuple[Why, ...]
    frames: tuple[int, ...]
    trigger: Trigger | None
    selective: bool | None
    group: Affected | None
    attribution: tuple[Attributed, ...]
    start: int
    end: int
    explanation: str = ""  # one or two plain sentences
    anomaly: float | None = None  # share of ordinary conversations of its kind that stand out less from their peers
    community_id: str | None = None  # what other monitors call the conversation; None for groups
    ja4: str | None = None  # which program its client is like; None without a whole TLS or QUIC hello
    raised: bool = attrs.field(default=False, repr=False)  # a certain case on the same path raised the grade
    row: int = attrs.field(default=-1, repr=False)  # row in the capture's Flows or Exchanges
    ip_version: int = attrs.field(default=4, repr=False)
    files: Files = attrs.field(factory=Files, repr=False, eq=False)  # that the capture was joined from
    rows: I64 | None = attrs.field(default=None, repr=False, eq=False)  # of a group: (SubjectKind, row)

    def __repr__(self) -> str:
        what = " ".join(filter(None, (self.outcome.value, self.mechanism)))
        said = self.explanation.partition(". ")[0]
        return readable(f"<Verdict: {what} ({self.grade.value}, {self.probability:.3g}). {said}>")

    def _repr_html_(self) -> str:
        signs = [[sign.says, sign.rule, f"{sign.llr:+.1f}", listed(sign.frames)] for sign in self.evidence]
        lines = [self.explanation, *(f"{why.says} ({why.code})" for why in self.reasons), self.wireshark]
        return html_lines(lines) + (html_table(("what was seen", "rule", "nats", "frames"), signs) if signs else "")

    @property
    def found(self) -> bool:
        """Whether this is a finding: interfered, or possibly so."""
        return self.grade in {Grade.CONFIRMED, Grade.LIKELY, Grade.POSSIBLE}

    @property
    def flow_filter(self) -> str:
        """A Wireshark display filter that shows the subject's packets."""
        subject = self.subject
        if subject.kind == "group":
            return group_filter(subject)
        address = "ip.addr" if self.ip_version == 4 else "ipv6.addr"
        parts = [f"{address}=={host}" for host in dict.fromkeys([subject.client, subject.server]) if host]
        ports = (subject.client_port, subject.server_port)
        parts += [f"{subject.protocol}.port=={port}" for port in dict.fromkeys(ports) if port is not None]
        if subject.protocol == "icmp":
            parts.append("icmp" if self.ip_version == 4 else "icmpv6")
        if subject.query_id is not None:
            parts.append(f"dns.id=={subject.query_id:#06x}")
        return " && ".join(parts)

    @property
    def wireshark(self) -> str:
        """A Wireshark display filter that shows the subject's packets and the frames held to be forged.

        Wireshark counts the frames of each file, so of joined files it shows the packets alone; see `wireshark_in`.
        """
        return self._with_frames(() if self.files else self.frames)

    @property
    def wireshark_in(self) -> dict[str, str]:
        """The same for each joined file that holds such frames, by its path and with the numbers that they have there.

        Empty where the capture is one file.
        """
        return {file.path: self._with_frames(numbers) for file, numbers in self.files.apart(self.frames).items()}

    def _with_frames(self, frames: Sequence[int]) -> str:
        """Show some frames besides the subject's packets."""
        if not frames:
            return self.flow_filter
        listed = f"frame.number in {{{', '.join(map(str, frames))}}}"
        return f"({self.flow_filter}) || {listed}" if self.flow_filter else listed


def listed(frames: Sequence[int]) -> str:
    """List a few frame numbers."""
    some = ", ".join(map(str, frames[:MOST_ROWS]))
    return some + (f" and {len(frames) - MOST_ROWS:,} more" if len(frames) > MOST_ROWS else "")


def group_filter(subject: Subject) -> str:
    """Write a display filter for what a group has in common; empty where Wireshark has no words for it."""
    if subject.name is not None:
        fields = ("tls.handshake.extensions_server_name", "http.host", "dns.qry.name")
        word = subject.name.replace("\\", "\\\\").replace('"', '\\"')
        if subject.by == "name":
            return " || ".join(f'{field} == "{word}"' for field in fields)
        below = re.sub(r"[^\w-]", lambda character: "[.]" if character[0] == "." else ".", subject.name, flags=re.ASCII)
        return " || ".join(f'{field} matches "(^|[.]){below}$"' for field in fields)
    if subject.by in {"server", "prefix", "client"}:
        address = subject.client if subject.by == "client" else subject.server
        return f"{'ipv6' if ':' in (address or '') else 'ip'}.addr=={address}"
    return subject.protocol or ""


def iso_time(time: int | None) -> str | None:
    """Write ns since 1970 UTC as ISO 8601 with nanoseconds, ``2024-01-31T12:00:00.000000001Z``."""
    if time is None or time == NOT_A_TIME:
        return None
    return f"{np.datetime64(time, 'ns')}Z"
