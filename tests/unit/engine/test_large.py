"""Large captures: looked at client by client, they say what they say as a whole, and nobody is lost or met twice."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.packet import Raw

import netinterf
from benchmarks.mixes.catalogue import made
from netinterf import simulate
from netinterf.analyzers.base import observe
from netinterf.analyzers.isolation import Isolation
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.analyzers.run import FAILED
from netinterf.capture import Listing, opening, write_pcap
from netinterf.engine import looking
from netinterf.engine.extract import read_all_again
from netinterf.engine.homes import BUCKETS, Homes
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.large import SHARDED, judge_large
from netinterf.engine.options import Options
from netinterf.engine.shards import Shards, cuts
from netinterf.errors import AnalyzerError, CaptureError, UnsupportedLinkType, UsageError
from netinterf.export.jsonl import lines
from netinterf.schema import Endpoints, Evidence, Grade, IcmpQuotes, Packets, Records
from netinterf.verdict.model import default_model
from tests.oracles import containers as c

RAW = 101
EXACT = ("web", "SYN flood", "silent drops", "isolation", "dropped DNS", "slow handshakes")
"""Mixes in which clients show nothing of each other that weighs."""
SIZES = {"SYN flood": 1_500, "dropped DNS": 1_500, "injected DNS": 2_500}
"""Packets of mixes in which each packet or two is a subject of its own; 6,000 of others."""

MIXES = (*EXACT, "forged resets", "injected DNS", "policed", "frozen", "block pages")


def in_shards(source: Any, name: str, shards: int, **options: Any) -> Judged:
    """Judge a capture in about so many shards."""
    listing = Listing(source)
    parts = list(listing.parts())
    room = max(sum(map(len, parts)) // shards, 1)
    return judge_large(listing, parts, Options(**options), name, room=room)


def told(judged: Judged) -> list[dict[str, Any]]:
    """Write a capture's verdicts, but for how far each stands out among its peers, which are those of its shard."""
    told_of = [json.loads(line) for line in lines(judged, everything=True)]
    return [{key: line[key] for key in line if key != "anomaly"} for line in told_of if line["type"] != "capture"]


def said(judged: Judged) -> list[tuple[Any, ...]]:
    """Say who was judged how."""
    return [
        (str(line["subject"]), line["outcome"], line["grade"], line["mechanism"], line["frames"], str(line["reasons"]))
        for line in told(judged)
        if line["type"] == "verdict"
    ]


def parts_of(judged: Judged) -> int:
    """Read in how many parts a capture was looked at."""
    (message,) = (note.message for note in judged.summary.diagnostics if note.code == SHARDED)
    return int(message.partition(" in ")[2].partition(" parts")[0].replace(",", ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mixes are kept while the tests of this module run."""
    return tmp_path_factory.mktemp("mixes")


@pytest.mark.parametrize("mix", MIXES)
def test_shards_say_what_the_whole_says(mix: str, folder: Path) -> None:
    """Few and many shards: the same verdicts and groups in the same order, and the same counts."""
    path = made(mix, SIZES.get(mix, 6_000), folder=folder)
    whole = judge(path)
    for shards in (2, 8):
        part = in_shards(path, whole.ledger.capture, shards)
        assert said(part) == said(whole)
        counted = attrs.evolve(part.summary, diagnostics=whole.summary.diagnostics)
        assert counted == whole.summary
        assert parts_of(part) > 1
        assert part.ledger.injectors == whole.ledger.injectors
        if mix in EXACT:
            assert told(part) == told(whole)


def test_rows_are_those_of_the_whole(folder: Path) -> None:
    """A verdict of a large capture leads to its packets, and its figure is drawn."""
    path = made("forged resets", 6_000, folder=folder)
    result = netinterf.scan(path)
    part = attrs.evolve(result, judged=(attrs.evolve(in_shards(path, str(path), 4), source=str(path)),))
    assert len(part.findings) == len(result.findings) > 0
    for mine, theirs in zip(part.findings[:5], result.findings[:5], strict=True):
        ours, whole = io.BytesIO(), io.BytesIO()
        part.extract(mine, ours)
        result.extract(theirs, whole)
        assert ours.getvalue() == whole.getvalue()
    assert "<svg" in part.figure(part.findings[0])


def test_what_has_no_addresses_is_counted_and_not_kept(folder: Path) -> None:
    """Of frames without IP shards hold hardly any, and verdicts are those of the capture without them."""
    path = made("web", 3_000, folder=folder)
    records = next(Listing(path).parts())
    plain, arp = Path(path).read_bytes(), c.pcap_record("<", int(records.time[-1] // 10**9), 0, bytes(12) + b"\x08\x06")
    source = plain + arp * 20_000
    listing = Listing(source)
    with Shards("x") as shards:
        for part in listing.parts():
            shards.add(listing.capture([part]))
        assert shards.packets == len(records) + 20_000
        assert sum(len(shard.records) for shard in shards.each(1_000)) <= len(records) + 10
    assert said(in_shards(source, "x", 4)) == said(in_shards(plain, "x", 4))
    assert not in_shards(c.pcap_header() + arp * 50, "x", 2).ledger.verdicts


def test_other_models_judge_it_again(folder: Path) -> None:
    """Judged again under its own model, nothing changes."""
    judged = in_shards(made("injected DNS", 6_000, folder=folder), "x", 4)
    assert told(judged.under(default_model())) == told(judged)


def test_attributions_go_with_their_verdicts(folder: Path) -> None:
    """What a finding looks like is told of it also when it was seen in a later shard."""
    path = made("forged resets", 6_000, folder=folder)
    whole, part = judge(path), in_shards(path, str(path), 4)
    named = {line["subject"]["first_frame"]: line["attribution"] for line in told(whole) if line.get("attribution")}
    assert named
    assert {
        line["subject"]["first_frame"]: line["attribution"] for line in told(part) if line.get("attribution")
    } == named


@cache
def one_client() -> bytes:
    """A client that visits one server after the other."""
    file = io.BytesIO()
    played = simulate.run("browsing", 5, simulate.Conditions.clean(ip=4))
    write_pcap(file, played.times, played.frames, played.link_type)
    return file.getvalue()


def test_a_client_with_too_much_is_looked_at_in_windows() -> None:
    """Each conversation is judged once, everything is counted, and what is cut is said."""
    data = one_client()
    whole = judge(io.BytesIO(data), name="x")
    listing = Listing(io.BytesIO(data))
    most = whole.summary.packets // 3
    judged = judge_large(listing, listing.parts(), Options(), "x", room=most, most=most)
    codes = {note.code: note.count for note in judged.summary.diagnostics}
    assert parts_of(judged) > 1
    assert codes.get("session.released", 0) + codes.get("session.cut", 0) > 0
    for count in ("packets", "bytes", "first", "last"):
        assert getattr(judged.summary, count) == getattr(whole.summary, count)
    first = Counter((line["subject"]["kind"], line["subject"]["first_frame"]) for line in told(judged))
    assert set(first.values()) == {1}
    wanted = {(line["subject"]["kind"], line["subject"]["first_frame"]) for line in told(whole)}
    assert set(first) == wanted
    assert sum(judged.summary.outcomes.values()) == len(wanted)


def test_a_scan_goes_over_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask for it: more packets than are looked at at once, and the capture is cut."""
    path = made("silent drops", 6_000, folder=folder)
    whole = netinterf.scan(path)
    monkeypatch.setattr("netinterf.engine.judge.WHOLE", 2_000)
    monkeypatch.setitem(judge_large.__kwdefaults__, "room", 2_000)
    cut = netinterf.scan(path)
    assert any(note.code == SHARDED for note in cut.captures[0].diagnostics)
    assert said(cut.judged[0]) == said(whole.judged[0])


def test_executors_look_at_shards(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One large file uses them all, by processes or threads, and the answer is the same; what fails comes back."""
    path = made("forged resets", 6_000, folder=folder)
    alone = in_shards(path, str(path), 4)
    for executor in (ProcessPoolExecutor(2), ThreadPoolExecutor(2)):
        with executor:
            listing = Listing(path)
            parts = list(listing.parts())
            room = sum(map(len, parts)) // 4
            judged = judge_large(listing, parts, Options(), str(path), executor=executor, room=room)
            assert told(judged) == told(alone)
            assert judged.summary == alone.summary
    monkeypatch.setattr("netinterf.engine.judge.WHOLE", 2_000)
    monkeypatch.setitem(judge_large.__kwdefaults__, "room", 1_500)
    with ThreadPoolExecutor(2) as pool:
        scanned = netinterf.scan(path, executor=pool)
        assert said(scanned.judged[0]) == said(alone)
        monkeypatch.setattr(RstInjection, "__call__", lambda *_: 1 / 0)
        (error,) = netinterf.scan(path, executor=pool, strict=True).errors
        assert "ZeroDivisionError" in str(error)


def test_parts_of_a_listing_are_the_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the parts in which frames are listed, they are the same, and so is what is said of damage."""
    data = made("web", 6_000, folder=folder).read_bytes()[:-10]
    for size in (1 << 27, 1 << 16, 200):
        monkeypatch.setattr(opening, "PART", size)
        listing = Listing(io.BytesIO(data))
        records = Records.concat(list(listing.parts()))
        if size == 1 << 27:
            whole, notes = records, listing.diagnostics
        assert records.equals(whole)
        assert listing.diagnostics == notes != ()
    with pytest.raises(CaptureError, match="end"):
        list(Listing(io.BytesIO(data), strict=True).parts())


def frames_of(packets: list[Any]) -> Listing:
    """Write packets as a capture of raw IP, a millisecond apart."""
    file = io.BytesIO()
    write_pcap(file, 10**18 + 10**6 * np.arange(len(packets)), [bytes(packet) for packet in packets], RAW)
    return Listing(io.BytesIO(file.getvalue()))


def dealt(listing: Listing, room: int = 1) -> tuple[list[list[int]], list[list[int]]]:
    """Give the frame numbers of each shard, and of what is there as company."""
    with Shards("x") as shards:
        for records in listing.parts():
            shards.add(listing.capture([records]))
        found = list(shards.each(room))
        assert shards.packets == len({frame for shard in found for frame in shard.records.frame.tolist()})
    own = [shard.records.frame[~shard.copied].tolist() for shard in found]
    return own, [shard.records.frame[shard.copied].tolist() for shard in found]


def test_what_belongs_together_stays_together() -> None:
    """Both directions, fragments and ICMP errors are where their conversation is; every frame counts once."""
    packets: list[Any] = []
    owner = []
    for client in range(40):
        near, far = f"10.1.{client}.9", "192.0.2.7"
        question = IP(src=near, dst=far) / UDP(sport=5000 + client, dport=53) / Raw(b"x" * 40)
        mine = [
            IP(src=near, dst=far) / TCP(sport=40000, dport=443, flags="S"),
            IP(src=far, dst=near) / TCP(sport=443, dport=40000, flags="SA"),
            question,
            *fragment(IP(src=far, dst=near) / UDP(sport=53, dport=5000 + client) / Raw(b"y" * 3000), 1400),
            IP(src="203.0.113.1", dst="203.0.113.9") / ICMP(type=3, code=1) / bytes(question),
            IP(src=near, dst=f"198.51.100.{client}") / TCP(sport=50000, dport=33000, flags="A"),
        ]
        packets += mine
        owner += [-1 if ICMP in packet else client for packet in mine]
    found, company = dealt(frames_of(packets))
    assert sorted(frame for shard in found for frame in shard) == list(range(1, len(packets) + 1))
    for shard in found:
        assert shard == sorted(shard)
    place = {frame: number for number, shard in enumerate(found) for frame in shard}
    for client in range(40):
        assert len({place[frame] for frame in range(1, len(packets) + 1) if owner[frame - 1] == client}) == 1
    assert len([shard for shard in found if shard]) > 20  # (40 clients in 1,024 buckets)
    errors = [frame for frame, client in enumerate(owner, 1) if client < 0]
    assert len({place[frame] for frame in errors}) == 1  # one conversation of its own
    for number, client in zip(errors, range(40), strict=True):
        (at,) = {place[frame] for frame in range(1, len(packets) + 1) if owner[frame - 1] == client}
        assert number in company[at] or place[number] == at


def test_a_handshake_says_who_the_client_is() -> None:
    """The end with the SYN is the client though its port is the lower one; without, the higher port is."""
    syn = [IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=20, dport=50000, flags="S")]
    more = [IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=50000, dport=20, flags="A")] * 5
    same_client = [IP(src="10.0.0.1", dst=f"10.9.0.{n}") / UDP(sport=40000, dport=53) for n in range(1, 6)]
    assert len(dealt(frames_of([*more, *syn, *same_client]))[0]) == 1
    late = [IP(src="10.0.0.2", dst="10.0.0.1") / TCP(sport=53, dport=50000, flags="A")]
    assert len(dealt(frames_of([*late, *same_client]))[0]) == 1


def test_shards_are_as_full_as_they_may_be() -> None:
    """Whole buckets, in order, none over the room but single ones."""
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 50, BUCKETS)
    counts[7] = 10_000
    places = cuts(counts, 200)
    sums = [int(counts[first:behind].sum()) for first, behind in pairwise(places)]
    assert (places[0], places[-1]) == (0, BUCKETS)
    assert sorted(sums)[-1] >= 10_000
    assert sorted(sums)[-2] <= 200
    assert sum(sums) == counts.sum()


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for a temporary file, or no folder, the error says so, and of what."""
    listing = frames_of([IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2)])
    parts = list(listing.parts())
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(CaptureError, match="temporary file cannot be written or read: No such file"):
        judge_large(listing, parts, Options(), "x")

    class Full(io.BytesIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    with pytest.raises(CaptureError, match="temporary file cannot be written or read: No space left"):
        judge_large(listing, parts, Options(), "x")


def test_pairs_are_remembered() -> None:
    """Whatever comes between, a pair keeps the bucket that its first packets gave it, in either direction."""
    homes, rng, known = Homes(), np.random.default_rng(2), dict[tuple[int, int], int]()
    for _ in range(60):
        low, high = rng.integers(0, 40, 50), rng.integers(40, 80, 50)
        there = rng.random(50) < 0.5
        ports = rng.integers(1, 65_000, (2, 50)).astype(np.uint16)
        zeros, ends = np.zeros(50, np.uint64), np.where(there, [low, high], [high, low]).astype(np.uint64)
        packets = Packets.empty()
        bucket = homes.of_quotes(
            IcmpQuotes.of(
                packet=np.arange(50), version=zeros + 4, protocol=zeros + 17, ttl=zeros, tos=zeros, ip_id=zeros,
                source_high=zeros, target_high=zeros, source_low=ends[0], target_low=ends[1], source_port=ports[0],
                target_port=ports[1], seq=zeros,
            )
        )  # fmt: skip
        for pair, number in zip(zip(low.tolist(), high.tolist(), strict=True), bucket.tolist(), strict=True):
            assert known.setdefault(pair, number) == number
        assert not len(homes.of_packets(packets, Endpoints.empty()))
    assert len(set(known.values())) > 30


def test_one_routers_errors_are_one_conversation(tmp_path: Path) -> None:
    """Errors about clients of many shards: counted, judged and numbered as in the whole, and read again."""
    packets: list[Any] = []
    for client in range(30):
        near = f"10.1.{client}.9"
        answer = IP(src="10.0.0.1", dst=near) / UDP(sport=7, dport=5000 + client) / Raw(b"x" * 40)
        packets += [
            IP(src=near, dst="10.0.0.1") / UDP(sport=5000 + client, dport=7) / Raw(b"x" * 40),
            answer,
            IP(src="203.0.113.1", dst="10.0.0.1") / ICMP(type=3, code=1) / bytes(answer),
        ]
    path = tmp_path / "errors.pcap"
    write_pcap(path, 10**18 + 10**6 * np.arange(len(packets)), [bytes(packet) for packet in packets], RAW)
    result = netinterf.scan(path)
    part = attrs.evolve(in_shards(path, str(path), 90), source=str(path))
    assert said(part) == said(result.judged[0])
    assert part.summary.flows == 31
    for verdict in part.ledger:
        assert attrs.evolve(result, judged=(part,)).extract(verdict, io.BytesIO()) > 0


def test_what_was_cut_is_read_again_by_its_first_frame(tmp_path: Path) -> None:
    """Windows make other rows than the whole has; conversations are found all the same."""
    path = tmp_path / "one.pcap"
    path.write_bytes(one_client())
    listing = Listing(path)
    most = sum(map(len, listing.parts())) // 3
    listing = Listing(path)
    judged = attrs.evolve(
        judge_large(listing, listing.parts(), Options(), str(path), room=most, most=most), source=str(path)
    )
    result = attrs.evolve(netinterf.scan(path), judged=(judged,))
    with pytest.raises(UsageError, match="window by window"):
        read_all_again(judged)
    for verdict in list(judged.ledger)[:20]:
        if verdict.group is None:
            written = io.BytesIO()
            assert result.extract(verdict, written) > 0
            packets = netinterf.read(written.getvalue())
            assert {packets.address(packets.flows.client[0]), packets.address(packets.flows.server[0])} == {
                verdict.subject.client,
                verdict.subject.server,
            }


def test_what_cannot_be_decoded_is_refused_or_counted() -> None:
    """Frames of an unknown link type: none but these are refused as in a small capture; with strict any is."""
    file = io.BytesIO()
    write_pcap(file, [1, 2, 3], [b"x" * 60] * 3, 147)
    listing = Listing(io.BytesIO(file.getvalue()))
    with pytest.raises(UnsupportedLinkType, match="147"):
        judge_large(listing, listing.parts(), Options(), "x")
    known = c.section("<") + c.interface("<", 147) + c.interface("<", 101)
    known += b"".join(c.enhanced("<", tick, b"x" * 60) for tick in range(3))
    listing = Listing(io.BytesIO(known))
    with pytest.raises(UnsupportedLinkType, match="147"):  # an interface without frames changes nothing
        judge_large(listing, listing.parts(), Options(), "x")
    listing = Listing(io.BytesIO(file.getvalue()), strict=True)
    with pytest.raises(UnsupportedLinkType, match="147"):
        judge_large(listing, listing.parts(), Options(strict=True), "x")


def test_a_joint_analyzer_that_fails_costs_its_own_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At either step, or with an answer of no use: the others stand and a note names it; with strict it is an error."""
    path = made("silent drops", 6_000, folder=folder)
    whole = said(judge(path))

    def fail(*_: object) -> None:
        raise ValueError("no")

    def nobody(*_: object) -> Evidence:
        told = Isolation.rules[0]
        return observe(Isolation(), told, subject=[10**6], time=0, llr=1.0, witness=[[1]], measured={})

    answers = {"raise": fail, "give nothing": lambda *_: None, "name nobody": nobody}
    steps = [("observe", "raise"), *(("conclude", answer) for answer in answers)]
    for step, answer in steps:
        with monkeypatch.context() as patched:
            patched.setattr(Isolation, step, answers[answer])
            judged = in_shards(path, str(path), 3)
            assert said(judged) == whole
            notes = [note for note in judged.summary.diagnostics if note.code == FAILED]
            assert ["isolation" in note.message for note in notes] == [True]
            with pytest.raises(AnalyzerError, match="isolation"):
                in_shards(path, str(path), 3, strict=True)


def captures_with_clients(folder: Path) -> Iterator[Path]:
    """List every eightieth shared capture."""
    files = sorted(path for path in folder.rglob("*") if ".pcap" in path.name and path.stat().st_size < 300_000)
    yield from files[::80]


def test_real_captures_accuse_nobody_else_in_shards(captures_dir: Path) -> None:
    """A sample of the shared captures: nobody is accused who is not by the whole, and hardly a verdict differs."""
    subjects = different = 0
    accused = (Grade.CONFIRMED.value, Grade.LIKELY.value)
    for path in captures_with_clients(captures_dir):
        try:
            whole = judge(path)
        except CaptureError:
            continue
        if len(np.unique(whole.ledger.flows.client)) < 2:
            continue
        verdicts = {entry[0]: entry for entry in said(whole)}
        for shards in (2, 16):
            for entry in said(in_shards(path, whole.ledger.capture, shards)):
                known = verdicts.get(entry[0])
                subjects += 1
                different += known is None or entry[1:4] != known[1:4]
                assert entry[2] not in accused or (known is not None and known[2] in accused), (path, entry)
    assert subjects > 50
    assert different <= subjects // 20


def test_the_clock_of_a_shard_is_that_of_the_whole(folder: Path) -> None:
    """What is silent to the end of the capture is silent until then, also where its client's last packet is earlier."""
    path = made("silent connects", 6_000, folder=folder)
    assert said(in_shards(path, str(path), 16)) == said(judge(path))


def test_copies_of_errors_take_room_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors about one client, however many, do not take a window beyond its bound."""
    packets: list[Any] = []
    for number in range(120):
        asked = IP(src="10.1.0.9", dst=f"10.9.0.{number}") / TCP(sport=2_000 + number, dport=80, flags="S")
        error = IP(src="203.0.113.1", dst="10.2.0.1") / ICMP(type=3, code=1) / bytes(asked)[:28]
        packets += [asked, error, error, error]
    file = io.BytesIO()
    write_pcap(file, 10**18 + 10**6 * np.arange(len(packets)), [bytes(packet) for packet in packets], RAW)
    held: list[int] = []
    real = looking.judge_window

    def judge_window(capture: Any, *given: Any, **named: Any) -> Any:
        held.append(len(capture.records))
        return real(capture, *given, **named)

    monkeypatch.setattr("netinterf.engine.looking.judge_window", judge_window)
    listing = Listing(io.BytesIO(file.getvalue()))
    judged = judge_large(listing, list(listing.parts()), Options(), "x", room=100, most=100)
    assert judged.summary.packets == 480
    assert len(held) > 4
    assert max(held) <= 100
