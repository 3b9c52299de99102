"""Whose servers flows lead to: the registrable domain that a request named, else the server."""

import numpy as np

from netinterf.arrays import I64
from netinterf.context.domains import registrable_domains
from netinterf.numbering import numbered_text
from netinterf.table import Text
from netinterf.trace import Trace

__all__ = ["flow_domains"]


def flow_domains(trace: Trace) -> I64:
    """Number the registrable domain of every flow: of its own request, else of another flow to its server.

    Returns:
        One number per flow; below zero where no request told a name, one for each server.
    """
    flow = np.concatenate([trace.http.flow, trace.tls.flow]).astype(np.int64)
    number, different = numbered_text(registrable_domains(Text.concat([trace.http.host, trace.tls.name])))
    known = different.lengths[number] > 0 if len(number) else np.zeros(0, np.bool_)
    server = trace.flows.server.astype(np.int64)
    own, there = np.full(len(trace.flows), -1, np.int64), np.full(len(trace.hosts), -1, np.int64)
    own[flow[known]] = number[known]
    named = np.flatnonzero(own >= 0)
    there[server[named]] = own[named]
    shared = np.where(there >= 0, there, -1 - np.arange(len(there)))[server]
    return np.where(own >= 0, own, shared)
