"""Which analyzers there are: the built-in ones, and those that installed plugins declare.

A plugin is a distribution with an entry point in the group ``netinterf.analyzers`` that names a callable without
arguments returning an analyzer, by the name that the analyzer bears. Plugins are looked up when asked for, never at
import, and asked only by name: what is installed somewhere must not change what a scan says.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs

from netinterf.analyzers.acknowledgements import Acknowledgements
from netinterf.analyzers.base import Analyzer
from netinterf.analyzers.block_pages import BlockPages
from netinterf.analyzers.dns_poisoning import DnsPoisoning
from netinterf.analyzers.dns_silence import DnsSilence
from netinterf.analyzers.freezes import Freezes
from netinterf.analyzers.handshakes import SlowHandshakes
from netinterf.analyzers.isolation import Isolation
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.analyzers.shaping import Shaping
from netinterf.analyzers.silence import Silence
from netinterf.analyzers.tampering_signatures import TamperingSignatures
from netinterf.analyzers.throttling import Throttling
from netinterf.analyzers.tls_interception import TlsInterception
from netinterf.errors import AnalyzerError, ParameterError
from netinterf.values import frozen

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["ALL_BUILTIN", "BUILTIN", "GROUP", "Plugin", "builtin", "find", "names", "pick", "plugins"]

GROUP = "netinterf.analyzers"
ALL_BUILTIN = "builtin"
"""Stands for every built-in analyzer where analyzers are named, so that plugins can be asked beside them."""

BUILTIN: dict[str, Callable[[], Analyzer]] = {
    RstInjection.name: RstInjection,
    DnsPoisoning.name: DnsPoisoning,
    DnsSilence.name: DnsSilence,
    Throttling.name: Throttling,
    Freezes.name: Freezes,
    Shaping.name: Shaping,
    SlowHandshakes.name: SlowHandshakes,
    Silence.name: Silence,
    Isolation.name: Isolation,
    BlockPages.name: BlockPages,
    TlsInterception.name: TlsInterception,
    Acknowledgements.name: Acknowledgements,
    TamperingSignatures.name: TamperingSignatures,
}


def builtin() -> tuple[Analyzer, ...]:
    """Make every built-in analyzer with its defaults."""
    return tuple(make() for make in BUILTIN.values())


@frozen
class Plugin:
    """An analyzer that an installed distribution declares."""

    name: str
    origin: str  # distribution and version
    point: "EntryPoint" = attrs.field(repr=False)

    def load(self) -> Analyzer:
        """Import the plugin and make its analyzer.

        Raises:
            AnalyzerError: It cannot be imported or made (the cause is chained), or is none of that name.
        """
        try:
            made = self.point.load()()
        except Exception as cause:
            reason = f"the plugin could not be loaded from {self.origin}: {type(cause).__name__}: {cause}"
            raise AnalyzerError(self.name, reason) from cause
        if isinstance(made, type) or not isinstance(made, Analyzer):
            raise AnalyzerError(self.name, f"the plugin of {self.origin} gives no analyzer")
        if made.name != self.name:
            raise AnalyzerError(self.name, f"the plugin of {self.origin} gives an analyzer named {made.name!r}")
        return made


def plugins() -> tuple[Plugin, ...]:
    """List what installed distributions declare, by name; what bears the name of a built-in analyzer is left out.

    Reading the metadata of all distributions takes longer than importing this library.
    """
    from importlib.metadata import entry_points

    declared = [
        Plugin(point.name, f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed place", point)
        for point in entry_points(group=GROUP)
        if point.name not in {ALL_BUILTIN, *BUILTIN}
    ]
    return tuple(sorted(declared, key=lambda plugin: (plugin.name, plugin.origin)))


def names() -> tuple[str, ...]:
    """Name every analyzer that can be asked for, built-in ones first."""
    return (*BUILTIN, *dict.fromkeys(plugin.name for plugin in plugins()))


def find(name: str) -> Analyzer:
    """Make the analyzer called *name*.

    Raises:
        ParameterError: No analyzer has that name.
        AnalyzerError: A plugin could not be loaded, or two distributions declare one of that name.
    """
    if name in BUILTIN:
        return BUILTIN[name]()
    matches = [plugin for plugin in plugins() if plugin.name == name]
    if not matches:
        raise ParameterError("analyzers", name, f"{ALL_BUILTIN}, or one of " + ", ".join(names()))
    if len(matches) > 1:
        raise AnalyzerError(name, "declared by " + " and by ".join(plugin.origin for plugin in matches))
    return matches[0].load()


def pick(given: Sequence[Analyzer | str]) -> tuple[Analyzer, ...]:
    """Turn names into analyzers, each name once; ``"builtin"`` stands for all built-in ones.

    Raises:
        ParameterError: No analyzer has that name.
        AnalyzerError: A plugin could not be loaded.
    """
    picked: list[Analyzer] = []
    made: set[str] = set()
    for choice in given:
        if not isinstance(choice, str):
            picked.append(choice)
            continue
        for name in BUILTIN if choice == ALL_BUILTIN else (choice,):
            if name not in made:
                made.add(name)
                picked.append(find(name))
    return tuple(picked)
