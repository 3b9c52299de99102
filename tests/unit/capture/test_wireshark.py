"""Frame numbers, times and lengths are those that Wireshark shows."""

import csv
from decimal import Decimal

import pytest

from netinterf.capture import open_capture
from tests.oracles import containers as c

pytestmark = pytest.mark.tshark


def shown(tshark, path):
    """List number, time, length and captured length of frames as tshark shows them; no time is 0."""
    names = ("frame.number", "frame.time_epoch", "frame.len", "frame.cap_len")
    return [
        (int(number), int(Decimal(time or 0) * 10**9), int(length), int(captured))
        for number, time, length, captured in tshark(path, *names)
    ]


def listed(capture):
    """List the same of a capture."""
    rows = capture.records
    return list(zip(*(v.tolist() for v in (rows.frame, rows.time, rows.length, rows.captured)), strict=True))


@pytest.mark.captures
def test_public_captures_look_like_in_wireshark(tshark, captures_dir):
    """A spread of public captures gives the frames that tshark lists."""
    with open(captures_dir / "CATALOG.csv", encoding="utf-8") as file:
        catalog = [row for row in csv.DictReader(file) if int(row["bytes"]) < 100_000 and row["kind"] != "hostile"]
    names = [row["file"] for row in catalog if row["file"].endswith(".pcapng")][::25]
    names += [row["file"] for row in catalog if row["file"].endswith(".gz")][:2] + [r["file"] for r in catalog[::200]]
    for name in names:
        assert shown(tshark, captures_dir / name) == listed(open_capture(captures_dir / name)), name


@pytest.mark.captures
def test_counts_agree_with_the_catalog(captures_dir):
    """Every public capture that no reader calls damaged has as many frames as its catalogue says."""
    with open(captures_dir / "CATALOG.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if "reader:" not in row["notes"]]
    wrong = [
        row["file"] for row in rows if int(row["packets"]) != len(open_capture(captures_dir / row["file"]).records)
    ]
    assert wrong == []


def test_numbered_blocks_without_packet_are_gaps(tshark, tmp_path):
    """Journal and custom blocks take a number in Wireshark and here; others take none."""
    order, frame = "<", bytes(60)
    data = c.section(order) + c.interface(order, resolution=9)
    for kind in [9, 5, 0xBAD, 0x777, 0x40000BAD, 0x204, 0x216, 0x221, 0x208, 0x217, 4]:
        body = b"\x78\x7e\0\0" + bytes(60) if kind != 9 else b"__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=hi\n\n"
        data += c.enhanced(order, 1_700_000_000_000_000_000 + kind, frame) + c.block(order, kind, body)
    data += c.simple(order, frame) + c.enhanced(order, 1_700_000_000_000_000_000, frame, 90)
    file = tmp_path / "gaps.pcapng"
    file.write_bytes(data)
    capture = open_capture(file)
    numbers = set(capture.records.frame.tolist())
    assert [row for row in shown(tshark, file) if row[0] in numbers] == listed(capture)
    assert len(shown(tshark, file)) == int(capture.records.frame[-1])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("resolution", [3, 6, 9, 0x80 + 20, 0x80 + 30])
def test_times_agree(order, resolution, tshark, tmp_path):
    """Times in odd resolutions, with an offset, are those that Wireshark shows."""
    power = resolution & 127
    unit = 2**power if resolution & 128 else 10**power
    data = c.section(order) + c.interface(order, resolution=resolution, offset=-3600)
    for number in range(5):
        data += c.enhanced(order, 1_700_000_000 * unit + unit * number // 7, bytes(60))
    file = tmp_path / "times.pcapng"
    file.write_bytes(data)
    assert shown(tshark, file) == listed(open_capture(file))
