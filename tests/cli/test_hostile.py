"""No name obeys whoever wrote it: hostile packets, files and tables through every verb and form of the command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.table import Table
from tests.cli.every import forms_of, verbs
from tests.cli.here import Run, run_here
from tests.oracles.containers import enhanced, interface, option, section

HOSTILE = "\x1b]0;x\x07\x9b2J\u202e\x7fgnp.\u2066evil\u200f\u061c\u2028"
"""What would set a terminal's title, ring, clear it, turn the direction of what follows, and break the line."""

SCENARIOS = {
    "host": "http.blockpage.generic",
    "sni": "tcp.reset",
    "question": "dns.injection",
    "certificate": "tls.interception.kazakhstan",
}

SHOWN = ("\N{REPLACEMENT CHARACTER}", "\\u001b", "\\u202e")
"""What stands for it in text, and in JSON."""

BINARY = {"parquet"}
"""Forms for programs whose text is not escaped: nobody looks at their bytes, and values must stay what they were."""


def hostile(length: int) -> bytes:
    """Write as much of what is hostile as fits into so many bytes, and bells behind it."""
    data = b""
    for sign in HOSTILE * length:
        if len(data) + len(sign.encode()) <= length:
            data += sign.encode()
    return data


def labels_of(path: Path) -> set[bytes]:
    """List all labels of names in a capture, and words of its HTTP messages."""
    trace = netinterf.read(path)
    words: set[str] = set()
    for table in (trace.tls, trace.http, trace.dns, trace.answers):
        words |= text_of(table)
    pieces = {piece for word in words for piece in word.replace("/", ".").replace(":", ".").split(".")}
    return {piece.encode() for piece in pieces if len(piece) > 2 and piece.isascii() and not piece.isdigit()}


def text_of(table: Table) -> set[str]:
    """List what stands in the columns of a table that hold text; certificates are bytes."""
    names = {column.name for column in table.schema() if column.shape == "text"}
    names -= {"certificates", "chain", "stapled", "method"}
    return {value for name in names for value in getattr(table, name)}


def poisoned(path: Path, scenario: str) -> None:
    """Play a scenario in which every label of every name, and every word of HTTP, is hostile."""
    played = simulate.run(scenario, 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    frames = list(played.frames)
    for label in sorted(labels_of(path), key=len, reverse=True):
        frames = [frame.replace(label, hostile(len(label))) for frame in frames]
    write_pcap(path, played.times, frames, played.link_type)


def commented(path: Path) -> None:
    """Write a capture as pcapng, with a hostile interface, comments and user, and damage behind it."""
    played = simulate.run("tcp.reset", 1)
    remark = option("<", 1, HOSTILE.encode()) + option("<", 0, b"")
    blocks = [section("<", option("<", 4, HOSTILE.encode()) + remark), interface("<", played.link_type, name=HOSTILE)]
    times = [int(time) // 1000 for time in played.times]
    blocks += [enhanced("<", time, frame, options=remark) for time, frame in zip(times, played.frames, strict=True)]
    path.write_bytes(b"".join(blocks) + b"\x06\0\0\0\xff\xff\xff\xff" + HOSTILE.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write hostile captures under hostile names, what is read beside them, and a store of them."""
    pytest.importorskip("pyarrow")
    place = tmp_path_factory.mktemp("hostile") / HOSTILE
    captures = place / "captures"
    captures.mkdir(parents=True)
    for name, scenario in SCENARIOS.items():
        poisoned(captures / f"{name}{HOSTILE}.pcap", scenario)
    commented(captures / f"commented{HOSTILE}.pcapng")
    (captures / f"damaged{HOSTILE}.pcap").write_bytes(b"\xd4\xc3\xb2\xa1" + HOSTILE.encode())
    (place / "networks").write_text(
        f"start_ip,end_ip,country,country_name,asn,as_name\n0.0.0.0,255.255.255.255,{HOSTILE},x,AS64496,{HOSTILE}\n",
        encoding="utf-8",
    )
    (place / "manifest").write_text(f"path,place\n{captures},{HOSTILE}\n{HOSTILE},x\n", encoding="utf-8")
    for number, name in enumerate(("near", "far")):  # a name is told when two places met it
        netinterf.Campaign(place / "store").collect(sorted(captures.iterdir())[number:], place=name)
    return place


def runs(folder: Path) -> dict[str, list[list[object]]]:
    """Give the arguments of each verb, but for the form."""
    captures = folder / "captures"
    every, some = sorted(captures.iterdir()), captures / f"host{HOSTILE}.pcap"
    here, networks = [path for path in every if "damaged" not in path.name], folder / "networks"
    return {
        "scan": [["--all", *every], ["--join", *here[:2]], ["--networks", networks, some], [f"{captures}/{HOSTILE}*"]],
        "watch": [["--all", "-"]],
        "compare": [["--all", *every, "--against", some, folder / HOSTILE]],
        "explain": [*([path, 12] for path in here), [some, HOSTILE]],
        "extract": [[some, 4, "--out", folder / f"{HOSTILE}.pcapng"], [some, HOSTILE]],
        "wireshark": [[folder / HOSTILE]],
        "filter": [[some], [folder / HOSTILE]],
        "redact": [[some, "--out", folder / "shared"], [folder / HOSTILE, "--out", folder / "shared"]],
        "simulate": [["tcp.reset", "--out", folder / f"{HOSTILE}.pcap"], [HOSTILE]],
        "campaign collect": [
            ["--into", folder / "new", "--manifest", folder / "manifest", "--jobs", 1],
            ["--into", folder / "new", "--place", HOSTILE, some],
        ],
        "campaign report": [[folder / "store", "--all"], [folder / "store", "--by", HOSTILE]],
        "campaign compact": [[folder / "store"], [folder / HOSTILE]],
        "mcp": [["--root", folder], ["--root", folder / HOSTILE]],
        "analyzers": [[], ["--rules"]],
        "completion": [["bash"], ["zsh"], ["fish"]],
    }


def done(folder: Path) -> Iterator[tuple[str, str | None, Run]]:
    """Run every verb in every form."""
    given = runs(folder)
    for verb, parser in verbs():
        for form in forms_of(parser):
            for words in given.pop(verb) if form == forms_of(parser)[-1] else given[verb]:
                stdin = (folder / "captures" / f"sni{HOSTILE}.pcap").read_bytes() if verb == "watch" else b""
                if form not in BINARY:
                    chosen = ["--format", form] if form else []
                    yield verb, form, run_here(*verb.split(), *chosen, *words, stdin=stdin, cwd=folder)
    assert not given


def read_back(line: str) -> str:
    """Give the values of a line of JSON as they are."""
    return json.dumps(json.loads(line), ensure_ascii=False)


def test_no_name_is_alive_in_anything_that_is_written(folder: Path) -> None:
    """All that is printed, answers and problems alike, is printable line by line; JSON keeps what names were."""
    quoted: set[tuple[str, str | None]] = set()
    for verb, form, run in done(folder):
        for text in (run.stdout, run.stderr):
            alive = [line for line in text.split("\n") if not line.replace("\t", " " * (form == "zeek")).isprintable()]
            assert alive == [], (verb, form)
        assert "Traceback" not in run.stderr
        if any(sign in run.stdout for sign in SHOWN):
            quoted.add((verb, form))
        if form in {"jsonl", "ooni"} and "\\u202e" in run.stdout:
            assert any("\u202e" in read_back(line) for line in run.stdout.splitlines())
    names = [(verb, form) for verb, parser in verbs() for form in forms_of(parser) if form not in BINARY]
    silent = {("analyzers", None), ("completion", None), ("filter", "nft"), ("filter", "bpf")}  # these name nobody
    assert set(names) - quoted == silent | {("mcp", None)}  # (asked by none here: see tests/unit/assistants)


@pytest.mark.parametrize("words", [[HOSTILE], ["scan", "--format", HOSTILE, "x"], ["scan", f"--{HOSTILE}", "x"]])
def test_no_argument_is_alive(words: list[str]) -> None:
    """What somebody was made to paste is not obeyed, either."""
    run = run_here(*words)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)
    assert all(line.isprintable() for line in run.stderr.split("\n"))


def test_hostile_names_reach_the_tables(folder: Path) -> None:
    """The captures hold what the test above is about: else it would show nothing."""
    for name, table, column in (("host", "http", "host"), ("sni", "tls", "name"), ("question", "dns", "name")):
        trace = netinterf.read(folder / "captures" / f"{name}{HOSTILE}.pcap")
        assert any("\u202e" in value or "\x1b" in value for value in getattr(getattr(trace, table), column)), name
