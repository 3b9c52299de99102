"""What every page stands in: one file that needs nothing beside it, and lets nothing out.

Reports about interference are passed on by people whom it may harm to be seen asking for something, so nothing on a
page may be asked for: a policy (W3C, Content Security Policy Level 3) forbids every request, even those that a mistake
would cause, and allows one script by its digest. Without the script a page is whole.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator

from netinterf.report.page.markup import Markup, raw, tag
from netinterf.version import __version__

__all__ = ["shell"]


def shell(
    title: str, about: str, links: Iterable[tuple[str, str]], body: Iterable[str], *, style: str, script: str
) -> Iterator[str]:
    """Write a page piece by piece.

    Args:
        title: The sentence on top.
        about: What stands above it, small.
        links: What the contents lead to, and its name.
        body: Pieces of markup.
        style: Sheets that follow each other.
        script: The one that may run.
    """
    yield f'<!doctype html>\n<html lang="en">\n{head(title, style, script)}\n<body>\n'
    yield tag("a", "Skip to the findings", href="#findings", class_="skip") + "\n"
    yield tag("header", tag("p", about, class_="soft"), tag("h1", title)) + "\n"
    yield contents(links) + '\n<main id="findings">\n'
    yield from body
    yield f"</main>\n<script>{script}</script>\n</body>\n</html>\n"


def contents(links: Iterable[tuple[str, str]]) -> Markup:
    """List what stands where."""
    entries = (tag("li", tag("a", text, href=target)) for target, text in links)
    return tag("nav", tag("ul", *entries), aria_label="Contents")


def policy(script: str) -> str:
    """Write what a page may do: paint, and run the one script whose digest is named."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def head(title: str, style: str, script: str) -> Markup:
    """Write what stands before a page."""
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(script)),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="generator", content=f"netinterf {__version__}"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"netinterf: {title}"),
        raw(f"<style>{style}</style>"),
    )
