"""From a source of packets to the tables that every analyzer reads.

`read` runs the stages below judgement in their one order: capture, decode, flows, streams, messages, facts. The result
is a `Trace`: frozen tables over one buffer of capture bytes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.capture import Capture, Interface, Source, from_memory, open_capture
from netinterf.context.special import special_bits
from netinterf.decode import decode
from netinterf.flows.assign import assign_flows, tie_quotes
from netinterf.flows.facts import Facts, gather_facts
from netinterf.flows.rtt import rtt_samples, with_rtt
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.flows.stream import head_segments, head_streams, stream_bytes
from netinterf.protocols.dns import DnsTables, parse_dns
from netinterf.protocols.http import parse_http
from netinterf.protocols.tls import parse_tls
from netinterf.schema import (
    Answers,
    Diagnostic,
    Dns,
    Exchanges,
    Flows,
    HeadSegments,
    Hosts,
    Http,
    IcmpQuotes,
    Packets,
    RttSamples,
    Sides,
    Tls,
)
from netinterf.table import Ragged

__all__ = ["Trace", "read"]


@attrs.frozen(eq=False, kw_only=True)
class Trace:
    """The tables decoded from one capture, and the bytes they point into."""

    source: str
    buffer: NDArray[np.uint8] = attrs.field(repr=False)
    interfaces: tuple[Interface, ...]
    packets: Packets
    quotes: IcmpQuotes
    hosts: Hosts
    flows: Flows
    sides: Sides
    by_flow: Ragged  # rows of packets of each flow, in time order
    rtts: RttSamples
    segments: HeadSegments
    dns: Dns
    answers: Answers
    exchanges: Exchanges
    tls: Tls
    http: Http
    facts: Facts
    diagnostics: tuple[Diagnostic, ...]
