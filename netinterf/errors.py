"""The error hierarchy: who is at fault decides the family.

`UsageError` says that the call is wrong and changing the call fixes it; `CaptureError` says that the input is at
fault and names source and offset; `AnalyzerError` says that an analyzer broke its contract. Malformed packets are
none of these: they are data, kept as rows with status bits.
"""

from typing import Any, ClassVar

__all__ = [
    "AnalyzerError",
    "CaptureError",
    "DamagedCapture",
    "MissingExtra",
    "NetinterfError",
    "NetinterfWarning",
    "ParameterError",
    "RefusedPath",
    "SchemaError",
    "UnknownFormat",
    "UnreadableSource",
    "UnsupportedLinkType",
    "UsageError",
]


class NetinterfError(Exception):
    """Root of every error that this library raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes whole, whatever arguments the class takes."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[NetinterfError], args: tuple[Any, ...], fields: dict[str, Any]) -> NetinterfError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class UsageError(NetinterfError, ValueError):
    """Report a call that cannot work as written."""


LONGEST = 200
"""Characters of a wrong argument that are shown."""


class ParameterError(UsageError):
    """Report one argument that is out of range: name it, its value and what is allowed."""

    def __init__(self, parameter: str, value: object, allowed: str) -> None:
        self.parameter = parameter
        self.value = value
        self.allowed = allowed
        text = repr(value)  # which may hold a whole table
        text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        super().__init__(f"{parameter}={text} is not allowed: {allowed}")


class RefusedPath(UsageError):
    """Report a path that a server may not open: it leads out of the folder that is served, or to no regular file.

    The message names no path: whoever asked knows which it was, and is told of none beyond that.
    """


class SchemaError(UsageError):
    """Report a column that is missing, of the wrong length or of the wrong dtype."""


class MissingExtra(UsageError, ImportError):
    """Report a feature whose optional dependency is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{feature} needs an optional dependency: pip install 'netinterf[{extra}]'")


class CaptureError(NetinterfError):
    """Report an input that cannot be used.

    Args:
        source: The path or name of the input, as the caller gave it.
        reason: What is wrong with it, in words.
        offset: Byte offset in the (decompressed) input, where one is known.

    Attributes:
        message: Reason and offset, in words.
        code: What kind of problem it is, in a word for programs.
    """

    code: ClassVar[str] = "capture.failed"

    def __init__(self, source: str, reason: str, offset: int | None = None) -> None:
        self.source = source
        self.reason = reason
        self.offset = offset
        where = "" if offset is None else f" at byte {offset}"
        self.message = f"{reason}{where}"
        super().__init__(f"{source}: {self.message}")


class UnreadableSource(CaptureError):
    """Report a source that cannot be opened or read: missing, empty, a directory without captures, no permission."""

    code = "capture.unreadable"


class UnknownFormat(CaptureError):
    """Report bytes that begin like no capture format; the reason says which magic bytes were found."""

    code = "capture.unknown_format"


class UnsupportedLinkType(CaptureError):
    """Report a link type that no decoder knows; the reason names it and lists those that are known."""

    code = "capture.link_type"


class DamagedCapture(CaptureError):
    """Report damage inside a capture; raised only when the caller asked for strictness."""

    code = "capture.damaged"


class AnalyzerError(NetinterfError):
    """Report an analyzer that raised or broke its contract; the cause is chained.

    Args:
        analyzer: The analyzer's name.
        reason: Which part of the contract was broken.
    """

    def __init__(self, analyzer: str, reason: str) -> None:
        self.analyzer = analyzer
        self.reason = reason
        super().__init__(f"analyzer {analyzer!r}: {reason}")


class NetinterfWarning(UserWarning):
    """Category of every warning of this library."""
