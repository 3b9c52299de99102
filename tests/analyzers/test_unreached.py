"""Web servers that never answer while others do, where nobody can say where they lie."""

import numpy as np
import pytest

from netinterf.analyzers.isolation import Isolation
from netinterf.analyzers.isolation.untabled import FEWEST_UNREACHED, find_unreached
from netinterf.trace import Trace, read
from tests.analyzers.talk import BEGIN_NS, RAW_IP
from tests.analyzers.talk import Talk as TcpTalk
from tests.oracles.dns_frames import Talk as DnsTalk
from tests.oracles.dns_frames import address_record

CLIENT = "198.51.100.7"


def visits(
    dead: int, alive: int, *, names: bool = True, twice: bool = False, tries: int = 3, at: float = 0.0, port: int = 443
) -> list[tuple[int, bytes]]:
    """Play visits, dead and alive in turn, each after a lookup of its name; ns and frames."""
    tcp, dns = TcpTalk(), DnsTalk(client=CLIENT, server="9.9.9.9")
    dns.now = BEGIN_NS + int(at * 1e9)
    for place in range(dead + alive):
        gone = place % 2 == 0 if place < 2 * min(dead, alive) else dead > alive
        server = f"{'151.1' if gone else '104.16'}.{place + 1}.9"
        begun = at * 1e3 + 200.0 * place
        tcp.server, tcp.port = server, 40_000 + place
        if names:
            dns.now = BEGIN_NS + int(begun * 1e6) - 50_000_000
            dns.ask(f"www.site{place}.com")
            dns.reply(f"www.site{place}.com", address_record(server), after=10_000_000)
            if twice and gone:
                dns.reply(f"www.site{place}.com", address_record("8.7.6.5"), after=12_000_000)
        if gone:
            for number in range(tries):
                wait = 1000.0 * (2**number - 1)
                tcp.send("C", "S", 100, 0, at=begun + wait, ports=(tcp.port, port))
        else:
            tcp.healthy(begun)
    tcp.server = "104.16.200.9"
    tcp.healthy(at * 1e3 + 5_000)
    times, frames, _ = dns.capture() if names else ([], [], [])
    return [
        *((int(begun * 1e6) + BEGIN_NS, frame) for begun, frame in tcp.frames),
        *zip(times, frames, strict=True),
    ]


def as_trace(packets: list[tuple[int, bytes]]) -> Trace:
    """Read packets in the order of time."""
    ordered = sorted(packets, key=lambda one: one[0])
    return read(times=[at for at, _ in ordered], frames=[frame for _, frame in ordered], link_type=RAW_IP)


def rules(trace: Trace) -> set[str]:
    """Name what is told."""
    found = Isolation()(trace)
    return {found.rules[place].id for place in np.unique(found.rule).tolist()}


def test_five_web_servers_that_never_answer_beside_some_that_do_are_a_hint() -> None:
    """Each was asked three times within four seconds; three others were served in between."""
    trace = as_trace(visits(5, 3))
    found = find_unreached(trace)
    assert len(found.flow) == 5
    assert set(found.silent.tolist()) == {5}
    assert set(found.steady.tolist()) == {3}
    assert rules(trace) == {"reach.unreached", "reach.untriggered_drop", "reach.untriggered_connect"}


@pytest.mark.parametrize(
    "packets",
    [
        visits(FEWEST_UNREACHED - 1, 3),
        visits(5, 1),
        visits(5, 3, names=False),
        visits(5, 3, twice=True),
        visits(5, 3, tries=1),
        visits(5, 3, port=22),
    ],
    ids=["few", "alone", "scanned", "forged answers", "one SYN", "other ports"],
)
def test_look_alikes_say_nothing(packets: list[tuple[int, bytes]]) -> None:
    """Too few, nobody else, addresses without names, answers that were forged, tries that were not meant, peers."""
    assert not rules(as_trace(packets))


def test_who_was_served_at_another_time_does_not_count() -> None:
    """Three were served long before and the line may have died since."""
    early = visits(0, 3)
    late = [one for one in visits(5, 0, at=60.0) if one[0] < BEGIN_NS + 64_500_000_000]
    assert not rules(as_trace(early + late))


@pytest.mark.parametrize(("dead", "alive", "most"), [(5, 95, 1.0), (12, 48, 3.0)])
def test_who_asks_many_finds_dead_ones(dead: int, alive: int, most: float) -> None:
    """Of a hundred web servers five are dead, which is usual; one in five is where a list of names is old."""
    found = find_unreached(as_trace(visits(dead, alive)))
    assert len(found.flow)
    assert found.surprise.max() < most
