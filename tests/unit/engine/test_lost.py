"""Workers that are ended, or lack memory, cost the capture that they were at, and no other."""

import gc
import multiprocessing
import os
import resource
import shutil
import signal
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import pytest

from netinterf.analyzers.base import Scope
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.capture import Capture, Listing, write_pcap
from netinterf.engine.each import NO_MEMORY, judge_path
from netinterf.engine.large import judge_large
from netinterf.engine.lost import SURVIVED_BY_NOBODY
from netinterf.engine.options import Options
from netinterf.engine.scan import scan
from netinterf.errors import CaptureError, UsageError
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

FRESH = multiprocessing.get_context("forkserver")  # its processes begin with what it has loaded
FRESH.set_forkserver_preload(["netinterf.engine.large", "netinterf.analyzers.registry"])


@attrs.frozen(kw_only=True)
class Ended:
    """Look for resets, and be ended by the system: at captures of this name, or once, until a file is there."""

    name: ClassVar[str] = "ended"
    scope: ClassVar[Scope] = Scope.FLOW
    rules: ClassVar[tuple[Rule, ...]] = RstInjection().rules
    at: str = "deadly"
    once: str = ""

    def __call__(self, trace: Trace, /) -> Evidence:
        """Look, or end."""
        if self.at in trace.source and not (self.once and os.path.exists(self.once)):
            if self.once:
                Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Evidence.empty()


def copies(folder: Path, *names: str) -> list[str]:
    """Copy a capture a few times."""
    return [str(shutil.copy(folder / "below" / "reset.pcap", folder / f"{name}.pcap")) for name in names]


def test_a_worker_that_is_ended_costs_its_capture(folder: Path) -> None:
    """The capture that no worker survives is named; all others are judged, also those beside it and behind it."""
    paths = copies(folder, "a", "deadly", "b", "c")
    with ProcessPoolExecutor(2, mp_context=FRESH) as pool:
        result = scan(paths, analyzers=[Ended()], executor=pool)
    assert [summary.capture for summary in result.captures] == [path for path in paths if "deadly" not in path]
    assert [(error.source, error.reason) for error in result.errors] == [(paths[1], SURVIVED_BY_NOBODY)]


def test_a_shard_that_no_worker_survives_costs_its_capture(folder: Path) -> None:
    """One large capture whose shards are looked at side by side: lost by chance it is whole, else an error names it."""
    (path,) = copies(folder, "deadly")
    for ended, fails in ((Ended(once=str(folder / "was-here")), False), (Ended(), True)):
        options, listing = Options(analyzers=[ended]), Listing(path)
        parts = list(listing.parts())
        with ProcessPoolExecutor(1, mp_context=FRESH) as pool:
            if fails:
                with pytest.raises(CaptureError, match="ended by the system") as caught:
                    judge_large(listing, parts, options, path, executor=pool, room=40)
                assert caught.value.source == path
            else:
                judged = judge_large(listing, parts, options, path, executor=pool, room=40)
                assert judged.summary.outcomes == judge_large(listing, parts, options, path, room=40).summary.outcomes


def end() -> None:
    """End the worker that begins."""
    os._exit(1)


def test_workers_that_never_live_are_no_fault_of_captures(folder: Path) -> None:
    """Where no worker answers anything, that is said once, and no capture is blamed."""
    with (
        ProcessPoolExecutor(1, mp_context=FRESH, initializer=end) as pool,
        pytest.raises(UsageError, match="no worker of the executor lives"),
    ):
        scan(copies(folder, "a", "b"), executor=pool)


def with_little_memory() -> None:
    """Let the worker that begins take 100 MB more than it has."""
    import netinterf.engine.judge  # (what it loads does not count)

    assert netinterf.engine.judge
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + (100 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit counts from what a process has")
def test_a_capture_that_memory_does_not_suffice_for_is_named(folder: Path) -> None:
    """Many conversations need more than the limit: the worker stays, and judges the others."""
    large, small = str(folder / "large.pcap"), copies(folder, "a", "b")
    packet = np.frombuffer(bytes.fromhex("4500001c00004000401100000a00000108080808 0000003500080000"), np.uint8)
    frames = np.tile(packet, (300_000, 1))
    frames[:, 12:16] = np.arange(0x0A000000, 0x0A000000 + len(frames), dtype=">u4").view(np.uint8).reshape(-1, 4)
    write_pcap(large, 10**18 + np.arange(len(frames)) * 1000, [frame.data for frame in frames], 101)
    with ProcessPoolExecutor(1, mp_context=FRESH, initializer=with_little_memory) as pool:
        result = scan([small[0], large, small[1]], analyzers=["rst_injection"], executor=pool)
    assert [summary.capture for summary in result.captures] == small
    assert [(error.source, error.reason) for error in result.errors] == [(large, NO_MEMORY)]


def test_want_of_memory_is_no_fault_of_the_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the capture, also where faults are raised, and in threads."""

    def scarce(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 65.7 GiB")

    (path,) = copies(folder, "a")
    monkeypatch.setattr("netinterf.engine.judge.decode_capture", scarce)
    error = judge_path(path, Options(strict=True))
    assert isinstance(error, CaptureError)
    assert error.reason == NO_MEMORY
    with ThreadPoolExecutor(2) as pool:
        assert len(scan([path, *copies(folder, "b")], executor=pool).errors) == 2


def test_errors_hold_no_capture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in memory when a capture failed is not kept with its error, whatever failed."""
    (path,) = copies(folder, "a")
    for fault in (MemoryError("65.7 GiB"), KeyError("bug"), CaptureError(path, "damaged")):
        seen: list[weakref.ref[object]] = []

        def fails(capture: Capture, *, fault: Exception = fault, seen: list[Any] = seen, **_: object) -> None:
            seen.append(weakref.ref(capture.records.time))
            raise fault

        monkeypatch.setattr("netinterf.engine.judge.decode_capture", fails)
        result = scan(path)
        gc.collect()
        assert len(result.errors) == len(seen) == 1
        assert seen[0]() is None
