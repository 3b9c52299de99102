"""A capture too large to be looked at as one, judged client by client, and then as a whole.

Each shard holds all that some clients did (`netinterf.engine.shards`), and is looked at as a capture of its own that
knows when the whole began and ended. What shows in them is judged together (`netinterf.verdict.joining`), so groups,
contrasts and false discoveries are those of the whole. What is lost: clients of different shards are not compared with
each other by the analyzers, but for a sample of what they asked name servers, and what is known of a recording is known
shard by shard; a diagnostic says so. A client with too much traffic for a shard is looked at window by window, as in a
session, and what is cut is counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from concurrent.futures import Executor
from typing import Protocol

import attrs
import numpy as np

from netinterf.analyzers.everywhere import EVERYWHERE, everywhere_notes
from netinterf.analyzers.run import FAILED
from netinterf.capture import Capture, Listing
from netinterf.engine.crowd import UNLISTED, crowd_of
from netinterf.engine.joint import JointQuestions
from netinterf.engine.judged import Judged, Summary, outcome_counts
from netinterf.engine.looking import Looking, Seen, look_at_each
from netinterf.engine.options import WHOLE, Options
from netinterf.engine.shards import SHARD, Shards
from netinterf.engine.tally import cut_notes, joined
from netinterf.recording.vantage import PLACES, elect
from netinterf.schema import Diagnostic, Records, Vantage
from netinterf.trace import decode_capture
from netinterf.verdict.joining import join_judgements
from netinterf.version import __version__
from netinterf.written.ledger import Ledger

__all__ = ["judge_large", "summary_of"]

SHARDED = "scan.shards"
"""Code of the diagnostic that says in how many parts a capture was looked at."""

SAYS = (
    "this capture was too large to be looked at as one: it was looked at in {count:,} parts, mostly client by client, "
    "and then judged as a whole; what a server did for clients of other parts was not compared, but for a sample of "
    "their DNS lookups"
)

ALONE = (
    "conversations of a single packet, of which nothing that weighs was seen, are counted and not listed: "
    "of each part that holds them, {crowd:,} others like them are listed, of the same service or the same client"
)

COUNTED = frozenset({FAILED, EVERYWHERE})
"""Notes that are counted over all parts; of others, the one is told that most conversations are in."""


def judge_large(
    listing: Listing,
    parts: Iterable[Records],
    options: Options,
    name: str,
    *,
    executor: Executor | None = None,
    room: int = SHARD,
    most: int = WHOLE,
) -> Judged:
    """Judge a capture client by client.

    Args:
        listing: The capture.
        parts: Its frames, part by part.
        options: How to judge.
        name: What to call it.
        executor: Looks at shards side by side.
        room: Packets that a shard should hold.
        most: Packets that are looked at at once, of a client that has more than the room of a shard.

    Raises:
        NetinterfError: The capture cannot be read, or no analyzer answered.
    """
    joint = JointQuestions(options)
    with Shards(listing.name, strict=options.strict) as shards:
        for records in parts:
            shards.add(listing.capture([records]))
        if not shards.decodable:
            decode_capture(listing.capture([next(shards.each(room)).records]))  # which says what cannot be decoded
        looking = Looking(name, joint, shards.span, most, crowd_of(shards.count(room)))
        seen = list(look_at_each(listing, shards.each(room), looking, executor))
    ledger = join_judgements(
        Ledger,
        [entry.part for entry in seen],
        name,
        options.model,
        networks=options.outside.networks,
        files=listing.capture([]).files,
        in_part=any(entry.cut for entry in seen),
        conclude=joint.conclude,
    )
    sharded = [Diagnostic(SHARDED, SAYS.format(count=len(seen)))] if len(seen) > 1 else []
    summary = summary_of(listing.capture([]), shards, seen, ledger, options, looking.crowd, sharded)
    return Judged(summary=attrs.evolve(summary, diagnostics=summary.diagnostics + joint.notes), ledger=ledger)


class Counted(Protocol):
    """What is counted of a capture while it is read."""

    @property
    def packets(self) -> int:
        """How many frames there are."""
        ...

    @property
    def bytes(self) -> int:
        """Of all of them, on the wire."""
        ...

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and last, ns; None without any."""
        ...

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What decoding had to say."""
        ...


def summary_of(
    capture: Capture,
    counted: Counted,
    seen: Sequence[Seen],
    ledger: Ledger,
    options: Options,
    crowd: int,
    parted: Sequence[Diagnostic],
) -> Summary:
    """Write the line of the whole capture; *parted* says how it was looked at in parts."""
    began, ended = counted.span or (None, None)
    alone = sum((entry.alone for entry in seen), Counter[str]())
    return Summary(
        capture=ledger.capture,
        packets=counted.packets,
        flows=len(ledger.flows) + alone.total(),
        exchanges=len(ledger.exchanges),
        outcomes={word: count + alone[word] for word, count in outcome_counts(ledger.verdicts).items()},
        first=began,
        last=ended,
        bytes=counted.bytes,
        vantage=str(vantage_of(seen, options)),
        link_types=tuple(dict.fromkeys(interface.link_type for interface in capture.interfaces)),
        diagnostics=(
            *capture.diagnostics,
            *counted.diagnostics,
            *notes_of(seen, {note.code for note in counted.diagnostics}),
            *everywhere_notes(ledger.evidence),
            *cut_notes(sum(entry.over for entry in seen), sum(entry.cut for entry in seen)),
            *([Diagnostic(UNLISTED, ALONE.format(crowd=crowd), count=alone.total())] if alone.total() else []),
            *parted,
        ),
        version=__version__,
        model=ledger.verdicts.model,
        files=capture.files,
    )


def notes_of(seen: Sequence[Seen], known: Set[str] = frozenset()) -> tuple[Diagnostic, ...]:
    """Tell what parts of the recording are like, each kind once: of the part with most conversations that shows it.

    Args:
        seen: The parts.
        known: Codes of what is known of the whole already.
    """
    by_size, other = sorted(seen, key=lambda entry: entry.flows), COUNTED | known
    told = joined((), (note for entry in by_size for note in entry.notes if note.code not in other), frozenset())
    if len(seen) > 1:
        told = tuple(attrs.evolve(note, message=f"in one of {len(seen):,} parts, {note.message}") for note in told)
    return told + joined((), (note for entry in seen for note in entry.notes if note.code == FAILED))


def vantage_of(seen: Sequence[Seen], options: Options) -> Vantage:
    """Say where the whole was taken: where two thirds of the conversations were whose shards know it."""
    if options.vantage != "auto":
        return Vantage(options.vantage)
    counts = np.zeros(len(PLACES), np.int64)
    for entry in seen:
        counts[PLACES.index(entry.vantage)] += entry.flows
    unknown = PLACES.index(Vantage.UNKNOWN)
    known = np.append(np.delete(counts, unknown), counts.sum() - counts[unknown])
    return PLACES[int(elect(known.reshape(1, -1))[0])]
