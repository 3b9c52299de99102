"""What is known of a capture before anybody judges it: one form for the simulator, the lab and labelled folders."""

import ipaddress
from typing import Any

import attrs

from netinterf.simulate import Labels, Truth

__all__ = ["LabelledCapture", "Row", "of_labels"]


@attrs.frozen(kw_only=True)
class Row:
    """One labelled flow or exchange, or a capture that is labelled as a whole."""

    truth: Truth
    right: tuple[tuple[str, ...], ...] = ()  # for each mechanism at work, the words that answer it; the first names it
    scored: bool = True  # False: the truth is not known

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """What was at work; empty when nobody interfered."""
        return tuple(words[0] for words in self.right)


@attrs.frozen(kw_only=True)
class LabelledCapture:
    """The labels of one capture."""

    scenario: str
    family: str
    rows: tuple[Row, ...]
    interfered: bool  # somebody interfered with something in it; flows without a label are then of unknown truth
    vantage: str = ""  # empty: as the trace tells
    conditions: dict[str, Any] = attrs.field(factory=dict)
    tolerated: tuple[str, ...] = ()  # accusations that its labels neither call right nor wrong


def of_labels(labels: Labels) -> LabelledCapture:
    """Bring the simulator's and the lab's labels into the common form."""
    rows = []
    for truth in labels.truths:
        at_work = tuple(dict.fromkeys(word for word in (truth.mechanism, *truth.also) if word))
        rows.append(Row(truth=truth, right=tuple((word,) for word in at_work)))
    conditions = dict(labels.conditions)
    if "ip" not in conditions and labels.truths:
        conditions["ip"] = ipaddress.ip_address(labels.truths[0].server).version
    return LabelledCapture(
        scenario=labels.scenario,
        family=labels.family or labels.scenario.rpartition(".")[0] or labels.scenario,
        rows=tuple(rows),
        interfered=any(row.right for row in rows),
        vantage=labels.vantage,
        conditions=conditions,
    )
