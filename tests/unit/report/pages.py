"""What a parser that knows nothing of a page's making finds in it, and a name that no page may let loose."""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

from benchmarks.browser import Browser

VOID = {"meta", "link", "input", "br"}
HOSTILE = "evil\"><script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe\x00\x1b[31m\udcff&amp;' "


class Page(HTMLParser):
    """What a parser that knows nothing of the page's making finds in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and what it says."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text that is no style and no script."""
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data

    def all(self, name: str) -> list[str]:
        """List all values of an attribute."""
        return [str(told[name]) for _, told in self.tags if name in told]

    def count(self, element: str) -> int:
        """Count elements."""
        return sum(one == element for one, _ in self.tags)


def check_form(page: Page) -> None:
    """Check that elements close in order, ids are unique, links lead to one, and headings leave out no level."""
    assert page.wrong == page.open == []
    ids = page.all("id")
    assert len(ids) == len(set(ids)) > 10
    assert {link.removeprefix("#") for link in page.all("href") if link != "data:,"} <= set(ids)
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def violations(browser: Browser) -> list[str]:
    """Name the rules of axe-core (WCAG 2, and good practice) that the page which is open violates, and where."""
    engine = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    asked = "axe.run().then((told) => { window.told = JSON.stringify(told.violations); })"
    browser.run(f"{engine}; window.told = ''; {asked}; 0")
    browser.wait_until("window.told !== ''")
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in json.loads(browser.run("window.told"))]
