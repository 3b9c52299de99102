"""A campaign in Python: a store that captures are added to, and that is read."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING

from netinterf.analyzers.base import Analyzer
from netinterf.campaign.collecting.batch import Entry
from netinterf.campaign.collecting.collect import CUT, Collected, collect
from netinterf.campaign.collecting.manifest import found_by_manifest, found_by_path
from netinterf.campaign.place import HERE, Place
from netinterf.campaign.stored.compact import Compacted, compact
from netinterf.campaign.stored.reader import Reader
from netinterf.context.outside import Answers, Networks
from netinterf.engine.each import IN_FLIGHT
from netinterf.engine.options import options_of
from netinterf.errors import UsageError
from netinterf.verdict.model import Model

if TYPE_CHECKING:
    from netinterf.campaign.judged.report import Report

__all__ = ["Campaign"]


class Campaign(Reader):
    """Many captures, kept as observations in a store.

    Args:
        store: The folder of the store; it need not be there before captures are collected.
    """

    def report(self, *, model: Model | None = None) -> "Report":
        """Judge all that is in the store together: each name and server in each network, held against all others.

        Args:
            model: Priors and grades; None takes the model that ships with the library.

        Raises:
            UsageError: There is no store, or a later version wrote it.
        """
        from netinterf.campaign.judged.report import report  # (few ask for it where captures are collected)

        return report(self, model=model)

    def compact(self) -> Compacted:
        """Merge the small parts of the store, so that one with many collects is read as fast as one with few.

        Whenever it ends, all rows are there once; who reads the store meanwhile reads the same.

        Returns:
            How many parts there were, and are.

        Raises:
            UsageError: There is no store, another process adds to it, or a later version wrote parts of it.
            OSError: It cannot be written; what was merged before is.
        """
        return compact(self._store)

    def collect(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
        *,
        place: str | Place = HERE,
        manifest: str | os.PathLike[str] | None = None,
        names: str | os.PathLike[str] | None = None,
        analyzers: Sequence[Analyzer | str] | None = None,
        vantage: str = "auto",
        networks: Networks | None = None,
        answers: Answers | None = None,
        model: Model | None = None,
        executor: Executor | None = None,
        in_flight: int = IN_FLIGHT,
        cut: int = CUT,
        told: Callable[[Entry], object] | None = None,
    ) -> Collected:
        """Add captures that are not in the store yet: each content once, a damaged capture as an error.

        It can be cut off at any moment, and called again to do the rest.

        Args:
            paths: Captures, files of measurements of OONI's probes, folders or patterns.
            place: Where their clients are: a name, or a name with the network that it stands for. Probes whose place
                nobody names are in their country, and what their test helpers tried is at ``ooni-control``.
            manifest: A CSV file with the columns ``path`` and ``place`` instead, and perhaps ``asn`` and ``country``.
            names: A text file of names that the store may tell, one a line; ``*.example.com`` stands for all below.
            analyzers: Which questions to ask, as `scan` does; so the following.
            vantage: Where the captures were taken.
            networks: A table ``prefix,asn,country``.
            answers: What names are known to answer.
            model: Priors, caps and grades.
            executor: Judges captures side by side, wherever captures and store can be seen; None judges here.
            in_flight: Batches that the executor holds at a time: twice its workers keep all of them busy.
            cut: Bytes of a capture beyond which it is cut by time into pieces of no more, so that several look at it.
            told: Called with what became of each file that is new.

        Returns:
            How many files there were of each kind.

        Raises:
            ParameterError: An argument is out of range, or the manifest cannot be read.
            UsageError: The store cannot be used, another process adds to it, or the executor failed.
            OSError: The store cannot be written; what was added before is in it.
        """
        if manifest is not None:
            if paths:
                raise UsageError("captures are named by paths or by a manifest, not by both")
            found = partial(found_by_manifest, manifest)
        else:
            listed = [paths] if isinstance(paths, str | os.PathLike) else paths
            found = partial(found_by_path, listed, place if isinstance(place, Place) else Place(name=place))
        return collect(
            self._store,
            found,
            options_of(analyzers, vantage, networks, answers, model, strict=False),
            executor=executor,
            in_flight=in_flight,
            told=told or (lambda _: None),
            cut=cut,
            names=names,
        )
