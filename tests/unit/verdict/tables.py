"""Small captures written down as tables, for tests of judgement that need no bytes."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from netinterf.context.outside import Outside
from netinterf.schema import (
    Answers,
    Dns,
    Evidence,
    Exchanges,
    Files,
    Flows,
    HeadSegments,
    Hosts,
    Http,
    IcmpQuotes,
    Mark,
    Packets,
    Quic,
    Recording,
    Rule,
    Sides,
    Status,
    SubjectKind,
    TcpFlag,
    Tls,
    TlsKind,
    Vantage,
)
from netinterf.table import Ragged, Table, Text
from netinterf.verdict.model import SUBJECTS, Model
from netinterf.verdict.subjects import Subjects

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
SYN, ACK, FIN, RST = TcpFlag.SYN, TcpFlag.ACK, TcpFlag.FIN, TcpFlag.RST


def filled(table: type[Table], count: int, **columns: Any) -> Any:
    """Build a table with zeros in every column that is not given."""
    given = dict(columns)
    for field in table.schema():
        if field.name not in given:
            given[field.name] = (
                np.zeros(count, field.dtype)
                if field.shape == "plain"
                else (Text if field.shape == "text" else Ragged).empty(count, field.dtype)
            )
    return table.of(**given)


def plain_model(**changes: Any) -> Model:
    """Build a model whose numbers do not change with the next fit: weights as they are, round caps and priors."""
    numbers: dict[str, Any] = {
        "fitted_on": "tests",
        "version": "1",
        "priors": {
            ("tcp", "tcp.reset"): -5.8,
            ("tcp", "tcp.drop"): -6.5,
            ("tcp", "tcp.connect.drop"): -7.0,
            ("tcp", "tcp.fin"): -7.0,
            ("tcp", "http.blockpage"): -7.0,
            ("tcp", "rate.policing"): -5.3,
            ("tcp", "rate.shaping"): -6.2,
            ("udp", "quic.drop"): -6.5,
            ("udp", "rate.policing"): -5.3,
            ("exchange", "dns.injection"): -5.5,
            ("exchange", "dns.forged"): -6.0,
        },
        "other_prior": -7.0,
        "group_cap": 6.0,
        "other_bound": 6.0,
        "dependence": 0.0,
        "decisive_cap": 14.0,
        "other_total_cap": 14.0,
        "possible": 0.5,
        "likely": 0.9,
        "confirmed": 0.99,
        "shaping_ceiling": 0.85,
        "loss_ceiling": 0.01,
        "group_prior": -6.9,
        "site_correlation": 1.0,
    }
    return Model(**{**numbers, **changes})


def subjects(kinds: list[str], reasons: list[int] | None = None, **changes: Any) -> Subjects:
    """List subjects without a capture: kinds of ``model.SUBJECTS``, and the reason bits of each."""
    count, rows = len(kinds), np.arange(len(kinds), dtype=np.int64)
    exchange = np.array([kind == "exchange" for kind in kinds], np.bool_)
    columns: dict[str, Any] = {
        "subject": rows.astype(np.int32),
        "kind": np.where(exchange, SubjectKind.EXCHANGE, SubjectKind.FLOW).astype(np.uint8),
        "prior_kind": np.array([SUBJECTS.index(kind) for kind in kinds], np.int64),
        "flow": rows.astype(np.int32),
        "protocol": np.array([6 if kind == "tcp" else 17 for kind in kinds], np.uint8),
        "client": np.zeros(count, np.int32),
        "server": np.ones(count, np.int32),
        "port": np.full(count, 443, np.int64),
        "first_packet": np.full(count, -1, np.int32),
        "start": rows,
        "end": rows,
        "name": Text.of([""] * count),
        "named_by": np.zeros(count, np.uint8),
        "named_in": np.full(count, -1, np.int32),
        "ja4": Text.of([""] * count),
        "reasons": np.array(reasons or [0] * count, np.int64),
        "whole": np.ones(count, np.bool_),
        "broken": np.zeros(count, np.bool_),
        "unseen": np.zeros(count, np.int64),
        "unheard": np.zeros(count, np.bool_),
        "loss_share": np.zeros(count),
        "by_flow": rows,
        "by_exchange": rows,
    }
    return Subjects(**(columns | changes))


class World:
    """Collects packets of flows and DNS messages, and turns them into a trace-like object."""

    def __init__(self) -> None:
        self.packets: list[dict[str, Any]] = []
        self.flows: list[tuple[int, int]] = []  # protocol, server port
        self.dns: list[dict[str, Any]] = []
        self.exchanges: list[dict[str, Any]] = []
        self.names: list[tuple[str, int, str]] = []
        self.said: list[tuple[str, int, int, bool]] = []  # tls or http, packet, kind or status, sent by the client
        self.quotes: list[tuple[int, int]] = []
        self.special = 0  # what the registries say of the server's address

    def flow(self, protocol: int = 6, port: int = 443) -> int:
        """Open a flow and return its row."""
        self.flows.append((protocol, port))
        return len(self.flows) - 1

    def send(self, flow: int, at: float, *, out: bool, flags: int = 0, payload: int = 0, **more: Any) -> int:
        """Add one packet, *at* seconds after the start; return its number in order of adding (times must rise)."""
        row = {"flow": flow, "time": START + int(at * SECOND), "outbound": out, "tcp_flags": flags}
        self.packets.append(row | {"payload_length": payload, "payload_at": 54, "captured": 54 + payload} | more)
        return len(self.packets) - 1

    def visit(self, flow: int, at: float = 0.0, *, close: bool = True) -> None:
        """Add an ordinary TCP connection with a request, an answer and an orderly end."""
        self.send(flow, at, out=True, flags=SYN)
        self.send(flow, at + 0.05, out=False, flags=SYN | ACK)
        self.send(flow, at + 0.05, out=True, flags=ACK)
        self.send(flow, at + 0.06, out=True, flags=ACK, payload=200)
        self.send(flow, at + 0.11, out=False, flags=ACK, payload=1000)
        if close:
            self.send(flow, at + 0.12, out=True, flags=FIN | ACK)
            self.send(flow, at + 0.17, out=False, flags=FIN | ACK)

    def says(self, what: str, packet: int, code: int, *, out: bool) -> None:
        """Let a packet carry a TLS message of some kind, or an HTTP request (0) or answer (its status)."""
        self.said.append((what, packet, code, out))

    def ask(self, flow: int, at: float = 0.0, *, name: str = "example.com", replies: tuple[int, ...] = (0,)) -> int:
        """Add a DNS question and one reply per response code; return the exchange's row."""
        query = len(self.dns)
        self.dns.append({"packet": self.send(flow, at, out=True, payload=30), "flow": flow, "outbound": True})
        answers = []
        for place, code in enumerate(replies):
            packet = self.send(flow, at + 0.02 * (place + 1), out=False, payload=60)
            answers.append(len(self.dns))
            self.dns.append({"packet": packet, "flow": flow, "flags": 0x8180 | code})
        self.exchanges.append({"flow": flow, "name": name, "queries": [query], "replies": answers, "id": 7, "kind": 1})
        return len(self.exchanges) - 1

    def trace(self, **recording: Any) -> Any:
        """Return what `netinterf.verdict` reads of a trace."""
        flow = np.array([p["flow"] for p in self.packets], np.int32)
        packets = self._packets(flow)
        by_flow = Ragged.of([np.flatnonzero(flow == row) for row in range(len(self.flows))], np.int32)
        low = [0xFFFF << 32 | 0x0A000001, 0xFFFF << 32 | 0xC0000202]
        hosts = Hosts.of(high=[0, 0], low=low, special=[0, self.special])
        dns = filled(Dns, len(self.dns), **self._columns(self.dns, ("packet", "flow", "outbound", "flags", "error")))
        return SimpleNamespace(
            source="test.pcap",
            buffer=np.zeros(1 << 16, np.uint8),
            interfaces=(),
            packets=packets,
            hosts=hosts,
            flows=self._flows(packets, by_flow),
            sides=self._sides(packets, by_flow),
            by_flow=by_flow,
            segments=HeadSegments.empty(),
            answers=Answers.empty(),
            quotes=filled(
                IcmpQuotes, len(self.quotes), packet=[q[0] for q in self.quotes], flow=[q[1] for q in self.quotes]
            ),
            dns=dns if not self.dns else Dns(**{f.name: getattr(dns, f.name) for f in Dns.schema()}),
            exchanges=self._exchanges(),
            tls=self._tls(),
            http=self._http(),
            quic=Quic.empty(),
            recording=self._recording(**recording),
            vantage=Vantage.UNKNOWN,
            began=int(packets.time.min(initial=0)),
            ended=int(packets.time.max(initial=0)),
            heard_until=lambda times: np.full(np.shape(times), packets.time.max(initial=0)),
            heard_throughout=lambda since, _until: np.full(np.shape(since), True),
            diagnostics=(),
            files=Files(),
            outside=Outside(),
            address=lambda host: ("10.0.0.1", "192.0.2.2")[host],
        )

    def _recording(self, **columns: Any) -> Recording:
        count = len(self.flows)
        ways = {(packet["flow"], packet["outbound"]) for packet in self.packets}
        both = any((row, True) in ways and (row, False) in ways for row in range(count))
        whole = {"one_way": np.full(count, count >= 3 and not both)}
        return filled(Recording, count, **whole, **{name: np.full(count, value) for name, value in columns.items()})

    @staticmethod
    def _columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
        return {name: [row.get(name, 0) for row in rows] for name in names}

    def _packets(self, flow: Any) -> Packets:
        names = ("time", "outbound", "tcp_flags", "payload_length", "payload_at", "captured", "status", "icmp", "marks",
                 "relative_ack")  # fmt: skip
        protocol = [self.flows[row][0] if row >= 0 else 0 for row in flow]
        count = len(flow)
        columns = self._columns(self.packets, names)
        frame = np.arange(1, count + 1)
        return filled(Packets, count, flow=flow, frame=frame, protocol=protocol, version=np.full(count, 4), **columns)

    def _flows(self, packets: Packets, by_flow: Ragged) -> Flows:
        count = len(self.flows)
        first = [rows[0] for rows in by_flow]
        return filled(
            Flows,
            count,
            client=np.zeros(count, np.int32),
            server=np.ones(count, np.int32),
            client_port=40000 + np.arange(count) % 20000,
            server_port=[port for _, port in self.flows],
            protocol=[protocol for protocol, _ in self.flows],
            first=[packets.time[rows[0]] for rows in by_flow],
            last=[packets.time[rows[-1]] for rows in by_flow],
            first_packet=first,
        )

    def _sides(self, packets: Packets, by_flow: Ragged) -> Sides:
        rows: list[dict[str, int]] = []
        for flow in range(len(self.flows)):
            for out in (True, False):
                mine = [row for row in by_flow[flow] if packets.outbound[row] == out]
                flags = {flag: [row for row in mine if packets.tcp_flags[row] & flag] for flag in (SYN, FIN, RST)}
                payload = [row for row in mine if packets.payload_length[row]]
                sent = sum(int(packets.payload_length[row]) for row in payload) + bool(flags[SYN]) + bool(flags[FIN])
                extra = {k: v for row in mine for k, v in self.packets[row].get("side", {}).items()}
                rows.append(
                    {
                        "packets": sum(not packets.marks[row] & Mark.DUPLICATE_FRAME for row in mine),
                        "payload_packets": len(payload),
                        "first": mine[0] if mine else -1,
                        "last": mine[-1] if mine else -1,
                        "syn": flags[SYN][0] if flags[SYN] else -1,
                        "fin": flags[FIN][0] if flags[FIN] else -1,
                        "rst": flags[RST][0] if flags[RST] else -1,
                        "first_payload": payload[0] if payload else -1,
                        "sent": sent,
                        "acked": sent,
                        "rtt": -1,
                        "repeats": 0,
                    }
                    | extra
                )
        names = tuple(rows[0]) if rows else ()
        return filled(Sides, len(rows), **self._columns(rows, names))

    def _exchanges(self) -> Exchanges:
        rows = self.exchanges
        return filled(
            Exchanges,
            len(rows),
            queries=Ragged.of([row["queries"] for row in rows], np.int32),
            replies=Ragged.of([row["replies"] for row in rows], np.int32),
            name=Text.of([row["name"] for row in rows]),
            **self._columns(rows, ("flow", "id", "kind")),
        )

    def _tls(self) -> Tls:
        found = [(packet, name, int(TlsKind.CLIENT_HELLO), True) for kind, packet, name in self.names if kind == "tls"]
        found += [(packet, "", code, out) for what, packet, code, out in self.said if what == "tls"]
        return filled(
            Tls,
            len(found),
            packet=[packet for packet, *_ in found],
            flow=[self.packets[packet]["flow"] for packet, *_ in found],
            kind=[code for *_, code, _ in found],
            outbound=[out for *_, out in found],
            name=Text.of([name for _, name, *_ in found]),
        )

    def _http(self) -> Http:
        found = [(packet, name, 0, True) for kind, packet, name in self.names if kind == "http"]
        found += [(packet, "", code, out) for what, packet, code, out in self.said if what == "http"]
        return filled(
            Http,
            len(found),
            packet=[packet for packet, *_ in found],
            flow=[self.packets[packet]["flow"] for packet, *_ in found],
            status=[code for *_, code, _ in found],
            outbound=[out for *_, out in found],
            host=Text.of([name for _, name, *_ in found]),
        )


CUT = Status.PAYLOAD_CUT | Status.HEADER_CUT


def rule(name: str, mechanism: str, group: str | None = None, **more: Any) -> Rule:
    """Declare a rule."""
    return Rule(id=name, mechanism=mechanism, group=group or name, says=f"{name} was seen", **more)


def evidence(rules: list[Rule], rows: list[tuple[int, str, float]], **more: Any) -> Evidence:
    """Write evidence down: (subject, rule id, llr) per row; *more* gives further columns."""
    ids = [known.id for known in rules]
    columns: dict[str, Any] = {
        "subject": np.array([row[0] for row in rows], np.int32),
        "subject_kind": np.full(len(rows), SubjectKind.FLOW, np.uint8),
        "rule": np.array([ids.index(row[1]) for row in rows], np.uint16),
        "time": np.arange(len(rows), dtype=np.int64),
        "llr": np.array([row[2] for row in rows], np.float64),
    }
    columns["measured"] = Ragged.of([[np.nan] * len(rules[ids.index(row[1])].measures) for row in rows], np.float64)
    return Evidence(**(columns | more), rules=tuple(rules))
