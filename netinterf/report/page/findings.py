"""Findings on the page: a card that unfolds for each, by kind, and a table where there are too many to unfold.

A card says in words what happened and how sure that is; unfolded it shows what speaks for and against it, the frames to
look at, and the filter that brings them up. What is only possible is worded and marked as a hint.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

from netinterf.report.digest import (
    Kind,
    common_of,
    end_of,
    frame_of,
    frames_of,
    ordered_evidence,
    place_of,
    resembles,
    span_of,
    strongest_frames,
)
from netinterf.report.findings import list_of
from netinterf.report.folding import Told
from netinterf.report.headline import joined, many_hit
from netinterf.report.page.markup import Markup, definitions, join, moment, name, raw, tables, tag
from netinterf.schema import Outcome
from netinterf.writing import count_of
from netinterf.written.record import Observation, Subject, Verdict
from netinterf.written.words import claim, is_about, percent

__all__ = ["HEADS", "card", "kind_section", "odds", "row"]

MOST_SIGNS = 12
"""Pieces of evidence that a card lists (judgement); the strongest come first, and the rest hardly counts."""

MOST_FEATURES = 6
"""Features that a likeness names: a sentence, not a catalogue."""


HEADS = ("About", "From", "When", "Probability", "Strongest sign", "Frames")
"""Columns of `row`."""


def kind_section(
    kind: Kind, cards: int, key: str, drawn: Mapping[Subject, str], told: Mapping[Subject, Told]
) -> Markup:
    """Write the findings of one kind under a heading: the first ones as cards, the rest as tables.

    Args:
        kind: The findings.
        cards: How many may be cards.
        key: What the ids of the cards begin with.
        drawn: Pictures of some of them, as SVG.
        told: Those that stand for others that are like them.
    """
    ordered = worth_a_card(kind, drawn, told)
    unfold, tabled = ordered[:cards], ordered[cards:]
    parts = [tag("h4", heading_of(kind)), tag("p", about_what(kind), class_="soft")]
    for place, verdict in enumerate(unfold, 1):
        picture, alike = drawn.get(verdict.subject, ""), told.get(verdict.subject)
        opened = bool(picture) and len(kind.findings) == 1
        parts.append(card(verdict, f"{key}-{place}", picture, alike=alike, opened=opened))
    if tabled:
        amount = f"{len(tabled):,} more" if unfold else f"all {len(tabled):,}"
        line = tag("summary", f"{amount} in a table; all their evidence is in the JSON lines")
        parts.append(
            tag("details", line, tables(f"{kind.mechanism}, {amount}", HEADS, [*map(row, tabled)]), class_="rest")
        )
    return tag("section", *parts, class_="kind")


def worth_a_card(kind: Kind, drawn: Mapping[Subject, str], told: Mapping[Subject, Told]) -> list[Verdict]:
    """Put findings with a picture first, then those that stand for others, then what is like these."""
    return sorted(kind.findings, key=lambda verdict: (verdict.subject not in drawn, verdict.subject not in told))


def about_what(kind: Kind) -> Markup:
    """List the names that findings of one kind are about, and how often each."""
    counted = [f"{name} ({times:,})" if times > 1 else name for name, times in kind.names]
    return join([tag("code", kind.mechanism), f": {joined(counted, 'name')}"])


def heading_of(kind: Kind) -> str:
    """Say what happened to how many, with doubt where there is."""
    nouns = {{"flow": "connection", "exchange": "DNS question"}[verdict.subject.kind] for verdict in kind.findings}
    count = len(kind.findings)
    heading = many_hit(count_of(count, nouns.pop() if len(nouns) == 1 else "conversation"), count, kind.mechanism)
    heading = f"perhaps {heading}" if kind.doubtful else heading
    return heading[:1].upper() + heading[1:]


def card(verdict: Verdict, key: str, picture: str = "", *, alike: Told | None = None, opened: bool = False) -> Markup:
    """Write one finding or group as a card: a line that unfolds.

    Args:
        verdict: A verdict that names a mechanism.
        key: The id of the card.
        picture: What was drawn of it, as SVG.
        alike: What it stands for besides.
        opened: Show it unfolded.
    """
    doubtful = verdict.outcome is not Outcome.INTERFERED
    sure = tag("span", tag("b", str(verdict.grade)), f" {percent(verdict.probability)}", class_="sure")
    about = common_of(verdict) if verdict.group is not None else place_of(verdict)
    line = tag("summary", tag("span", name(about), class_="about"), sure, tag("span", *circumstances(verdict)))
    signs = ordered_evidence(verdict)
    parts = [line, tag("p", claim(verdict)), facts(verdict, alike)]
    parts += [
        tag("p", "What was seen", class_="label"),
        tag("ol", *(sign(observation, verdict) for observation in signs[:MOST_SIGNS])),
    ]
    if len(signs) > MOST_SIGNS:
        parts.append(tag("p", f"and {len(signs) - MOST_SIGNS:,} more, weaker ones.", class_="soft"))
    parts += [tag("figure", raw(picture))] if picture else []
    return tag("details", *parts, id=key, class_="finding possible" if doubtful else "finding", open=opened)


def circumstances(verdict: Verdict) -> Iterator[str]:
    """Write in few words whose it was, when, and where it begins; of a group how many are affected."""
    subject, group = verdict.subject, verdict.group
    if group is not None:
        yield f"{group.affected:,} of {group.members:,} affected, from "
    elif subject.client:
        yield from ("from ", name(subject.client), ", ")
    yield moment(verdict.start, brief=True)
    if subject.first_frame is not None:
        yield f", frame {frame_of(subject.first_frame, verdict.files)}"


def facts(verdict: Verdict, told: Told | None) -> Markup:
    """List what is known of a finding besides its evidence, and what is like it."""
    trigger, alike = verdict.trigger, resembles(verdict)
    spared = {True: "others were spared", False: "everything was limited alike", None: ""}
    frame = "" if trigger is None or trigger.frame is None else f", in frame {frame_of(trigger.frame, verdict.files)}"
    pairs = [
        ("When", join([moment(verdict.start), f", for {span_of(verdict.end - verdict.start)}"])),
        ("Trigger", "" if trigger is None else join([f"{trigger.kind} ", name(trigger.value), frame])),
        ("Contrast", spared[verdict.selective]),
        (
            "Also",
            joined([f"{further.mechanism} ({percent(further.probability)})" for further in verdict.also], "mechanism"),
        ),
    ]
    if alike is not None:
        system, likeness = alike
        features = ", ".join(likeness.matched[:MOST_FEATURES])
        pairs.append(("Looks like", f"{system.name} ({system.id}, {percent(likeness.score)}): {features}"))
    if verdict.frames:
        pairs.append(("Frames to look at", frames_of(verdict.frames, verdict.files)))
    elif frames := strongest_frames(verdict):
        pairs.append(("Frames that show it", frames_of(frames, verdict.files)))
    if told is not None and told.alike:
        pairs.append(("Like it", f"{told.alike:,} more: {list_of(told.places)}"))
    filter_ = verdict.flow_filter
    pairs += [("Mechanism", tag("code", verdict.mechanism or ""))]
    pairs += [("Wireshark filter", tag("code", filter_, class_="copy"))] if filter_ else []
    return definitions(pairs)


def sign(observation: Observation, verdict: Verdict) -> Markup:
    """Write one piece of evidence: the sentence, what it weighs, its rule and its frames."""
    other = "" if is_about(observation, verdict.mechanism or "") else f", about {observation.mechanism}"
    frames = (
        f", frame{'s' * (len(observation.frames) > 1)} {frames_of(observation.frames, verdict.files)}"
        if observation.frames
        else ""
    )
    details = tag("small", f"{odds(observation.llr)}{other}, {observation.rule}{frames}")
    sentence = observation.says[:1].upper() + observation.says[1:]
    return tag("li", sentence, " ", details, class_="against" if observation.llr < 0 else False)


def odds(llr: float) -> str:
    """Write a weight as the odds that it stands for: ``66 : 1 for it``."""
    ratio = math.exp(min(abs(llr), 50.0))
    if ratio < 1.05:
        return "adds nothing"
    number = f"{ratio:.1f}".removesuffix(".0") if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f}"
    return f"{number} : 1 {'for' if llr > 0 else 'against'} it"


def row(verdict: Verdict) -> Iterable[str]:
    """Write one finding as a row."""
    subject = verdict.subject
    first = next(iter(ordered_evidence(verdict)), None)
    return (
        name(place_of(verdict)),
        end_of(subject.client, subject.client_port),
        moment(verdict.start),
        f"{verdict.grade} {percent(verdict.probability)}",
        "" if first is None else f"{first.says} ({first.rule})",
        frames_of(verdict.frames or strongest_frames(verdict), verdict.files),
    )
