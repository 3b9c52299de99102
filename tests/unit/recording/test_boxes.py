"""What a recording can carry: from whose packets the worth of header fields is read."""

import pytest

from tests.analyzers.talk import Talk

LOCAL = [f"203.0.113.{number}" for number in range(9, 15)]


@pytest.mark.parametrize("vantage", ["server", "auto"])
def test_servers_at_the_tap_start_alike_and_level_nothing(vantage: str) -> None:
    """Local machines share one initial hop limit; what comes in from far away is what hop limits tell of there."""
    talk = Talk(at_server=True)
    for place, server in enumerate(LOCAL):
        talk.server = server
        talk.healthy(1000.0 * place)
    assert talk.trace(vantage).recording.ttl_informative.all()


@pytest.mark.parametrize(("ttl", "told"), [([64] * 6, False), ([50, 51, 112, 240, 47, 55], True)])
def test_far_servers_with_one_hop_limit_were_levelled(ttl: list[int], told: bool) -> None:
    """Virtual-machine networking writes one hop limit into all that comes in."""
    talk = Talk()
    for place, (server, one) in enumerate(zip(LOCAL, ttl, strict=True)):
        talk.server, talk.ttl = server, {"C": 64, "S": one}
        talk.healthy(1000.0 * place)
    assert set(talk.trace().recording.ttl_informative.tolist()) == {told}
