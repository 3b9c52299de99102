"""The page for people: what a finding shows, what could not be judged, and that it fits a terminal."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.engine.judged import Judged
from netinterf.engine.scan import scan
from netinterf.mechanisms import MECHANISMS, settled_by
from netinterf.report.findings import finding_lines, one_line, suspicion_lines
from netinterf.report.folding import Told
from netinterf.report.lines import WIDTH, laid_out
from netinterf.report.several import text
from netinterf.report.text import note_line, summary_lines
from netinterf.schema import Diagnostic, Grade, Outcome
from netinterf.written.record import Further, Observation, Verdict
from tests.oracles.dns_frames import RAW_IP, Talk, address_record


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """One simulated capture with forged resets, judged."""
    path = tmp_path_factory.mktemp("text") / "reset.pcap"
    played = simulate.run("tcp.reset", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    return scan(path).judged[0]


@pytest.fixture(scope="module")
def found(judged: Judged) -> Verdict:
    """One of its findings."""
    return next(verdict for verdict in judged.ledger.findings() if verdict.outcome is Outcome.INTERFERED)


def page(verdict: Verdict, **changes: Any) -> str:
    """Write a changed finding."""
    return "\n".join(laid_out(finding_lines(attrs.evolve(verdict, **changes))))


def test_a_finding_says_what_who_and_where_to_look(found: Verdict) -> None:
    """Mechanism, grade, probability, both ends, trigger, evidence, frames and a filter stand in the block."""
    block = page(found)
    assert block.startswith(f"INTERFERED: tcp.reset ({found.grade}, probability ")
    assert found.trigger is not None
    for word in (found.subject.client, found.subject.server, found.trigger.value, found.evidence[0].rule, "tcp.port=="):
        assert word
        assert word in block
    assert all(str(frame) in block for frame in found.frames)


def suspicion(found: Verdict, probability: float, says: str, mechanism: str = "tcp.reset") -> Verdict:
    """Make a suspicion of a finding."""
    seen = Observation(rule="r.0", says=says, llr=5.0, frames=(), measured={}, mechanism=mechanism)
    hint = attrs.evolve(found, grade=Grade.POSSIBLE, outcome=Outcome.INSUFFICIENT, mechanism=mechanism)
    return attrs.evolve(hint, probability=probability, evidence=(seen,))


def test_a_hint_is_no_accusation(found: Verdict) -> None:
    """A suspicion says of what, why, how likely, where to look and what would settle it."""
    block = "\n".join(laid_out(suspicion_lines([Told(verdict=suspicion(found, 0.7, "the reset is odd"))])))
    assert "Suspected: tcp.reset, would be settled by captures at the client and at the server at the" in block
    assert f"70 %, frame {found.subject.first_frame}, " in block
    assert "the reset is odd" in block
    assert "INTERFERED" not in block


def test_suspicions_are_ranked_by_mechanism_and_probability(found: Verdict) -> None:
    """The likeliest comes first, with those of its mechanism behind it; a reason that repeats is not repeated."""
    some = [
        suspicion(found, 0.6, "slow", "rate.freeze"),
        suspicion(found, 0.7, "odd"),
        suspicion(found, 0.8, "odd"),
        suspicion(found, 0.75, "slow", "rate.freeze"),
    ]
    lines = (
        "\n".join(laid_out(suspicion_lines([Told(verdict=verdict) for verdict in some])))
        .replace("\n    ", " ")
        .split("\n")
    )
    told = [line.strip() for line in lines if line.startswith(("Suspected: ", "  6", "  7", "  8"))]
    assert [line.partition(",")[0] for line in told] == [
        "Suspected: tcp.reset", "80 %", "70 %", "Suspected: rate.freeze", "75 %", "60 %",
    ]  # fmt: skip
    assert [line.rpartition(": ")[2] for line in told if "%" in line] == ["odd", "the same", "slow", "the same"]


@pytest.mark.parametrize("mechanism", sorted(MECHANISMS))
def test_every_suspicion_can_be_settled(mechanism: str) -> None:
    """Also a mechanism that nobody knows is settled by what fits its family, or any."""
    assert settled_by(f"{mechanism}.unheard_of") == settled_by(mechanism)
    assert not settled_by(mechanism).endswith(".")


def test_only_the_strongest_evidence_is_shown(found: Verdict) -> None:
    """Three pieces at most, evidence against marked so, the rest counted."""
    seen = [
        Observation(rule=f"r.{n}", says=f"sign {n}", llr=w, frames=(), measured={}) for n, w in enumerate((5, -4, 3, 1))
    ]
    block = page(found, evidence=tuple(seen))
    assert "- sign 0 [r.0, +5.0]" in block
    assert "- against: sign 1 [r.1, -4.0]" in block
    assert "sign 3" not in block
    assert "and 1 more" in block


def test_evidence_of_what_else_was_asked_comes_last(found: Verdict) -> None:
    """What speaks of another mechanism is not shown before what speaks of the one that is named."""
    seen = [
        Observation(rule=f"r.{n}", says=f"sign {n}", llr=9.0 - n, frames=(), measured={}, mechanism=mechanism)
        for n, mechanism in enumerate(("http.blockpage", "tcp.reset", "", "tcp.reset"))
    ]
    block = page(found, evidence=tuple(seen))
    assert "sign 0" not in block
    assert block.index("sign 1") < block.index("sign 2") < block.index("sign 3")


def test_what_weighs_nothing_is_not_against(found: Verdict) -> None:
    """A weight that rounds to nothing has no side."""
    seen = (Observation(rule="r.0", says="sign", llr=-0.04, frames=(), measured={}),)
    assert "- sign [r.0, +0.0]" in page(found, evidence=seen)


def test_further_fields(found: Verdict) -> None:
    """Other mechanisms, the contrast, and long lists of frames are told."""
    block = page(
        found, also=(Further(mechanism="tcp.fin", probability=0.8),), selective=True, frames=tuple(range(1, 31))
    )
    assert "also      tcp.fin (probability 80 %)" in block
    assert "others were spared" in block
    assert "and 18 more" in block
    assert "limited alike" in page(found, selective=False)
    assert "trigger" not in page(found, trigger=None)


def test_without_forged_packets_those_that_show_it_are_named(found: Verdict) -> None:
    """A victim's acknowledgement, say: the frames of the strongest observation stand in the place of forged ones."""
    strong = Observation(rule="page.acked_early", says="early", llr=5.0, frames=(43, 46), measured={})
    against = Observation(rule="r.2", says="no", llr=-6.0, frames=(1,), measured={})
    block = page(found, frames=(), evidence=(against, strong))
    assert "shown by  43, 46" in block
    assert "shown by" not in page(found)


def test_the_summary_counts_and_notes(judged: Judged) -> None:
    """Outcomes are counted, and what was damaged is noted with its number."""
    note = Diagnostic("capture.cut", "the capture is cut", 7, count=1234)
    summary = attrs.evolve(judged.summary, diagnostics=(note,), first=0, last=7_500 * 10**9)
    lines = list(laid_out([*summary_lines(summary), note_line(note)]))
    assert f"{judged.summary.packets:,} packets" in " ".join(lines)
    assert "over 2.1 hours" in " ".join(" ".join(lines).split())
    assert "1 packet," in " ".join(laid_out(summary_lines(attrs.evolve(judged.summary, packets=1))))
    assert "note: the capture is cut (1,234 times)" in lines[-1]
    assert "interfered ·" in "\n".join(lines)


def test_what_failed_is_grouped_by_reason(tmp_path: Path) -> None:
    """Subjects that are down or could not be judged stand together under the reason, with names as examples."""
    path = tmp_path / "benign.pcap"
    played = simulate.run("tcp.reset.benign", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    result = scan(path)
    written = text(result)
    for verdict in result.verdicts:
        if verdict.outcome in {Outcome.DOWN, Outcome.INSUFFICIENT} and verdict.mechanism is None:
            assert verdict.reasons[0].code in written


def laid_out_again(written: str) -> list[str]:
    """List lines that could be broken: neither what is copied nor words that are too long for any line."""
    lines = (line for line in written.splitlines() if not line.startswith("  Wireshark "))
    return [line for line in lines if " " in line.strip()]


def test_everything_fits_a_terminal(judged: Judged, found: Verdict, tmp_path: Path) -> None:
    """No line is longer than the page, whatever names and addresses hold, and control characters are replaced."""
    written = text([judged], everything=True)
    assert max(map(len, laid_out_again(written))) <= WIDTH
    assert len(written.splitlines()) > len(text([judged]).splitlines())
    subject = attrs.evolve(found.subject, name="a" * 300 + "\x1b[0m", client="2001:db8::1", server="2001:db8::2")
    odd = attrs.evolve(found, subject=subject, ip_version=6)
    assert max(map(len, laid_out_again(page(odd)))) <= WIDTH
    assert "\x1b" not in page(odd)
    assert "[2001:db8::2]:443" in one_line(odd)


@pytest.mark.parametrize("spare", [False, True])
def test_it_says_what_the_hit_names_share(tmp_path: Path, spare: bool) -> None:
    """All names below one domain got forged answers, and no other did; one that is spared there ends the rule."""
    talk = Talk()
    talk.ordinary(30)
    for host in ("www", "mail", "api", "cdn"):
        talk.ask(f"{host}.blocked.org")
        talk.reply(
            f"{host}.blocked.org", address_record("31.13.95.38"), after=2_000_000, ttl=120, opt=False, flags=0x8580
        )
        talk.reply(f"{host}.blocked.org", address_record("93.184.216.34"))
    if spare:
        talk.ask("fine.blocked.org")
        talk.reply("fine.blocked.org", address_record("93.184.216.34"))
    times, frames, _ = talk.capture()
    path = tmp_path / "shared.pcap"
    write_pcap(path, times, frames, RAW_IP)
    page = text(scan(path))
    assert page.count("INTERFERED: dns.injection") == 1
    assert "like it   3 more: " in page
    assert text(scan(path), everything=True).count("INTERFERED: dns.injection") == 4
    assert ("in common: *.blocked.org, 4 names hit (api.blocked.org" in page) == (not spare)
