"""One folder and nothing else: whatever a path is, it opens no file outside, and says nothing of one."""

import os
import socket
from pathlib import PurePath

import pytest

from netinterf.assistants import root as module
from netinterf.assistants.root import Root
from netinterf.errors import ParameterError, RefusedPath

SECRET = b"outside"


@pytest.fixture(params=["beneath", "checked"])
def root(request, tmp_path, monkeypatch):
    """Serve a folder beside others, in both ways in which systems open files."""
    if request.param == "checked":
        monkeypatch.setattr(module, "BENEATH", False)
    elif not module.BENEATH:
        pytest.skip("this system opens nothing beneath an open folder")
    inside = tmp_path / "root"
    (inside / "below").mkdir(parents=True)
    (inside / "below" / "a.pcap").write_bytes(b"inside")
    (tmp_path / "root-beside").mkdir()
    for place in (tmp_path, tmp_path / "root-beside"):
        (place / "secret").write_bytes(SECRET)
    links = {
        "in": "below/a.pcap",
        "folder": "below",
        "out": "../secret",
        "absolute": str(tmp_path / "secret"),
        "up": "..",
        "twice": "out",
        "loop": "loop",
        "device": os.devnull,
    }
    for name, target in links.items():
        (inside / name).symlink_to(target)
    return Root(str(inside))


def test_files_inside_are_opened(root):
    """By any way to them that stays or ends inside: links within the folder too."""
    for path in ("below/a.pcap", "./below/../below/a.pcap", "in", "folder/a.pcap", os.path.join(root.path, "in")):
        with root.open(path) as file:
            assert file.read() == b"inside"


@pytest.mark.parametrize(
    "path",
    [
        *("../secret", "below/../../secret", "../root-beside/secret", "/etc/passwd", "/", "..", "up/secret", "up"),
        *("out", "absolute", "twice", "loop", "device", "below/nothing", "below/a.pcap/more", "below", ".", ""),
        *("-", "http://example.com/a.pcap", "file:///etc/passwd", "below/a.pcap\0", "\0", "a" * 5000, "a" * 300),
        *("\ud800", "below/\udcff", "~", "~root/x", "$HOME", "*", "below/*.pcap", "C:\\x", "\\\\server\\share"),
    ],
)
def test_all_else_is_refused(root, path):
    """The error is of our own, and repeats neither the path nor where it leads."""
    for place in (path, os.path.join(root.path, path) if path else path):
        with pytest.raises(RefusedPath) as refused:
            root.open(place)
        assert root.path not in str(refused.value)
        assert "secret" not in str(refused.value)
        assert "passwd" not in str(refused.value)


def test_what_is_there_outside_is_not_told(root):
    """A path that leads out gives the same answer whether there is something or not."""
    said = set()
    for path in ("../secret", "../nothing", "/etc/passwd", "/nothing/there", "up/secret", "up/nothing"):
        with pytest.raises(RefusedPath) as refused:
            root.open(path)
        said.add(str(refused.value))
    assert len(said) == 1


def test_what_is_no_regular_file_is_refused_at_once(root):
    """A pipe without a writer makes nobody wait, and is not read; nor is a socket."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no such pipes")
    os.mkfifo(os.path.join(root.path, "pipe"))
    names = ["pipe"] if module.BENEATH else []  # (where there are pipes, files are opened beneath)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(root.path, "s"))
        for name in (*names, "s"):
            with pytest.raises(RefusedPath):
                root.open(name)


@pytest.mark.parametrize("moved", ["below", "below/a.pcap"])
def test_a_link_that_is_put_in_meanwhile_does_not_help(root, tmp_path, monkeypatch, moved):
    """Between the look at a path and its opening a folder or file becomes a link that leads out."""
    place = Root.place

    def swapped(self, given):
        found = place(self, given)
        os.rename(os.path.join(self.path, moved), tmp_path / "away")
        target = tmp_path if moved == "below" else tmp_path / "secret"
        os.symlink(target, os.path.join(self.path, moved))
        return found

    (tmp_path / "a.pcap").write_bytes(SECRET)
    monkeypatch.setattr(Root, "place", swapped)
    with pytest.raises(RefusedPath):
        root.open("below/a.pcap")


def test_folders_with_links_are_not_handed_on(root):
    """A reader that takes a path gets folders in which nothing leads out."""
    assert root.folder("below") == os.path.join(root.path, "below")
    for path in (".", "nothing", "in", "..", "up"):
        with pytest.raises(RefusedPath):
            root.folder(path)


def test_links_are_not_walked(root):
    """What lies below is listed in order, without links."""
    os.mkdir(os.path.join(root.path, "z"))
    assert list(root.walk()) == ["below/", "z/", "below/a.pcap"]
    assert root.place("below/a.pcap") == PurePath("below/a.pcap")


def test_a_folder_that_is_none_is_refused(tmp_path):
    """What is served must be there."""
    with pytest.raises(ParameterError, match="root"):
        Root(str(tmp_path / "nothing"))
