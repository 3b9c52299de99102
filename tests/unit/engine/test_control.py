"""Control answers from another capture."""

from pathlib import Path

import pytest

from netinterf.context.answers import KnownAnswers
from netinterf.engine.control import answers_of, known_answers
from netinterf.engine.scan import scan
from netinterf.errors import ParameterError
from netinterf.simulate import Conditions, run, write
from netinterf.table import Text
from netinterf.trace import read


def test_answers_that_are_judged_well_are_known() -> None:
    """Of an untouched capture all global answers, of one with forged answers none of these."""
    played = run("dns.injection.gfw-2", 3, Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    known = answers_of(trace)
    struck = {truth.name for truth in played.labels.interfered()}
    asked = {truth.name: truth.name for truth in played.labels.truths if truth.kind == "exchange"}
    found = {name: int(known.find(Text.of([name]))[0]) >= 0 for name in asked}
    assert struck
    assert not any(found[name] for name in struck)
    assert sum(found.values()) > len(struck)


def test_a_capture_is_a_control(tmp_path: Path) -> None:
    """The same names without the box: what they answer there is used here."""
    played = run("dns.forged.aftermath", 3, Conditions.clean(vantage="client"))
    here, there = tmp_path / "here.pcap", tmp_path / "there.csv"
    write(played, here)
    there.write_text("name,address\n" + "".join(f"{name},{one}\n" for name, one in played.labels.answers))
    control = known_answers(here)
    assert isinstance(control, KnownAnswers)
    assert len(control) > 0
    assert known_answers(there) == there
    assert known_answers(None) is None
    assert scan(here, answers=here).captures[0].exchanges == scan(here, answers=there).captures[0].exchanges


def test_what_cannot_be_read_is_an_error_of_the_argument(tmp_path: Path) -> None:
    """Neither a table nor a whole capture."""
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(b"\xd4\xc3\xb2\xa1\x02\x00")
    for path in (broken, tmp_path / "absent"):
        with pytest.raises(ParameterError, match=path.name):
            scan(tmp_path, answers=path)
