"""What fails because its transport is shut in the network fails by itself; what is on a list does not."""

import numpy as np
import pytest
from scipy.special import betaln

from netinterf.observations.attempts import State
from netinterf.observations.line import LINK_OUT, OUT, USUAL
from netinterf.observations.table import observe
from netinterf.pooling.ways import by_itself
from netinterf.pooling.witnesses import HOUR_NS
from tests.unit.pooling.places import Campaign


def slow(table, row):
    """Look at all others over the transport in that place and hour, unit by unit."""
    passed, lost = set(), set()
    for one in range(len(table)):
        keys = ("place", "transport", "version")
        alike = all(getattr(table, key)[one] == getattr(table, key)[row] for key in keys)
        if alike and table.unit[one] != table.unit[row] and table.time[one] // HOUR_NS == table.time[row] // HOUR_NS:
            (passed if table.answered[one] + table.heard[one] else lost if table.silent[one] else set()).add(
                int(table.unit[one])
            )
    alive, dead = len(passed), len(lost - passed)
    shut = LINK_OUT * OUT**dead * (1 - OUT) ** alive
    listed = np.exp(betaln(1 + dead, 9 + alive) - betaln(1, 9))
    fine = (1 - LINK_OUT) * (USUAL**dead * (1 - USUAL) ** alive + listed) / 2
    rate, share = np.exp(table.chance[row] / table.failed[row]), shut / (shut + fine) if dead else 0.0
    return table.failed[row] * np.log(share * OUT + (1 - share) * rate)


@pytest.mark.parametrize("seed", range(4))
def test_others_over_the_transport_are_counted_as_by_looking_at_each(seed):
    """In each place and hour, each unit once."""
    rng = np.random.default_rng(seed)
    campaign = Campaign(2, 6, 3, transport="quic", six=[4, 5])
    states = np.array([State.ANSWERED, State.HEARD, State.SILENT, State.UNKNOWN], np.uint8)
    campaign.state = rng.choice(states, campaign.shape)
    table = observe(campaign.attempts())
    told, line = by_itself(table, table.time // HOUR_NS)
    assert np.isfinite(line).all()
    assert (line <= table.chance + 1e-9).all()
    for row in range(len(table)):
        assert told[row] == pytest.approx(slow(table, row) if table.failed[row] else table.chance[row])


def mixed(failing):
    """Try 20 names over TLS and over QUIC in six places, where some of the latter are silent in the first."""
    names = 20
    both = ["tcp/tls"] * names + ["quic"] * names
    return Campaign(6, 2 * names, 6, server=[*range(names)] * 2, transport=both).fail((0, failing)).judged()


def test_a_network_that_drops_all_of_quic_blocks_no_name():
    """An office does; what is on a list is still told, beside others over QUIC that pass."""
    assert mixed(slice(20, 40)).blocked() == 0
    assert mixed(slice(20, 40, 3)).blocked() == 7


def test_a_line_that_is_out_but_for_lookups_blocks_no_name():
    """What fails over QUIC then fails over TLS at the same server as well, as all does."""
    names = 20
    every = ["dns"] * names + ["tcp/tls"] * names + ["quic"] * names
    campaign = Campaign(6, 3 * names, 10, server=[names] * names + [*range(names)] * 2, transport=every)
    assert campaign.fail((0, slice(names, None), slice(4, 7))).judged().blocked() == 0


def test_a_network_whose_ipv6_is_broken_blocks_no_server():
    """Half of all servers are reached over it; of those over IPv4, and of a few over IPv6, a list is still told."""

    def broken(servers):
        campaign = Campaign(6, 40, 10, six=range(20)).fail((0, servers), opening=True)
        return campaign.judged(countries=[0, 0, 1, 1, 2, 2]).blocked()

    assert broken(slice(0, 20)) == 0
    assert broken(slice(0, 20, 2)) == 10
    assert broken(slice(20, 40, 2)) == 10
