"""What blocked names have in common: rules about suffixes and words, and how long the list behind them may be.

Boxes go by lists of names, of whole domains (``*.example.org``) or of words in them (Hoang et al., *How Great is the
Great Firewall?*, USENIX Security 2021, section on blocking rules). Which it is shows in whom they spare.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["ListSize", "NameRule", "list_size", "name_rules"]

FEWEST = 3
"""Names that a rule must cover: two may be listed one by one."""

SHORTEST, LONGEST = 4, 24
"""Letters of a word: shorter ones stand in many names by chance, and longer ones are not needed to tell two apart."""

MOST_NAMES = 5_000
"""Blocked names whose words are looked at."""


@frozen(kw_only=True)
class NameRule:
    """Something that blocked names share and spared ones do not."""

    kind: str  # suffix or word
    value: str
    blocked: tuple[str, ...]  # the names that it covers, all blocked, sorted
    p: float  # chance that as many names would all be among the blocked ones, times the rules that were tried

    def __str__(self) -> str:
        return f"*.{self.value}" if self.kind == "suffix" else f"*{self.value}*"


@frozen(kw_only=True)
class ListSize:
    """How many names of a population are on a list, by a sample of it."""

    estimate: float
    low: float
    high: float


def name_rules(blocked: Iterable[str], spared: Iterable[str], *, level: float = 0.05) -> tuple[NameRule, ...]:
    """Find suffixes and words that blocked names share and no spared name has.

    A rule covers at least three names, is as general as the spared names allow, and would by chance (if the blocked
    ones were drawn from all names at random: hypergeometric, Bonferroni over all rules tried) cover only blocked names
    less often than *level*. Without spared names nothing can be told.

    Args:
        blocked: Names that were hit, lower case, without final dots.
        spared: Names that were not.
        level: Greatest probability by chance.

    Returns:
        The rules, those that cover most first. A word is listed only for names that no suffix covers.

    Raises:
        ParameterError: *level* is no probability.
    """
    if not 0 < level < 1:
        raise ParameterError("level", level, "a number between 0 and 1")
    hit = sorted(set(blocked) - {""})[:MOST_NAMES]
    rest = sorted(set(spared) - set(hit) - {""})
    if len(hit) < FEWEST or not rest:
        return ()
    taken, text = {part for name in rest for part in suffixes_of(name)}, "\n".join(rest)
    shared, spelled = covered_by_suffix(hit), distinct_covers(covered_by_word(hit), longest=True)
    suffixes = distinct_covers(
        {suffix: names for suffix, names in shared.items() if suffix not in taken}, longest=False
    )
    words = {word: names for word, names in spelled.items() if word not in text}
    tried = len(spelled) + sum(len(names) >= FEWEST for names in shared.values())  # what spared names refute as well
    rules = [
        NameRule(kind=kind, value=value, blocked=names, p=min(1.0, tried * chance(len(hit), len(rest), len(names))))
        for kind, candidates in (("suffix", suffixes), ("word", words))
        for value, names in candidates.items()
    ]
    kept: list[NameRule] = []
    seen: set[str] = set()
    for rule in sorted(
        rules, key=lambda rule: (rule.kind != "suffix", -len(rule.blocked), len(rule.value), rule.value)
    ):
        fresh = set(rule.blocked) - seen
        if rule.p <= level and len(fresh) >= FEWEST:
            kept.append(rule)
            seen |= set(rule.blocked)
    return tuple(kept)


def chance(hit: int, rest: int, size: int) -> float:
    """Probability that *size* names drawn from all are among the blocked ones (hypergeometric)."""
    steps = np.arange(size)
    return float(np.exp(np.sum(np.log(hit - steps) - np.log(hit + rest - steps))))


def suffixes_of(name: str) -> list[str]:
    """List what a name ends in, label by label, the whole name first, without the bare top level."""
    labels = name.split(".")
    return [".".join(labels[place:]) for place in range(len(labels) - 1)]


def covered_by_suffix(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """List the names under each suffix."""
    covered: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for suffix in suffixes_of(name):
            covered[suffix].append(name)
    return {suffix: tuple(under) for suffix, under in covered.items()}


def covered_by_word(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """List the names that hold each run of letters; what stands in names of one domain only is no word."""
    covered: dict[str, set[str]] = defaultdict(set)
    for name in names:
        host = name.rpartition(".")[0]
        for begin in range(len(host)):
            for end in range(begin + SHORTEST, min(begin + LONGEST, len(host)) + 1):
                if not host[begin:end].isalpha():
                    break
                covered[host[begin:end]].add(name)
    return {
        word: tuple(sorted(holders))
        for word, holders in covered.items()
        if len(holders) >= FEWEST and len({".".join(holder.split(".")[-2:]) for holder in holders}) >= FEWEST
    }


def distinct_covers(covered: dict[str, tuple[str, ...]], *, longest: bool) -> dict[str, tuple[str, ...]]:
    """Of what covers the same names, enough of them, keep the longest or the shortest."""
    ordered = sorted(covered.items(), key=lambda item: (len(item[0]), item[0]), reverse=not longest)
    best = {names: value for value, names in ordered if len(names) >= FEWEST}  # of equals the last stays
    return {value: names for names, value in best.items()}


def list_size(blocked: int, tested: int, population: int, *, level: float = 0.95) -> ListSize:
    """Estimate how many names of a population are blocked, from names that were drawn from it at random.

    Args:
        blocked: How many of the tested names are blocked.
        tested: How many were tested.
        population: How many there are, the length of the list that the tested ones were drawn from.
        level: Coverage of the interval (Clopper and Pearson, Biometrika 1934).

    Raises:
        ParameterError: The counts do not fit into each other, or *level* is no probability.
    """
    if not 0 <= blocked <= tested <= population or tested == 0:
        raise ParameterError(
            "blocked, tested, population", (blocked, tested, population), "growing, at least one tested"
        )
    if not 0 < level < 1:
        raise ParameterError("level", level, "a number between 0 and 1")
    from scipy.special import betaincinv

    side = (1 - level) / 2
    low = float(betaincinv(blocked, tested - blocked + 1, side)) if blocked else 0.0
    high = float(betaincinv(blocked + 1, tested - blocked, 1 - side)) if blocked < tested else 1.0
    return ListSize(estimate=population * blocked / tested, low=population * low, high=population * high)
