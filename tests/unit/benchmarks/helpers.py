"""Labels and verdicts made by hand."""

from typing import Any

from benchmarks.scoreboard.labels import Row
from benchmarks.scoreboard.units import Answer, Unit
from netinterf.simulate import Truth


def truth(mechanism: str | None = "tcp.reset", **changes: Any) -> Truth:
    """Make the truth about one flow."""
    given: dict[str, Any] = {
        "kind": "flow", "protocol": "tcp", "client": "10.0.0.1", "client_port": 1000, "server": "192.0.2.1",
        "server_port": 443, "first_frame": 1, "name": "blocked.example", "mechanism": mechanism,
    }  # fmt: skip
    return Truth(**{**given, **changes})


def row(mechanism: str | None = "tcp.reset", *, scored: bool = True, **changes: Any) -> Row:
    """Make a label whose words are those of its truth."""
    made = truth(mechanism, **changes)
    at_work = [word for word in (made.mechanism, *made.also) if word]
    return Row(truth=made, right=tuple((word,) for word in at_work), scored=scored)


def verdict(mechanism: str | None = "tcp.reset", grade: str = "confirmed", **changes: Any) -> dict[str, Any]:
    """Make a verdict line."""
    subject = {
        "kind": "flow", "protocol": "tcp", "client": "10.0.0.1", "client_port": 1000, "server": "192.0.2.1",
        "server_port": 443, "name": None, "first_frame": 1, "query_type": None, "query_id": None, "by": None,
    }  # fmt: skip
    outcome = {"confirmed": "interfered", "likely": "interfered", "none": "ok"}.get(grade, "insufficient")
    also = [{"mechanism": one, "probability": 0.9} for one in changes.pop("also", ())]
    frames = changes.pop("frames", [])
    probability = changes.pop("probability", 0.95)
    return {"subject": {**subject, **changes}, "outcome": outcome, "grade": grade, "mechanism": mechanism, "also": also,
            "frames": frames, "probability": probability, "evidence": []}  # fmt: skip


def unit(*mechanisms: str, answers: dict[str, Answer] | None = None, **changes: Any) -> Unit:
    """Make a scored unit."""
    given: dict[str, Any] = {
        "source": "simulator", "capture": "c", "scenario": "s", "family": "f", "place": 0, "mechanisms": mechanisms,
        "system": "", "confounder": "", "kind": "flow", "protocol": "tcp", "name": "", "first_frame": 1,
        "series": False, "control": False, "forged": 0, "where": {}, "answers": answers or {},
    }  # fmt: skip
    return Unit(**{**given, **changes})
