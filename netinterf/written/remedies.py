"""What kind of block a finding is, by what set it off, and what is known to help against its kind.

Whether something helps depends on what a box looks at (a name, an address, a question, the first bytes), hardly on
what it then does. What is listed was measured or specified, with where that is written; it passed other boxes on other
days, so it is never a promise.
"""

from collections.abc import Mapping
from types import MappingProxyType

from netinterf.mechanisms import Trigger, Written, known_as
from netinterf.schema import Outcome, TriggerKind
from netinterf.values import frozen
from netinterf.written.record import Verdict

__all__ = ["BLOCKS", "CAVEAT", "NO_REMEDY", "Block", "Remedy", "block_against", "block_of"]

CAVEAT = (
    "What passed one box on one day may not pass this one, may be seen by it, and may be forbidden where you are. "
    "None of it says who runs the box."
)
"""What must stand beside every remedy."""

NO_REMEDY = "Nothing that a client can change about its packets is known to help."
"""What stands where there is none."""


@frozen(kw_only=True)
class Remedy:
    """Something that is known to help against a kind of block."""

    says: str
    sources: tuple[str, ...]


@frozen(kw_only=True)
class Block:
    """A kind of block.

    Attributes:
        kind: Its word.
        says: What it is set off by.
        remedies: What is known to help, what asks least of a user first.
    """

    kind: str
    says: str
    remedies: tuple[Remedy, ...]


def remedy(says: str, *sources: str) -> Remedy:
    """Shorten the table below."""
    return Remedy(says=says, sources=sources)


TUNNEL = remedy(
    "A tunnel (VPN, Tor with a bridge) shows the box no name but its own, as long as it is not recognised itself.",
    "Tschantz et al., SoK: Grounding Censorship Circumvention in Empiricism, IEEE S&P 2016",
)

NAME = Block(
    kind="name",
    says="It was set off by a name that the connection tells in the clear.",
    remedies=(
        remedy(
            "Encrypted Client Hello hides the name where a site offers it; towards Cloudflare it has been dropped in "
            "Russia since November 2024.",
            "RFC 9849", "net4people/bbs #417",
        ),
        remedy(
            "A hello that is split over several TLS records or TCP segments passes boxes that do not put it together.",
            "Xue et al., Throttling Twitter, IMC 2021", "Niere et al., TLS Record Fragmentation, CCS 2023",
        ),
        TUNNEL,
    ),
)  # fmt: skip

PLAIN = Block(
    kind="plain",
    says="It was set off by a request in the clear: its host, its path, or words of the page.",
    remedies=(
        remedy("HTTPS, which shows a box the name alone, and no path and no page.", "RFC 8446 §1"),
        TUNNEL,
    ),
)

ADDRESS = Block(
    kind="address",
    says="It was set off by where the connection goes, an address or a port: no name needed to be seen.",
    remedies=(
        remedy(
            "The same content at other addresses: a mirror, or a delivery network that much else depends on.",
            "Fifield et al., Domain Fronting, PoPETs 2015",
        ),
        remedy(
            "A relay whose address is on no list, or that changes often: bridges, Snowflake.",
            "Dunna et al., Analyzing China's Blocking of Unpublished Tor Bridges, FOCI 2018",
            "Bocovich et al., Snowflake, USENIX Security 2024",
        ),
    ),
)  # fmt: skip

DNS = Block(
    kind="dns",
    says="It was set off by a question of the DNS.",
    remedies=(
        remedy(
            "A resolver that is asked over TLS, HTTPS or QUIC, where it can be reached: of those for DNS over TLS half "
            "seemed blocked in a network of Iran, in one each of China and Kazakhstan most were not.",
            "RFC 7858", "RFC 8484", "RFC 9250", "Basso, Measuring DoT/DoH Blocking, NDSS DNS Privacy 2021",
        ),
        remedy(
            "Where the resolver's own answer comes as well, waiting for it and dropping the forged ones "
            "(netinterf filter).",
            "Duan et al., Hold-On, SATIN 2012",
        ),
        remedy(
            "DNSSEC tells a forged answer from a true one where the zone is signed; it brings no true one.",
            "RFC 4033 §3",
        ),
    ),
)  # fmt: skip

UDP = Block(
    kind="udp",
    says="It was set off by QUIC, which runs over UDP.",
    remedies=(
        remedy("The same site over TCP, which browsers turn to by themselves.", "RFC 9308 §2"),
        remedy(
            "Russia's boxes looked for version 1 at port 443 in 2022, and other versions passed.",
            "Xue et al., TSPU, IMC 2022",
        ),
    ),
)  # fmt: skip

BYTES = Block(
    kind="bytes",
    says="It was set off by how the connection begins, whatever its name.",
    remedies=(
        remedy(
            "First bytes that look like a protocol which is let pass: China's filter of fully encrypted traffic spared "
            "what began like TLS or HTTP, or with text.",
            "Wu et al., Fully Encrypted Traffic, USENIX Security 2023",
        ),
        remedy(
            "A TLS hello like that of a browser which many use.",
            "Frolov and Wustrow, The Use of TLS in Censorship Circumvention, NDSS 2019",
        ),
        remedy(
            "Against Iran's list of allowed protocols, packets that made its box take a connection for one of them.",
            "Bock et al., Iran's Protocol Whitelister, FOCI 2020",
        ),
    ),
)  # fmt: skip

INTERCEPTION = Block(
    kind="interception",
    says="Somebody answered in the server's place, with a certificate of their own.",
    remedies=(
        remedy(
            "Nothing in such a connection is private: no password belongs there, and a root certificate that is "
            "offered for it should not be installed. Browsers refused that of Kazakhstan.",
            "Sundara Raman et al., Kazakhstan, IMC 2020",
        ),
        remedy("Where a site demands it, browsers let nobody pass the warning.", "RFC 6797 §8.4"),
    ),
)  # fmt: skip

REACH = Block(
    kind="reach",
    says="It was set off by where destinations are: those of a whole region, or all but a list, were out of reach.",
    remedies=(),
)

BLOCKS: Mapping[str, Block] = MappingProxyType(
    {block.kind: block for block in (NAME, PLAIN, ADDRESS, DNS, UDP, BYTES, INTERCEPTION, REACH)}
)
"""All kinds, by their words."""

BY_TRIGGER = {
    kind.word: block
    for kind, block in (
        (TriggerKind.TLS_SNI, NAME),
        (TriggerKind.TLS_ECH, BYTES),  # that a name is hidden, not which
        (TriggerKind.HTTP_HOST, PLAIN),
        (TriggerKind.HTTP_URL, PLAIN),
        (TriggerKind.DNS_QNAME, DNS),
        (TriggerKind.QUIC_SNI, UDP),
        (TriggerKind.BYTES_CLASS, BYTES),
        (TriggerKind.ADDRESS, ADDRESS),
        (TriggerKind.PORT, ADDRESS),
    )
}

BY_SUBJECT = {"exchange": DNS, "udp": UDP}
BY_NATURE = {Trigger.OPENING: ADDRESS, Trigger.BYTES: BYTES, Trigger.PLACE: REACH}


def block_of(mechanism: str, trigger: str | None) -> Block | None:
    """Say what kind of block it is; None where the packets do not tell what set it off.

    What a mechanism is about comes first, then what was seen to set it off, then what it looks at.

    Args:
        mechanism: What was done.
        trigger: The kind of what set it off, as the verdict format calls it; None where the capture does not show it.
    """
    record = known_as(mechanism)
    if record is None:
        return None
    if record.written is Written.CERTIFICATE:
        return INTERCEPTION
    return BY_SUBJECT.get(record.subject) or BY_TRIGGER.get(trigger or "") or BY_NATURE.get(record.trigger)


def block_against(verdict: Verdict) -> Block | None:
    """Say what kind of block a verdict found; None where it found none, or the packets do not tell which."""
    if verdict.outcome is not Outcome.INTERFERED or verdict.mechanism is None:
        return None
    return block_of(verdict.mechanism, verdict.trigger.kind if verdict.trigger else None)
