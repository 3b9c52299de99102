"""One question after the other: arguments in, an answer out, or why there is none; what goes wrong goes no further.

What is refused is told in sentences of the library alone. They repeat no argument and no path, and what a capture holds
that cannot be read is beside them, where it may be told.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

from netinterf.assistants.pages import MOST_BYTES, fitted
from netinterf.assistants.setting import Setting
from netinterf.assistants.shelf import Shelf
from netinterf.assistants.standins import quoted
from netinterf.assistants.tools import TOOLS, checked
from netinterf.engine.each import NO_MEMORY
from netinterf.errors import CaptureError, MissingExtra, NetinterfError, ParameterError, RefusedPath

__all__ = ["Desk", "refusal"]


class Desk:
    """Answers questions about the captures of a folder.

    Args:
        setting: How the server was started.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self._setting)

    def answer(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answer one call of a tool: what it answers, or an object with the key ``error``."""
        try:
            tool = TOOLS.get(name)
            if tool is None:
                raise ParameterError("tool", name, f"one of {', '.join(TOOLS)}")
            home, function = tool.run.split(":")
            answer: dict[str, Any] = getattr(import_module(home), function)(self._shelf, checked(tool, arguments))
        except CaptureError as error:
            return self._unread(error)
        except Exception as error:
            return refusal(*said_of(error))
        about = answer.get("about")
        return answer if about is None else {**answer, "about": fitted({"untrusted": {}, **about}, MOST_BYTES // 4)}

    def _unread(self, error: CaptureError) -> dict[str, Any]:
        """Say that a capture cannot be read; why, in words that may quote it, is told beside that."""
        where = "" if error.offset is None else f" (at byte {error.offset:,})"
        reason = {"reason": quoted(error.reason)} if self._setting.standins.raw else {}
        return refusal(error.code, f"The capture cannot be read{where}.", reason)


def said_of(error: Exception) -> tuple[str, str]:
    """Say what went wrong: a word for programs, and a sentence."""
    if isinstance(error, ParameterError):
        return "argument", f"{error.parameter}: expected {error.allowed}"
    if isinstance(error, RefusedPath | MissingExtra):
        return "refused" if isinstance(error, RefusedPath) else "missing", str(error)
    if isinstance(error, MemoryError):
        return "memory", NO_MEMORY
    if isinstance(error, OSError):
        return "system", f"the system refused this ({error.strerror or type(error).__name__})"
    kind = type(error).__name__
    return ("usage" if isinstance(error, NetinterfError) else "failed"), f"this could not be answered ({kind})"


def refusal(code: str, message: str, untrusted: dict[str, str] | None = None) -> dict[str, Any]:
    """Build what is answered where there is no answer."""
    return {"error": {"code": code, "message": message}, "untrusted": untrusted or {}}
