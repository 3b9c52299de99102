"""What is kept of attempts to reach somebody until all clients have been looked at."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

import attrs
import numpy as np

from netinterf.analyzers.isolation.attempts import Attempts, Origins, list_attempts
from netinterf.arrays import I64
from netinterf.flows.contacts import networks, once_each, only_met
from netinterf.schema import Hosts, SubjectKind
from netinterf.values import frozen

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Observed"]


@frozen(eq=False, kw_only=True)
class Observed:
    """Attempts of some clients of a capture, and what must be known of it."""

    attempts: Attempts
    origins: Origins
    hosts: Hosts
    began: int  # ns since 1970 UTC, like the next
    ended: int

    @classmethod
    def of(cls, trace: "Trace") -> Self:
        """List the attempts of a capture, or of some clients in it."""
        attempts, origins = list_attempts(trace)
        return cls(attempts=attempts, origins=origins, hosts=trace.hosts, began=trace.began, ended=trace.ended)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put the attempts of several parts of a capture together."""
        if len(parts) == 1:
            return parts[0]
        hosts, ends = once_each([part.hosts for part in parts])
        placed = [
            attrs.evolve(part.origins, host=end[part.origins.host], client=end[part.origins.client])
            for part, end in zip(parts, ends, strict=True)
        ]
        origins = Origins(**{name: np.concatenate([getattr(one, name) for one in placed]) for name in columns(Origins)})
        several = [part.attempts for part in parts]
        attempts = Attempts(
            **{name: np.concatenate([getattr(one, name) for one in several]) for name in columns(Attempts)}
        )
        attempts = attrs.evolve(attempts, cluster=networks(hosts)[origins.host])
        began, ended = min(part.began for part in parts), max(part.ended for part in parts)
        return cls(attempts=attempts, origins=origins, hosts=hosts, began=began, ended=ended)

    def in_time(self) -> Self:
        """Put attempts in the order of time, those of one time by what they are."""
        order = np.lexsort((self.origins.subject, self.origins.kind, self.attempts.time))
        return attrs.evolve(self, attempts=self.attempts.take(order), origins=self.origins.take(order))

    def by_home(self, fewest: int) -> Iterator[Self]:
        """Part them by the network of the client (/24, /48): unrelated clients in one file say nothing of each other.

        Args:
            fewest: Attempts that must have been answered from one, and as many that must not; others are left out.
        """
        _, home, lengths = np.unique(networks(self.hosts)[self.origins.client], return_inverse=True, return_counts=True)
        answered, silent = (np.bincount(home[self.attempts.passed == told], minlength=len(lengths)) for told in (1, 0))
        order, ends = np.argsort(home, kind="stable"), np.cumsum(lengths)
        for number in np.flatnonzero((answered >= fewest) & (silent >= fewest)).tolist():
            rows = order[ends[number] - lengths[number] : ends[number]]
            yield attrs.evolve(self, attempts=self.attempts.take(rows), origins=self.origins.take(rows))

    def moved(self, flow: I64, exchange: I64, packet: I64 | None = None) -> Self:
        """Follow flows, exchanges and packets to their new rows; attempts of what has none (-1) are left out."""
        origins = self.origins
        subject = origins.subject.copy()
        for kind, place in ((SubjectKind.FLOW, flow), (SubjectKind.EXCHANGE, exchange)):
            chosen = origins.kind == kind
            subject[chosen] = place[subject[chosen]]
        origins = attrs.evolve(origins, subject=subject)
        if packet is not None:
            origins = attrs.evolve(origins, first=packet[origins.first], last=packet[origins.last])
        kept = np.flatnonzero(subject >= 0)
        origins = origins.take(kept)
        hosts, place = only_met(self.hosts, np.append(origins.host, origins.client))
        origins = attrs.evolve(origins, host=place[origins.host], client=place[origins.client])
        return attrs.evolve(self, attempts=self.attempts.take(kept), origins=origins, hosts=hosts)


def columns(kind: type) -> list[str]:
    """Name the columns of a bundle of arrays."""
    return [field.name for field in attrs.fields(kind)]
