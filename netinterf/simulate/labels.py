"""The truth about a simulated capture, in the words of the verdict format."""

from typing import Any

import attrs

from netinterf.values import frozen

__all__ = ["Labels", "Truth"]


@frozen(kw_only=True)
class Truth:
    """What really happened to one flow or one DNS exchange, as far as the capture holds it. Frames count from 1."""

    kind: str  # flow or exchange
    protocol: str  # tcp, udp or icmp
    client: str  # as seen at the tap
    client_port: int
    server: str
    server_port: int
    name: str
    first_frame: int
    mechanism: str | None = None  # None: nobody interfered
    also: tuple[str, ...] = ()  # further mechanisms at work
    forged: tuple[int, ...] = ()  # frames that somebody on the path made
    trigger: int = 0  # the frame that provoked it; 0 when there is none or it was not captured
    system: str = ""  # which documented system is played
    confounder: str = ""  # which benign look-alike is played
    series: bool = False  # decidable only together with the other flows to that server or name
    limit: tuple[float, float, int, int] = (0.0, 0.0, 0, 0)  # that dropped packets: bit/s, bytes, drops up and down
    query_type: str | None = None
    query_id: int | None = None


@frozen(kw_only=True)
class Labels:
    """The truth about every flow and exchange of one capture, in order of first frame."""

    scenario: str
    seed: int
    vantage: str  # client, server or middle
    truths: tuple[Truth, ...]
    family: str = ""
    networks: tuple[tuple[str, int, str], ...] = ()  # prefix, asn, country: what `--networks` would say
    answers: tuple[tuple[str, str], ...] = ()  # name and address: what `--answers` would say
    conditions: dict[str, Any] = attrs.field(factory=dict)  # how it was captured: names of :class:`Conditions`

    def of_frames(self) -> dict[int, str]:
        """Name the mechanism of every forged frame."""
        return {frame: truth.mechanism or "" for truth in self.truths for frame in truth.forged}

    def interfered(self) -> tuple[Truth, ...]:
        """Pick the subjects somebody interfered with."""
        return tuple(truth for truth in self.truths if truth.mechanism)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return attrs.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Labels":
        """Read back what :meth:`to_dict` gave."""
        truths = tuple(
            Truth(**{**truth, "forged": tuple(truth["forged"]), "also": tuple(truth.get("also", ())), **_limit(truth)})
            for truth in values["truths"]
        )
        networks = tuple((prefix, asn, country) for prefix, asn, country in values.get("networks", ()))
        answers = tuple((name, address) for name, address in values.get("answers", ()))
        return cls(**{**values, "truths": truths, "networks": networks, "answers": answers})


def _limit(values: dict[str, Any]) -> dict[str, Any]:
    """Read back the limit of a flow, which labels of earlier versions do not have."""
    return {"limit": tuple(values["limit"])} if "limit" in values else {}
