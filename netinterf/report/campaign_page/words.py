"""What the page says of findings and cells, in words that no other form needs."""

from collections.abc import Iterator, Sequence

from netinterf.campaign.judged.record import Cell, Shown
from netinterf.campaign.judged.words import CAUSE_SAYS
from netinterf.pooling.grades import Finding
from netinterf.report.page.findings import odds
from netinterf.writing import count_of, printable

__all__ = ["SAYS", "looks", "weighed"]

SAYS = {
    Finding.BLOCKED: "somebody interferes",
    Finding.SUSPECTED: "perhaps, not shown",
    Finding.FAILS: "fails, which is no proof of a block",
    Finding.DOWN: "down, elsewhere as well",
    Finding.CLEAR: "works",
    Finding.NOT_SHOWN: "not shown by the captures",
}
"""What each finding means."""

TO_BE_LISTED = " (campaign report --settled lists all)"


def weighed(cell: Cell) -> Iterator[tuple[str, str]]:
    """List what bears on a cell: what it is, and a sentence."""
    yield "Packets by themselves", odds(cell.own)
    yield "Contrast with other places, names and times", odds(cell.contrast)
    if cell.cause:
        yield "Best harmless explanation", f"{CAUSE_SAYS[cell.cause]} (weighed above)"
    if cell.settled:
        first = "; ".join(", ".join(look) for look in looks_at(cell.settles))
        yield "Settles", f"{count_of(cell.settled, 'capture')} that could not say so alone: {first}{TO_BE_LISTED}"
    for reason in cell.reasons:
        yield "What would settle it", reason.says


def looks(cell: Cell) -> Iterator[tuple[str, str]]:
    """List where to look: a capture, and frames of it with what came of them."""
    return looks_at(cell.shown)


def looks_at(ones: Sequence[Shown]) -> Iterator[tuple[str, str]]:
    """Write captures, and frames of each with what came of them."""
    for one in ones:
        word, numbers = one.numbers
        yield printable(one.capture), frames_in_words(numbers, one.states, word)


def frames_in_words(frames: Sequence[int], states: Sequence[str], word: str = "frame") -> str:
    """Write frames, or lines, with what came of the attempts that they tell of."""
    return ", ".join(f"{word} {frame:,} ({state})" for frame, state in zip(frames, states, strict=False))
