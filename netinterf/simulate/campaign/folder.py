"""Campaigns on disk: a folder for each network with a capture for each run, and what is known of all of them.

Each capture depends on the campaign, its network and its run alone, and a file stands when it is whole: so processes
share nothing, and what an interrupted call has made is kept by the next.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import Any

from netinterf.errors import ParameterError
from netinterf.simulate.campaign.parameters import Campaign
from netinterf.simulate.campaign.state import Plan, plan
from netinterf.simulate.campaign.topology import Network
from netinterf.simulate.campaign.truth import Tally, parameters, tally, truth
from netinterf.simulate.campaign.visits import play
from netinterf.simulate.folder import LABELS, write
from netinterf.simulate.labels import Labels
from netinterf.writing import ASIDE, write_text

__all__ = ["MANIFEST", "NETWORKS", "TRUTH", "make"]

MANIFEST, NETWORKS, TRUTH, STARTED = "manifest.csv", "networks.csv", "truth.json", "campaign.json"


def make(campaign: Campaign, folder: Path | str, *, jobs: int = 1) -> dict[str, Any]:
    """Play a campaign and write it.

    The folder gets ``NETWORK/RUN.pcap`` with its labels, ``manifest.csv``, ``networks.csv``, ``campaign.json`` (the
    parameters) and at last ``truth.json``. Captures that are there already are kept.

    Args:
        campaign: What to play.
        folder: Where to; made when it is not there.
        jobs: Processes; the bytes do not depend on it. They are started anew, so that a script which wants several has
            to call this under ``if __name__ == "__main__"``.

    Returns:
        The truth, as it stands in ``truth.json``.

    Raises:
        ParameterError: The folder holds another campaign or labels that were changed, or there are no processes.
        OSError: It cannot be written, or a process was lost.
    """
    if jobs < 1:
        raise ParameterError("jobs", jobs, "a whole number from 1 on")
    place, drawn = Path(folder), plan(campaign)
    begin(place, drawn)
    left = [one for one in runs(drawn) if not labels_of(place, *one).exists()]
    if jobs == 1 or len(left) < 2:
        for network, run in left:
            write_run(campaign, place, network.number, run)
    else:
        in_processes(min(jobs, len(left)), partial(write_run, campaign, place), left)
    begun = (place / STARTED).stat().st_mtime_ns
    for rest in place.rglob(f"{ASIDE}*"):  # of calls that were killed; another may be at work
        if rest.stat().st_mtime_ns <= begun:
            rest.unlink()
    made = truth(drawn, partial(tallies, place, campaign.runs))
    write_text(place / TRUTH, [json.dumps(made, separators=(",", ":")), "\n"])
    return made


def in_processes(jobs: int, action: Callable[[int, int], None], left: Sequence[tuple[Network, int]]) -> None:
    """Write the runs that are left by several processes; the first error ends it, what was begun is finished."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), signal, (SIGINT, SIG_IGN)) as pool:  # the caller hears Ctrl-C
        try:
            for _ in pool.map(action, [network.number for network, _ in left], [run for _, run in left]):
                pass
        except BrokenProcessPool as error:
            raise ChildProcessError("a process was lost; call again, and it goes on where it stopped") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def begin(place: Path, drawn: Plan) -> None:
    """Make the folder and write what is known before anything is played."""
    place.mkdir(parents=True, exist_ok=True)
    mine = json.dumps(parameters(drawn), indent=1) + "\n"
    started = place / STARTED
    if started.exists() and started.read_text(encoding="utf-8") != mine:
        raise ParameterError("folder", str(place), "an empty one, or one with the same campaign")
    write_text(started, [mine])
    rows = (f"{prefix},{asn},{country}\n" for prefix, asn, country in drawn.topology.table())
    write_text(place / NETWORKS, ["prefix,asn,country\n", *rows])
    rows = (
        f"{network.name}/{capture_name(run)},{network.name},{network.asn},{network.code},{run}\n"
        for network, run in runs(drawn)
    )
    write_text(place / MANIFEST, ["path,place,asn,country,run\n", *rows])
    for network in drawn.topology.networks:
        (place / network.name).mkdir(exist_ok=True)


def runs(drawn: Plan) -> Iterator[tuple[Network, int]]:
    """List the captures of a campaign: network and run."""
    for network in drawn.topology.networks:
        for run in range(1, drawn.topology.campaign.runs + 1):
            yield network, run


def capture_name(run: int) -> str:
    """Name the capture of a run."""
    return f"{run:04}.pcap"


def labels_of(place: Path, network: Network, run: int) -> Path:
    """Say where the labels of a capture are: they are written last."""
    return place / network.name / (Path(capture_name(run)).stem + LABELS)


def write_run(campaign: Campaign, place: Path, number: int, run: int) -> None:
    """Play one run in one network, and write the capture and its labels."""
    drawn = plan(campaign)
    write(play(drawn, number, run), place / drawn.topology.networks[number].name / capture_name(run))


def tallies(place: Path, last: int, network: Network) -> Mapping[int, Tally]:
    """Count what happened in a network, by run."""
    return {run: tally(read_labels(labels_of(place, network, run))) for run in range(1, last + 1)}


def read_labels(path: Path) -> Labels:
    """Read what was written beside a capture."""
    try:
        return Labels.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise ParameterError("folder", str(path), "labels as they were written: remove them, and call again") from error
