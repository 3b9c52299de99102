"""The vocabulary for FINs and for data: who wrote them, and what no sender does. Weights are where the fit begins."""

from netinterf.analyzers.forgery.writer import WEAVER, written_rules
from netinterf.schema import Rule

__all__ = ["DATA_RULES", "FIN_RULES", "FIN_WEIGHTS"]

TABLE: tuple[tuple[float, Rule], ...] = (
    (
        5.0,
        Rule(
            id="fin.alive_after",
            mechanism="tcp.fin",
            group="fin.aftermath",
            says="the side that seems to have ended its stream sent new bytes behind that end {gap_ms} ms later",
            measures=("gap_ms",),
            references=("RFC 9293 §3.6: nothing follows a FIN", WEAVER),
        ),
    ),
    (
        4.0,
        Rule(
            id="fin.ack_unsent",
            mechanism="tcp.fin",
            group="fin.acknowledgement",
            says="the FIN acknowledges bytes that were never sent",
            references=(WEAVER,),
        ),
    ),
    (
        3.0,
        Rule(
            id="fin.behind_data",
            mechanism="tcp.fin",
            group="fin.sequence",
            says="the FIN ends the stream before data that its side had already sent",
            references=(WEAVER,),
        ),
    ),
    (
        4.0,
        Rule(
            id="fin.after_request",
            mechanism="tcp.fin",
            group="fin.stage",
            says="the FIN came right after the client's first data, before any answer",
            references=("Sundara Raman et al., SIGCOMM 2023",),
        ),
    ),
    (
        -3.0,
        Rule(
            id="fin.rested",
            mechanism="tcp.fin",
            group="fin.ending",
            says="everything that was asked had been answered {seconds} s before: front ends end what is idle",
            measures=("seconds",),
            references=("Apache httpd KeepAliveTimeout; HAProxy timeout client; RFC 9112 §9.5",),
        ),
    ),
)

FIN_WEIGHTS: dict[str, float] = {known.id.removeprefix("fin."): weight for weight, known in TABLE}
FIN_RULES: tuple[Rule, ...] = (*written_rules("fin", "tcp.fin", "the FIN"), *(known for _, known in TABLE))
DATA_RULES: tuple[Rule, ...] = written_rules(
    "data", "tcp.data", "data in the server's name", without=frozenset({"in_counter"})
)
