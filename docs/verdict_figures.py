"""Draw the figures of rates, freezes and isolation from simulated captures, as `Result.figure` does from files."""

from ipaddress import ip_network
from pathlib import Path

from netinterf.analyzers.run import analyze
from netinterf.context.networks import Network
from netinterf.report.figures import draw
from netinterf.simulate import Conditions, run
from netinterf.trace import read
from netinterf.verdict.combine import classify
from netinterf.written.ledger import explain

__all__ = ["FIGURES", "write_figures"]

FIGURES = {
    "rate.policing": ("rate.policing.tspu-twitter", 350_003),
    "rate.freeze": ("rate.freeze.packets", 350_001),
    "rate.shaping": ("rate.shaping.media", 350_001),
    "reach.isolation": ("reach.isolation.iran-2019", 350_004),
}
"""What is drawn for each mechanism: a scenario and a seed."""


def write_figures(folder: Path) -> None:
    """Write all figures into *folder* (``docs/figures``)."""
    folder.mkdir(exist_ok=True)
    for mechanism, (scenario, seed) in FIGURES.items():
        path, text = folder / f"{mechanism}.svg", figure(mechanism, scenario, seed)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def figure(mechanism: str, scenario: str, seed: int) -> str:
    """Draw the verdict about several connections of a simulated capture, or the first about one."""
    played = run(scenario, seed, Conditions(ip=4, vantage="client", luck=0.0))
    networks = tuple(Network(ip_network(prefix), asn, country) for prefix, asn, country in played.labels.networks)
    trace = read(
        times=played.times, frames=played.frames, link_type=played.link_type, vantage="client", networks=networks
    )
    evidence = analyze(trace)
    found = [one for one in explain(classify(evidence, trace), evidence, trace).findings()
             if (one.mechanism or "").startswith(mechanism)]  # fmt: skip
    return draw(trace, max(found, key=lambda one: one.group is not None), evidence)
