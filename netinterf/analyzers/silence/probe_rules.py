"""What is said of requests that were sent once, with growing hop limits; each weighs what its test says."""

from netinterf.analyzers.base import family

__all__ = ["BEFORE_SERVER", "BEYOND", "NAME_BEYOND", "PROBE_RULES"]

CENTRACE = "Sundara Raman et al., CenTrace, CoNEXT 2022"

BEYOND, BEFORE_SERVER, NAME_BEYOND = "drop.beyond", "drop.before_server", "drop.name_beyond"

rule = family("drop", "tcp.drop")

PROBE_RULES = (
    rule(
        "beyond",
        "hop",
        "requests with a hop limit below {hop} left {lived} healthy connections, {died} with more left dead ones: "
        "something there read them",
        "hop",
        "lived",
        "died",
        source=CENTRACE,
        shared=True,
    ),
    rule(
        "before_server",
        "place",
        "requests died from hop {hop} on, and by the hop limit of its own packets the server stands at hop {distance}: "
        "what read them seems to stand before it",
        "hop",
        "distance",
        source=f"{CENTRACE}; python -m benchmarks hops",
        shared=True,
    ),
    rule(
        "name_beyond",
        "contrast",
        "{passed} requests for other names passed hop {hop} on their way to the same server and left healthy "
        "connections",
        "hop",
        "passed",
        "selective",
        source=f"{CENTRACE}: control domains",
        shared=True,
    ),
)
