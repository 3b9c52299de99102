"""A group's verdict in plain sentences: what happened to how many of whom, and whether others were spared."""

from netinterf.mechanisms import known_as, were_hit
from netinterf.schema import Grade, GroupBy
from netinterf.verdict.groups import POSITIVE
from netinterf.written.record import Subject, Verdict

__all__ = ["OTHERS", "about", "group_happened", "percents", "settled_by_members"]

FEW = 20
"""Members below which a count says more than a share: one member is more than 5 %."""

OTHERS = {
    GroupBy.NAME: "other names at the same addresses",
    GroupBy.DOMAIN: "other domains at the same addresses",
    GroupBy.SERVER: "other addresses",
    GroupBy.PREFIX: "addresses elsewhere",
    GroupBy.ASN: "addresses in other networks",
    GroupBy.COUNTRY: "addresses in other countries",
    GroupBy.CLIENT: "others who went to the same places",
    GroupBy.PROTOCOL: "the same places by other protocols",
    GroupBy.TIME: "the time before and after",
}
"""What each grouping is compared with."""

CAUSE = {
    GroupBy.NAME: "it is because of the name",
    GroupBy.DOMAIN: "it is because of the domain",
    GroupBy.SERVER: "it is because of the address",
    GroupBy.PREFIX: "it is because of the addresses",
    GroupBy.ASN: "it is because of the network",
    GroupBy.COUNTRY: "it is because of the country",
    GroupBy.CLIENT: "it is because of the client",
    GroupBy.PROTOCOL: "it is because of the protocol",
    GroupBy.TIME: "it is because of the time",
    GroupBy.CAPTURE: "it is so for all",
}
"""What a group adds to the findings that are in it."""


def group_happened(verdict: Verdict) -> str:
    """Say what was done to how many of whom, and whether others were spared, without the final dot."""
    mechanism, share = verdict.mechanism or "", verdict.group
    what = f"{about(verdict.subject, mechanism)} {were_hit(mechanism)}"
    known = settled_by_members(verdict)
    if verdict.grade is Grade.POSSIBLE and not known:
        what = f"Perhaps {what[:1].lower()}{what[1:]}" if not what.startswith("DNS") else f"Perhaps {what}"
    if share is not None:
        counted = f"{share.affected:,}" if share.members < FEW else f"about {100 * share.share:.0f} %"
        what += f": {counted} of {share.members:,} (a share of {percents(share.share_low, share.share_high)})"
    contrast = next((observation for observation in verdict.evidence if observation.rule == "group.contrast"), None)
    others = OTHERS.get(GroupBy(verdict.subject.by)) if verdict.subject.by else None
    if contrast is not None and others is not None and contrast.llr >= POSITIVE:
        what += f", while {others} {'was better' if others == OTHERS[GroupBy.TIME] else 'were spared'}"
    if verdict.grade is not Grade.POSSIBLE or share is None or not share.findings:
        return what
    if known:
        own = "each a finding by itself" if share.affected > 1 else "a finding by itself"
        return (
            f"{what}, {own}; that {CAUSE[GroupBy(verdict.subject.by or GroupBy.CAPTURE)]} is only possible, not shown"
        )
    some = "1 of these is a finding" if share.findings == 1 else f"{share.findings:,} of these are findings"
    return f"{what}; {some} by themselves" if share.findings > 1 else f"{what}; {some} by itself"


def settled_by_members(verdict: Verdict) -> bool:
    """Say whether all affected members of a possible group are findings by themselves: then it was done."""
    share = verdict.group
    return verdict.grade is Grade.POSSIBLE and share is not None and 0 < share.affected <= share.findings


def about(subject: Subject, mechanism: str = "") -> str:
    """Name the members of a group: ``Connections to example.com``."""
    record = known_as(mechanism)
    what = "DNS questions" if record and record.subject == "exchange" else "Connections"
    place = subject.server or ""
    by = subject.by or GroupBy.CAPTURE
    return {
        GroupBy.NAME: f"{what} {'for' if what == 'DNS questions' else 'to'} {subject.name}",
        GroupBy.DOMAIN: f"{what} {'for' if what == 'DNS questions' else 'to'} names of {subject.name}",
        GroupBy.SERVER: f"{what} to {place}",
        GroupBy.PREFIX: f"{what} to addresses in {place}",
        GroupBy.ASN: f"{what} to addresses of {place}",
        GroupBy.COUNTRY: f"{what} to addresses in the country {place}",
        GroupBy.CLIENT: f"{what} of {subject.client}",
        GroupBy.PROTOCOL: f"{what} by {(subject.protocol or '').upper()}",
        GroupBy.TIME: f"{what} in a stretch of time",
        GroupBy.CAPTURE: f"{what} in this capture",
    }[GroupBy(by)]


def percents(low: float, high: float) -> str:
    """Write an interval of shares."""
    return f"{100 * low:.0f}-{100 * high:.0f} %"
