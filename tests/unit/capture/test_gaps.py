"""Gaps between files are known where something says that packets are missing, and a mere pause is none."""

import pytest

from netinterf.capture.gaps import find_gaps, gap_notes
from netinterf.schema import File, Files

SECOND = 10**9


def rotated(names, *, pauses=None, packets=10_000, within=SECOND):
    """Make files of ten seconds, each a second behind the one before."""
    files, at = [], 0
    for place, name in enumerate(names):
        at += (pauses or {}).get(place, SECOND)
        files.append(File(name, 1 + packets * place, at, at + 10 * SECOND, within, packets))
        at += 10 * SECOND
    return Files(tuple(files))


def dumpcap(*numbers):
    """Name files as dumpcap does, started at different times."""
    return [f"trace_{number:05}_202601010000{place:02}.pcapng" for place, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("names", "after"),
    [
        (["t1.pcap", "t2.pcap", "t3.pcap"], []),
        (["t1.pcap", "t2.pcap", "t4.pcap", "t5.pcap"], [2]),
        (["t8.pcap", "t9.pcap", "t10.pcap", "t12.pcap"], [3]),
        (["t3.pcap", "t4.pcap", "t1.pcap", "t2.pcap"], []),  # a ring that began anew
        (["t.pcap", "t.pcap1", "t.pcap2", "t.pcap4"], [3]),  # tcpdump -C
        (["t.pcap", "t.pcap2", "t.pcap3"], [1]),
        (["t1.pcap", "t3.pcap"], [1]),
        (["t20260101.pcap", "t20260103.pcap"], []),  # dates count nothing
        (["12-00-00.pcap", "12-05-00.pcap", "12-10-00.pcap"], []),
        (["12-00-00.pcap", "12-05-00.pcap"], []),
        (["t2.pcap", "t9.pcap", "t4.pcap"], []),  # neither do numbers without order
        (["a.pcap", "b.pcap"], []),
        (dumpcap(7, 8, 9), []),
        (dumpcap(7, 8, 10), [2]),
        (dumpcap(7, 9), [1]),
        (dumpcap(7, 8, 1, 2), [2]),
        (dumpcap(99_999, 0, 1), []),
        (dumpcap(1, 1), [1]),
    ],
)
def test_numbers_in_names(names, after):
    """A number that is left out, or a count that begins anew, is a gap; a ring, a date and a time of day are none."""
    assert [gap.after for gap in find_gaps(rotated(names))] == after


def test_a_number_of_a_file_without_packets_is_not_missing():
    """A file that holds nothing was there."""
    files = rotated(["t1.pcap", "t2.pcap", "t4.pcap"])
    assert len(find_gaps(files)) == 1
    assert find_gaps(Files((*files, File("t3.pcap", 30_001)))) == ()


def test_a_file_that_could_not_be_read():
    """It is missing between those of the names around it, or at an end, where nothing is."""
    files = rotated(["a1.pcap", "a2.pcap", "b1.pcap"])
    assert [gap.after for gap in find_gaps(files, ["a3.pcap"])] == [2]
    assert find_gaps(files, ["c.pcap"]) == ()


@pytest.mark.parametrize(
    ("pause", "packets", "found"),
    [(50, 10_000, 0), (101, 10_000, 1), (101, 100, 0)],
)
def test_a_pause(pause, packets, found):
    """It is a gap where it is far longer than those within, and files are long enough that chance did not cut there."""
    files = rotated("xyz", pauses={1: pause * SECOND}, packets=packets)
    gaps = find_gaps(files)
    assert [(gap.began, gap.ended) for gap in gaps] == [(files.each[0].ended, files.each[1].began)] * found
    assert [note.count for note in gap_notes(gaps)] == [1] * found


def test_files_that_overlap_have_no_gap():
    """While one tap recorded, something was recorded."""
    files = Files((File("t1", 1, 0, 90, 1, 10), File("t2", 11, 10, 20, 1, 10), File("t4", 21, 50, 99, 1, 10)))
    assert find_gaps(files) == ()
