"""Who is compared with whom, and what most of them share."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.anomaly.peers import Peers, peers_of
from netinterf.table import Text
from tests.analyzers.talk import Talk
from tests.oracles import naive_peers

member = st.tuples(st.integers(-1, 2), st.integers(0, 1), st.integers(0, 1), st.integers(0, 3))


@given(st.lists(member, min_size=1, max_size=20))
def test_what_most_peers_share_equals_the_slow_twin(members: list[tuple[int, int, int, int]]) -> None:
    """Any values, ports, servers and units."""
    values, port, host, unit = np.array(members, np.int64).T
    server = 2 * port + host
    most, alike, peers = Peers.of(port, server, unit).shared(values)
    assert most.tolist() == naive_peers.shared(values.tolist(), port.tolist(), server.tolist(), unit.tolist())
    for own, value in enumerate(values):
        others = (port == port[own]) & (unit != unit[own]) & (values >= 0)
        assert peers[own] == np.count_nonzero(others)
        assert alike[own] == np.count_nonzero(others & (values == value))


def test_attempts_at_one_name_are_no_company_for_each_other() -> None:
    """Ten attempts that fare alike, among three that do not."""
    unit = np.array([0] * 10 + [1, 2, 3])
    nowhere = np.zeros(13, np.int64)
    alike = Peers.of(nowhere, nowhere, unit)
    apart = Peers.of(nowhere, nowhere, np.arange(13))
    values = np.array([1] * 10 + [0] * 3)
    assert not alike.shared(values)[0].any()
    assert apart.shared(values)[0].tolist() == [True] * 10 + [False] * 3


def test_names_and_servers_make_units() -> None:
    """Two servers of one name are one unit; conversations without a name are one by server."""
    talk = Talk()
    for place, server in enumerate(("203.0.113.9", "203.0.113.10", "203.0.113.10")):
        talk.server, talk.port = server, 40_000 + 10 * place
        talk.healthy(1000.0 * place)
    trace = talk.trace()
    flow = np.arange(3)
    bare = peers_of(trace, flow, Text.of(["", "", ""]))
    named = peers_of(trace, flow, Text.of(["a.example", "a.example", "b.example"]))
    assert bare.peers.tolist() == [2, 1, 1]
    assert named.peers.tolist() == [1, 1, 2]
    assert named.shared(np.zeros(3, np.int64), imagined=0)[0].tolist() == [True] * 3
