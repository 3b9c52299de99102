"""Run the command inside the test's own process: as a user's, but that the interpreter and its modules are there."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryFile

from netinterf.cli.main import main

__all__ = ["ROOT", "Run", "run_here"]

ROOT = Path(__file__).resolve().parents[2]

Run = subprocess.CompletedProcess[str]


def run_here(*arguments: object, stdin: bytes = b"", cwd: Path = ROOT) -> Run:
    """Run the command with a pipe for its input and files for what it writes."""
    words = list(map(str, arguments))
    with ExitStack() as held:
        written = [held.enter_context(TemporaryFile()) for _ in range(2)]
        out, problems = (io.TextIOWrapper(file, encoding="utf-8", write_through=True) for file in written)
        held.enter_context(redirect_stdout(out))
        held.enter_context(redirect_stderr(problems))
        held.enter_context(chdir(cwd))
        held.enter_context(given(stdin))
        status = main(words)
        told = []
        for file, text in zip(written, (out, problems), strict=True):
            text.flush()
            file.seek(0)
            told.append(file.read().decode("utf-8"))
            text.detach()
    return subprocess.CompletedProcess(words, status, *told)


@contextmanager
def given(data: bytes) -> Iterator[None]:
    """Put bytes into a pipe that stands for standard input."""
    end, begin = os.pipe()

    def write() -> None:
        with suppress(BrokenPipeError), open(begin, "wb") as pipe:  # unless nobody reads
            pipe.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(os.fdopen(end, "rb"), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin.close()
        sys.stdin = before
        writer.join()
