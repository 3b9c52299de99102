"""The stages of a scan, one after the other on one capture, each timed by itself."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from netinterf.analyzers.base import join
from netinterf.analyzers.registry import builtin
from netinterf.capture import open_capture
from netinterf.context.special import special_bits
from netinterf.decode import decode
from netinterf.flows.assign import assign_flows, tie_quotes
from netinterf.flows.messages import read_messages
from netinterf.flows.rtt import rtt_samples, with_rtt
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.flows.stream import head_segments
from netinterf.protocols.dns import parse_dns
from netinterf.recording import gather
from netinterf.trace import Trace
from netinterf.verdict.combine import classify

__all__ = ["Stage", "fastest", "time_stages"]


@attrs.frozen
class Stage:
    """One stage and how long it took."""

    name: str
    seconds: float
    part: bool = False  # measured a second time within another stage: not to be added up


class Clock:
    """Runs stages and remembers their times."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def __call__(self, name: str, work: Callable[[], Any], *, part: bool = False) -> Any:
        """Do *work* under *name* and hand its result on."""
        begin = time.perf_counter()
        result = work()
        self.stages.append(Stage(name, time.perf_counter() - begin, part))
        return result


def time_stages(path: Path) -> list[Stage]:
    """Run every stage on *path* once, in the order of a scan."""
    clock = Clock()
    trace = read_staged(path, clock)
    found = [clock(f"analyzer {one.name}", partial(one, trace)) for one in builtin()]
    evidence = clock("join evidence", lambda: join(found))
    clock("classify", lambda: classify(evidence, trace))
    return clock.stages


def read_staged(path: Path, clock: Clock) -> Trace:
    """Do what `netinterf.read` does, stage by stage."""
    capture = clock("capture index", lambda: open_capture(path))
    buffer = capture.buffer
    links = [interface.link_type for interface in capture.interfaces]
    decoded = clock("decode", lambda: decode(buffer, capture.records, links, source=capture.source))
    assigned = clock("flow ids", lambda: assign_flows(decoded.packets, decoded.endpoints))
    flows, by_flow = assigned.flows, assigned.by_flow
    special = clock("special addresses", lambda: special_bits(assigned.hosts.high, assigned.hosts.low))
    hosts = attrs.evolve(assigned.hosts, special=special)
    packets = clock("marks", lambda: mark_segments(assigned.packets, flows, by_flow))
    sides = clock("sides", lambda: build_sides(packets, flows, by_flow))
    rtts = clock("RTT", lambda: rtt_samples(packets, flows, by_flow, sides))
    sides = with_rtt(sides, rtts)
    segments = clock("heads", lambda: head_segments(buffer, packets, sides, by_flow))
    messages = clock("TLS, HTTP, DNS, QUIC", lambda: read_messages(buffer, packets, flows, hosts, sides, segments))
    clock("  of it DNS over UDP", lambda: parse_dns(buffer, packets, flows, hosts, None), part=True)
    recording, tap = clock("recording", lambda: gather(packets, flows, sides, rtts, by_flow))
    return Trace(
        source=capture.source,
        buffer=buffer,
        interfaces=capture.interfaces,
        packets=packets,
        quotes=tie_quotes(decoded.quotes, packets, flows, hosts),
        hosts=hosts,
        flows=flows,
        sides=sides,
        by_flow=by_flow,
        rtts=rtts,
        segments=segments,
        dns=messages.dns,
        answers=messages.answers,
        exchanges=messages.exchanges,
        tls=messages.tls,
        http=messages.http,
        quic=messages.quic,
        recording=recording,
        vantage=tap,
        began=int(packets.time[0]) if len(packets) else 0,
        ended=int(packets.time[-1]) if len(packets) else 0,
        diagnostics=capture.diagnostics + decoded.diagnostics,
    )


def fastest(runs: list[list[Stage]]) -> Iterator[Stage]:
    """Keep the fastest time of each stage over several runs."""
    for stages in zip(*runs, strict=True):
        yield min(stages, key=lambda stage: stage.seconds)
