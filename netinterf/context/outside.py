"""What the user knows beside the capture: never needed, and always used when given."""

import os
from collections.abc import Sequence
from typing import Self

import attrs

from netinterf.context.answers import KnownAnswers, nothing_known, read_answers
from netinterf.context.network_files import network_file
from netinterf.context.networks import KnownNetworks, Network, NetworkTable
from netinterf.values import frozen

__all__ = ["Answers", "Networks", "Outside", "known_networks"]

Networks = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Sequence[Network] | KnownNetworks
Answers = str | os.PathLike[str] | KnownAnswers


@frozen(eq=False)
class Outside:
    """Outside knowledge; empty where the user gave none.

    Attributes:
        networks: Which address belongs to which autonomous system and country.
        answers: What names are known to answer.
    """

    networks: KnownNetworks = attrs.field(factory=KnownNetworks, repr=False)
    answers: KnownAnswers = attrs.field(factory=nothing_known, repr=False)

    @classmethod
    def of(cls, networks: Networks | None = None, answers: Answers | None = None) -> Self:
        """Read files where paths are given; None stands for nothing known.

        Args:
            networks: See `known_networks`.
            answers: A CSV file ``name,address``, or its content.

        Raises:
            ParameterError: A file is malformed.
            MissingExtra: A file is a database, and the package that reads databases is not installed.
        """
        if answers is None:
            answers = nothing_known()
        elif isinstance(answers, str | os.PathLike):
            answers = read_answers(answers)
        return cls(KnownNetworks() if networks is None else known_networks(networks), answers)


def known_networks(given: Networks) -> KnownNetworks:
    """Read what is known of networks.

    Args:
        given: A file of networks or several, of which the first that knows an address's system or country counts; or
            single networks. What forms files may have is told by `netinterf.context.network_files`.

    Raises:
        ParameterError: A file cannot be read, is of no known form, or a line is malformed (its number is given).
        MissingExtra: A file is a database, and the package that reads databases is not installed.
    """
    if isinstance(given, KnownNetworks):
        return given
    if isinstance(given, str | os.PathLike):
        return KnownNetworks((network_file(given),))
    rows = [one for one in given if isinstance(one, Network)]
    if rows:
        return KnownNetworks((NetworkTable.of_networks(rows),))
    return KnownNetworks(tuple(network_file(one) for one in given if not isinstance(one, Network)))
