"""Nothing that is read is written to: every verb, every form, every argument that names a file, every way to it."""

import inspect
import io
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import netinterf
from netinterf import export, report, simulate
from netinterf.capture import write_pcap
from netinterf.cli.arguments import Input, Target
from netinterf.cli.main import main
from netinterf.errors import NetinterfError, ParameterError
from tests.cli.every import arguments_of, forms_of, of_type, verbs

FILES = {"PATH", "FILE", "STORE", "SOURCE"}
"""What an argument that names a file is called in the help."""

VERBS = dict(verbs())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write captures, what is read beside them, and a store."""
    pytest.importorskip("pyarrow")
    place = tmp_path_factory.mktemp("inputs")
    for name, scenario in (("one", "tcp.reset"), ("other", "tcp.reset.benign")):
        played = simulate.run(scenario, 1)
        write_pcap(place / f"{name}.pcap", played.times, played.frames, played.link_type)
    (place / "beside").write_text("prefix,asn,country\n192.0.2.0/24,64496,XX\n", encoding="utf-8")
    netinterf.Campaign(place / "store").collect(place / "other.pcap")
    return place


def content(folder: Path) -> dict[Path, bytes]:
    """Read all that lies below a folder."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run(words: list[str], out: io.TextIOBase | None = None) -> tuple[int, str, str]:
    """Run the command; give its status and what it wrote."""
    written, problems = out or io.StringIO(), io.StringIO()
    with redirect_stdout(written), redirect_stderr(problems):
        status = main(words)
    return status, written.getvalue() if isinstance(written, io.StringIO) else "", problems.getvalue()


def test_arguments_say_what_they_are() -> None:
    """Each that names a file is declared as something to read, or to write: by that the command knows what to spare."""
    for verb, parser in VERBS.items():
        named = [action for action in parser._actions if action.metavar in FILES]
        assert all(action.type in {Input, Target} for action in named), verb


def ways(path: Path, beside: Path) -> Iterator[tuple[str, str]]:
    """Name a file as an input, and once more as an output."""
    hard, soft = beside / "hard", beside / "soft"
    os.link(path, hard)
    soft.symlink_to(path)
    yield from ((str(path), str(path)), (str(path), str(hard)), (str(path), str(soft)), (str(soft), str(path)))
    yield str(path), f"{path.parent}/../{path.parent.name}/{path.name}"
    yield str(path), f"{path.parent}/nowhere/../{path.name}"
    yield str(path), os.path.relpath(path)


def cases(parser: Any, folder: Path, beside: Path) -> Iterator[dict[str, str]]:
    """Give arguments of a verb by which its output is one of its inputs."""
    for action in of_type(parser, Input):
        if action.metavar == "STORE":
            for file in content(folder / "store"):
                yield {action.dest: str(folder / "store"), "out": str(file)}
            continue
        path = folder / ("one.pcap" if action.metavar in {"PATH", "SOURCE"} else "beside")
        place = beside / f"{parser.prog.replace(' ', '-')}.{action.dest}"
        place.mkdir(exist_ok=True)
        for named, out in ways(path, place):
            yield {action.dest: named, "out": out}
        if action.nargs == "+":
            yield {action.dest: str(folder), "out": str(path)}
            yield {action.dest: f"{folder}/on*.pcap", "out": str(path)}


@pytest.mark.parametrize("verb", [verb for verb, parser in VERBS.items() if of_type(parser, Input)])
def test_no_verb_writes_onto_what_it_reads(verb: str, folder: Path, tmp_path: Path) -> None:
    """One clear line, status 2, and every input as it was; nothing was begun, and nothing lies beside it."""
    parser, before, count = VERBS[verb], content(folder), 0
    needed = {action.dest: str(folder / "other.pcap") for action in of_type(parser, Input)}
    needed |= {"flow": "1", "into": str(tmp_path / "new"), "store": str(folder / "store")}
    writes = any(action.dest == "out" for action in parser._actions)
    for place, form in enumerate(forms_of(parser)):
        beside = tmp_path / str(place)
        beside.mkdir()
        for given in cases(parser, folder, beside):
            if not writes:
                continue
            words = [*verb.split(), *arguments_of(parser, given | ({"format": form} if form else {}), needed)]
            several = given.get("paths") in {str(folder), f"{folder}/on*.pcap"}
            joined = ["--join"] if verb in {"explain", "extract", "filter"} and several else []
            status, told, problems = run(words + joined)
            assert (status, told) == (2, ""), (words, problems)
            assert "another file than what is read" in problems.splitlines()[-1], words
            count += 1
    for action in of_type(parser, Input):
        if action.metavar != "STORE":  # standard output, as a shell appends it
            path = folder / "beside"
            words = [*verb.split(), *arguments_of(parser, {action.dest: str(path)}, needed)]
            with path.open("a", encoding="utf-8") as out:
                assert run(words, out)[0] == 2, words
            count += 1
    assert count
    assert content(folder) == before


def writers() -> list[Callable[[Any, Path], object]]:
    """List the functions that write a result somewhere, as their packages offer them."""
    offered = [getattr(room, name) for room in (export, report) for name in room.__all__]
    found = [one for one in offered if callable(one) and "target" in inspect.signature(one).parameters]
    return [*found, lambda result, path: result.extract(result.findings[0], path)]


def test_no_function_writes_onto_what_was_read(folder: Path, tmp_path: Path) -> None:
    """Programs are refused as the command is: captures of the result, those it could not read, redacted or not."""
    (folder / "damaged").write_bytes(b"no capture")
    before = content(folder)
    result = netinterf.scan([folder / "one.pcap", folder / "other.pcap", folder / "damaged"])
    assert len(writers()) == 8
    for one in (result, result.redacted(bytes(range(32)))):
        for write in writers():
            for path in (folder / "one.pcap", folder / "nowhere" / ".." / "other.pcap", folder / "damaged"):
                with pytest.raises(ParameterError, match="another file"):
                    write(one, path)
    for write in writers()[:-1]:
        with pytest.raises(ParameterError, match="another file"):
            write(iter(result.judged), folder / "one.pcap")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="another file"):
        netinterf.redact(folder / "one.pcap", folder / "nowhere" / ".." / "one.pcap")
    assert content(folder) == before
    (folder / "damaged").unlink()
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", ["pending", "captures", "marks", "names", "private", "observations", "replaced"])
def test_a_store_takes_no_folder_of_others(name: str, folder: Path, tmp_path: Path) -> None:
    """A folder that holds captures is no store, whatever it is called; what it holds stays."""
    (tmp_path / name).mkdir()
    os.link(folder / "one.pcap", tmp_path / name / "one.pcap")
    with pytest.raises(NetinterfError, match="is no store, and holds"):
        netinterf.Campaign(tmp_path).collect(tmp_path / name)
    assert (tmp_path / name / "one.pcap").read_bytes() == (folder / "one.pcap").read_bytes()


def test_a_store_drops_only_what_it_made(folder: Path, tmp_path: Path) -> None:
    """What somebody keeps in its folders is read like anything else, and is left alone."""
    campaign = netinterf.Campaign(tmp_path / "store")
    campaign.collect(folder / "one.pcap")
    kept = [tmp_path / "store" / "pending" / "other.pcap", tmp_path / "store" / "replaced" / "mine" / "other.pcap"]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / "other.pcap").read_bytes())
        os.utime(path.parent, (0, 0))
    assert campaign.collect(kept[0].parent).judged == 1
    campaign.compact()
    assert all(path.read_bytes() == (folder / "other.pcap").read_bytes() for path in kept)


def test_names_are_not_those_of_the_store(folder: Path, tmp_path: Path) -> None:
    """A list that the store wrote is no list to read; one that was changed is named."""
    campaign = netinterf.Campaign(tmp_path / "store")
    campaign.collect(folder / "one.pcap")
    listed = tmp_path / "store" / "private" / "listed.json"
    listed.write_text("example.org\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"names=.*a file of your own"):
        campaign.collect(folder / "one.pcap", names=listed)
    with pytest.raises(NetinterfError, match=r"listed\.json: this is no list of names"):
        campaign.collect(folder / "other.pcap")
    assert listed.read_text(encoding="utf-8") == "example.org\n"


def test_what_stands_in_the_place_of_a_store_is_named(folder: Path, tmp_path: Path) -> None:
    """A capture that is called like the lock or the key of a store stays, and one clear error tells."""
    for name, reason in (("lock", "cannot be locked"), ("private/key", "a key has 32 bytes")):
        place = tmp_path / name.replace("/", "-")
        (place / name).parent.mkdir(parents=True)
        (place / name).write_bytes((folder / "one.pcap").read_bytes())
        with pytest.raises(NetinterfError, match=reason):
            netinterf.Campaign(place).collect(folder / "other.pcap")
        assert (place / name).read_bytes() == (folder / "one.pcap").read_bytes()
        assert not (place / "netinterf-store.json").exists()


def test_a_damaged_part_of_a_store_is_named(folder: Path, tmp_path: Path) -> None:
    """It is one line, and no traceback."""
    netinterf.Campaign(tmp_path / "store").collect(folder / "one.pcap")
    (part,) = (tmp_path / "store" / "observations").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-9])
    status, _, problems = run(["campaign", "report", str(tmp_path / "store")])
    assert (status, len(problems.splitlines())) == (2, 1)
    assert f"{part}: this is no whole Parquet file" in problems
