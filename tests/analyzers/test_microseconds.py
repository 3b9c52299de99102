"""What a clock finer than a microsecond adds to a capture decides nothing."""

import numpy as np
import pytest

from netinterf.analyzers.run import analyze
from netinterf.simulate import run
from netinterf.trace import read


@pytest.mark.parametrize(("scenario", "seed"), [
    ("rate.handshake.turkey", 5102),  # whether packets waited before they were lost
    ("rate.shaping.burst", 5102),
    ("benign.tcp.reset-with-text", 5900),  # whether a refusal took as long as other answers of its host
])  # fmt: skip
def test_what_a_finer_clock_adds_decides_nothing(scenario: str, seed: int) -> None:
    """Captures in which two waits are as good as equal say the same when they are told in whole microseconds."""
    played = run(scenario, seed)
    exact = np.asarray(played.times)
    fine, whole = (
        analyze(read(times=times, frames=played.frames, link_type=played.link_type))
        for times in (exact, exact // 1000 * 1000)
    )
    assert (exact % 1000).any()
    assert len(fine) > 0
    assert fine.rules == whole.rules
    for column in ("rule", "subject", "subject_kind", "llr"):
        assert np.array_equal(getattr(fine, column), getattr(whole, column))
