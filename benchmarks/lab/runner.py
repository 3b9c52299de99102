"""Runs scenarios: namespaces, programs and captures of each, several side by side, then the labels."""

import concurrent.futures
import contextlib
import fnmatch
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from benchmarks.lab import netns
from benchmarks.lab.certificates import authority
from benchmarks.lab.join import labels, packed
from benchmarks.lab.plays import SCENARIOS
from benchmarks.lab.processes import Programs
from benchmarks.lab.scenario import TRUSTED, Scenario, Stage
from benchmarks.lab.wire import frames

__all__ = ["Made", "make", "play"]

SETTLE = 0.4  # seconds for the last packets to cross the path and reach the capture files
SIDES = ("client", "server")
Beside = Callable[[str], contextlib.AbstractContextManager[object]]
ATTEMPTS = 3  # a capture that lost packets is made again


@attrs.frozen
class Made:
    """What one run gave."""

    scenario: str
    seed: int
    captures: tuple[Path, ...]
    seconds: float
    packets: int
    problems: tuple[str, ...]  # log entries that no frame answers to
    worst_late: float  # seconds, of the box's timers
    mean_late: float
    reports: tuple[dict[str, Any], ...]  # of the client's errands


@contextlib.contextmanager
def namespaces(stage: Stage) -> Iterator[dict[str, str]]:
    """Make the namespaces of a run and delete them afterwards."""
    tag = f"lab-{os.getpid()}-{abs(hash((stage.scenario.name, stage.seed))) % 10**8}"
    sides = [*SIDES, "aside"] if stage.aside else list(SIDES)
    names = {side: f"{tag}-{side}" for side in sides}
    made: list[str] = []
    try:
        for name in names.values():
            netns.add(name)
            made.append(name)
        yield names
    finally:
        for name in made:
            netns.remove(name)


def box_spec(stage: Stage, names: dict[str, str]) -> dict[str, Any]:
    """Say what the box shall be."""
    return {
        "namespaces": names,
        "lines": stage.lines,
        "rules": stage.rules,
        "nat": stage.nat,
        "seed": stage.seed,
        "log": str(stage.folder / "box.log"),
        "spread": {packed(address).hex(): hops for address, hops in stage.spread.items()},
    }


def set_up(stage: Stage, names: dict[str, str]) -> None:
    """Configure the hosts."""
    sites = [address for service in stage.aside for address in service["addresses"]]
    own = {"client": [stage.four, stage.six], "server": stage.hosts, "aside": sites}
    for side, name in names.items():
        netns.set_up(name, own[side])
        values = {"ipv4/tcp_no_metrics_save": "1", **stage.settings.get(side, {})}
        netns.settings(name, values)
    ttl = int(stage.settings["server"]["ipv4/ip_default_ttl"])
    netns.settings(names["server"], {"ipv6/conf/all/hop_limit": str(ttl), "ipv6/conf/eth0/hop_limit": str(ttl)})


def start_servers(stage: Stage, names: dict[str, str], programs: Programs) -> None:
    """Start everything that the client can talk to."""
    for service in [one for services in stage.servers for one in services if "answers" not in one]:
        service.setdefault("congestion", stage.controls["server"])
    for place, services in enumerate(stage.servers):
        programs.python(f"server-{place}", names["server"], "programs.server", services)
    if stage.aside:
        programs.python("aside", names["aside"], "programs.server", stage.aside)
    if stage.resolver_runs:
        spec = {"addresses": [stage.resolver], "zones": stage.zones, "pause": stage.resolver_pause, "seed": stage.seed}
        programs.python("resolver", names["server"], "programs.resolver", spec)


def client_spec(stage: Stage) -> dict[str, Any]:
    """Say what the client shall do."""
    common = {
        "congestion": stage.controls["client"],
        "resolver": stage.resolver,
        "four": stage.four,
        "six": stage.six,
        "seed": stage.seed,
        "authority": str(authority(TRUSTED).write(stage.folder / "authority.pem")),
    }
    report = str(stage.folder / "report.json")
    return {"errands": stage.errands, "common": common, "limit": stage.limit, "report": report}


def perform(stage: Stage, beside: Beside = contextlib.nullcontext) -> list[dict[str, Any]]:
    """Run the programs of a stage; captures, log and report are in its folder afterwards.

    Args:
        stage: What to run.
        beside: What else is under way while the client acts; given the name of the client's namespace.
    """
    programs = Programs(stage.folder)
    with namespaces(stage) as names:
        try:
            programs.python("box", "", "box", box_spec(stage, names))
            set_up(stage, names)
            for side in SIDES:
                programs.capture(side, names[side])
            start_servers(stage, names, programs)
            with beside(names["client"]):
                client = programs.python("client", names["client"], "programs.client", client_spec(stage), ready=False)
                client.wait(stage.limit + 20)
                time.sleep(SETTLE + stage.rtt)
        finally:
            programs.stop()
    if lost := programs.lost():
        raise CaptureLoss(f"{stage.scenario.name}: the capture lost {lost} packets")
    reports: list[dict[str, Any]] = json.loads((stage.folder / "report.json").read_text(encoding="utf-8"))
    return reports


class CaptureLoss(RuntimeError):
    """A recorder was too slow, so that its capture is not the wire."""


def play(scenario: Scenario, seed: int, out: Path) -> Made:
    """Run a scenario with a seed; its two captures and their labels are in *out*.

    Raises:
        RuntimeError: A program did not start, or the recorder lost packets again and again.
    """
    begin = time.monotonic()
    for attempt in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix="lab-") as held:
            stage = Stage(scenario, seed, Path(held))
            scenario.play(stage)
            try:
                reports = perform(stage)
            except CaptureLoss:
                if attempt + 1 == ATTEMPTS:
                    raise
                continue
            return collect(stage, reports, out, begin)
    raise AssertionError("unreachable")


def collect(stage: Stage, reports: list[dict[str, Any]], out: Path, begin: float) -> Made:
    """Join captures and log; write captures and labels."""
    log = [json.loads(line) for line in (stage.folder / "box.log").read_text(encoding="utf-8").splitlines()]
    captures: list[Path] = []
    problems: list[str] = []
    packets = 0
    for side in SIDES:
        source = stage.folder / f"{side}.pcap"
        rows = list(frames(source))
        if not rows:
            continue
        joined, missing = labels(stage, side, rows, log, reports)
        problems += missing
        packets += len(rows)
        target = out / f"lab.{stage.scenario.name}.{stage.seed}.{side}.pcap"
        target.write_bytes(source.read_bytes())
        target.with_suffix(".labels.json").write_text(json.dumps(joined.to_dict(), indent=1), encoding="utf-8")
        captures.append(target)
    problems += [f"box: {line['says']}" for line in log if line["what"] == "error"]
    end = log[-1]
    return Made(
        stage.scenario.name,
        stage.seed,
        tuple(captures),
        time.monotonic() - begin,
        packets,
        tuple(problems),
        end["worst_late"],
        end["mean_late"],
        tuple(reports),
    )


def make(
    out: Path, seeds: Sequence[int], pattern: str = "*", jobs: int = 8, tell: Callable[[Made], None] = lambda _: None
) -> list[Made]:
    """Make a labelled folder.

    Args:
        out: Folder; made when missing.
        seeds: Which seeds.
        pattern: Only scenarios whose names match.
        jobs: Runs side by side; most of a run is waiting.
        tell: Called with each run when it is done.

    Raises:
        RuntimeError: The lab cannot run here, or a run failed.
    """
    reason = netns.available()
    if reason:
        raise RuntimeError(reason)
    out.mkdir(parents=True, exist_ok=True)
    chosen = [(one, seed) for seed in seeds for one in SCENARIOS if fnmatch.fnmatch(one.name, pattern)]
    done = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(play, one, seed, out) for one, seed in chosen]):
            done.append(future.result())
            tell(done[-1])
    return sorted(done, key=lambda one: (one.scenario, one.seed))
