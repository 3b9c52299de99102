"""The mechanisms: what somebody on the path may do, one record each, and the families above them.

A mechanism is named by a path (``tcp.connect.drop``), the most special one that the packets tell. Whoever asks anything
about a mechanism asks here: sentences, grades, figures, attribution, comparison and benchmarks. A path that is not
listed behaves as the nearest one above it that is.
"""

from collections.abc import Iterator
from enum import Enum
from functools import cache

from netinterf.values import frozen

__all__ = [
    "MECHANISMS",
    "Contrast",
    "Figure",
    "Mechanism",
    "Trigger",
    "Written",
    "answer_of",
    "borders",
    "covers",
    "has_figure",
    "is_rate",
    "known_as",
    "reset_of",
    "settled_by",
    "sign_of",
    "silence_of",
    "were_hit",
    "what_happened",
    "written_by",
]


class Trigger(Enum):
    """What a box looked at before it did something."""

    NAME = "name"  # what was asked for
    OPENING = "opening"  # addresses and ports, before any name is seen
    PLACE = "place"  # where a destination is, whatever is asked of it
    BYTES = "bytes"  # the first bytes of a connection, whatever its name


class Contrast(Enum):
    """When it takes others that were spared to tell a mechanism from harmless causes."""

    NEVER = "never"
    IN_DOUBT = "in doubt"  # where others may have been limited alike and are not seen, or cannot tell
    ALWAYS = "always"  # a slow link explains it as well


class Figure(Enum):
    """The picture that shows what a verdict rests on."""

    LADDER = "ladder"  # the packets of both ends
    RATE = "rate"  # a time-sequence plot above a rate series
    POSITIONS = "positions"  # a histogram of where transfers stopped
    REACH = "reach"  # a timeline of attempts


class Written(Enum):
    """What a mechanism puts on the wire in the name of an end; traits of writers are counted for each by itself."""

    NOTHING = ""
    RESET = "reset"
    CONTENT = "content"
    CERTIFICATE = "certificate"
    ANSWER = "answer"


@frozen(kw_only=True)
class Mechanism:
    """What is known of one mechanism, or of a family of them."""

    path: str
    one: str  # what it did to one subject, ``{who}``
    many: str  # what it did to several, behind their name
    sign: str = ""  # what stands for it where six letters have room; empty: its last word
    settled_by: str = ""  # what a second capture has to hold that tells it from its look-alikes; empty: as its family
    general: bool = False  # a family: stands for several mechanisms, and is no mechanism of its own
    subject: str = ""  # the protocol of the flows that it can happen to, or ``exchange``; empty for any flow
    trigger: Trigger = Trigger.NAME
    selective: bool = False  # its verdict says whether others are spared
    contrast: Contrast = Contrast.NEVER
    blocks: bool = True  # what is asked for is kept away, rather than slowed, changed or read
    part_of: str = ""  # where it may be no more than a part of another
    missing: bool = False  # it shows in what is missing, which a filtered recording left out
    written: Written = Written.NOTHING
    silent: bool = False  # nothing is forged: its frames are the last before a silence
    figure: Figure = Figure.LADDER


BOTH_ENDS = "captures at the client and at the server at the same time"
MORE_NAMES = "further attempts with this and with other names and addresses at the same time, and again an hour later"

RECORDS: tuple[Mechanism, ...] = (
    Mechanism(
        path="tcp", general=True, subject="tcp",
        one="{who} was tampered with on the way",
        many="were tampered with on the way",
    ),
    Mechanism(
        path="tcp.reset", subject="tcp", written=Written.RESET,
        one="{who} was cut off by a forged reset",
        many="were cut off by forged resets",
    ),
    Mechanism(
        # the end of a connection behind a forged page belongs to the page …
        path="tcp.fin", subject="tcp", part_of="http.blockpage", written=Written.CONTENT,
        one="{who} was ended by a forged closing packet",
        many="were ended by forged closing packets",
    ),
    Mechanism(
        path="tcp.synack", subject="tcp", trigger=Trigger.OPENING, written=Written.RESET,
        one="{who} was kept from opening by a forged answer to its first packet",
        many="were kept from opening by forged answers to their first packets",
    ),
    Mechanism(
        path="tcp.data", subject="tcp", written=Written.CONTENT,
        one="forged data was put into {who}",
        many="had forged data put into them",
    ),
    Mechanism(
        # … and so does the silence of a server whose connection the page took
        path="tcp.drop", subject="tcp", selective=True, part_of="http.blockpage", missing=True, silent=True,
        one="{who} was silenced on the way after it had opened",
        many="were silenced on the way after they had opened",
        settled_by=f"{BOTH_ENDS}, or {MORE_NAMES}",
    ),
    Mechanism(
        path="tcp.connect", general=True, subject="tcp", trigger=Trigger.OPENING,
        one="{who} was kept from opening on the way",
        many="were kept from opening on the way",
    ),
    Mechanism(
        path="tcp.connect.drop", sign="conn", subject="tcp", trigger=Trigger.OPENING, selective=True, silent=True,
        one="{who} was kept from opening: its first packets were swallowed on the way",
        many="were kept from opening: their first packets were swallowed on the way",
        settled_by="the same attempt from another network at the same time, and again an hour later",
    ),
    Mechanism(
        path="tcp.connect.reset", sign="c-rst", subject="tcp", trigger=Trigger.OPENING, written=Written.RESET,
        one="{who} was kept from opening by a forged reset",
        many="were kept from opening by forged resets",
    ),
    Mechanism(
        path="http", general=True, subject="tcp",
        one="the web answer to {who} was tampered with",
        many="had their web answers tampered with",
    ),
    Mechanism(
        path="http.blockpage", sign="page", subject="tcp", written=Written.CONTENT,
        one="{who} was answered with a forged web page",
        many="were answered with forged web pages",
        settled_by="the same request from another network, and over TLS",
    ),
    Mechanism(
        path="tls", general=True, subject="tcp", blocks=False,
        one="the encrypted handshake of {who} was tampered with",
        many="had their encrypted handshakes tampered with",
    ),
    Mechanism(
        path="tls.interception", sign="cert", subject="tcp", blocks=False, written=Written.CERTIFICATE,
        one="{who} was answered with somebody else's certificate",
        many="were answered with somebody else's certificates",
        settled_by="the certificate that the same name shows in another network",
    ),
    Mechanism(
        path="dns", general=True, subject="exchange",
        one="{who} was tampered with on the way",
        many="were tampered with on the way",
        settled_by="the same question to further resolvers, over TCP and from another network",
    ),
    Mechanism(
        path="dns.injection", sign="inject", subject="exchange", written=Written.ANSWER,
        one="{who} got a forged answer besides the resolver's own",
        many="got forged answers besides the resolver's own",
    ),
    Mechanism(
        path="dns.forged", subject="exchange", written=Written.ANSWER,
        one="{who} got a false answer",
        many="got false answers",
    ),
    Mechanism(
        path="dns.drop", subject="exchange", selective=True, silent=True,
        one="{who} was swallowed on the way",
        many="were swallowed on the way",
    ),
    Mechanism(
        path="quic", general=True, subject="udp",
        one="{who} was tampered with on the way",
        many="were tampered with on the way",
        settled_by=MORE_NAMES,
    ),
    Mechanism(
        path="quic.drop", subject="udp", selective=True, silent=True,
        one="{who} was silenced on the way because of the name or version it showed",
        many="were silenced on the way because of the name or version they showed",
    ),
    Mechanism(
        path="udp", general=True, subject="udp", trigger=Trigger.OPENING,
        one="{who} was tampered with on the way",
        many="were tampered with on the way",
        settled_by="the same protocol with other servers, and another one with this server, at the same time",
    ),
    Mechanism(
        path="udp.drop", sign="u-drop", subject="udp", trigger=Trigger.OPENING, selective=True, silent=True,
        one="{who} was silenced on the way",
        many="were silenced on the way",
    ),
    Mechanism(
        path="rate", general=True, selective=True, contrast=Contrast.ALWAYS, blocks=False, missing=True, silent=True,
        figure=Figure.RATE,
        one="{who} was held back",
        many="were held back",
        settled_by="transfers of the same size with this and with other names at the same time, and again an hour "
        "later",
    ),
    Mechanism(
        # a plan, and a server whose own line is policed, drop what exceeds a bucket, too
        path="rate.policing", selective=True, contrast=Contrast.IN_DOUBT, blocks=False, missing=True, silent=True,
        figure=Figure.RATE, sign="rate",
        one="{who} was slowed down by dropping packets above a fixed rate",
        many="were slowed down by dropping packets above a fixed rate",
    ),
    Mechanism(
        path="rate.shaping", selective=True, contrast=Contrast.ALWAYS, blocks=False, missing=True, silent=True,
        figure=Figure.RATE, sign="shape",
        one="{who} was slowed down to a fixed rate",
        many="were slowed down to a fixed rate",
    ),
    Mechanism(
        path="rate.freeze", selective=True, blocks=False, missing=True, silent=True, figure=Figure.POSITIONS,
        one="{who} was stopped in the middle of the transfer",
        many="were stopped in the middle of their transfers",
        settled_by="more transfers that are larger than what passed, with this and with other names",
    ),
    Mechanism(
        path="rate.handshake", sign="slow", selective=True, blocks=False, missing=True, silent=True,
        one="{who} was slowed down while it opened",
        many="were slowed down while they opened",
        settled_by="more handshakes with this and with other names of the same server",
    ),
    Mechanism(
        path="protocol", general=True,
        one="{who} was filtered by the kind of its protocol",
        many="were filtered by the kind of their protocol",
        settled_by="other protocols on the same port, and this one on others, at the same time",
    ),
    Mechanism(
        path="protocol.filter", trigger=Trigger.BYTES, missing=True, silent=True,
        one="{who} was silenced because its protocol was not recognised",
        many="were silenced because their protocol was not recognised",
    ),
    Mechanism(
        path="reach", general=True, trigger=Trigger.PLACE, silent=True, figure=Figure.REACH,
        one="{who} was cut off from its destination",
        many="were cut off from their destinations",
        settled_by="a capture of some minutes that tries more networks at home and abroad, read with a table of "
        "networks",
    ),
    Mechanism(
        path="reach.isolation", sign="cut", trigger=Trigger.PLACE, silent=True, figure=Figure.REACH,
        one="{who} was cut off from addresses abroad",
        many="were cut off from addresses abroad",
    ),
    Mechanism(
        path="reach.isolation.allowlist", sign="list", trigger=Trigger.PLACE, silent=True, figure=Figure.REACH,
        one="{who} was cut off from all but a few addresses abroad",
        many="were cut off from all but a few addresses abroad",
    ),
)  # fmt: skip

MECHANISMS: dict[str, Mechanism] = {record.path: record for record in RECORDS}
"""All records by path, families before what belongs to them."""


def covers(general: str, special: str) -> bool:
    """Say whether a statement about *general* bears on *special*: the same path, a prefix of it, or empty."""
    return general in {"", special} or special.startswith(general + ".")


@cache
def related(one: str, other: str) -> bool:
    """Say whether statements about two mechanisms bear on each other: about the same, or one on a more special one."""
    return covers(one, other) or covers(other, one)


def upwards(path: str) -> Iterator[Mechanism]:
    """Give the records of a path and of what lies above it, the nearest first."""
    while path:
        if path in MECHANISMS:
            yield MECHANISMS[path]
        path = path.rpartition(".")[0]


@cache
def known_as(path: str) -> Mechanism | None:
    """Give the record of a path, or of the nearest one above it; None for a path of another vocabulary."""
    return next(upwards(path), None)


def sign_of(path: str) -> str:
    """Give what stands for a mechanism in a small place: six letters at most."""
    record = MECHANISMS.get(path)
    return (record and record.sign) or path.rpartition(".")[2][:6]


@cache
def what_happened(path: str) -> str:
    """Say what a mechanism did to one subject, ``{who}``; an unknown one by the nearest above it."""
    record = known_as(path)
    return record.one if record else "{who} was interfered with (" + path.replace("{", "").replace("}", "") + ")"


def were_hit(path: str) -> str:
    """Say what a mechanism did to several connections or questions; an unknown one by the nearest above it."""
    record = known_as(path)
    return record.many if record else "were interfered with"


def silence_of(transport: str, *, opening: bool) -> str:
    """Name the mechanism that silences a transport; over TCP, attempts to open are one of their own."""
    over_tcp = "tcp.connect.drop" if opening else "tcp.drop"
    return {"dns": "dns.drop", "quic": "quic.drop", "udp": "udp.drop"}.get(transport, over_tcp)


def reset_of(*, opening: bool) -> str:
    """Name the mechanism that resets a connection, or an attempt to open one."""
    return "tcp.connect.reset" if opening else "tcp.reset"


def answer_of() -> str:
    """Name the mechanism that gives false answers whose origin no capture shows."""
    return "dns.forged"


def borders() -> tuple[str, str]:
    """Name how a network is cut off as a whole: from all that lies abroad, and from all but a list."""
    return "reach.isolation", "reach.isolation.allowlist"


def settled_by(path: str) -> str:
    """Say what would settle a suspicion of a mechanism, as the end of a sentence.

    Sentences know the mechanism alone. So they ask for what no capture with such a suspicion can hold already: another
    place, another time, or more of what there is little of.
    """
    return next((record.settled_by for record in upwards(path) if record.settled_by), BOTH_ENDS)


def written_by(path: str) -> Written:
    """Say what a mechanism puts on the wire."""
    record = known_as(path)
    return record.written if record else Written.NOTHING


def has_figure(path: str, figure: Figure) -> bool:
    """Say whether a mechanism is shown by a kind of figure."""
    record = known_as(path)
    return record is not None and record.figure is figure


def is_rate(path: str) -> bool:
    """Say whether a mechanism holds transfers back rather than keeping them away."""
    return covers("rate", path)
