"""What can be fuzzed: how an input is checked and changed, where inputs come from, and whose code is followed."""

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.fuzz import certificates, containers, evidence, messages, packets, traffic
from benchmarks.fuzz.parts import Change, unpack
from benchmarks.fuzz.twice import Told
from netinterf.capture import find_captures
from netinterf.errors import NetinterfError
from netinterf.simulate import run
from netinterf.trace import Trace, read
from netinterf.values import frozen

__all__ = ["TARGETS", "Target", "gather_seeds", "traces"]


Seeds = Callable[[Trace], Iterator[bytes]]
"""Makes inputs of a capture."""


@frozen
class Target:
    """One thing that is fuzzed."""

    check: Callable[[bytes], Told]
    """Holds one input against everything that must be so, and gives what was said of it; raises where it is not."""
    change: Change
    seeds: Seeds
    modules: tuple[str, ...]
    """Whose code is followed: patterns of names of modules."""
    longest: int = 8000
    """Bytes of an input."""
    head: int | None = 0
    """Bytes before its parts; None where it is not made of parts."""

    def parts(self, data: bytes) -> int:
        """Count the parts of an input."""
        return 1 if self.head is None else len(unpack(data[self.head :]))

    def follows(self, module: str) -> bool:
        """Say whether a module is one of them."""
        return any(fnmatchcase(module, f"netinterf.{pattern}") for pattern in self.modules)


def listed(room: str, names: str) -> tuple[str, ...]:
    """Name modules of a room."""
    return tuple(f"{room}.{name}" for name in names.split())


CAPTURE = listed(
    "capture", "blocks compression formats inlet opening pcap pcapng readers records resync signs source stream"
)
FLOWS = listed(
    "flows", "assign conversations datagrams duplicates grouping numbers orient overlap rtt segments sequence sides"
)
TCP = listed("flows", "numbers overlap rtt segments sequence sides stream unwrap")
JUDGED = ("analyzers.*", "anomaly.*", "attribute.*", "recording.*", "verdict.*", "written.*")

MANY = 24_000
"""Bytes of an input of long parts."""


def frames(check: Callable[[bytes], Told], modules: tuple[str, ...], seeds: Seeds, longest: int = 8000) -> Target:
    """Fuzz something with frames."""
    return Target(check, packets.changed_frames, seeds, modules, longest, head=1)


def texts(
    check: Callable[[bytes], Told], seeds: Seeds, *modules: str, change: Change = messages.changed_messages
) -> Target:
    """Fuzz a parser of messages."""
    return Target(check, change, seeds, listed("protocols", " ".join(modules)), MANY)


TARGETS = {
    "capture": Target(
        containers.check_capture, containers.changed_capture, containers.seeds_capture, CAPTURE, head=None
    ),
    "decode": frames(traffic.check_decode, ("decode.*",), partial(traffic.seeds_of, most=24, size=150)),
    "flows": frames(traffic.check_flows, FLOWS, partial(traffic.seeds_of, most=24, size=120)),
    "tcp": frames(traffic.check_tcp, TCP, partial(traffic.seeds_of, protocols=(6,), most=24, size=120)),
    "dns": texts(messages.check_dns, messages.seeds_dns, "dns*", "svcb"),
    "tls": texts(messages.check_tls, messages.seeds_tls, "tls*", "streams"),
    "quic": texts(messages.check_quic, messages.seeds_quic, "quic*", change=messages.changed_datagrams),
    "http": texts(messages.check_http, messages.seeds_http, "http", "opening"),
    "certificates": texts(
        certificates.check_certificates,
        certificates.seeds_certificates,
        "certificates",
        "chains",
        change=certificates.changed_certificates,
    ),
    "evidence": Target(
        evidence.check_evidence, evidence.changed_observations, evidence.seeds_evidence, ("verdict.*", "written.*"), 500
    ),
    "whole": frames(traffic.check_whole, JUDGED, partial(traffic.seeds_of, most=20, size=1400), MANY),
}
"""By name; the last goes from bytes to what is written."""

SCENARIOS = (
    "tcp.reset.ir-sni", "dns.injection.gfw-triplet", "http.blockpage.ir-http-403", "quic.drop.gfw",
    "tls.interception.generic", "benign.dns.many-types", "benign.tcp.damaged-segments", "benign.tcp.refused-by-icmp",
    "tcp.fin.generic", "reach.isolation", "browsing", "tcp.data.cn-smtp", "protocol.filter.generic",
    "dns.injection.gfw-teredo", "dns.forged.iran", "dns.injection.gfw-mx", "benign.dns.large-answers",
    "benign.dns.truncation", "benign.dns.trailing-bytes", "benign.dns.tcp-only", "tcp.drop.tspu-segment",
    "benign.tcp.old-segment-arrives", "benign.tls.two-authorities", "benign.quic.version-negotiation",
    "benign.http.transparent-proxy", "tcp.synack.generic", "tcp.connect.reset.generic",
    "benign.tcp.simultaneous-open", "benign.tcp.packet-too-big", "benign.tcp.syn-scan", "rate.freeze.quic",
    "tls.interception.kazakhstan",
)  # fmt: skip
"""What inputs are made of where there is nothing else: every protocol, and everything that a sender does seldom."""


LARGE = 300_000
"""Bytes from which a capture is left out: inputs are made of its first packets, and many small ones hold more kinds."""


MOST = 100
"""Captures of a folder that are read: what differs between captures, the search finds sooner than more of them show."""


def traces(captures: Path | None) -> Iterator[Trace]:
    """Read captures to make inputs of: simulated ones, then those of a folder, evenly chosen."""
    for name in SCENARIOS:
        made = run(name, 1)
        yield read(times=made.times, frames=made.frames, link_type=made.link_type)
    paths = [] if captures is None else [path for path in find_captures(str(captures)).captures if is_small(path)]
    for path in paths[:: max(1, len(paths) // MOST)][:MOST]:
        try:
            yield read(path)
        except NetinterfError:
            continue


def is_small(path: str) -> bool:
    """Say whether a capture is read at once."""
    return Path(path).stat().st_size < LARGE


def gather_seeds(names: Iterable[str], captures: Path | None, most: int) -> dict[str, list[bytes]]:
    """Make at most so many inputs of each target to begin with, as many of each capture as of the others."""
    found: dict[str, list[list[bytes]]] = {name: [] for name in names}
    for turn, trace in enumerate(traces(captures)):
        for name, kept in found.items():
            made = list(islice((one for one in TARGETS[name].seeds(trace) if one), 128))
            first = turn % max(len(made), 1)  # not the same kind of input of each
            kept.append(made[first:] + made[:first])
    return {name: in_turn(kept)[:most] for name, kept in found.items()}


def in_turn(lists: list[list[bytes]]) -> list[bytes]:
    """Take the first of each list, then the second of each, each input once."""
    longest = max(map(len, lists), default=0)
    return list(dict.fromkeys(one[place] for place in range(longest) for one in lists if place < len(one)))
