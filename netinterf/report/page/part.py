"""One capture on the page: its sentence, its findings, what is only possible, what failed and what was not judged."""

from collections.abc import Iterable, Mapping, Sequence

from netinterf.arrays import I64
from netinterf.attribute.injectors import Injector
from netinterf.engine.judged import Judged, Summary
from netinterf.report.digest import Common, examples_of, kinds_of, rows_of_outcome, shared_rules, span_of, unjudged
from netinterf.report.findings import one_line
from netinterf.report.folding import folded
from netinterf.report.headline import headline, joined
from netinterf.report.page.findings import card, kind_section
from netinterf.report.page.markup import ROWS, Markup, counted, definitions, join, moment, name, tag
from netinterf.report.page.names import Hit, hits_of
from netinterf.report.page.pictures import pictures, worth_a_picture
from netinterf.report.page.proof import Proof, proofs_of
from netinterf.report.page.remedies import blocks_of
from netinterf.schema import Outcome
from netinterf.values import frozen
from netinterf.writing import count_of
from netinterf.written.record import Verdict

__all__ = ["Room", "Section", "capture_section", "counts"]

PER_KIND = 200
"""Findings of one kind in one capture that unfold (judgement), of those that are alike one; who wants more of the same
reads a table with less trouble. One always does, and what has a picture."""

MOST_GROUPS = 20
"""As in the terminal summary; they come surest first, and what follows are mostly parts of them."""

COUNTED = (
    (Outcome.INTERFERED, "interfered with"),
    (Outcome.OK, "worked"),
    (Outcome.DOWN, "failed without a sign of interference"),
    (Outcome.INSUFFICIENT, "could not be judged"),
)
"""Outcomes in the order in which they are counted, and what they are called there."""


@frozen
class Room:
    """What a page has room for yet."""

    cards: int  # findings that unfold
    pictures: int


@frozen(kw_only=True)
class Section:
    """One capture written down."""

    key: str  # what its ids begin with
    summary: Summary
    headline: str
    interfered: bool  # whether somebody interfered
    findings: Mapping[str, int]  # findings that are shown, by mechanism
    hints: bool  # whether something is only possible
    hits: Sequence[Hit]  # names that were interfered with
    blocks: Mapping[str, int]  # findings by the kind of block, where that is known
    times: I64  # when what was interfered with began, ns since 1970
    markup: Markup
    proofs: Sequence[Proof]
    left: Room


def capture_section(judged: Judged, key: str, room: Room, *, everything: bool) -> Section:
    """Write one capture.

    Args:
        judged: What a scan kept of it.
        key: What its ids begin with.
        room: What there is room for.
        everything: List every flow and exchange besides.
    """
    groups = list(judged.ledger.group_verdicts())
    kinds = kinds_of(verdict for verdict in judged.ledger.findings() if verdict.group is None)
    told = {told.verdict.subject: told for told in folded(judged.ledger, judged.ledger.rows_found(), apart=everything)}
    drawn = pictures(judged, worth_a_picture(kinds)[: room.pictures])
    left = room.cards
    interfered: list[Markup] = []
    hints: list[Markup] = []
    for place, kind in enumerate(kinds, 1):
        pictured = sum(verdict.subject in drawn.drawn for verdict in kind.findings)
        worth = sum(verdict.subject in drawn.drawn or verdict.subject in told for verdict in kind.findings)
        cards = min(max(left, pictured, 1), PER_KIND, worth)
        (hints if kind.doubtful else interfered).append(kind_section(kind, cards, f"{key}-{place}", drawn.drawn, told))
        left -= cards
    sure = group_cards([group for group in groups if group.outcome is Outcome.INTERFERED], f"{key}-together")
    unsure = group_cards([group for group in groups if group.outcome is not Outcome.INTERFERED], f"{key}-perhaps")
    blocks = [
        tag("p", f"There are no pictures: {drawn.missing}.", class_="note") if drawn.missing else "",
        block("What was interfered with", [*sure, *shared(judged), *interfered]),
        block("Hints, not findings", [tag("p", HINT, class_="soft"), *unsure, *hints] if unsure or hints else []),
        unjudged_block("What failed, without a sign of interference", judged, Outcome.DOWN),
        unjudged_block("What could not be judged, and what would settle it", judged, Outcome.INSUFFICIENT),
        conversations(judged) if everything else "",
    ]
    return Section(
        key=key,
        summary=judged.summary,
        headline=headline(judged),
        interfered=bool(sure or interfered),
        findings={kind.mechanism: len(kind.findings) for kind in kinds if not kind.doubtful},
        hints=bool(unsure or hints),
        hits=hits_of(judged.ledger),
        blocks=blocks_of(judged.ledger, groups),
        times=judged.ledger.verdicts.start[rows_of_outcome(judged.ledger, Outcome.INTERFERED)],
        markup=join([counts(judged.summary.outcomes), about(judged.summary), *blocks]),
        proofs=proofs_of(judged),
        left=Room(cards=max(left, 0), pictures=room.pictures - len(drawn.drawn)),
    )


HINT = (
    "What follows is possible and not shown: it is a reason to look again or to capture more, and nothing to accuse "
    "anybody of."
)


def block(title: str, parts: Sequence[Markup]) -> Markup:
    """Put parts under a heading, if there are any."""
    return tag("section", tag("h3", title), *parts) if parts else join([])


def counts(outcomes: Mapping[str, int]) -> Markup:
    """Count the outcomes: as a bar, and in words."""
    return counted((outcome.value, outcomes[outcome.value], label) for outcome, label in COUNTED)


def about(summary: Summary) -> Markup:
    """Say what the capture holds, where and when it was taken, and what was odd about it."""
    when: Markup | str = ""
    if summary.first is not None and summary.last is not None:
        when = join([moment(summary.first), f", for {span_of(summary.last - summary.first)}"])
    places = {"client": "at the client", "server": "at the server", "middle": "between client and server"}
    amounts = [
        count_of(count, noun)
        for count, noun in (
            (summary.packets, "packet"),
            (summary.flows, "conversation"),
            (summary.exchanges, "DNS question"),
        )
        if count
    ]
    notes = [
        tag("li", f"{note.message}{f' ({note.count:,} times)' if note.count > 1 else ''}")
        for note in summary.diagnostics
    ]
    listed = definitions(
        [
            ("Held", joined(amounts, "thing")),
            ("From", when),
            ("Taken", places.get(summary.vantage, "at a place that the packets do not tell")),
            ("To be known", tag("ul", *notes) if notes else ""),
        ]
    )
    return tag("div", listed, class_="about-capture")


def group_cards(groups: Sequence[Verdict], key: str) -> list[Markup]:
    """Write what many connections show together."""
    if not groups:
        return []
    cards = [card(group, f"{key}-{place}") for place, group in enumerate(groups[:MOST_GROUPS], 1)]
    more = len(groups) - MOST_GROUPS
    remainder = [tag("p", f"and {more:,} more groups, in the JSON lines.", class_="soft")] if more > 0 else []
    return [tag("section", tag("h4", "Taken together"), *cards, *remainder, class_="kind")]


def shared(judged: Judged) -> list[Markup]:
    """Write what names that were hit share, and how many hands wrote forged answers."""
    lines = [*common_lines(shared_rules(judged)), *injector_lines(judged.ledger.injectors)]
    return [tag("section", tag("h4", "In common"), tag("ul", *lines), class_="kind")] if lines else []


def common_lines(common: Common) -> Iterable[Markup]:
    """Write one line for each rule that covers names that were hit and none that was spared."""
    for rule in common.rules:
        spared = f", none of the {count_of(common.spared, 'name')} that were spared"
        text = f" covers {len(rule.blocked)} names that were hit ({joined(rule.blocked, 'name')})"
        yield tag("li", name(str(rule)), text, spared)


def injector_lines(injectors: Sequence[Injector]) -> Iterable[Markup]:
    """Write how many injectors there are at least, where there are several."""
    if len(injectors) > 1:
        hands = (tag("li", f"{count_of(injector.questions, 'question')}: {injector}") for injector in injectors)
        text = f"Forged DNS answers are by at least {len(injectors)} injectors, told apart by what they write:"
        yield tag("li", text, tag("ul", *hands))


def unjudged_block(title: str, judged: Judged, outcome: Outcome) -> Markup:
    """Write by reason what failed or could not be judged."""
    lines = [
        tag(
            "li",
            tag("b", f"{entry.count:,}"),
            f" × {entry.cause.says} ",
            tag("small", tag("code", entry.cause.code), ": ", name(examples_of(entry.examples, entry.count))),
        )
        for entry in unjudged(judged.ledger, outcome)
    ]
    return block(title, [tag("ul", *lines, class_="reasons")] if lines else [])


def conversations(judged: Judged) -> Markup:
    """List every flow and exchange, one line each, in lists that a browser can lay out one by one."""
    lines = [tag("li", one_line(verdict)) for verdict in judged.ledger if verdict.group is None]
    lists = [tag("ol", *lines[start : start + ROWS], start=str(start + 1)) for start in range(0, len(lines), ROWS)]
    line = tag("summary", f"All {count_of(len(lines), 'conversation')}")
    return block("Every conversation", [tag("details", line, *lists, class_="rest")] if lines else [])
