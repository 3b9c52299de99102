"""Draw the ladder of each mechanism, and list what the code knows of it: signs, documented systems, look-alikes."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
from markdown_tables import table

from netinterf.analyzers.registry import builtin
from netinterf.analyzers.run import analyze
from netinterf.attribute.catalogue import systems
from netinterf.report import ladder
from netinterf.schema import SubjectKind
from netinterf.simulate import Conditions, run, scenarios
from netinterf.simulate.coverage import coverage
from netinterf.trace import Trace, read

__all__ = ["write_facts"]

SHOWN = {
    "tcp.reset": ("tcp.reset.ir-sni", 7),
    "tcp.fin": ("tcp.fin.uz-middlebox", 7),
    "tcp.synack": ("tcp.synack.generic", 7),
    "tcp.data": ("tcp.data.generic-tls", 7),
    "tcp.drop": ("tcp.drop.tspu-sni-iv", 7),
    "tcp.connect.drop": ("tcp.connect.drop.tspu-ip", 7),
    "tcp.connect.reset": ("tcp.connect.reset.cn-resolver-2023", 8),
    "http.blockpage": ("http.blockpage.th-redirect", 7),
    "tls.interception": ("tls.interception.kazakhstan", 7),
    "dns.injection": ("dns.injection.gfw-triplet", 8),
    "dns.forged": ("dns.forged.iran", 7),
    "dns.drop": ("dns.drop.venezuela", 13),
    "quic.drop": ("quic.drop.tspu-sni", 7),
    "udp.drop": ("udp.drop.wireguard", 7),
    "rate.freeze": ("rate.freeze.packets", 7),
    "rate.policing": ("rate.policing.tspu-twitter", 7),
    "protocol.filter": ("protocol.filter.iran-2024", 7),
    "rate.shaping": ("rate.shaping.turkey", 7),
    "rate.handshake": ("rate.handshake.tspu", 7),
    "reach.isolation": ("reach.isolation.iran-2026", 7),
    "reach.isolation.allowlist": ("reach.isolation.allowlist.iran-no-answer", 7),
}
"""What is drawn of mechanisms of which not every scenario and seed shows the signs well."""


def write_facts(folder: Path) -> None:
    """Write pictures and lists into *folder* (``docs/mechanisms``)."""
    for name in ("ladders", "facts"):
        (folder / name).mkdir(exist_ok=True)
    for mechanism in sorted(page.stem for page in folder.glob("*.md")):
        (folder / "ladders" / f"{mechanism}.svg").write_text(draw(mechanism), encoding="utf-8")
        path, text = folder / "facts" / f"{mechanism}.md", facts(mechanism)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def draw(mechanism: str) -> str:
    """Draw the conversation of a scenario against which most evidence speaks, with the rule that says it best."""
    scenario, seed = SHOWN.get(mechanism) or next((one.name, 7) for one in scenarios() if one.mechanism == mechanism)
    played = run(scenario, seed, Conditions(ip=4, vantage="client", luck=0.0))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type, vantage="client")
    evidence = analyze(trace)
    mine = np.array([evidence.rules[code].mechanism in words(mechanism) for code in evidence.rule], np.bool_)
    kind = SubjectKind.EXCHANGE if mechanism.startswith("dns.") else SubjectKind.FLOW
    mine &= (evidence.llr > 0) & (evidence.subject_kind == kind)
    if not mine.any():
        first = next(truth.first_frame for truth in played.labels.truths if truth.mechanism == mechanism)
        return ladder(trace, flow_of(trace, first))
    subject = int(np.argmax(np.bincount(evidence.subject[mine], evidence.llr[mine])))
    told = np.flatnonzero(mine & (evidence.subject == subject))
    flow = int(trace.exchanges.flow[subject]) if kind == SubjectKind.EXCHANGE else subject
    notes: dict[int, str] = {}
    for row in told[np.argsort(evidence.llr[told])].tolist():  # the strongest is written last, and stays
        notes |= dict.fromkeys(evidence.forged[row].tolist(), evidence.rules[evidence.rule[row]].id)
    return ladder(trace, flow, notes.keys(), notes=notes)


def words(mechanism: str) -> tuple[str, ...]:
    """List what rules that speak of a mechanism are filed under: those of forged DNS answers bear on both kinds."""
    return (mechanism, "dns") if mechanism in {"dns.injection", "dns.forged"} else (mechanism,)


def flow_of(trace: Trace, frame: int) -> int:
    """Find the flow of a frame."""
    return int(trace.packets.flow[np.flatnonzero(trace.packets.frame == frame)[0]])


def facts(mechanism: str) -> str:
    """List signs, systems and look-alikes of a mechanism."""
    return "\n".join(part for part in (signs(mechanism), documented(mechanism), resembling(mechanism)) if part)


def signs(mechanism: str) -> str:
    """List the rules that speak of a mechanism, those first that were seen most often where somebody interfered."""
    model = json.loads((files("netinterf") / "data" / "model.json").read_text(encoding="utf-8"))
    counts = {row["rule"]: (row["interfered"], row["untouched"]) for row in model["weights"]}
    known = [
        rule
        for analyzer in builtin()
        for rule in analyzer.rules
        if rule.mechanism in words(mechanism) and not rule.id.startswith("signature.")
    ]
    shown = sorted((rule for rule in known if any(counts.get(rule.id, ()))), key=lambda rule: -counts[rule.id][0])
    if not shown:
        return ""
    real = {row["rule"]: f"{row['fired']:,} of {row['exposed']:,}" for row in model["bounds"]}
    rows = [
        (f"`{rule.id}`", rule.says, "{:,} : {:,}".format(*counts[rule.id]), real.get(rule.id, "–"),
         "; ".join(rule.references))
        for rule in shown
    ]  # fmt: skip
    about = (
        "Simulated are the subjects in the captures of the fit, interfered with : untouched. Real are benign subjects "
        "of public captures, in how many of those that could show it."
    )
    return f"## Signs\n\n{about}\n\n" + table(("sign", "says", "simulated", "real, benign", "source"), rows)


def documented(mechanism: str) -> str:
    """List the documented systems that do it."""
    entries = {name: one.id for one in systems() for name in (one.id, *one.covers)}
    rows = [
        (f"`{system.id}`", system.says, f"`{entries[system.id]}`" if system.id in entries else "", system.source)
        for (system, word), _ in coverage().systems.items()
        if word == mechanism
    ]
    return "## Documented systems\n\n" + table(("system", "what it does", "catalogue", "source"), rows) if rows else ""


def resembling(mechanism: str) -> str:
    """List the benign look-alikes that are simulated."""
    rows = [(one.id, one.says, one.source) for one in coverage().confounders if mechanism in one.resembles]
    return "## What looks the same\n\n" + table(("look-alike", "what happens", "source"), rows) if rows else ""
