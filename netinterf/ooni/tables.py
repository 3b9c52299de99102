"""What measurements hold, as tables: one row per measurement, and one per attempt of a probe or its test helper."""

from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np

from netinterf.arrays import I8, I32, I64, U8, U16, U32, U64, Mask
from netinterf.numbering import numbered_text, one_of
from netinterf.observations.attempts import DNS, State
from netinterf.ooni.failures import NO_NAME
from netinterf.schema import Diagnostic
from netinterf.table import Ragged, Table, Text, column, ragged, text
from netinterf.values import frozen

__all__ = ["Measured", "Measurements", "Tries"]


@frozen(eq=False, kw_only=True)
class Measurements(Table):
    """One row per measurement: where it was made, of what, and what the probe itself concluded."""

    line: I32 = column("i4", "line of its file that holds it, from 1")
    report: Text = text("id of the report, which a probe opens for each run of a test; empty without")
    time: I64 = column("i8", "when it began", unit="ns since 1970 UTC")
    asn: U32 = column("u4", "autonomous system of the probe, 0 when unknown")
    country: U16 = column("u2", "country of the probe, two letters, a byte each, 0 when unknown")
    test: Text = text("name of the test, such as web_connectivity")
    input: Text = text("what was measured: a URL mostly; empty without")
    name: Text = text("host in the input; empty without, and for an address")
    resolver: Text = text("address of the resolver that the probe's system used; empty when unknown")
    resolver_asn: U32 = column("u4", "autonomous system of that resolver, 0 when unknown")
    blocking: Text = text(
        "how the probe holds it blocked: dns, tcp_ip, http-diff, http-failure; false, or empty: unknown"
    )
    accessible: I8 = column("i1", "whether the probe holds it accessible, -1 when unknown", missing=True)


@frozen(eq=False, kw_only=True)
class Tries(Table):
    """One row per lookup, connection or request, from its opening to its last step.

    A connection that was opened and used is one row, as a flow is one attempt: it failed where its first step failed.
    """

    measurement: I32 = column("i4", "which one it belongs to", refers="Measurements")
    time: I64 = column("i8", "when it began", unit="ns since 1970 UTC")
    transport: U8 = column("u1", "place in netinterf.observations.attempts.TRANSPORTS")
    name: Text = text("name that was asked for, or that led to the address; empty when unknown")
    high: U64 = column("u8", "upper half of the server's address, or of the resolver's; 0 when unknown")
    low: U64 = column("u8", "lower half; IPv4 is IPv4-mapped")
    port: U16 = column("u2", "port of the server, 0 when unknown")
    state: U8 = column("u1", "code of netinterf.observations.attempts.State")
    abrupt: Mask = column("?", "it was refused or reset, rather than left in silence")
    at_opening: Mask = column("?", "it failed before anything could be asked for")
    failure: Text = text("how it failed, in the words of df-007; empty for success")
    resolver: Text = text("whom a lookup asked, as the probe writes it; empty for the system's resolver")
    answer_high: Ragged = ragged("u8", "upper halves of the addresses that a lookup gave")
    answer_low: Ragged = ragged("u8", "lower halves of the same")
    issuer: Text = text("who issued the server's certificate, as RFC 4514 writes names; empty when not shown")
    key: Text = text("SHA-256 of the public key in that certificate, in hexadecimal; empty when not shown")
    status: I32 = column("i4", "status of the HTTP response, -1 for none", missing=True)

    @property
    def denied(self) -> Mask:
        """Which are lookups that came to the end that there is no such name."""
        failure, different = numbered_text(self.failure)
        words = np.array([word in NO_NAME for word in different], np.bool_)
        result: Mask = (self.transport == DNS) & words[failure]
        return result

    @property
    def by_system(self) -> Mask:
        """Which are lookups of the system's resolver: what it says nobody need have answered."""
        result: Mask = (self.transport == DNS) & (self.resolver.lengths == 0)
        return result


@frozen(eq=False, kw_only=True)
class Measured:
    """What was read of one or several files.

    Attributes:
        measurements: Each one.
        tries: What probes tried.
        controls: What the test helpers tried for them, of the same names and addresses, where nobody interferes.
        diagnostics: What could not be read.
    """

    measurements: Measurements
    tries: Tries
    controls: Tries
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def on_the_network(self) -> Mask:
        """In which measurements a probe reached anybody: its test helper, or whom it asked. One entry each."""
        heard = one_of(self.tries.state, (State.ANSWERED, State.HEARD, State.BROKEN)) & ~self.tries.by_system
        result = np.zeros(len(self.measurements), np.bool_)
        result[self.tries.measurement[heard]] = result[self.controls.measurement] = True
        return result

    @classmethod
    def joined(cls, parts: Sequence["Measured"]) -> Self:
        """Join parts in their order; equal diagnostics are counted together."""
        ends = np.cumsum([0, *(len(part.measurements) for part in parts)])
        places = [{"Measurements": np.arange(*ends[part : part + 2])} for part in range(len(parts))]
        notes: dict[tuple[str, str], Diagnostic] = {}
        for note in (note for part in parts for note in part.diagnostics):
            known = notes.setdefault((note.code, note.message), attrs.evolve(note, count=0))
            notes[note.code, note.message] = attrs.evolve(known, count=known.count + note.count)
        return cls(
            measurements=Measurements.concat([part.measurements for part in parts]),
            tries=Tries.concat([one.tries.renumber(to) for one, to in zip(parts, places, strict=True)]),
            controls=Tries.concat([one.controls.renumber(to) for one, to in zip(parts, places, strict=True)]),
            diagnostics=tuple(notes.values()),
        )
