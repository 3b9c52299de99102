"""The page of a campaign: whole, alone, escaped, no surer than its cells, and the same with and without its script."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.browser import Browser, find_chromium
from benchmarks.campaigns.page import opened, write_page
from benchmarks.campaigns.wide import TRANSPORTS, Wide, wide_store
from benchmarks.page import WIDTHS
from netinterf.campaign import Campaign
from netinterf.campaign.judged.report import Report, report
from netinterf.campaign.stored.store import Store
from netinterf.mechanisms import MECHANISMS, sign_of
from netinterf.pooling.grades import FINDINGS, Finding
from netinterf.report.campaign_page import campaign_page
from netinterf.report.campaign_page.alike import alike_of
from netinterf.report.campaign_page.grid import COUNTS
from netinterf.report.campaign_page.view import view_of
from netinterf.writing import printable
from tests.unit.report.pages import HOSTILE, Page, check_form, violations

TURNED = "\u202egnp.moc.elpmaxe\u2066</script><b>"
PLAIN = [f"www.site{number:03}.example" for number in range(44)]
NAMES = PLAIN + [f"{number}{hostile}" for number in range(8) for hostile in (HOSTILE.replace("\udcff", ""), TURNED)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Judge a store of a few networks, in which some names are hostile to pages."""
    wide = Wide(names=NAMES, networks=8, runs=6, blocked=0.2, seed=3)
    return report(wide_store(tmp_path_factory.mktemp("store") / "wide", wide))


@pytest.fixture(scope="module")
def text(judged: Report) -> str:
    """Write its page."""
    return "".join(campaign_page(judged))


def unpacked(text: str, key: str) -> bytes:
    """Read a data block."""
    letters = re.search(f'<script type="text/plain" id="{key}">([A-Za-z0-9+/=]*)</script>', text)
    assert letters, key
    return zlib.decompress(base64.b64decode(letters[1]))


def test_the_page_is_well_formed(text: str) -> None:
    """Elements close in order, ids are unique, links of the page lead to one, headings leave out no level."""
    check_form(Page(text))


def test_nothing_is_asked_for(text: str) -> None:
    """No element and no style names an address outside; one script may run, and its digest is named."""
    page = Page(text)
    assert {"src", "srcset", "action", "data", "poster"} & {key for _, told in page.tags for key in told} == set()
    assert [link for link in page.all("href") if not link.startswith("#")] == ["data:,"]
    assert "url(" not in text
    scripts = [told for name, told in page.tags if name == "script"]
    assert [told for told in scripts if told.get("type") != "text/plain"] == [{}]
    (policy,) = [told["content"] for name, told in page.tags if told.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'; ")


def test_hostile_names_are_text(text: str) -> None:
    """Markup in names is text, and nothing turns the direction, moves a cursor or breaks a line, packed or not."""
    page = Page(text)
    assert page.count("img") == 0
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)&lt;/script&gt;", "", text)
    assert 'evil"><script>alert(1)' in page.text
    packed = [unpacked(text, key).decode() for key in ("names", "written-0", "about")]
    for shown in (text, *packed):
        assert all(sign.isprintable() or sign == "\n" for sign in shown)
    assert len(packed[0].split("\n")) == len(NAMES) * len(TRANSPORTS)


def test_the_matrix_is_the_report(text: str, judged: Report) -> None:
    """Each cell of the report stands in its row and column with its finding and its counts, and no other does."""
    about = json.loads(unpacked(text, "about"))
    names = unpacked(text, "names").decode().split("\n")
    begin = np.frombuffer(unpacked(text, "begin"), "<u4")
    column, state, transport = (np.frombuffer(unpacked(text, key), "u1") for key in ("column", "state", "transport"))
    counts = np.frombuffer(unpacked(text, "counts-0"), "<u4").reshape(len(COUNTS), -1)
    found = {
        (names[row], about["transports"][transport[row]], about["networks"][column[cell]]): (
            about["states"][state[cell]][0],
            about["states"][state[cell]][1],
            *counts[:, cell].tolist(),
        )
        for row in range(len(names))
        for cell in range(begin[row], begin[row + 1])
    }
    view = view_of(judged)
    wanted = {
        (view.called[judged.cells.tallies.unit[row]], cell.transport, str(cell.network)): (
            cell.finding.value,
            cell.mechanism or "",
            *(getattr(cell.here, word) for word in COUNTS[:8]),
            cell.there.answered,
            cell.there.failed,
        )
        for row, cell in zip(range(len(judged)), judged.written(np.arange(len(judged))), strict=True)
    }
    assert found == wanted
    blocked = [sum(about["states"][one][0] == "blocked" for one in state[slice(*pair)]) for pair in pairwise(begin)]
    assert blocked == sorted(blocked, reverse=True)
    assert max(blocked) > 1


def test_findings_are_told_in_words_and_frames(text: str, judged: Report) -> None:
    """Each blocked or suspected cell has its sentence and where to look, by its place in the matrix."""
    told = json.loads(unpacked(text, "written-0"))
    sentences = {says for says, _, _ in told.values()}
    cells = list(judged.of(Finding.BLOCKED, Finding.SUSPECTED))
    assert len(cells) > 50
    assert {cell.explanation for cell in cells if cell.name and cell.name.isprintable()} <= sentences
    for _, weighed, looks in told.values():
        assert {term for term, _ in weighed} >= {"Packets by themselves"}
        assert all(capture.startswith("captures/") and frames.startswith("frame ") for capture, frames in looks)


def test_without_the_script_all_findings_stand_in_tables(text: str, judged: Report) -> None:
    """Every blocked cell is a line of the first table, and none that is only suspected is."""
    first = text[text.index("<h3>What somebody interferes with</h3>") :]
    first = first[: first.index("</section>")].partition("<h3>Hints, not findings</h3>")[0]
    assert first.count("failed") == judged.counts()["blocked"] + 1  # the head names it once
    assert not re.search("possible", Page(first).text)
    assert '<details id="table" class="plain rest" open>' in text


def test_a_campaign_without_findings_accuses_nobody(tmp_path: Path) -> None:
    """Where nothing is blocked the page says so, and where nothing was captured it is whole as well."""
    quiet = report(wide_store(tmp_path / "quiet", Wide(names=NAMES[:8], networks=3, blocked=0.0)))
    empty = Store(tmp_path / "empty")
    empty.path.mkdir()
    empty.make()
    for one in (quiet, report(Campaign(empty.path))):
        page = Page("".join(campaign_page(one)))
        assert page.wrong == page.open == []
        assert "Nothing suggests interference" in page.text
        assert "Somebody interferes" not in page.text


def test_networks_are_alike_by_what_both_tried(judged: Report) -> None:
    """The same as sets give, pair by pair."""
    view, tallies = view_of(judged), judged.cells.tallies
    alike = alike_of(view)
    kinds = list(zip(tallies.unit.tolist(), tallies.place.tolist(), view.mechanism.tolist(), strict=True))
    blocked = judged.graded.finding == FINDINGS.index(Finding.BLOCKED)
    ways = {(unit, place): way for (unit, place, way), hit in zip(kinds, blocked.tolist(), strict=True) if hit}
    tried = {(unit, place) for (unit, place, _), known in zip(kinds, tallies.known.tolist(), strict=True) if known}
    assert len(alike.networks) > 3
    for one, other in combinations(range(len(alike.networks)), 2):
        here, there = alike.networks[[one, other]].tolist()
        both = {unit for unit, place in tried if place == here} & {unit for unit, place in tried if place == there}
        hit = [{unit for unit in both if (unit, place) in ways} for place in (here, there)]
        same = {unit for unit in hit[0] & hit[1] if ways[unit, here] == ways[unit, there]}
        assert alike.either[one, other] == len(hit[0] | hit[1])
        assert alike.both[one, other] == len(hit[0] & hit[1])
        assert alike.same[one, other] == len(same)


def test_a_page_has_bounds(monkeypatch: pytest.MonkeyPatch, judged: Report) -> None:
    """Rows that find no room are counted, and are the last; cells without words are told by their counts."""
    monkeypatch.setattr("netinterf.report.campaign_page.grid.MOST_UNITS", 10)
    monkeypatch.setattr("netinterf.report.campaign_page.view.ROOM", {Finding.BLOCKED: 60})
    text = "".join(campaign_page(judged))
    assert f"{len(NAMES) * len(TRANSPORTS) - 10:,} names and servers, in which nothing was found, have no room" in text
    assert len(unpacked(text, "names").decode().split("\n")) == 10
    assert len(json.loads(unpacked(text, "written-0"))) <= 60


def test_signs_fit_and_differ() -> None:
    """What stands for a mechanism in a cell tells it from others of its family."""
    special = [path for path, record in MECHANISMS.items() if not record.general]
    signs = {(path.partition(".")[0], sign_of(path)) for path in special}
    assert len(signs) == len(special)
    assert max(len(sign) for _, sign in signs) <= 6


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium")
    with Browser(program) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(judged: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page to a file."""
    path = tmp_path_factory.mktemp("page") / "campaign.html"
    write_page(path, judged)
    return path


SHOWN = "[...document.querySelectorAll('.matrix tbody bdi')].map((one) => one.textContent)"


@pytest.mark.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_draws_it_and_asks_for_nothing(browser: Browser, page: Path, width: int, scheme: str) -> None:
    """On a phone and on a desk, nothing is wider than the window or complained about, and nothing of names runs."""
    assert opened(browser, page, width, scheme).wrong == []
    assert browser.run("document.querySelectorAll('.matrix button').length") > 20
    assert browser.run("document.images.length") == 0
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == ()


@pytest.mark.chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_violation(browser: Browser, page: Path, width: int) -> None:
    """Names of controls, contrast, order of headings, regions."""
    pytest.importorskip("axe_core_python")
    opened(browser, page, width, "light")
    assert violations(browser) == []


@pytest.mark.chromium
def test_a_cell_tells_of_itself(browser: Browser, page: Path, judged: Report) -> None:
    """A click unfolds the sentences of the cell, its counts and where to look."""
    opened(browser, page, 390, "light")
    browser.run("document.querySelector('.matrix button.blocked').click()")
    browser.wait_until("document.querySelector('dialog').open")
    told = browser.run("document.querySelector('dialog').textContent")
    (cell,) = [one for one in judged.of(Finding.BLOCKED) if printable(one.explanation) in told]
    assert f"{cell.here.captures} captures" in told
    assert cell.shown[0].capture in told
    assert browser.complaints() == ()


@pytest.mark.chromium
def test_rows_are_chosen_and_sorted(browser: Browser, page: Path) -> None:
    """By text, by finding, by name; the keys move on to the next cell that was tried."""
    opened(browser, page, 1440, "light")
    browser.run("document.querySelector('input').value = 'SITE007'")
    browser.run("document.querySelector('form').dispatchEvent(new Event('input', {bubbles: true}))")
    browser.wait_until(f"{SHOWN}.length === {len(TRANSPORTS)}")
    assert set(browser.run(SHOWN)) == {"www.site007.example"}
    browser.run("document.querySelector('input').value = ''")
    browser.run("document.querySelector('form').elements.order.value = 'name'")
    browser.run("document.querySelector('form').dispatchEvent(new Event('input', {bubbles: true}))")
    browser.wait_until(f"{SHOWN}.length > {len(TRANSPORTS)}")
    assert browser.run(SHOWN) == sorted(browser.run(SHOWN))
    browser.run("document.querySelector('form').elements.what.value = 'blocked'")
    browser.run("document.querySelector('form').dispatchEvent(new Event('input', {bubbles: true}))")
    browser.wait_until(
        "[...document.querySelectorAll('.matrix [aria-rowindex]')].every((row) => row.querySelector('.blocked'))"
    )
    browser.run("document.querySelector('.matrix button').focus()")
    key = "new KeyboardEvent('keydown', {key: 'ArrowDown', bubbles: true})"
    browser.run(f"document.activeElement.dispatchEvent({key})")
    assert browser.run("document.activeElement.dataset.place") == "1"
