"""What a box does to packets: forge, rewrite, silence, limit, answer, send elsewhere."""

from benchmarks.lab.rules.answer import Answer
from benchmarks.lab.rules.base import Rule
from benchmarks.lab.rules.forge import Forge, Rewrite
from benchmarks.lab.rules.limit import Limit
from benchmarks.lab.rules.silence import Cut, Isolate, Redirect

__all__ = ["RULES", "Rule"]

RULES: dict[str, type[Rule]] = {one.__name__: one for one in (Answer, Cut, Forge, Isolate, Limit, Redirect, Rewrite)}
"""Rules by the name that specifications use."""
