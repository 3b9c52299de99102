"""What rivals say, in forms that tests compare."""

from netinterf.trace import read
from tests.oracles.dns_frames import RAW_IP


def said(rival, trace):
    """Tell a rival's calls as (mechanism, what it says)."""
    return [(call.mechanism, call.says) for call in rival.judge(trace)]


def called(rival, trace):
    """Tell a rival's calls as (mechanism, frames)."""
    return [(call.mechanism, call.frames) for call in rival.judge(trace)]


def asked(talk):
    """Read a DNS conversation."""
    times, frames, numbers = talk.capture()
    return read(times=times, frames=frames, link_type=RAW_IP), numbers
