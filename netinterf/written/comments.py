"""What verdicts say of single frames, as comments that Wireshark shows beside them."""

from collections.abc import Iterable

from netinterf.writing import readable
from netinterf.written.record import Observation, Verdict
from netinterf.written.words import percent

__all__ = ["frame_comments"]


def frame_comments(verdicts: Iterable[Verdict]) -> dict[int, str]:
    """Say of each frame that verdicts of one capture name what it is held to be, and which observations rest on it.

    Returns:
        Text by frame number of the capture that was judged, with that number: in an extract, frames have others.
    """
    about: dict[int, list[str]] = {}
    for verdict in verdicts:
        if verdict.mechanism:
            sure = f"{verdict.mechanism} ({verdict.grade}, probability {percent(verdict.probability)})"
            for frame in verdict.frames:
                about.setdefault(frame, []).append(f"shows {sure}")
        for observation in verdict.evidence:
            for frame in observation.frames:
                about.setdefault(frame, []).append(_said(observation))
    return {frame: readable(f"netinterf, frame {frame}: {'; '.join(said)}") for frame, said in sorted(about.items())}


def _said(observation: Observation) -> str:
    """Write an observation with its rule and weight."""
    return f"{observation.says} [{observation.rule}, {round(observation.llr, 1) + 0.0:+.1f}]"
