"""What looks like interference and is none: whole verdicts on look-alikes, also seen through poor captures."""

import attrs
import pytest

from netinterf.analyzers.run import analyze
from netinterf.simulate import Conditions, run
from netinterf.trace import read
from netinterf.verdict.combine import classify

LOOK_ALIKES = (
    "benign.tcp.silent-service",
    "benign.tcp.crash-and-reboot",
    "benign.tcp.path-mtu-black-hole",
    "benign.tcp.nat-timeout-silence",
    "benign.tcp.full-accept-queue",
    "benign.rate.server-rate-limit",
    "benign.reach.local-outage",
    "benign.quic.server-without-quic",
    "benign.quic.network-without-udp",
    "benign.quic.large-datagrams-lost",
    "benign.quic.lossy-initials",
    "benign.http.origin-legal",
    "benign.http.page-about-blocking",
    "benign.http.portal-login",
    "benign.http.redirect-elsewhere",
    "benign.http.transparent-proxy",
    "benign.tls.private-authority",
    "benign.tls.two-authorities",
    "benign.tls.unknown-name-reset",
    "benign.tls.other-protocol",
)

POOR = {
    "whole": {},
    "cut": {"snaplen": 96},
    "lossy": {"capture_loss": 0.02},
    "merged": {"offload": True},
    "doubled": {"doubled": True},
    "swapped": {"swapped": True},
    "one way": {"direction": "inbound"},
}
"""Ways to see less: each signal must fall silent rather than be mistaken."""


def accused(scenario: str, conditions: Conditions) -> list[str]:
    """Name the mechanisms of which untouched conversations are accused."""
    played = run(scenario, 41, conditions)
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    verdicts = classify(analyze(trace), trace)
    return [verdicts.mechanisms[verdicts.mechanism[row]] for row in range(len(verdicts)) if verdicts.grade[row] <= 1]


@pytest.mark.parametrize("scenario", LOOK_ALIKES)
@pytest.mark.parametrize("vantage", ["client", "server"])
def test_look_alikes_are_not_accused(scenario: str, vantage: str) -> None:
    """Nobody interfered, wherever it was captured and however badly."""
    for seen in POOR.values():
        conditions = attrs.evolve(Conditions(ip=4, vantage=vantage), **seen)
        assert accused(scenario, conditions) == []
