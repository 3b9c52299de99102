"""What is said of a cell, in one or two plain sentences: no certainty that the grade does not carry."""

from netinterf.campaign.judged.record import Cell, Moment
from netinterf.mechanisms import answer_of, known_as, settled_by
from netinterf.pooling.grades import Finding
from netinterf.verdict.reasons import Reason
from netinterf.written.record import Why, iso_time, whys
from netinterf.written.words import SURE, percent

__all__ = ["CAUSE_SAYS", "minute", "reasons_of", "says", "when"]

CAUSE_SAYS = {
    "gone": "the name may have been out of service",
    "server": "the server as a whole may have been down",
    "access": "the line may have lost the packets or the recorder missed them, as others failed around then or there "
    "were too few attempts",
    "refused-address": "the server may turn this network away by itself",
    "refused-name": "the server may refuse this name to this network by itself",
    "refused-country-address": "the server may turn this country away by itself, as sanctions and licences ask for",
    "refused-country-name": "the server may refuse this name to this country by itself, as sanctions and licences ask "
    "for",
    "transit": "a cable or a provider may have failed that this network hangs on",
}
"""Harmless causes, in words; what would settle each is in `SETTLES`."""

BOTH_ENDS = "captures at the client and at the server at the same time"
SETTLES = {
    "gone": "captures from other networks in the same hours",
    "server": "other names at the same server, and captures from other networks in the same hours",
    "access": "captures of more runs",
    "refused-address": BOTH_ENDS,
    "refused-name": BOTH_ENDS,
    "refused-country-address": f"another network of the country, or {BOTH_ENDS},",
    "refused-country-name": f"another network of the country, or {BOTH_ENDS},",
    "transit": "captures of later days, and from other networks of the country,",
}


def says(cell: Cell) -> str:
    """Put what was found about a cell into sentences."""
    if cell.kind == "network":
        return _says_of_network(cell)
    where, counts = f"in {cell.network}", _answers(cell) or f"here {_counted(cell)}, {_elsewhere(cell)}"
    sure = f"{SURE.get(cell.grade, '')} (probability {percent(cell.probability)})"
    record = known_as(cell.mechanism or "")
    how = f": {record.one.format(who='the request')}" if record else ""
    verb = "blocked" if record is None or record.blocks else "interfered with"
    also = f"; apart from a block, {CAUSE_SAYS[cell.cause]}" if cell.cause else ""
    sentences = {
        Finding.BLOCKED: f"{cell.subject} is {verb} {where}: {counts}. {sure}{how}.{_since(cell)}",
        Finding.SUSPECTED: f"{cell.subject} may be {verb} {where}: {counts}. {sure}{how}{also}.",
        Finding.FAILS: f"{cell.subject} fails {where}: {counts}. This is no proof of a block{also}.",
        Finding.DOWN: f"{cell.subject} fails {where} and elsewhere with no sign of interference: {counts}. It is down.",
        Finding.CLEAR: f"{cell.subject} works {where}: {counts}.",
        Finding.NOT_SHOWN: f"{cell.subject} was answered {where}, by whom is not shown by the captures: {counts}."
        if cell.here.blind
        else f"What came of {cell.subject} {where} is not shown by the captures.",
    }
    return sentences[cell.finding] + _cut_off(cell)


def _says_of_network(cell: Cell) -> str:
    """Put what was found about all that leaves a network into sentences."""
    here, there = cell.here, cell.there
    most = "most servers that answer elsewhere or at other times were silent, while others answered"
    if here.struck:
        most = "what lies abroad was silent, or all but a list, while what lies at home answered"
    counts = f"in {here.failed:,} of {_hours(here.known)} in which enough was tried {most}"
    networks = f"{there.networks:,} other network{'s' * (there.networks != 1)}"
    if there.networks:
        counts += f", in {networks} in {there.failed:,} of {_hours(there.failed + there.answered)}"
    sure = f"{SURE.get(cell.grade, '')} (probability {percent(cell.probability)})"
    also = f"; apart from that, {CAUSE_SAYS[cell.cause]}" if cell.cause else ""
    sentences = {
        Finding.BLOCKED: f"{cell.network} is cut off from all but a part of the world: {counts}. {sure}.{_since(cell)}",
        Finding.SUSPECTED: f"{cell.network} may be cut off from all but a part of the world: {counts}. {sure}{also}.",
        Finding.FAILS: f"Most of what leaves {cell.network} fails: {counts}. This proves no closed border{also}.",
        Finding.CLEAR: f"What leaves {cell.network} arrives: {counts}.",
        Finding.NOT_SHOWN: f"Nothing at all is answered in {cell.network} in the hours in which enough was tried: its "
        "line may have been out, or the recorder.",
    }
    return sentences.get(cell.finding, sentences[Finding.FAILS])


def _hours(count: int) -> str:
    return f"{count:,} hour{'s' * (count != 1)}"


def _cut_off(cell: Cell) -> str:
    """Say what is explained by a network that is cut off as a whole."""
    count = cell.here.cut_off
    if not count:
        return ""
    attempts = f"{count:,} more attempt{'s' * (count != 1)}"
    return f" Most of all that leaves the network was silent at {attempts}: they say nothing of this alone."


def reasons_of(cell: Cell) -> tuple[Why, ...]:
    """Say what was missing, and which capture would settle it."""
    if cell.finding is Finding.NOT_SHOWN and cell.here.cut_off:
        text = "Most of all that leaves the network was silent; captures from when it is not would settle it."
        return (Why(code="campaign.cut_off", says=text),)
    if cell.finding is Finding.NOT_SHOWN and cell.here.blind:
        return whys(Reason.SNAPLEN)
    if cell.finding is Finding.NOT_SHOWN:
        text = "What came of it is not shown; captures of whole connections at the client would settle it."
        return (Why(code="campaign.not_shown", says=text),)
    if cell.finding not in {Finding.SUSPECTED, Finding.FAILS}:
        return ()
    reasons = []
    if cell.cause:
        text = f"Apart from a block, {CAUSE_SAYS[cell.cause]}; {SETTLES[cell.cause]} would settle it."
        reasons.append(Why(code=f"campaign.{cell.cause.replace('-', '_')}", says=text))
    elif cell.mechanism:
        reasons.append(Why(code="campaign.suspicion", says=_sentence(f"{settled_by(cell.mechanism)} would settle it.")))
    if not cell.there.networks:
        text = "It was tried in no other network; captures of the same names from one would settle more."
        reasons.append(Why(code="campaign.no_other_network", says=text))
    return tuple(reasons)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _answers(cell: Cell) -> str:
    """Say what is odd about answers, empty where nothing is said of them: what failed beside them is of no concern."""
    if cell.mechanism != answer_of() or cell.answers <= 0:
        return ""
    networks = f"{cell.there.networks:,} other network{'s' * (cell.there.networks != 1)}"
    return (
        f"in {cell.here.captures:,} capture{'s' * (cell.here.captures != 1)} it was answered as hardly any of "
        f"{networks} answers, and so were other names here that have nothing in common there"
    )


def _counted(cell: Cell) -> str:
    here = cell.here
    captures = f"{here.captures:,} capture{'s' * (here.captures != 1)}"
    return f"{here.failed:,} of {here.known:,} attempts in {captures} failed"


def _elsewhere(cell: Cell) -> str:
    there = cell.there
    if not there.networks:
        return "and it was tried in no other network"
    networks = f"{there.networks:,} other network{'s' * (there.networks != 1)}"
    return f"in {networks} {there.failed:,} of {there.failed + there.answered:,}"


def _since(cell: Cell) -> str:
    began = f" It began {when(cell.began)}." if cell.began else ""
    return began + (f" It ended {when(cell.ended)}." if cell.ended else "")


def when(moment: Moment) -> str:
    """Write when something changed."""
    return f"between {minute(moment.after)} and {minute(moment.before)} UTC"


def minute(time: int) -> str:
    """Write a time, ns since 1970 UTC, to the minute."""
    return (iso_time(time) or "")[:16].replace("T", " ")
