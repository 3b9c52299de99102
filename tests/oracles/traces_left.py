"""What a capture gives away of people, and whether any of it is left in an output: a search that knows no redaction.

Addresses are looked for as people write them and as packets hold them, names as they are written and as DNS spells
them, payload in runs of eight bytes. Bytes are found by hashing all runs of an output at once, so that outputs of
megabytes are searched in a second.
"""

import ipaddress
import re
from functools import cache

import numpy as np

GRAM = 8
DIFFERENT = 5  # bytes of a run: numbers in tables and padding have fewer
WORDS = (b"connection", b"windows ", b"requests")  # that the library writes as well
SHORTEST = 4  # letters of a label: shorter ones stand in ordinary words


@cache
def addresses_of(trace):
    """List all addresses in packets, quotes and DNS answers; those that are the same for everybody are left out."""
    tables = [(trace.hosts.high, trace.hosts.low), (trace.answers.high, trace.answers.low)]
    tables += [(trace.quotes.source_high, trace.quotes.source_low), (trace.quotes.target_high, trace.quotes.target_low)]
    whole = {int(h) << 64 | int(low) for high, lows in tables for h, low in zip(high, lows, strict=True)}
    found = {address.ipv4_mapped or address for address in map(ipaddress.IPv6Address, whole)}
    return {one for one in found if not (one.is_unspecified or one.is_loopback or str(one) == "255.255.255.255")}


@cache
def names_of(trace):
    """List all names in DNS, TLS, QUIC and HTTP messages."""
    columns = (
        *(trace.exchanges.name, trace.dns.name, trace.dns.raw_name, trace.answers.owner, trace.answers.target),
        *(trace.tls.name, trace.quic.name, trace.http.host, trace.http.location),
    )
    return {name.lower() for column in columns for name in column if name}


def labels_of(names):
    """Take names apart; what every text may hold (``invalid``, top levels, words of the library) is left out."""
    labels = {label for name in names for label in re.findall(r"[a-z0-9_-]+", name) if len(label) >= SHORTEST}
    common = {"invalid", "http", "https", "arpa", "in-addr", "name", "test", "example", "info", "home", "blocked"}
    return {label for label in labels - common if not label.isdigit()}


def payloads_of(trace):
    """Take the captured payload of every packet, ICMP quotes of other packets aside."""
    packets = trace.packets
    start, size = packets.payload_start, packets.payload_captured
    plain = ~np.isin(np.arange(len(packets)), trace.quotes.packet)
    return [trace.buffer[start[row] : start[row] + size[row]].tobytes() for row in np.flatnonzero((size > 0) & plain)]


def grams(octets):
    """Number all runs of eight bytes in some bytes."""
    array = np.frombuffer(octets, np.uint8)
    if len(array) < GRAM:
        return np.empty(0, np.uint64)
    return np.unique(np.ndarray((len(array) - GRAM + 1,), "<u8", array.tobytes(), 0, (1,)))


@cache
def payload_grams(trace):
    """Number all runs of eight bytes of payload that are worth a look."""
    numbers = np.unique(np.concatenate([np.empty(0, np.uint64), *map(grams, payloads_of(trace))]))
    octets = np.sort(numbers.view(np.uint8).reshape(-1, GRAM), axis=1)
    own = np.concatenate([grams(spelled) for word in WORDS for spelled in (word, word.capitalize())])
    return np.setdiff1d(numbers[(np.diff(octets, axis=1) != 0).sum(axis=1) >= DIFFERENT - 1], own)


def left_in_text(text, trace):
    """List addresses and labels of names that stand in a text, whole."""
    written = set(re.findall(r"[0-9a-f:.]*[0-9a-f]", text.lower()))
    words = set(re.findall(r"[a-z0-9_-]+", text.lower()))
    return sorted({str(one) for one in addresses_of(trace)} & written) + sorted(labels_of(names_of(trace)) & words)


def left_in_bytes(octets, trace):
    """List addresses, labels and how many runs of payload stand in bytes; addresses in either byte order."""
    found = []
    for one in sorted(map(str, addresses_of(trace))):
        packed = ipaddress.ip_address(one).packed
        found += [one] if len(set(packed)) > 3 and (packed in octets or packed[::-1] in octets) else []
    lowered = octets.lower()
    found += [label for label in sorted(labels_of(names_of(trace))) if label.encode() in lowered]
    payload = np.intersect1d(payload_grams(trace), grams(octets))
    return found + [f"{len(payload)} runs of payload"] * bool(len(payload))
