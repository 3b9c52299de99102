"""A redacted result says what it said before, but of nobody: searched in every output."""

import io
import pickle
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import numpy as np
import pytest

import netinterf
from netinterf import export
from netinterf.analyzers.registry import builtin
from netinterf.cli.formats import FORMATS
from netinterf.cli.output import Output
from netinterf.context.networks import Network
from netinterf.engine.compare import compared
from netinterf.engine.extract import read_all_again
from netinterf.engine.judged import Judged, Summary
from netinterf.errors import CaptureError, ParameterError, UsageError
from netinterf.export.comparison import comparison_lines
from netinterf.export.monitors import MONITORS
from netinterf.privacy import Redaction
from netinterf.privacy.ledgers import group_value
from netinterf.report.comparison import comparison_text
from netinterf.report.explained import explain_subject, explained_line, explained_text
from netinterf.report.lines import laid_out
from netinterf.schema import Grade, GroupBy
from netinterf.table import Ragged, Table
from netinterf.verdict.model import Model
from netinterf.written.ledger import Ledger
from tests.oracles.traces_left import addresses_of, left_in_bytes, left_in_text, names_of
from tests.unit.privacy.conftest import KEY

COMMON = {
    GroupBy.NAME: "www.example.org",
    GroupBy.DOMAIN: "example.org",
    GroupBy.SERVER: "93.184.216.34",
    GroupBy.PREFIX: "93.184.216.0/24",
    GroupBy.ASN: "AS15133",
    GroupBy.COUNTRY: "NL",
    GroupBy.CLIENT: "2a00:1450:4001::5",
    GroupBy.PROTOCOL: "tcp",
    GroupBy.TIME: "",
    GroupBy.CAPTURE: "",
}
"""What the members of groups have in common, of every kind."""

BYTES = {"parquet"}
"""Formats that are no text."""


def as_jsonl(result):
    """Write JSON lines, all subjects."""
    file = io.StringIO()
    export.jsonl(result, file, everything=True)
    return file.getvalue()


@attrs.frozen
class Captures:
    """Captures that were judged, as the command hands them to a writer."""

    judged: tuple[Judged, ...]
    errors: tuple[CaptureError, ...]

    @property
    def read(self):
        """How many could be read."""
        return len(self.judged)

    @property
    def total(self):
        """How many there are."""
        return len(self.judged) + len(self.errors)

    def __iter__(self):
        return iter(self.judged)


def in_form(form, result):
    """Write all subjects as the command does, or the findings where a form has room for no other."""
    with TemporaryDirectory() as folder, Output(str(Path(folder) / "written")) as output:
        FORMATS[form](Captures(result.judged, result.errors), output, form not in MONITORS)
        output.close()
        written = Path(output.place).read_bytes()
    return written if form in BYTES else written.decode()


def one_each(findings):
    """Take the first finding of every capture."""
    return list({verdict.capture: verdict for verdict in reversed(findings)}.values())


def as_comparison(result):
    """Write what a result shows, held against itself: the text for people and all lines."""
    both = compared(result, result)
    return "\n".join([*laid_out(comparison_text(both, everything=True)), *comparison_lines(both, everything=True)])


def as_explained(result):
    """Explain one verdict of each kind, as text and as an object."""
    told = []
    for judged in result.judged:
        trace = read_all_again(judged)
        told += [explain_subject(judged, trace, row, builtin()) for row in range(0, len(judged.ledger.verdicts), 9)]
    return "\n".join(line for one in told for line in (*laid_out(explained_text(one)), str(explained_line(one))))


OUTPUTS = {
    **{form: partial(in_form, form) for form in FORMATS},
    "frame": lambda result: str(result.to_arrow().to_pylist()),
    "repr": lambda result: repr([*result.verdicts, result.captures, result.errors, result]),
    "wireshark": lambda result: "\n".join(verdict.wireshark for verdict in result.verdicts),
    "figures": lambda result: "".join(map(result.figure, one_each(result.findings))),
    "comparison": as_comparison,
    "explained": as_explained,
    "evidence": lambda result: str([table.to_arrow().to_pylist() for table in result.evidence]),
    "pickle": pickle.dumps,
}
"""Everything that can be written of a result; the last holds all that is kept of it."""


@pytest.mark.parametrize("output", OUTPUTS)
def test_nothing_of_anybody_is_left(output, result, redacted, traces, folder):
    """No address, name or payload of any capture is in any output, and neither is where the captures lie."""
    if output == "pickle":  # where they can be read again is kept in memory, and only there
        redacted = attrs.evolve(redacted, judged=tuple(attrs.evolve(one, source=None) for one in redacted.judged))
    written = OUTPUTS[output](redacted)
    search = left_in_bytes if isinstance(written, bytes) else left_in_text
    assert len(written) > 1000
    for trace in traces:
        assert len(addresses_of(trace)) > 1
        assert search(written, trace) == []
    assert folder.name.encode() not in (written if isinstance(written, bytes) else written.encode())


@pytest.mark.parametrize("output", ["text", "jsonl", "frame"])
def test_the_search_finds_what_is_there(output, result, traces):
    """Of the result as it was, nearly every address and every name of a finding is found in the outputs."""
    written = OUTPUTS[output](result)
    found = {word for trace in traces for word in left_in_text(written, trace)}
    for verdict in result.findings:
        assert verdict.group or {verdict.subject.client, verdict.subject.server} <= found
    assert len(found) > 50


def test_verdicts_are_the_same_without_the_names(result, redacted):
    """Outcome, probability, evidence, frames and times stay; addresses differ, and names lead nowhere."""
    assert len(result.verdicts) == len(redacted.verdicts)
    for before, after in zip(result.verdicts, redacted.verdicts, strict=True):
        for field in attrs.fields(type(before)):
            if field.name not in {"capture", "subject", "trigger", "explanation", "community_id", "rows"}:
                assert getattr(before, field.name) == getattr(after, field.name), field.name
        for field in attrs.fields(type(before.subject)):
            told, new = getattr(before.subject, field.name), getattr(after.subject, field.name)
            if field.name not in {"client", "server", "name"} or told is None:
                assert told == new
            elif field.name == "name":
                assert new.endswith(".invalid")
            elif before.subject.by not in {GroupBy.ASN, GroupBy.COUNTRY}:
                assert told != new


def test_equal_names_and_addresses_stay_equal(result, redacted):
    """Who is one before is one afterwards, in every capture, and nobody is joined."""
    for field in ("client", "server", "name"):
        pairs = {
            (getattr(before.subject, field), getattr(after.subject, field))
            for before, after in zip(result.verdicts, redacted.verdicts, strict=True)
        }
        assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})


def test_groups_stay_and_can_be_judged_again(result, redacted):
    """Under other priors a redacted result finds the groups that the result finds."""
    model = Model.load()
    rarer = attrs.evolve(model, priors={key: value - 2 for key, value in model.priors.items()})
    before, after = result.under(rarer), redacted.under(rarer)
    assert [v.grade for v in before.verdicts] == [v.grade for v in after.verdicts]
    assert [v.subject.by for v in before.verdicts] == [v.subject.by for v in after.verdicts]
    assert any(v.group for v in after.verdicts)


def test_the_same_key_maps_alike_and_none_maps_anew(result, redacted):
    """Results of one key can be held against each other; without a key every result is an island."""
    assert as_jsonl(result.redacted(KEY)) == as_jsonl(redacted)
    assert as_jsonl(result.redacted()) != as_jsonl(result.redacted())


def test_names_stay_when_asked_for(result, traces):
    """``keep="names"`` leaves names and nothing else; names that spell addresses go."""
    kept = result.redacted(KEY, keep="names")
    for before, after in zip(result.verdicts, kept.verdicts, strict=True):
        assert before.subject.name == after.subject.name
        assert before.subject.client is None or before.subject.client != after.subject.client
    left = {word for trace in traces for word in left_in_text(as_jsonl(kept), trace)}
    assert not left & {str(one) for trace in traces for one in addresses_of(trace)}
    redaction = Redaction(key=KEY, keep="names")
    assert redaction.name("34.216.184.93.in-addr.arpa").endswith(".invalid")
    assert redaction.name("93.184.216.34:8080") == redaction.address("93.184.216.34") + ":8080"


def test_what_groups_have_in_common_is_replaced_by_its_kind():
    """Addresses, prefixes and names are, by the same mapping as elsewhere; all else says nothing of anybody."""
    redaction = Redaction(key=KEY)
    new = {by: group_value(by, value, redaction.name(value), redaction) for by, value in COMMON.items()}
    assert new[GroupBy.SERVER] == redaction.address(COMMON[GroupBy.SERVER])
    assert new[GroupBy.CLIENT] == redaction.address(COMMON[GroupBy.CLIENT])
    assert ip_address(new[GroupBy.SERVER]) in ip_network(new[GroupBy.PREFIX])
    assert new[GroupBy.NAME].endswith(f".{new[GroupBy.DOMAIN]}")
    stays = {GroupBy.ASN, GroupBy.COUNTRY, GroupBy.PROTOCOL, GroupBy.TIME, GroupBy.CAPTURE}
    assert {by for by in GroupBy if new[by] == COMMON[by]} == stays


def test_networks_move_with_their_addresses(folder, result):
    """A table of networks finds the same networks again: groups by AS and country stay."""
    blocks = {f"{v.subject.server}/{48 if ':' in v.subject.server else 24}" for v in result.findings if not v.group}
    table = [Network(ip_network(block, strict=False), 64500 + n, "ZZ") for n, block in enumerate(sorted(blocks))]
    known = netinterf.scan(str(folder), networks=table)
    again = known.redacted(KEY)
    model = Model.load()
    assert [v.subject.by for v in again.under(model).verdicts] == [v.subject.by for v in known.under(model).verdicts]
    old, new = (
        [set(zip(table.high, table.low, strict=True)) for one in side.judged for table in one.ledger.networks.sources]
        for side in (known, again)
    )
    assert any(old)
    assert [len(one) for one in old] == [len(one) for one in new]
    assert not any(one & other for one, other in zip(old, new, strict=True))


def test_extracted_packets_are_redacted(result, redacted, traces, tmp_path):
    """The packets of a redacted verdict are written without what the capture shows of people."""
    for before, after in zip(one_each(result.findings), one_each(redacted.findings), strict=True):
        assert redacted.extract(after, tmp_path / "after.pcap") == result.extract(before, tmp_path / "before.pcap")
        trace = next(t for t, one in zip(traces, result.judged, strict=True) if one.source == (before.capture,))
        assert left_in_bytes((tmp_path / "after.pcap").read_bytes(), trace) == []
        new = netinterf.read(tmp_path / "after.pcap")
        assert {after.subject.client} - {None} <= {new.address(row) for row in range(len(new.hosts))}


def test_figures_are_those_of_the_result(result, redacted):
    """Pictures show the same packets, under the new names."""
    for before, after in zip(one_each(result.findings), one_each(redacted.findings), strict=True):
        plain, new = result.figure(before), redacted.figure(after)
        assert plain.count("<path") == new.count("<path")
        assert plain.count("TTL") == new.count("TTL")


def test_what_could_not_be_read_is_not_named(folder, tmp_path):
    """Errors tell neither paths nor the first bytes of what is no capture."""
    (tmp_path / "letter-to-alexandra.pcap").write_text("Dear Alexandra, …", "utf-8")
    found = netinterf.scan([str(tmp_path / "letter-to-alexandra.pcap"), str(tmp_path / "gone.pcap")])
    told = [str(error) for error in found.redacted(KEY).errors]
    assert len(told) == len(found.errors) == 2
    assert all(error.startswith("capture-") and error.endswith(": could not be read") for error in told)


def test_a_redacted_result_is_not_redacted_again(redacted):
    """One key after the other would map nothing alike any more."""
    with pytest.raises(UsageError, match="redacted already"):
        redacted.redacted(KEY)


def test_a_capture_that_is_gone_is_not_named(tmp_path, folder):
    """Who draws a figure of a redacted verdict learns that the capture is gone, not where it was."""
    path = tmp_path / "alexandra.pcap"
    path.write_bytes(next(folder.glob("tcp.reset*")).read_bytes())
    found = netinterf.scan(path).redacted(KEY)
    path.unlink()
    with pytest.raises(CaptureError, match=r"^capture-\d+: cannot be read again$") as caught:
        found.figure(found.findings[0])
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", [b"", b"fifteen bytes !", "sixteen letters!", bytes(5000)])
def test_a_weak_key_is_refused_and_not_repeated(result, key):
    """Less than 128 bits can be guessed; the message does not say the key."""
    with pytest.raises(ParameterError, match="16 to 4096 random bytes") as caught:
        result.redacted(key)
    assert "fifteen" not in str(caught.value)
    assert "sixteen" not in str(caught.value)


def test_only_names_can_be_kept(result):
    """A word that means nothing is refused: it would promise something."""
    with pytest.raises(ParameterError, match="keep='payload'"):
        result.redacted(KEY, keep=["names", "payload"])


def test_keys_are_not_shown():
    """A redaction that is printed or logged gives its key away to nobody."""
    assert "key" not in repr(Redaction(key=KEY))
    assert repr(KEY)[2:40] not in repr(Redaction(key=KEY))


def test_domains_stay_domains():
    """Names of one registrable domain lie below one, a name is the same with and without its port."""
    redaction = Redaction(key=KEY)
    one, other, port, root = map(redaction.name, ("a.example.co.uk", "b.example.co.uk", "a.example.co.uk:81", ""))
    assert one.partition(".")[2] == other.partition(".")[2] == redaction.name("example.co.uk")
    assert (port, root) == (f"{one}:81", "")
    assert redaction.name("A.Example.co.uk.") == one


@pytest.mark.parametrize(
    "host",
    ["a.example:secret", "[2001:db8::1]:secret", ":secret", "192.0.2.1:secret", "[fe80::1%secret]", "a:80:secret"],
)
def test_a_host_of_free_text_leaves_nothing(host):
    """What stands behind a colon in a Host header and is no port is a part of the name; a port stays."""
    redaction = Redaction(key=KEY)
    assert "secret" not in redaction.name(host)
    assert redaction.name("a.example:65535") == redaction.name("a.example") + ":65535"


def test_everything_that_is_kept_of_a_capture_is_known_to_redaction(result):
    """Whoever adds something to a ledger or a summary decides whether it tells of people: then it is listed here.

    Tables are redacted by their columns, and numbers tell nothing.
    """
    known = {"capture", "subjects", "networks", "attributions", "injectors", "files"}
    others = {
        field.name
        for field in attrs.fields(Ledger)
        if not isinstance(getattr(result.judged[0].ledger, field.name), Table | Ragged | np.ndarray)
    }
    assert others == known
    assert {field.name for field in attrs.fields(Judged)} == {"summary", "ledger", "source"}
    assert {field.name for field in attrs.fields(Summary)} == {
        *("capture", "packets", "flows", "exchanges", "outcomes", "first", "last", "bytes", "vantage"),
        *("link_types", "diagnostics", "version", "model", "files"),
    }
    text = {
        column.name
        for field in attrs.fields(Ledger)
        if isinstance(table := getattr(result.judged[0].ledger, field.name), Table)
        for column in table.schema()
        if column.shape == "text"
    }
    assert text == {"name", "value"}


def test_plays_show_what_redaction_must_hide(traces, result):
    """The search is worth something: names in all protocols, both families, quotes, and groups."""
    for table, column in (("dns", "name"), ("tls", "name"), ("quic", "name"), ("http", "host"), ("http", "location")):
        assert any(getattr(getattr(trace, table), column).lengths.any() for trace in traces), (table, column)
    assert {one.version for trace in traces for one in addresses_of(trace)} == {4, 6}
    assert sum(len(trace.quotes) for trace in traces) > 0
    assert any(len(names_of(trace)) > 3 for trace in traces)
    assert {"prefix", "domain", "client"} <= {verdict.subject.by for verdict in result.findings}
    assert {Grade.CONFIRMED, Grade.LIKELY} <= {verdict.grade for verdict in result.findings}
