"""netinterf: say from a packet capture whether somebody on the path interfered with the traffic.

Three levels, one per kind of user: `scan` gives the answer for whole captures; `read`, `analyze` and `classify` are its
steps, for those who want to look inside; `Session` is fed piece by piece by programs that own the loop. The heavy parts
are imported when a name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from netinterf.version import __version__

if TYPE_CHECKING:
    from netinterf import attribute, campaign, export, ooni, privacy, report, simulate, stats, transform
    from netinterf.analyzers.acknowledgements import Acknowledgements
    from netinterf.analyzers.base import Analyzer, Scope, observe
    from netinterf.analyzers.block_pages import BlockPages
    from netinterf.analyzers.check import check_analyzer
    from netinterf.analyzers.dns_poisoning import DnsPoisoning
    from netinterf.analyzers.dns_silence import DnsSilence
    from netinterf.analyzers.freezes import Freezes
    from netinterf.analyzers.handshakes import SlowHandshakes
    from netinterf.analyzers.isolation import Isolation
    from netinterf.analyzers.rst_injection import RstInjection
    from netinterf.analyzers.run import analyze
    from netinterf.analyzers.shaping import Shaping
    from netinterf.analyzers.silence import Silence
    from netinterf.analyzers.tampering_signatures import TamperingSignatures
    from netinterf.analyzers.throttling import Throttling
    from netinterf.analyzers.tls_interception import TlsInterception
    from netinterf.campaign.campaign import Campaign
    from netinterf.engine.compare import Comparison, compare
    from netinterf.engine.examples import example
    from netinterf.engine.judged import Judged
    from netinterf.engine.scan import Result, scan, scan_each
    from netinterf.engine.session import Session
    from netinterf.errors import NetinterfError
    from netinterf.privacy.traces import redact
    from netinterf.schema import Evidence, Grade, Outcome, Rule, SubjectKind
    from netinterf.trace import Trace, read
    from netinterf.verdict.combine import classify
    from netinterf.verdict.model import Model
    from netinterf.written.ledger import explain
    from netinterf.written.record import Verdict

__all__ = [
    "Acknowledgements",
    "Analyzer",
    "BlockPages",
    "Campaign",
    "Comparison",
    "DnsPoisoning",
    "DnsSilence",
    "Evidence",
    "Freezes",
    "Grade",
    "Isolation",
    "Judged",
    "Model",
    "NetinterfError",
    "Outcome",
    "Result",
    "RstInjection",
    "Rule",
    "Scope",
    "Session",
    "Shaping",
    "Silence",
    "SlowHandshakes",
    "SubjectKind",
    "TamperingSignatures",
    "Throttling",
    "TlsInterception",
    "Trace",
    "Verdict",
    "__version__",
    "analyze",
    "attribute",
    "campaign",
    "check_analyzer",
    "classify",
    "compare",
    "example",
    "explain",
    "export",
    "observe",
    "ooni",
    "privacy",
    "read",
    "redact",
    "report",
    "scan",
    "scan_each",
    "simulate",
    "stats",
    "transform",
]

HOMES = {
    "netinterf.analyzers.acknowledgements": ("Acknowledgements",),
    "netinterf.analyzers.base": ("Analyzer", "Scope", "observe"),
    "netinterf.analyzers.check": ("check_analyzer",),
    "netinterf.analyzers.block_pages": ("BlockPages",),
    "netinterf.analyzers.dns_poisoning": ("DnsPoisoning",),
    "netinterf.analyzers.dns_silence": ("DnsSilence",),
    "netinterf.analyzers.freezes": ("Freezes",),
    "netinterf.analyzers.handshakes": ("SlowHandshakes",),
    "netinterf.analyzers.isolation": ("Isolation",),
    "netinterf.analyzers.rst_injection": ("RstInjection",),
    "netinterf.analyzers.run": ("analyze",),
    "netinterf.analyzers.shaping": ("Shaping",),
    "netinterf.analyzers.silence": ("Silence",),
    "netinterf.analyzers.tampering_signatures": ("TamperingSignatures",),
    "netinterf.analyzers.throttling": ("Throttling",),
    "netinterf.analyzers.tls_interception": ("TlsInterception",),
    "netinterf.campaign.campaign": ("Campaign",),
    "netinterf.engine.compare": ("Comparison", "compare"),
    "netinterf.engine.examples": ("example",),
    "netinterf.engine.judged": ("Judged",),
    "netinterf.engine.scan": ("Result", "scan", "scan_each"),
    "netinterf.engine.session": ("Session",),
    "netinterf.errors": ("NetinterfError",),
    "netinterf.privacy.traces": ("redact",),
    "netinterf.schema": ("Evidence", "Grade", "Outcome", "Rule", "SubjectKind"),
    "netinterf.trace": ("Trace", "read"),
    "netinterf.verdict.combine": ("classify",),
    "netinterf.written.ledger": ("explain",),
    "netinterf.verdict.model": ("Model",),
    "netinterf.written.record": ("Verdict",),
}
SUBMODULES = ("attribute", "campaign", "export", "ooni", "privacy", "report", "simulate", "stats", "transform")


def __getattr__(name: str) -> Any:
    """Import the home of a public name when it is first used (PEP 562)."""
    if name in SUBMODULES:
        return import_module(f"netinterf.{name}")
    for home, names in HOMES.items():
        if name in names:
            value = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'netinterf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
