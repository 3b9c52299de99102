"""Scanning what was simulated."""

import io

from netinterf.capture import write_pcap
from netinterf.engine.judge import judge
from netinterf.engine.scan import Result
from netinterf.simulate import Simulated

__all__ = ["scanned"]


def scanned(played: Simulated) -> Result:
    """Judge a simulated capture as a scan would."""
    held = io.BytesIO()
    write_pcap(held, played.times, played.frames, played.link_type)
    held.seek(0)
    return Result(judged=(judge(held, name="simulated"),))
