"""A real browser that opens a page, for tests, measurements and screenshots: Chromium without a window.

It is spoken to in the Chrome DevTools Protocol through two pipes (``--remote-debugging-pipe``: file descriptors 3 and 4
of the child, messages end with a zero byte), so nothing but the browser is needed.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import attrs

__all__ = ["Browser", "View", "find_chromium"]

PATIENCE = 60.0
"""Seconds to wait for an answer: a loaded machine needs several to start a browser."""

SETTLED = 0.3
"""Seconds without a word from the page after which it is taken to be done: requests and errors come at once."""

LOADED = "(performance.getEntriesByType('navigation')[0]?.loadEventEnd ?? 0)"
PAINTED = "(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)"
"""Milliseconds since the page was asked for, 0 before it happened (W3C, Navigation Timing Level 2, Paint Timing)."""


def find_chromium() -> str | None:
    """Find the browser, None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@attrs.frozen(kw_only=True)
class View:
    """What came of opening a page at one width."""

    width: int  # of the window, CSS pixels
    scroll_width: int  # of the page
    paint_ms: float  # from asking for it to the first paint with content
    load_ms: float  # to its load event
    elements: int
    requests: tuple[str, ...]  # all addresses asked for besides the page's own
    errors: tuple[str, ...]  # what the console complained about


class Browser:
    """One browser with one page; use it in a ``with`` statement.

    Args:
        program: Path of Chromium.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._number, self._held = 0, b""
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="netinterf-page-", ignore_cleanup_errors=True)
        theirs, self._ours = os.pipe()
        self._answers, back = os.pipe()
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        quiet = ("--disable-background-networking", "--disable-extensions", "--hide-scrollbars")
        self._child = subprocess.Popen(
            [self._program, *options, *quiet, f"--user-data-dir={self._folder.name}", "--remote-debugging-pipe"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=as_three_and_four(theirs, back),  # noqa: PLW1509 (no threads are running)
        )
        os.close(theirs)
        os.close(back)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._tell(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._ask("Browser.close")
        for end in (self._ours, self._answers):
            os.close(end)
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._folder.cleanup()

    def open(self, page: Path, *, width: int = 1440, height: int = 900, scheme: str = "light") -> View:
        """Open a file and wait until it has loaded and said all that it says.

        Args:
            page: The file.
            width: Of the window, CSS pixels.
            height: Of the window.
            scheme: ``light`` or ``dark``.
        """
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._tell("Emulation.setDeviceMetricsOverride", **size)
        self._tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        address = page.resolve().as_uri()
        self._tell("Page.navigate", url="about:blank")
        self.wait_until("location.href === 'about:blank' && document.readyState === 'complete'")
        self._events.clear()
        self._tell("Page.navigate", url=address)
        self.wait_until(f"location.href === {json.dumps(address)} && {LOADED} > 0 && {PAINTED} > 0")
        self._settle()
        asked = [
            one["params"]["request"]["url"] for one in self._events if one["method"] == "Network.requestWillBeSent"
        ]
        return View(
            width=width,
            scroll_width=int(self.run("document.documentElement.scrollWidth")),
            paint_ms=float(self.run(PAINTED)),
            load_ms=float(self.run(LOADED)),
            elements=int(self.run("document.getElementsByTagName('*').length")),
            requests=tuple(url for url in asked if url != address),
            errors=self.complaints(),
        )

    def complaints(self) -> tuple[str, ...]:
        """List what the console complained about since the page was opened."""
        self._settle()
        return tuple(complaint for event in self._events if (complaint := complaint_of(event)))

    def run(self, script: str) -> Any:
        """Run a script on the page and give what it comes to; the page's own policy does not bind it."""
        answer = self._tell("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Take a picture of what is seen, or of the whole page."""
        answer = self._tell("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print(self, path: Path) -> None:
        """Print the page to a PDF of A4."""
        answer = self._tell("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the page."""
        return self._ask(method, session=self._session, **parameters)

    def _ask(self, method: str, *, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": parameters}
        message = json.dumps(told if session is None else {**told, "sessionId": session}).encode() + b"\0"
        while message:
            message = message[os.write(self._ours, message) :]
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._next(until)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _next(self, until: float) -> dict[str, Any]:
        """Give the next message of the browser."""
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._answers], [], [], max(until - time.monotonic(), 0))
            read = os.read(self._answers, 1 << 20) if ready else b""
            if not read:
                raise TimeoutError(f"the browser {'said nothing' if not ready else 'is gone'}")
            self._held += read
        message, _, self._held = self._held.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def wait_until(self, condition: str) -> None:
        """Wait until a condition holds on the page."""
        until = time.monotonic() + PATIENCE
        while not self.run(condition):
            if time.monotonic() > until:
                raise TimeoutError(condition)
            time.sleep(0.02)

    def _settle(self) -> None:
        """Wait until the page says nothing any more."""
        with contextlib.suppress(TimeoutError):
            while True:
                self._events.append(self._next(time.monotonic() + SETTLED))


def as_three_and_four(reads: int, writes: int) -> Callable[[], None]:
    """Give what makes two ends of pipes the file descriptors 3 and 4 of a child."""

    def place() -> None:
        low = [os.dup(end) for end in (reads, writes)]
        while min(low) < 5:  # neither may be closed by becoming the other
            low = [os.dup(end) for end in low]
        os.dup2(low[0], 3)
        os.dup2(low[1], 4)

    return place


def complaint_of(event: dict[str, Any]) -> str:
    """Read an error or a warning from what happened, empty for other events."""
    told = event.get("params", {})
    if event.get("method") == "Log.entryAdded" and told["entry"]["level"] in {"error", "warning"}:
        return str(told["entry"]["text"])
    if event.get("method") == "Runtime.exceptionThrown":
        return str(told["exceptionDetails"]["text"])
    if event.get("method") == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning"}:
        return str(told["args"])
    return ""
