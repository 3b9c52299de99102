"""How rules of the DNS analyzer are declared, and the sources that several of them have."""

from netinterf.schema import Rule

__all__ = ["HOLD_ON", "ICLAB", "IRAN", "KNOWN", "OONI", "TRIPLET", "WALLBLEED", "rule", "rule_id"]

TRIPLET = "Anonymous et al., Triplet Censors, FOCI 2020"
HOLD_ON = "Duan et al., Hold-On, SATIN 2012"
WALLBLEED = "Fan et al., Wallbleed, NDSS 2025"
ICLAB = "Niaki et al., ICLab, IEEE S&P 2020, section on DNS manipulation"
OONI = "OONI spec, Web Connectivity and techniques tq-001 to tq-005"
KNOWN = (
    "Tsai et al., CERTainty, PoPETs 2023: comparison with control answers misses 9.7 % and is wrong in 72.45 % of its "
    "positives, which at 0.65 % of answers tampered with (Calle et al., FOCI 2024) is 1.55 % of the others"
)
IRAN = "net4people/bbs issues 226 and 451"


def rule_id(name: str) -> str:
    """Spell the public id of a rule."""
    return f"dns.{name}"


def rule(
    name: str, group: str, says: str, *measures: str, mechanism: str = "dns", decisive: bool = False,
    shared: bool = False, source: str,
) -> Rule:  # fmt: skip
    """Declare a rule; its group is one of the analyzer's blocks."""
    return Rule(
        id=rule_id(name),
        mechanism=mechanism,
        group=f"dns.{group}",
        says=says,
        measures=measures,
        decisive=decisive,
        shared=shared,
        references=(source,),
    )
