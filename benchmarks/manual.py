"""Results in the manual: between two marks of a page, so that the words around them stay."""

from pathlib import Path

__all__ = ["put"]


def put(page: Path, name: str, body: str) -> None:
    """Put text between the marks of a page that carry a name, in place of what stood there.

    Raises:
        ValueError: The page has no such marks.
    """
    begin, end = (f"<!-- {name}: {edge} -->" for edge in ("begin", "end"))
    before = page.read_text(encoding="utf-8")
    if begin not in before or end not in before:
        raise ValueError(f"{page.name} has no lines {begin} and {end}")
    page.write_text(
        f"{before[: before.index(begin)]}{begin}\n\n{body}\n\n{before[before.index(end) :]}", encoding="utf-8"
    )
