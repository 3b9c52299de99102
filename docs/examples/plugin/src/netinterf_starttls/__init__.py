"""An analyzer for netinterf: offers of encryption that were overwritten on the way from a mail server."""

import math
import re
from collections.abc import Iterator
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf import Evidence, Rule, Scope, Trace, observe

__all__ = ["MaskedStarttls"]

MASK = re.compile(rb"^250[ -]X{7}[XA]\r?$", re.MULTILINE)
"""A keyword that is no keyword, of the length of STARTTLS. Firewalls of one make write XXXXXXXA (Cisco, "Why do you see
XXXXXXXA after EHLO", document 118550), and others nothing but X."""

OFFER = re.compile(rb"^250[ -]STARTTLS\r?$", re.MULTILINE | re.IGNORECASE)
"""The keyword as a server writes it (RFC 3207 §4)."""

PORTS = (25, 587)
"""Where mail is taken in before TLS: transfer (RFC 5321 §4.5.4.2) and submission (RFC 6409 §3.1)."""

HEAD = 4096
"""Bytes of a server's stream in which it answers EHLO. A judgement: eight times the longest reply line (RFC 5321
§4.5.3.1.5), where real answers have a dozen short ones."""

OWN_FIREWALL = 0.01
"""Share of mail servers taken to stand behind a firewall of their own that masks the offer. A judgement, meant to be
too high rather than too low: the harmless cause is to be believed first."""


@attrs.frozen(kw_only=True)
class MaskedStarttls:
    """Find mail servers whose offer of encryption was overwritten on the way.

    What it looks for: answers to EHLO in which a keyword of eight letters X, or seven and an A, stands where STARTTLS
    belongs.

    Why: a client that is offered no STARTTLS goes on in the clear (RFC 3207 §6 warns of it), so whoever overwrites the
    offer can read the mail. No server calls an extension so.

    Also looks like this: a firewall of the mail server's own, which masks by default in some makes. It does so for all
    its clients, but only for the servers behind it. So the networks of a client's mail servers are counted: each masked
    one is unlikely by itself and all of them together multiply, and nothing is said once one offer came through.

    References: RFC 3207 §6; Durumeric et al., "Neither Snow Nor Rain Nor MITM", IMC 2015; Cisco, document 118550.
    """

    name: ClassVar[str] = "masked_starttls"
    scope: ClassVar[Scope] = Scope.CAPTURE  # a client's other mail servers
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            id="starttls.masked",
            mechanism="tcp.data",
            group="starttls.masked",
            says="the offer of encryption was overwritten, as in the answers from all {networks} networks of mail "
            "servers that this client asked",
            measures=("networks",),
            references=("RFC 3207 §6", "Durumeric et al., IMC 2015"),
            shared=True,  # drawn from the client's other servers
            decisive=True,  # no server writes so: where unrelated networks do, somebody else wrote
        ),
    )

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down which answers to EHLO were overwritten."""
        rows = answers(trace)
        texts = list(captured(trace, rows))
        masked = np.array([MASK.search(text) is not None for text in texts], np.bool_)
        offered = np.array([OFFER.search(text) is not None for text in texts], np.bool_)
        spared, hit = rows[offered], rows[masked]
        hit = hit[~np.isin(client(trace, hit), client(trace, spared))]
        networks = counted(client(trace, hit), network(trace, hit))
        return observe(
            self,
            "starttls.masked",
            subject=trace.packets.flow[hit],
            time=trace.packets.time[hit],
            llr=-math.log(OWN_FIREWALL) * networks,
            witness=hit,
            forged=hit,
            measured={"networks": networks},
        )


def answers(trace: Trace) -> NDArray[np.int64]:
    """List the rows in Packets of what mail servers say first."""
    packets = trace.packets
    says = (packets.flow >= 0) & (packets.protocol == 6) & ~packets.outbound & (packets.payload_length > 0)
    rows = np.flatnonzero(says & (packets.relative_seq <= HEAD))
    return rows[np.isin(trace.flows.server_port[packets.flow[rows]], PORTS)]


def captured(trace: Trace, rows: NDArray[np.int64]) -> Iterator[bytes]:
    """Give the payload of each packet as far as it was captured."""
    begin, size = trace.packets.payload_start[rows], trace.packets.payload_captured[rows]
    for at, length in zip(begin.tolist(), size.tolist(), strict=True):
        yield trace.buffer[at : at + length].tobytes()


def client(trace: Trace, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """Row in Hosts of each packet's client."""
    return trace.flows.client[trace.packets.flow[rows]]


def network(trace: Trace, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Number the network of each packet's server: what one firewall may guard, an IPv4 /24 or an IPv6 /48."""
    server = trace.flows.server[trace.packets.flow[rows]]
    high, low = trace.hosts.high[server], trace.hosts.low[server]
    four = (high == 0) & (low >> np.uint64(32) == 0xFFFF)  # IPv4 mapped into IPv6 (RFC 4291 §2.5.5.2)
    return np.where(four, low >> np.uint64(8), high >> np.uint64(16))


def counted(clients: NDArray[np.int32], networks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count for each row the different networks of its client."""
    pairs = np.unique(np.stack([clients.astype(np.uint64), networks]), axis=1)
    return np.bincount(pairs[0].astype(np.int64))[clients]
