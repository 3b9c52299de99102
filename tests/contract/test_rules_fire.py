"""Simulated captures in which rules speak that no other test makes speak."""

import pytest

from netinterf.analyzers.run import analyze
from netinterf.simulate import run
from netinterf.trace import read

PLAYS = (
    ("benign.quic.server-gone-mid-transfer", 702, "quic.stopped"),
    ("benign.rate.codel-queue", 702, "shaping.whole_link"),
    ("benign.tcp.old-segment-arrives", 701, "data.acked_unsent"),
    ("benign.tcp.path-mtu-black-hole", 702, "filter.hole filter.large_here filter.server"),
    ("benign.tcp.reset-with-text", 702, "rst.connect_payload"),
    ("dns.injection.adaptive", 702, "dns.agrees_elsewhere"),
    ("http.blockpage.cisco", 700, "page.copied_id page.dead_after"),
    ("http.blockpage.sweep", 700, "page.nearer page.trigger_died"),
    ("http.blockpage.th-redirect", 702, "fin.gateway"),
    ("protocol.filter.generic", 700, "filter.answer"),
    ("protocol.filter.generic", 702, "filter.line"),
    ("protocol.filter.iran-2020", 701, "filter.ignored"),
    ("quic.drop.iran-endpoint", 702, "quic.server"),
    ("rate.handshake.turkey-loss", 702, "fin.ack_reordered handshake.server"),
    ("rate.shaping.turkey", 701, "shaping.one_name"),
    ("reach.isolation", 701, "reach.together"),
    ("tcp.connect.reset.cn-port-443-2025", 701, "signature.syn_rstack"),
    ("tcp.connect.reset.handshake-reset", 700, "rst.connect_df rst.connect_premature"),
    ("tcp.data.generic-tls", 702, "data.copied_id data.copied_window data.ttl_class"),
    ("tcp.drop.adaptive", 701, "filter.cut filter.served_near"),
    ("tcp.drop.ir-mirror-push", 702, "bare_ack.df"),
    ("tcp.fin.adaptive-on-path", 700, "fin.contradiction fin.ip_id fin.nearer"),
    ("tcp.fin.generic", 701, "fin.acked_soon"),
    ("tcp.fin.uz-middlebox", 701, "fin.copied_window"),
    ("tcp.fin.uz-sandvine", 701, "data.acked_between data.acked_soon"),
    (
        "tcp.reset.cn-residual",
        700,
        (
            "rst.connect_after_request rst.connect_burst rst.connect_cloned_id rst.connect_counting "
            "rst.connect_odd_window rst.connect_ttl_class signature.psh_rst"
        ),
    ),
    ("tcp.reset.generic-url", 702, "rst.connect_bare_window"),
    ("tcp.reset.post-handshake", 702, "signature.ack_rsts"),
    ("tcp.synack.cn-residual", 701, "rst.behind_data"),
)
"""Scenario, seed, and rules that fire in it."""


@pytest.mark.parametrize(("scenario", "seed", "rules"), PLAYS)
def test_rules_fire(scenario: str, seed: int, rules: str) -> None:
    """Each rule says something of somebody."""
    played = run(scenario, seed)
    evidence = analyze(read(times=played.times, frames=played.frames, link_type=played.link_type))
    seen = {evidence.rules[code].id for code in evidence.rule}
    assert set(rules.split()) <= seen
