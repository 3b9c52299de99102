"""The page for people: whole, alone, escaped, and readable by whoever opens it."""

import io
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import netinterf
from benchmarks.browser import Browser, find_chromium
from benchmarks.page import WIDTHS
from netinterf import report
from netinterf.capture import write_pcap
from netinterf.cli.main import main
from netinterf.engine.scan import scan
from netinterf.errors import CaptureError
from netinterf.report.findings import one_line
from netinterf.report.page.findings import HEADS, card, odds, row
from netinterf.report.page.markup import ROWS, packaged, tables, tag
from netinterf.report.page.method import AUTHORS, TITLE
from netinterf.schema import Grade, Outcome
from netinterf.written.record import Observation, Trigger, Verdict
from netinterf.written.words import claim
from tests.oracles.dns_frames import RAW_IP, Talk, address_record
from tests.unit.report.pages import HOSTILE, Page, check_form, violations

EXAMPLES = Path(str(netinterf.__path__[0])) / "data" / "examples"


def written(result: Any, **options: Any) -> str:
    """Write a page to memory."""
    held = io.StringIO()
    report.html(result, held, **options)
    return held.getvalue()


@pytest.fixture(scope="module")
def result() -> netinterf.Result:
    """Scan the captures that ship with the library."""
    return scan(EXAMPLES)


@pytest.fixture(scope="module")
def text(result: netinterf.Result) -> str:
    """Write their page."""
    return written(result)


@pytest.fixture(scope="module")
def found(result: netinterf.Result) -> Verdict:
    """Give one finding."""
    return next(one for one in result.findings if one.mechanism == "tcp.reset" and one.group is None)


def test_the_page_is_well_formed(text: str) -> None:
    """Elements close in order, ids are unique, links of the page lead to one, headings leave out no level."""
    check_form(Page(text))


def test_nothing_is_asked_for(text: str) -> None:
    """No element and no style names an address outside, and the policy forbids what a mistake would ask for."""
    page = Page(text)
    assert {"src", "srcset", "action", "data", "poster"} & {key for _, told in page.tags for key in told} == set()
    assert [link for link in page.all("href") if not link.startswith("#")] == ["data:,"]
    assert "url(" not in text
    assert "@import" not in text
    policies = [told["content"] for name, told in page.tags if told.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'; ")
    assert "http" not in str(policies[0])
    assert page.count("script") == 1


def cards_of(page: Page) -> list[dict[str, str | None]]:
    """List the attributes of a page's cards."""
    return [told for name, told in page.tags if name == "details" and str(told.get("class")).startswith("finding")]


def test_every_finding_is_on_the_page(result: netinterf.Result) -> None:
    """A card for each when everything is asked for, with what it claims, its filter, its rules; the groups as well."""
    page = Page(written(result, everything=True, figures=0))
    assert len(cards_of(page)) == len(result.findings) > 15
    for verdict in result.findings:
        assert claim(verdict) in page.text
        assert verdict.flow_filter in page.text
        assert page.text.count(verdict.evidence[0].says) <= page.text.count(verdict.evidence[0].rule)


def test_findings_that_are_alike_share_a_card(result: netinterf.Result, text: str) -> None:
    """It says how many more there are and what they are about; each of them stands in a table."""
    page = Page(text)
    single = [one for one in result.findings if one.group is None]
    cards = len(cards_of(page)) - (len(result.findings) - len(single))
    tabled = re.findall(r'<details class="rest">.*?</details>', text, re.DOTALL)
    rows = [row for part in tabled for row in re.findall(r'<tr><th scope="row">', part)]
    assert 0 < cards < len(single)
    assert len(rows) == len(single) - cards
    told = [int(number) for number in re.findall(r"Like it(\d+) more: ", page.text)]
    assert sum(told) >= len(rows)  # (one with a picture has a card of its own)


def test_a_single_finding_is_open_with_its_picture(
    result: netinterf.Result, found: Verdict, text: str, tmp_path: Path
) -> None:
    """Nobody has to look for the only thing that there is to see; of several none is chosen."""
    result.extract(found, tmp_path / "alone.pcap")
    alone = scan(tmp_path / "alone.pcap")
    assert len(alone.findings) == 1
    (only,) = cards_of(Page(written(alone)))
    assert "open" in only
    assert not [told for told in cards_of(Page(text)) if "open" in told]


SLOWED = (
    "3 of 4 connections were slowed down by dropping packets above a fixed rate, "
    "always for files75.example.org and radio13.example.net ("
)


def test_each_capture_has_its_sentence(text: str) -> None:
    """How many, in which way, and whether always; of those without findings that nothing suggests interference."""
    page = Page(text)
    assert "Somebody interfered with the traffic in 3 of 4 captures." in page.text
    for sentence in (
        "6 of 10 connections were cut off by forged resets, always for maps10.example.net and shop26.example.com (",
        SLOWED,
        "Nothing suggests interference: all 10 conversations worked.",
    ):
        assert sentence in page.text


def test_what_cannot_be_read_stands_on_the_page_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name and the reason, unless they are to be left out."""
    (tmp_path / "private.pcap").write_bytes(b"no capture at all")
    words = ["scan", "--format", "html", str(EXAMPLES / "benign.pcap.gz"), str(tmp_path / "private.pcap")]
    assert main(words) == 0
    assert "What could not be read" in (page := capsys.readouterr().out)
    assert "private.pcap" in page
    assert main([*words, "--redact"]) == 0
    assert "What could not be read" in (page := capsys.readouterr().out)
    assert "private.pcap" not in page


def test_the_same_result_gives_the_same_page(result: netinterf.Result, text: str) -> None:
    """No clock and no chance is in it; captures one by one give what a result gives."""
    assert written(iter(result.judged)) == text


def test_what_is_possible_is_a_hint(found: Verdict) -> None:
    """It is marked and worded as one, and no card of it calls it shown."""
    hint = attrs.evolve(found, grade=Grade.POSSIBLE, outcome=Outcome.INSUFFICIENT, probability=0.7)
    assert 'class="finding possible"' in card(hint, "one")
    assert "possible" not in card(found, "one")


@pytest.mark.parametrize("place", ["name", "trigger", "sentence", "rule"])
def test_names_from_the_wire_are_never_live(found: Verdict, place: str) -> None:
    """Markup, control characters, overrides of direction and broken text in them are shown and do nothing."""
    seen = Observation(rule="r.one", says="seen", llr=1.0, frames=(), measured={})
    told: dict[str, Any] = {
        "name": {"subject": attrs.evolve(found.subject, name=HOSTILE), "explanation": HOSTILE},
        "trigger": {"trigger": Trigger(kind="http.url", value=HOSTILE, frame=None)},
        "sentence": {"evidence": (attrs.evolve(seen, says=HOSTILE),)},
        "rule": {"evidence": (attrs.evolve(seen, rule=HOSTILE),)},
    }[place]
    hostile = attrs.evolve(found, **told)
    for written_down in (card(hostile, "one"), tables("some", HEADS, [row(hostile)])):
        page = Page(written_down)
        assert page.wrong == page.open == []
        assert page.count("script") == page.count("img") == 0
        assert not any(key.startswith("on") for _, told in page.tags for key in told)
        assert all(sign.isprintable() for sign in page.text)
    assert "<script>alert(1)</script>" in Page(card(hostile, "one")).text


def test_attributes_are_escaped() -> None:
    """No value of an attribute ends it."""
    page = Page(tag("p", "x", title='a" onclick="b', lang="en"))
    assert page.tags == [("p", {"title": 'a" onclick="b', "lang": "en"})]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a capture with hostile names, found under a hostile path."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / '"><img src=x onerror=alert(3)>&lt;.pcap'
    names = (
        "<script>alert(1)</script>.org",
        "<img src=x onerror=alert(2)>.org",
        "\u202egro.live\x07\u0000.org",
        "'\">.org",
    )
    talk = Talk()
    talk.ordinary(30)
    for name in names:
        talk.ask(name)
        talk.reply(name, address_record("31.13.95.38"), after=2_000_000, ttl=120, opt=False, flags=0x8580)
        talk.reply(name, address_record("93.184.216.34"))
    times, frames, _ = talk.capture()
    write_pcap(path, times, frames, RAW_IP)
    report.html(scan(path), folder / "page.html", everything=True)
    return folder / "page.html"


def test_a_hostile_capture_gives_a_harmless_page(hostile: Path) -> None:
    """Names from queries and from the path stand in it as text, with their pictures."""
    page = Page(hostile.read_text(encoding="utf-8"))
    assert page.wrong == page.open == []
    assert page.count("script") == 1
    assert page.count("img") == 0
    assert "<script>alert(1)</script>.org" in page.text
    assert "<img src=x onerror=alert(3)>&lt;.pcap" in page.text
    assert page.count("figure") == 2
    assert all(sign.isprintable() or sign == "\n" for sign in page.text)


def test_a_capture_that_is_gone_or_changed_has_no_pictures(tmp_path: Path) -> None:
    """The page says why, and is whole otherwise; so it is for a pipe."""
    path = tmp_path / "visit.pcap.gz"
    shutil.copy(EXAMPLES / "tcp.reset.pcap.gz", path)
    kept = scan(path)
    assert Page(written(kept)).count("figure") == 2
    assert Page(written(kept, figures=0)).count("figure") == 0
    assert Page(written(kept, figures=1)).count("figure") == 1
    shutil.copy(EXAMPLES / "benign.pcap.gz", path)
    assert "the capture has changed since it was judged" in written(kept)
    path.unlink()
    gone = Page(written(kept))
    assert "the capture cannot be read any more" in gone.text
    assert "could not be read again" in gone.text
    assert gone.count("figure") == 0
    piped = [attrs.evolve(one, source=None) for one in kept.judged]
    assert "the capture came from a pipe" in written(piped)
    assert Page(written(piped)).count("details") == gone.count("details")


def test_too_many_findings_become_tables(monkeypatch: pytest.MonkeyPatch, result: netinterf.Result) -> None:
    """What does not unfold stands in a table with its strongest sign; one of each kind always unfolds."""
    monkeypatch.setattr("netinterf.report.page.document.CARDS", 3)
    page = Page(written(result, figures=0))
    kinds = Counter((one.capture, one.mechanism, one.outcome) for one in result.findings if one.group is None)
    cards = [told for name, told in page.tags if name == "details" and str(told.get("class")).startswith("finding")]
    single = len([one for one in result.findings if one.group is None])
    groups = len(result.findings) - single
    assert len(kinds) + groups <= len(cards) <= len(kinds) + groups + 3
    rows = [told for name, told in page.tags if name == "th" and told.get("scope") == "row"]
    assert len(rows) >= single - (len(cards) - groups)


def test_long_tables_are_cut(found: Verdict) -> None:
    """A browser lays out tables as a whole, so there are several, and none loses a row."""
    page = Page(tables("tcp.reset", HEADS, [row(found)] * (2 * ROWS + 1)))
    assert page.count("table") == 3
    assert page.count("tr") == 2 * ROWS + 1 + 3
    assert f"tcp.reset, {ROWS + 1:,} to {2 * ROWS:,}" in page.text


def test_everything_is_listed_when_asked_for(result: netinterf.Result, text: str) -> None:
    """One line for every flow and exchange."""
    whole = written(result, everything=True, figures=0)
    for verdict in result.verdicts:
        assert verdict.group is not None or str(tag("li", one_line(verdict))) in whole
    assert "Every conversation" in whole
    assert "Every conversation" not in text


def test_what_could_not_be_read_is_named(result: netinterf.Result) -> None:
    """The paths and the reasons."""
    broken = attrs.evolve(result, errors=(CaptureError("broken.pcap", "no capture: it begins with <html>"),))
    assert "broken.pcap: no capture: it begins with <html>" in Page(written(broken)).text
    assert "No capture could be read." in Page(written([])).text


def test_the_command_writes_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--format html --out`` gives what `report.html` gives; where nothing is read, an earlier page survives."""
    shutil.copy(EXAMPLES / "tcp.reset.pcap.gz", tmp_path / "visit.pcap.gz")
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "--format", "html", "--out", "report.html", "visit.pcap.gz"]) == 0
    assert Path("report.html").read_text(encoding="utf-8") == written(scan("visit.pcap.gz"))
    assert main(["scan", "--format", "html", "--out", "report.html", "missing.pcap"]) == 3
    assert Path("report.html").read_text(encoding="utf-8") == written(scan("visit.pcap.gz"))


def test_weights_are_told_as_odds() -> None:
    """As likely under interference as otherwise is nothing; the rest is rounded and takes a side."""
    assert [odds(llr) for llr in (0.0, 2.3026, -2.3026, 0.6931, 4.2, 9.0)] == [
        "adds nothing",
        "10 : 1 for it",
        "10 : 1 against it",
        "2 : 1 for it",
        "67 : 1 for it",
        "8,100 : 1 for it",
    ]


def test_the_citation_is_that_of_the_project() -> None:
    """Title and authors are those of CITATION.cff."""
    told = (Path(__file__).parents[3] / "CITATION.cff").read_text(encoding="utf-8")
    assert f'title: "{TITLE}"' in told
    assert f'- name: "{AUTHORS}"' in told


def luminance(colour: str) -> float:
    """Compute the relative luminance of a colour (WCAG 2.1, definition)."""
    parts_ = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts_]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_words_stand_out_in_both_themes() -> None:
    """Every colour of words has a contrast of 4.5 : 1 on both papers, every mark of 3 : 1 (WCAG 2.1, 1.4.3, 1.4.11)."""
    blocks = re.findall(r":root\{([^}]*--paper[^}]*)\}", packaged("style.css"))
    assert len(blocks) == 3  # light, dark, print
    for block in blocks:
        palette = dict(re.findall(r"--(\w+):(#\w{6})", block))
        papers = palette.pop("paper"), palette.pop("raised")
        for paper in papers:
            for word in set(palette) - {"rule"}:
                least = 3 if word in {"well", "down", "unknown"} else 4.5
                light, dark = sorted((luminance(palette[word]), luminance(paper)), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= least, (word, paper)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser; skip where there is none."""
    program = find_chromium()
    if program is None:
        pytest.skip("chromium is not installed")
    with Browser(program) as started:
        yield started


UNFOLD = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.mark.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_shows_it_whole_and_asks_for_nothing(
    browser: Browser, result: netinterf.Result, tmp_path: Path, width: int, scheme: str
) -> None:
    """On a phone and on a desk, folded and unfolded, nothing is wider than the window or complained about."""
    path = tmp_path / "page.html"
    report.html(result, path, everything=True)
    view = browser.open(path, width=width, scheme=scheme)
    assert view.requests == view.errors == ()
    assert view.scroll_width <= width
    browser.run(UNFOLD)
    assert browser.run("document.documentElement.scrollWidth") <= width
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]


@pytest.mark.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_violation(
    browser: Browser, result: netinterf.Result, tmp_path: Path, width: int, scheme: str
) -> None:
    """Names of controls, contrast, order of headings, regions: folded and unfolded."""
    pytest.importorskip("axe_core_python")
    path = tmp_path / "page.html"
    report.html(result, path, everything=True)
    browser.open(path, width=width, scheme=scheme)
    assert violations(browser) == []
    browser.run(UNFOLD)
    assert violations(browser) == []


@pytest.mark.chromium
def test_the_page_is_read_by_keyboard(browser: Browser, result: netinterf.Result, tmp_path: Path) -> None:
    """The first stop leads past the contents; every card and table that scrolls is a stop, in the order of the page."""
    path = tmp_path / "page.html"
    report.html(result, path)
    browser.open(path)
    stops = "[...document.querySelectorAll('a[href], input, summary, [tabindex]')].filter((one) => one.tabIndex >= 0)"
    assert browser.run(f"{stops}[0].className") == "skip"
    assert browser.run(f"{stops}.every((one) => one.tabIndex === 0)")
    assert browser.run(f"{stops}.filter((one) => one.matches('summary')).length") == browser.run(
        "document.querySelectorAll('details').length"
    )
    browser.run("document.querySelector('.finding summary').click()")
    assert browser.run("document.querySelector('.finding').open")


@pytest.mark.chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_runs_nothing_of_a_hostile_capture(browser: Browser, hostile: Path, width: int) -> None:
    """No image, no second script, no request, and nothing wider than the window."""
    view = browser.open(hostile, width=width)
    browser.run(UNFOLD)
    assert view.requests == view.errors == ()
    assert browser.run("[document.images.length, document.scripts.length]") == [0, 1]
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.chromium
def test_the_policy_holds(browser: Browser, hostile: Path) -> None:
    """What is put into the page afterwards can neither ask for anything nor run."""
    browser.open(hostile)
    browser.run("document.body.insertAdjacentHTML('beforeend', '<p style=\"background:url(http://127.0.0.1:9/)\">x')")
    browser.run("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    browser.run("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert browser.run("window.ran ?? 0") == 0
    assert browser.run("document.images[0].naturalWidth") == 0
    assert len(browser.complaints()) == 3


@pytest.mark.chromium
def test_the_field_filters_findings(browser: Browser, result: netinterf.Result, tmp_path: Path) -> None:
    """What holds the word stays, the rest goes, and all comes back."""
    path = tmp_path / "page.html"
    report.html(result, path)
    browser.open(path)
    shown = "document.querySelectorAll('.finding:not([hidden]), .rest tbody tr:not([hidden])').length"
    parts = re.findall(r'(?s)<details [^>]*class="finding.*?</details>|<tr><th scope="row">.*?</tr>', written(result))
    about = sum("maps10.example" in part for part in parts if "SHA-256" not in part)
    everything = browser.run(shown)
    typed = (
        "(word) => { const f = document.querySelector('input'); f.value = word; f.dispatchEvent(new Event('input')) }"
    )
    browser.run(f"({typed})('MAPS10.example')")
    browser.wait_until(f"{shown} < {everything}")
    assert browser.run(shown) == about - 1  # (one row is that of the overview)
    assert browser.run("document.querySelector('output').value").endswith(f"of {everything + 1}")  # a folded capture
    browser.run(f"({typed})('')")
    browser.wait_until(f"{shown} === {everything}")
