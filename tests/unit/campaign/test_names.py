"""Which names and servers a store tells, and that nothing else does."""

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf import Campaign
from netinterf.campaign.stored import names
from netinterf.campaign.stored.keys import keyed
from netinterf.campaign.stored.parts import Aside, commit
from netinterf.campaign.stored.schema import CAPTURES, SEEN
from netinterf.campaign.stored.store import Store
from netinterf.errors import ParameterError
from tests.unit.campaign.captures import write

ASKED = st.lists(
    st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from("abcde"), st.integers(1, 6)), max_size=12
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where stores are made."""
    return tmp_path_factory.mktemp("stores")


@settings(max_examples=12, deadline=None)
@given(st.lists(ASKED, max_size=4), st.sets(st.sampled_from(["a.example.com", "*.b.example.com", "z.org"])))
def test_names_are_told_that_several_met_or_that_are_listed(folder, batches, listed):
    """Two places, five clients of one capture, or the list: by looking at each, whatever the order of parts."""
    store = Store(folder / str(len(list(folder.iterdir()))))
    with store.locked():
        store.make()
        for number, asked in enumerate(batches):
            add(store, f"{number}", asked)
        if listed:
            (store.path / "list").write_text("# names\n" + "\n".join(name.upper() for name in listed) + "\n", "utf-8")
            names.list_names(store, store.path / "list")
        names.publish(store)
    places, clients = defaultdict(set), defaultdict(int)
    for place, letter, count in (one for asked in batches for one in asked):
        places[letter].add(place)
        clients[letter] = max(clients[letter], count)
    several = {letter for letter in places if len(places[letter]) > 1 or clients[letter] > 4}
    known = {letter for letter in places if {f"{letter}.example.com", f"*.{letter}.example.com"} & listed}
    told = pa.Table.from_batches(Campaign(store.path).names(), NAMES).to_pylist()
    assert {row["name"] for row in told} == {f"{letter}.example.com" for letter in several | known}
    assert all(row["name_key"] == key_of(store, row["name"]) for row in told)
    servers = pa.Table.from_batches(Campaign(store.path).servers(), SERVERS).to_pylist()
    assert {row["address"] for row in servers} == {f"198.51.100.{ord(letter)}" for letter in several}


NAMES, SERVERS = (table.schema.remove_metadata() for table in (names.NAMES, names.SERVERS))


def key_of(store, name):
    """Number a name."""
    return int(keyed(store.secret(), "netinterf.name", [name.encode()])[0])


def add(store, number, asked):
    """Add a part in which places asked for names, and for servers without one."""
    aside, most = Aside(), {}
    for place, letter, clients in asked:
        name = f"{letter}.example.com"
        for row in (
            {"kind": "name", "key": key_of(store, name), "text": name},
            {"kind": "server", "key": ord(letter), "text": f"198.51.100.{ord(letter)}", "port": 443},
        ):
            known = most.setdefault((row["key"], place), row | {"place": place, "clients": 0})
            known["clients"] = max(known["clients"], clients)
    aside.add(SEEN, SEEN.of_rows(list(most.values())))
    aside.add(CAPTURES, CAPTURES.of_rows([{"capture": number, "path": number, "size": 0, "mtime_ns": 0}]))
    aside.finish(store.pending / number)
    commit(store, store.pending / number, number)


def test_what_is_hidden_is_in_no_file_that_is_handed_on(tmp_path):
    """Of names and servers that one client met, no text is anywhere but in the private part."""
    Campaign(tmp_path / "s").collect(write(tmp_path / "in", 1), place="one")
    hidden = [row["text"] for row in pa.Table.from_batches(names.batches(Store(tmp_path / "s"))).to_pylist()]
    assert any("example" in text for text in hidden)
    files = [file for file in (tmp_path / "s").rglob("*") if file.is_file() and "private" not in file.parts]
    for file in files:
        told = file.read_bytes().decode("latin-1")
        if file.suffix == ".parquet":
            told = str(pa.Table.from_batches(names.parquet_batches(str(file)), None).to_pylist()) if rows(file) else ""
        assert not [text for text in hidden if text in told], file


def rows(file):
    """Count the rows of a file."""
    return sum(batch.num_rows for batch in names.parquet_batches(str(file)))


def test_a_list_that_comes_later_tells_more(tmp_path):
    """Nothing has to be collected anew, and what was listed once stays so."""
    paths = write(tmp_path / "in", 1)
    Campaign(tmp_path / "s").collect(paths)
    assert pa.Table.from_batches(Campaign(tmp_path / "s").names(), NAMES).num_rows == 0
    (tmp_path / "list").write_text("*.com\n*.net  # all of them\n\n*.org\n", encoding="utf-8")
    assert Campaign(tmp_path / "s").collect(paths, names=tmp_path / "list").known == 1
    told = pa.Table.from_batches(Campaign(tmp_path / "s").names(), NAMES).num_rows
    assert told > 0
    Campaign(tmp_path / "s").collect(paths)
    assert pa.Table.from_batches(Campaign(tmp_path / "s").names(), NAMES).num_rows == told


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_list_that_cannot_be_read_is_named(tmp_path, content):
    """One line says what it must be."""
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    with pytest.raises(ParameterError, match="readable text file"):
        Campaign(tmp_path / "s").collect(tmp_path, names=tmp_path / "list")
