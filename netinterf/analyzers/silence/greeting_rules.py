"""The vocabulary of SYNs that nobody answers: what each observation is called, says and weighs (where the fit begins).

Most silence at an opening is of dead hosts, so that it is *down* by itself; what makes it a suspicion is life beside
it: the same address answers on another port, its neighbours answer, it answered this client before. Counts are of
``python -m benchmarks reality``, shares of blocked ones are guesses until a fit.
"""

from netinterf.analyzers.base import family
from netinterf.schema import Rule

__all__ = ["GREETING_RULES", "GREETING_WEIGHTS"]

TSPU = "Xue et al., TSPU, IMC 2022"
RESIDUAL = "Bock et al., Your Censor is My Censor, WOOT 2021"

rule = family("syn", "tcp.connect.drop")

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        3.0,  # 14 of 10,588 untouched openings drew nothing; who captures has trouble, so half of ln 756
        rule(
            "unanswered",
            "silence",
            "{tries} requests to open the connection got no answer in {seconds} s",
            "tries",
            "seconds",
            source=TSPU,
        ),
    ),
    (
        4.6,  # 0 of 3,775; if of a fifth of blocked ones, ln(0.2 × 3,775 / 1.25) = 6.4 with the silence itself
        rule(
            "other_port",
            "contrast",
            "the same address answered this client on other ports within a minute ({answered} connections)",
            "answered",
            source=TSPU,
            shared=True,
        ),
    ),
    (
        3.3,  # 0 of 3,775, and of a twentieth: 5.0 with the silence itself
        rule(
            "neighbours",
            "contrast",
            "{alive} other addresses of the same network answered this client within a minute",
            "alive",
            source=TSPU,
            shared=True,
        ),
    ),
    (
        1.8,  # 3 of 3,775, and of a twentieth: 4.1 with the silence itself; services crash, and ban
        rule(
            "before",
            "before",
            "the same port of the same address had opened {times} connections of this client before, the last "
            "{seconds} s earlier",
            "times",
            "seconds",
            source=RESIDUAL,
            shared=True,
        ),
    ),
    (
        -1.5,
        rule(
            "moody",
            "again",
            "the same port of the same address opened {times} connections of this client within a minute after",
            "times",
            source=RESIDUAL,
            shared=True,
        ),
    ),
    (
        -4.0,
        rule(
            "line",
            "line",
            "nothing came to the client from any other network meanwhile",
            source="OONI Web Connectivity specification",
            shared=True,
        ),
    ),
)

GREETING_WEIGHTS: dict[str, float] = {known.id: weight for weight, known in TABLE}
GREETING_RULES: tuple[Rule, ...] = tuple(known for _, known in TABLE)
