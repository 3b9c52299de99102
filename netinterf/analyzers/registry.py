"""Which analyzers there are: the built-in ones, and those that installed plugins declare.

A plugin is a distribution with an entry point in the group ``netinterf.analyzers`` that names a callable without
arguments returning an analyzer. Plugins are looked up when asked for, never at import.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

__all__ = ["BUILTIN", "GROUP", "builtin", "find", "names", "plugins"]

GROUP = "netinterf.analyzers"

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


def plugins() -> "EntryPoints":
    """List what installed distributions declare; reading their metadata takes longer than importing this library."""
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def names() -> tuple[str, ...]:
    """Name every analyzer that can be asked for, built-in ones first."""
    return (*BUILTIN, *sorted(point.name for point in plugins()))


def find(name: str) -> Analyzer:
    """Make the analyzer called *name*.

    Raises:
        ParameterError: No analyzer has that name.
        AnalyzerError: A plugin could not be loaded; the cause is chained.
    """
    if name in BUILTIN:
        return BUILTIN[name]()
    for point in plugins():
        if point.name == name:
            try:
                made = point.load()()
            except Exception as cause:
                raise AnalyzerError(name, f"plugin could not be loaded: {cause}") from cause
            if not isinstance(made, Analyzer):
                raise AnalyzerError(name, "plugin does not give an analyzer")
            return made
    raise ParameterError("analyzers", name, "one of " + ", ".join(names()))
