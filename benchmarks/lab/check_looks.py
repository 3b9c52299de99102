"""What each benign look-alike must show: otherwise a scenario would be benign and prove nothing."""

from collections.abc import Callable

from benchmarks.lab.check_frames import FIN, RST, Capture, Frame, arrived
from benchmarks.lab.check_mechanisms import speed

__all__ = ["LOOKS"]

Flows = list[list[Frame]]
Looks = Callable[[Capture, Capture, Flows], bool]
SLOW = 7e5  # bytes per second: below every path that is not meant to be slow, and above every limit that is played


def every(test: Callable[[Capture, list[Frame]], bool]) -> Looks:
    """Demand it of every odd flow."""
    return lambda own, other, flows: all(test(own, flow) for flow in flows)


def some(test: Callable[[Capture, list[Frame]], bool]) -> Looks:
    """Demand it of at least one odd flow."""
    return lambda own, other, flows: any(test(own, flow) for flow in flows)


def came(flags: int) -> Callable[[Capture, list[Frame]], bool]:
    """Look for a packet with these flags from the server."""
    return lambda own, flow: any(own.incoming(frame) and frame.flags & flags == flags for frame in flow)


def went(flags: int) -> Callable[[Capture, list[Frame]], bool]:
    """Look for a packet with these flags from the client."""
    return lambda own, flow: any(not own.incoming(frame) and frame.flags & flags == flags for frame in flow)


def mute(own: Capture, flow: list[Frame]) -> bool:
    """Say whether nothing came."""
    return not any(own.incoming(frame) for frame in flow)


def wordless(own: Capture, flow: list[Frame]) -> bool:
    """Say whether no payload came."""
    return not any(own.incoming(frame) and frame.size for frame in flow)


def gap(seconds: float) -> Callable[[Capture, list[Frame]], bool]:
    """Look for a pause."""
    return lambda own, flow: any(b.time - a.time >= seconds for a, b in zip(flow, flow[1:], strict=False))


def says(word: bytes) -> Callable[[Capture, list[Frame]], bool]:
    """Look for payload from the server that begins so."""
    return lambda own, flow: any(own.incoming(frame) and frame.payload.startswith(word.hex()) for frame in flow)


def slow(own: Capture, flow: list[Frame]) -> bool:
    """Say whether the server's data came slowly."""
    return speed(flow, flow[0].ends[2]) < SLOW


def late_words(own: Capture, flow: list[Frame]) -> bool:
    """Say whether payload came after the client's FIN."""
    closed = next((frame.time for frame in flow if not own.incoming(frame) and frame.flags & FIN), 1e12)
    return any(own.incoming(frame) and frame.size and frame.time > closed for frame in flow)


def overtaken(own: Capture, flow: list[Frame]) -> bool:
    """Say whether sequence numbers of the server go back."""
    numbers = [int(frame.fields["tcp.seq_raw"]) for frame in flow if own.incoming(frame) and frame.size]
    return any((b - a) % 2**32 > 2**31 for a, b in zip(numbers, numbers[1:], strict=False))


def lost(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether packets of the server got lost."""
    came_in = arrived(own)
    return any(not came_in[key] for key in other.sent())


def doubled(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether packets came in more often than they were sent."""
    sent = other.sent()
    return any(count > sent[key] > 0 for key, count in arrived(own).items())


def big_lost(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether big packets of the server vanish and small ones do not."""
    big = [max((frame.size for frame in one.frames if (frame.ends[0] in one.clients) != server), default=0)
           for one, server in ((own, True), (other, True))]  # fmt: skip
    return 0 < big[0] < big[1]


def translated(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether the server sees another client address."""
    return not own.clients & other.clients


def reused(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether flows share their ports."""
    return len({flow[0].ends for flow in flows}) < len(flows)


def unreachable(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether ICMP errors came."""
    return any(frame.icmp for frame in own.frames)


def denied(own: Capture, flow: list[Frame]) -> bool:
    """Say whether the name was said not to exist."""
    return any(frame.fields["dns.flags.rcode"] == "3" for frame in flow)


def repeated(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether a question was asked again."""
    asked = [frame.fields["dns.qry.name"] for flow in flows for frame in flow if not own.incoming(frame)]
    return len(set(asked)) < len(asked)


def answered_twice(own: Capture, flow: list[Frame]) -> bool:
    """Say whether one question got two answers."""
    return sum(own.incoming(frame) for frame in flow) > 1


def rotates(own: Capture, other: Capture, flows: Flows) -> bool:
    """Say whether the same name had different first addresses."""
    seen = {(frame.fields["dns.qry.name"], frame.fields["dns.a"] or frame.fields["dns.aaaa"])
            for flow in flows for frame in flow if own.incoming(frame)}  # fmt: skip
    return len(seen) > len({name for name, _ in seen})


def private(own: Capture, flow: list[Frame]) -> bool:
    """Say whether the answer is a private address."""
    return any((frame.fields["dns.a"] or frame.fields["dns.aaaa"]).startswith(("10.", "fd")) for frame in flow)


def anything(own: Capture, other: Capture, flows: Flows) -> bool:
    """Demand nothing: what is odd shows in no single packet."""
    return True


LOOKS: dict[str, Looks] = {
    "ordinary": every(lambda own, flow: not mute(own, flow)),
    "client-abort": every(went(RST)),
    "unread-data": every(went(RST)),
    "closed-port": every(came(RST)),
    "server-crash": every(lambda own, flow: came(RST)(own, flow) or came(FIN)(own, flow)),
    "half-open": every(came(RST)),
    "load-balancer-reset": every(came(RST)),
    "idle-close": every(came(FIN)),
    "keepalive-death": every(went(RST)),
    "link-outage": some(gap(0.8)),
    "client-timeout": every(went(FIN)),
    "slow-server": every(gap(1.0)),
    "silent-service": every(wordless),
    "port-scan": some(came(RST)),
    "happy-eyeballs": every(mute),
    "dead-host": every(mute),
    "accept-backlog": some(mute),
    "half-close": every(late_words),
    "port-reuse": reused,
    "nat": translated,
    "nat-timeout": every(lambda own, flow: came(RST)(own, flow) or gap(1.0)(own, flow)),
    "other-protocol": every(says(b"SSH-")),
    "certificate-rejected": every(lambda own, flow: went(FIN)(own, flow) or went(RST)(own, flow)),
    "origin-403": every(says(b"HTTP/1.1 403")),
    "origin-redirect": every(says(b"HTTP/1.1 302")),
    "quic-less-host": unreachable,
    "quic-unanswered": every(mute),
    "app-limited": every(slow),
    "window-limited": every(slow),
    "slow-reader": every(slow),
    "bufferbloat": every(slow),
    "drop-tail-queue": lost,
    "plan-limit": every(slow),
    "random-loss": lost,
    "burst-loss": lost,
    "reordering": some(overtaken),
    "path-duplicates": doubled,
    "mtu-black-hole": big_lost,
    "route-change": anything,
    "rotating-dns": rotates,
    "nxdomain": every(denied),
    "split-horizon": every(private),
    "retransmitted-query": repeated,
    "duplicate-answer": some(answered_twice),
    "slow-resolver": some(gap(0.3)),
    "dead-resolver": every(mute),
}
