"""Spans in which a cause was at work, against adding up every span one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.pooling.spans import FOREVER, FROM_THE_FIRST, span_evidence

GAINS = st.lists(st.floats(-20, 20), min_size=1, max_size=7)
GAPS = st.lists(st.integers(1, 400), min_size=6, max_size=6)


def every_span(gain, hour, lasts):
    """List all spans: first and last hour, how likely it is beforehand, and what it explains."""
    count, spans = len(gain), []
    if count == 1:
        return [(0, 0, 1.0, gain[0])]
    whole = hour[-1] - hour[0]
    for first in range(count):
        begins = FROM_THE_FIRST if first == 0 else (1 - FROM_THE_FIRST) * (hour[first] - hour[first - 1]) / whole
        for last in range(first, count):
            stays = np.exp(-(hour[last] - hour[first]) / lasts)
            if last == count - 1:
                ends = FOREVER + (1 - FOREVER) * stays
            else:
                ends = (1 - FOREVER) * stays * -np.expm1(-(hour[last + 1] - hour[last]) / lasts)
            spans.append((first, last, begins * ends, sum(gain[first : last + 1])))
    return spans


@given(GAINS, GAPS, st.sampled_from([6.0, 2000.0]))
def test_running_sums_are_sums_over_all_spans(gain, gaps, lasts):
    """The evidence is the mean over spans; shares are those of spans that begin, end and last throughout."""
    when = np.cumsum([0, *gaps])[: len(gain)].astype(float)
    evidence, spans = span_evidence(np.array([0, len(gain)]), when, np.array(gain), lasts)
    listed = every_span(gain, when, lasts)
    weights = np.array([weight * np.exp(worth) for _, _, weight, worth in listed])
    assert evidence[0] == pytest.approx(np.log(weights.sum()), abs=1e-9)
    shares = weights / weights.sum()
    last = len(gain) - 1
    told = {
        "throughout": sum(share for share, (a, b, *_) in zip(shares, listed, strict=True) if (a, b) == (0, last)),
        "began": sum(share for share, (a, *_) in zip(shares, listed, strict=True) if a > 0),
        "ended": sum(share for share, (_, b, *_) in zip(shares, listed, strict=True) if b < last),
    }
    for name, share in told.items():
        assert getattr(spans, name)[0] == pytest.approx(share, abs=1e-9)
    for hour in range(last + 1):
        at_work = sum(share for share, (a, b, *_) in zip(shares, listed, strict=True) if a <= hour <= b)
        assert spans.active[hour] == pytest.approx(at_work, abs=1e-9)


def test_what_is_likely_beforehand_adds_up_to_one():
    """Where nothing tells anything, nothing is learned: the evidence is 0."""
    hour = np.array([0.0, 1.0, 30.0, 31.0, 700.0])
    evidence, _ = span_evidence(np.array([0, 1, 5]), np.concatenate([[0.0], hour[1:]]), np.zeros(5), 6.0)
    assert evidence == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("onset", [3, 10, 20])
def test_an_onset_is_told_with_its_interval(onset):
    """What fails from some hour on began then, and did not end."""
    gain = np.where(np.arange(30) >= onset, 2.5, -2.5)
    _, spans = span_evidence(np.array([0, 30]), np.arange(30) * 24.0, gain, 2160.0)
    assert spans.began[0] > 0.95
    assert spans.ended[0] < 0.05
    assert spans.first_low[0] <= spans.first[0] == onset <= spans.first_high[0]


def test_cells_do_not_disturb_each_other():
    """Cells of different length side by side say what each says alone."""
    rng = np.random.default_rng(5)
    lengths = [1, 4, 2, 4, 9]
    begin = np.concatenate([[0], np.cumsum(lengths)])
    hour = np.concatenate([np.cumsum(rng.integers(1, 50, length)) for length in lengths]).astype(float)
    gain = rng.normal(0, 3, begin[-1])
    together, spans = span_evidence(begin, hour, gain, 24.0)
    for cell, length in enumerate(lengths):
        part = slice(begin[cell], begin[cell + 1])
        alone, own = span_evidence(np.array([0, length]), hour[part], gain[part], 24.0)
        assert together[cell] == pytest.approx(alone[0])
        assert spans.columns[cell] == pytest.approx(own.columns[0])
