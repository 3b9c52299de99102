"""What each benign look-alike must show: otherwise a scenario would be benign and prove nothing."""

import itertools
from collections.abc import Callable

from benchmarks.lab.check_frames import FIN, RST, Subject, arrived
from benchmarks.lab.check_mechanisms import speed

__all__ = ["LOOKS", "Looks"]

Test = Callable[[Subject], bool]
Looks = Callable[[list[Subject]], bool]
"""Says of the affected subjects of a capture whether they are what they shall look like."""

SLOW = 7e5  # bytes per second: below every path that is not meant to be slow, and above every limit that is played


def every(test: Test) -> Looks:
    """Demand it of every affected subject."""
    return lambda affected: all(map(test, affected))


def some(test: Test) -> Looks:
    """Demand it of at least one affected subject."""
    return lambda affected: any(map(test, affected))


def came(*flags: int) -> Test:
    """Look for a packet from the server with one of these flags."""
    return lambda one: any(frame.flags & flag for frame in one.incoming() for flag in flags)


def went(*flags: int) -> Test:
    """Look for a packet from the client with one of these flags."""
    return lambda one: any(frame.flags & flag for frame in one.outgoing() for flag in flags)


def mute(one: Subject) -> bool:
    """Say whether nothing came."""
    return not one.incoming()


def wordless(one: Subject) -> bool:
    """Say whether no payload came."""
    return not any(frame.size for frame in one.incoming())


def gap(seconds: float) -> Test:
    """Look for a pause."""
    return lambda one: any(later.time - frame.time >= seconds for frame, later in itertools.pairwise(one.frames))


def says(word: bytes) -> Test:
    """Look for payload from the server that begins so."""
    return lambda one: any(frame.payload.startswith(word.hex()) for frame in one.incoming())


def certified(one: Subject) -> bool:
    """Say whether a certificate is to be seen."""
    return any(frame.fields["x509af.serialNumber"] for frame in one.incoming())


def slow(one: Subject) -> bool:
    """Say whether the server's data came slowly."""
    return speed(one) < SLOW


def late_words(one: Subject) -> bool:
    """Say whether payload came after the client's FIN."""
    closed = next((frame.number for frame in one.outgoing() if frame.flags & FIN), len(one.own.frames))
    return any(frame.size and frame.number > closed for frame in one.incoming())


def overtaken(one: Subject) -> bool:
    """Say whether sequence numbers of the server go back."""
    numbers = [int(frame.fields["tcp.seq_raw"]) for frame in one.incoming() if frame.size]
    return any((later - number) % 2**32 > 2**31 for number, later in itertools.pairwise(numbers))


def lost(affected: list[Subject]) -> bool:
    """Say whether packets of the server got lost."""
    here = arrived(affected[0].own)
    return any(not here[key] for key in affected[0].other.sent())


def doubled(affected: list[Subject]) -> bool:
    """Say whether packets came in more often than they were sent."""
    sent = affected[0].other.sent()
    return any(count > sent[key] > 0 for key, count in arrived(affected[0].own).items())


def big_lost(affected: list[Subject]) -> bool:
    """Say whether big packets of the server vanish and smaller ones do not."""
    here = max((frame.size for frame in affected[0].own.frames if affected[0].own.incoming(frame)), default=0)
    there = max((frame.size for frame in affected[0].other.frames if not affected[0].other.incoming(frame)), default=0)
    return 0 < here < there


def translated(affected: list[Subject]) -> bool:
    """Say whether the server sees another client address."""
    return not affected[0].own.clients & affected[0].other.clients


def reused(affected: list[Subject]) -> bool:
    """Say whether connections share their ports."""
    return len({one.frames[0].ends for one in affected}) < len(affected)


def unreachable(affected: list[Subject]) -> bool:
    """Say whether ICMP errors came."""
    return any(frame.icmp for frame in affected[0].own.frames)


def denied(one: Subject) -> bool:
    """Say whether the name was said not to exist."""
    return any(frame.fields["dns.flags.rcode"] == "3" for frame in one.incoming())


def repeated(affected: list[Subject]) -> bool:
    """Say whether a question was asked again."""
    asked = [frame.fields["dns.qry.name"] for one in affected for frame in one.outgoing()]
    return len(set(asked)) < len(asked)


def answered_twice(one: Subject) -> bool:
    """Say whether one question got two answers."""
    return len(one.incoming()) > 1


def rotates(affected: list[Subject]) -> bool:
    """Say whether the same name had different first addresses."""
    seen = {
        (frame.fields["dns.qry.name"], frame.fields["dns.a"] or frame.fields["dns.aaaa"])
        for one in affected
        for frame in one.incoming()
    }
    return len(seen) > len({name for name, _ in seen})


def private(one: Subject) -> bool:
    """Say whether the answer is a private address."""
    return any(
        (frame.fields["dns.a"] or frame.fields["dns.aaaa"]).startswith(("10.", "fd")) for frame in one.incoming()
    )


def rerouted(affected: list[Subject]) -> bool:
    """Say whether packets take another time over the path later on than at first."""
    when = {frame.key: frame.time for frame in affected[0].other.frames if not affected[0].other.incoming(frame)}
    took = [frame.time - when[frame.key] for one in affected for frame in one.incoming() if frame.key in when]
    early, late = min(took[: len(took) // 8]), min(took[-len(took) // 8 :])
    return max(early, late) > 1.1 * min(early, late)


LOOKS: dict[str, Looks] = {
    "ordinary": every(lambda one: not mute(one)),
    "client-abort": every(went(RST)),
    "closed-port": every(came(RST)),
    "server-crash": every(came(RST, FIN)),
    "crash-and-reboot": every(came(RST)),
    "balancer-idle-reset": every(came(RST)),
    "server-timeout": every(came(FIN)),
    "keepalive-death": every(went(RST)),
    "link-outage": some(gap(0.8)),
    "client-gives-up": every(went(FIN)),
    "overloaded-server": every(gap(1.0)),
    "silent-service": every(wordless),
    "syn-scan": some(came(RST)),
    "happy-eyeballs": every(mute),
    "dead-destinations": every(mute),
    "full-backlog": some(mute),
    "half-close": every(late_words),
    "port-reused": reused,
    "port-translation": translated,
    "nat-timeout": every(lambda one: came(RST)(one) or gap(1.0)(one)),
    "other-protocol": every(says(b"SSH-")),
    "private-authority": every(certified),
    "client-distrusts": every(went(FIN, RST)),
    "origin-forbidden": every(says(b"HTTP/1.1 403")),
    "redirect-elsewhere": every(says(b"HTTP/1.1 302")),
    "quic-port-closed": unreachable,
    "server-without-quic": every(mute),
    "app-limited": every(slow),
    "window-limited": every(slow),
    "slow-reader": every(slow),
    "bufferbloat": every(slow),
    "short-buffer": lost,
    "plan-shaper": every(slow),
    "plan-policer": every(slow),
    "own-uplink": every(slow),
    "random-loss": lost,
    "bursty-loss": lost,
    "reordering": some(overtaken),
    "path-duplicates": doubled,
    "mtu-hole": big_lost,
    "route-change": rerouted,
    "rotating-cdn": rotates,
    "nxdomain": every(denied),
    "split-horizon-private": every(private),
    "retransmitted-query": repeated,
    "forwarder-answers-twice": some(answered_twice),
    "slow-resolver": some(gap(0.3)),
    "lame-delegation": every(mute),
    "dead-resolver": every(mute),
}
"""What is demanded of the affected subjects of a client's capture, by look-alike."""
