"""Answers are written whole or not at all, never onto what they were made from, and with nothing live in them."""

import io
import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.writing import NewFile, dump, opened, printable, readable, refuse_overwriting, write_lines, write_text

CONTROLS = [
    *range(0x20),
    0x7F,
    *range(0x80, 0xA0),
    0x61C,
    *(0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    *(0xD800, 0xDFFF),
]
"""What must never reach a terminal."""


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    """Until then the old one stands; nothing else is left in the folder."""
    place = tmp_path / "report.txt"
    place.write_text("old", encoding="utf-8")
    with NewFile(place) as file:
        file.stream.write(b"new")
        assert place.read_text(encoding="utf-8") == "old"
    assert place.read_text(encoding="utf-8") == "new"
    assert os.listdir(tmp_path) == ["report.txt"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """An error on the way leaves the old file, or none where there was none, and nothing beside it."""

    def pieces() -> Iterator[str]:
        yield "half"
        raise RuntimeError

    place = tmp_path / "report.txt"
    place.write_text("old", encoding="utf-8")
    for path in (place, tmp_path / "absent.txt"):
        with pytest.raises(RuntimeError):
            write_text(path, pieces())
    assert place.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["report.txt"]


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    """Each writes its own, by turns; the place holds all of one, whoever was last, and then all of the other."""
    place = tmp_path / "report.txt"
    one, other = NewFile(place), NewFile(place)
    for _ in range(3):
        one.stream.write(b"one ")
        one.stream.flush()
        other.stream.write(b"other ")
        other.stream.flush()
    other.finish()
    assert place.read_bytes() == b"other " * 3
    one.finish()
    assert place.read_bytes() == b"one " * 3
    assert os.listdir(tmp_path) == ["report.txt"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    """A replaced file keeps its permissions, a link leads where it led, and what may not be written is not replaced."""
    place, link = tmp_path / "report.txt", tmp_path / "link.txt"
    place.write_text("old", encoding="utf-8")
    place.chmod(0o640)
    link.symlink_to(place.name)
    write_lines(link, ["new"])
    assert link.is_symlink()
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (b"new\n", 0o640)
    plain, usual = tmp_path / "plain.txt", tmp_path / "usual.txt"
    write_lines(plain, [])
    usual.touch()
    assert plain.stat().st_mode == usual.stat().st_mode
    with pytest.raises(OSError, match=r".+"), opened(tmp_path / "absent" / "report.txt"):
        pass


def test_pipes_and_open_files_are_written_to_at_once(tmp_path: Path) -> None:
    """A named pipe is no file that could be replaced; what is open already is left open."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    write_lines(pipe, ["one", "two"])
    reader.join()
    assert heard == [b"one\ntwo\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    held = io.BytesIO()
    with opened(held) as file:
        file.write(b"bytes")
    assert held.getvalue() == b"bytes"


def test_an_output_is_never_an_input(tmp_path: Path) -> None:
    """The same file is seen through links of both kinds and other spellings; other files and devices are fine."""
    one, hard, soft, other = (tmp_path / name for name in ("one", "hard", "soft", "other"))
    one.write_bytes(b"capture")
    other.write_bytes(b"capture")
    os.link(one, hard)
    soft.symlink_to(one)
    spelled = (f"{tmp_path}/./one", f"{tmp_path}/../{tmp_path.name}/one", f"{tmp_path}/nowhere/../one")
    for target in (one, hard, soft, *spelled):
        with pytest.raises(ParameterError, match=r"out.*another file"):
            refuse_overwriting(target, [str(other), str(one)])
    with one.open("rb") as file, pytest.raises(ParameterError, match="another file"):
        refuse_overwriting(one, [file])
    refuse_overwriting(other, [str(one), b"bytes", io.BytesIO(), None, "absent"])
    refuse_overwriting(tmp_path / "new", [str(one)])
    refuse_overwriting(os.devnull, [os.devnull])
    refuse_overwriting(io.BytesIO(), [str(one)])


@pytest.mark.parametrize("code", CONTROLS)
def test_nothing_live_is_shown(code: int) -> None:
    """Controls become U+FFFD for people, and escapes in JSON, which read as what they were."""
    sign = chr(code)
    assert printable(f"a{sign}b") == "a\N{REPLACEMENT CHARACTER}b"
    line = dump({"name": f"a{sign}b", sign: 1})
    assert line.isprintable()
    assert json.loads(line) == {"name": f"a{sign}b", sign: 1}


def test_names_fill_no_screen() -> None:
    """A word that is longer than any name is shown by its ends; other words, and JSON, stay as they are."""
    long, path = "a" * 5000 + "\x1b" + "z" * 5000, "b" * 255
    shown = readable(f"from {long} to {path}")
    assert shown == f"from {'a' * 127}…{'z' * 127} to {path}"
    assert readable(shown) == shown
    assert json.loads(dump({"name": long}))["name"] == long


@given(st.text(st.characters(exclude_categories=[])))
def test_json_is_safe_and_exact(text: str) -> None:
    """Any text survives a line of JSON, of which nothing has to be replaced; what can be read stays readable."""
    line = dump({"text": text})
    assert printable(line) == line
    assert json.loads(line) == {"text": text}
    assert printable(printable(text)) == printable(text)
    assert all(sign in line for sign in text if sign.isalnum())
