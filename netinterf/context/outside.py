"""What the user knows beside the capture: never needed, and always used when given."""

import os
from collections.abc import Sequence
from typing import Self

import attrs

from netinterf.context.answers import KnownAnswers, nothing_known, read_answers
from netinterf.context.networks import Network, read_networks
from netinterf.values import frozen

__all__ = ["Answers", "Networks", "Outside"]

Networks = str | os.PathLike[str] | Sequence[Network]
Answers = str | os.PathLike[str] | KnownAnswers


@frozen(eq=False)
class Outside:
    """Outside knowledge; empty where the user gave none.

    Attributes:
        networks: Which prefix belongs to which autonomous system and country.
        answers: What names are known to answer.
    """

    networks: tuple[Network, ...] = attrs.field(default=(), repr=False)
    answers: KnownAnswers = attrs.field(factory=nothing_known, repr=False)

    @classmethod
    def of(cls, networks: Networks | None = None, answers: Answers | None = None) -> Self:
        """Read tables where paths are given; None stands for an empty one.

        Args:
            networks: A CSV file ``prefix,asn,country``, or its content.
            answers: A CSV file ``name,address``, or its content.

        Raises:
            ParameterError: A file is malformed.
        """
        if networks is None:
            networks = ()
        elif isinstance(networks, str | os.PathLike):
            networks = read_networks(networks)
        if answers is None:
            answers = nothing_known()
        elif isinstance(answers, str | os.PathLike):
            answers = read_answers(answers)
        return cls(tuple(networks), answers)
