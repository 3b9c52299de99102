"""HTTP requests in the clear and what answered them.

Of a head, the library reads what matters to a censor or betrays one: request line, host, status, location, server.
Other headers and bodies, cookies among them, are never written.

Source: github.com/ooni/spec df-001.
"""

from typing import Any

import numpy as np

from netinterf.export.archival.outcomes import NEVER, Outcomes
from netinterf.schema import TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["find_heads", "page_requests"]

Operation = dict[str, Any]


def find_heads(trace: Trace) -> Ragged:
    """List the rows in Http of every connection, in order of packets."""
    http = trace.http
    return Ragged.from_lengths(
        np.bincount(http.flow, minlength=len(trace.flows)), np.lexsort((http.packet, http.flow)).astype(np.int64)
    )


def page_requests(
    trace: Trace, outcomes: Outcomes, heads: Ragged, flow: int, address: str
) -> tuple[list[Operation], int]:
    """Write the requests of one connection, each with the first answer behind it.

    Args:
        trace: The capture.
        outcomes: How connections ended.
        heads: What `find_heads` found.
        flow: Row in Flows.
        address: The server, as ``host:port``.

    Returns:
        Objects of ``requests`` with times in ns since 1970 UTC, in order of time, and how many requests have no end
        that was captured.
    """
    http, rows = trace.http, heads[flow].tolist()
    requests = [row for row in rows if http.outbound[row] and http.status[row] == 0 and http.method.lengths[row]]
    responses = [row for row in rows if not http.outbound[row] and http.status[row] > 0]
    over = int(outcomes.ending.end[flow]) if outcomes.ending.known[flow] else NEVER
    written = []
    for row, following in zip(requests, [*requests, None][1:], strict=True):
        begin = int(trace.packets.time[http.packet[row]])
        limit = len(trace.packets) if following is None else int(http.packet[following])
        answer = next((response for response in responses if http.packet[row] < http.packet[response] < limit), None)
        end = NEVER if answer is None else int(trace.packets.time[http.packet[answer]])
        failure = None
        # what comes behind the end reaches nobody
        if begin <= over < end and not _server_sent(trace, flow, begin, over):
            answer, end, failure = None, over, outcomes.ending.failed(flow)
        if end < NEVER:
            asking = {"address": address, "alpn": "", "failure": failure, "network": "tcp", "t0": begin, "t": end}
            written.append({**asking, "request": _request(trace, row, address), "response": _response(trace, answer)})
    return written, len(requests) - len(written)


def _server_sent(trace: Trace, flow: int, begin: int, end: int) -> bool:
    """Say whether the server sent data between two times: an answer, though its head could not be read."""
    packets, rows = trace.packets, trace.by_flow[flow]
    data = ~packets.outbound[rows] & (packets.payload_length[rows] > 0) & (packets.tcp_flags[rows] & TcpFlag.RST == 0)
    return bool(np.any(data & (packets.time[rows] > begin) & (packets.time[rows] <= end)))


def _request(trace: Trace, row: int, address: str) -> Operation:
    """Write a request head."""
    http = trace.http
    host, target = http.host[row], http.target[row]
    url = target if "://" in target else f"http://{host or address}{target if target.startswith('/') else '/'}"
    headers = [["Host", host]] if host else []
    return {
        "body": None,
        "body_is_truncated": True,
        "headers": dict(headers),
        "headers_list": headers,
        "method": http.method[row],
        "tor": {"exit_ip": None, "exit_name": None, "is_tor": False},
        "url": url,
    }


def _response(trace: Trace, row: int | None) -> Operation | None:
    """Write a response head."""
    if row is None:
        return None
    http = trace.http
    length = int(http.content_length[row])
    values = (("Location", http.location[row]), ("Server", http.server[row]))
    headers = [[name, value] for name, value in values if value]
    headers += [["Content-Length", str(length)]] if length >= 0 else []
    return {
        "body": None,
        "body_is_truncated": True,
        "code": int(http.status[row]),
        "headers": dict(headers),
        "headers_list": headers,
    }
