"""How captures are judged: one after the other, or side by side by an executor."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from functools import partial
from itertools import islice
from queue import SimpleQueue
from traceback import clear_frames
from typing import TypeVar

from netinterf.capture import CaptureSearch, Source
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.lost import LastingExecutor, LostError, answer_of
from netinterf.engine.options import Options
from netinterf.errors import CaptureError, NetinterfError
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["IN_FLIGHT", "Memory", "Paths", "Progress", "attempt", "called", "captures_in", "judge_path", "judged_each"]


@frozen(eq=False)
class Memory:
    """One capture that is no file."""

    content: Source  # bytes, or a file object that is open
    name: str


Paths = str | tuple[str, ...] | Memory
"""One capture: a file, the files that are joined, or what is in memory."""

Progress = Callable[[str, int, int], None]

Answer = TypeVar("Answer")

NO_MEMORY = "there is not enough memory to judge it"

IN_FLIGHT = 32  # captures that an executor holds at a time


def judged_each(
    captures: Sequence[Paths], options: Options, executor: Executor | None, progress: Progress | None
) -> Generator[tuple[int, Judged | CaptureError], None, None]:
    """Judge captures, each with its place among them, as they are done."""
    total = len(captures)
    if progress is not None and total:
        progress(called(captures[0]), 0, total)
    if executor is None or len(captures) == 1:  # which may be a large one, and has shards for the executor
        pairs = ((place, judge_path(capture, options, executor=executor)) for place, capture in enumerate(captures))
    else:
        pairs = side_by_side(captures, options, executor)
    with closing(pairs) as outcomes:
        for done, (place, outcome) in enumerate(outcomes, 1):
            if progress is not None:
                progress(called(captures[place]), done, total)
            yield place, outcome


def side_by_side(
    captures: Sequence[Paths], options: Options, executor: Executor
) -> Generator[tuple[int, Judged | CaptureError], None, None]:
    """Have an executor judge captures, a bounded number at a time, and give each when it is done.

    When workers are lost, nothing new is begun until those captures whose answers were lost are judged again, alone.
    """
    done = SimpleQueue[tuple[int, Future[Judged | CaptureError]]]()
    left, running = iter(enumerate(captures)), dict[int, Future[Judged | CaptureError]]()
    lost: list[int] = []

    def tell(place: int, future: Future[Judged | CaptureError]) -> None:
        done.put((place, future))

    with LastingExecutor(executor) as workers:

        def hand_out(count: int) -> None:
            for place, capture in islice(left, count):
                running[place] = workers.submit(judge_path, capture, options)
                running[place].add_done_callback(partial(tell, place))

        try:
            hand_out(IN_FLIGHT)
            while running:
                place, future = done.get()
                del running[place]
                try:
                    outcome = answer_of(future)
                except LostError:
                    lost.append(place)
                else:
                    hand_out(0 if lost else 1)
                    yield place, outcome
                if lost and not running:
                    yield from ((place, judged_alone(workers, captures[place], options)) for place in lost)
                    lost.clear()
                    hand_out(IN_FLIGHT)
        finally:  # whoever asks for no more wants no more judged
            for future in running.values():
                future.cancel()


def judged_alone(workers: LastingExecutor, capture: Paths, options: Options) -> Judged | CaptureError:
    """Judge a capture while no other is, or say that no worker survives it."""
    try:
        return workers.alone(called(capture), judge_path, capture, options)
    except CaptureError as error:
        return error


def captures_in(found: CaptureSearch, *, join: bool) -> Sequence[Paths]:
    """Take each file for a capture, or all for one, which then lacks what could not be used."""
    if not join or not found.captures:
        return found.captures
    return [(*found.captures, *(error.source for error in found.errors))]


def called(capture: Paths) -> str:
    """Name a capture before it is read: by its path, or that of its first file."""
    if isinstance(capture, Memory):
        return capture.name
    return capture if isinstance(capture, str) else capture[0]


def judge_path(
    path: Paths,
    options: Options,
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
    look: Callable[[Trace], object] | None = None,
) -> Judged | CaptureError:
    """Judge one capture, or return why it cannot be.

    A fault of the library itself is reported like one of the capture, so that one odd file in a folder of thousands
    costs that file only; with ``strict`` it is raised.

    Args:
        path: The capture, or the files of one.
        options: How to judge.
        progress: Called with bytes read and bytes in all.
        executor: Looks at shards of a large capture side by side.
        look: Called with the trace of a capture that is looked at as one, before it is let go.
    """
    source: Source | tuple[str, ...] = path.content if isinstance(path, Memory) else path
    return attempt(path, options, partial(judge, source, options, progress=progress, executor=executor, look=look))


def attempt(path: Paths, options: Options, work: Callable[[], Answer]) -> Answer | CaptureError:
    """Do something with a capture, or return why it cannot be done; see `judge_path`."""
    try:
        return work()
    except CaptureError as known:
        return let_go(known)
    except Exception as cause:
        if isinstance(cause, NetinterfError):
            reason = str(cause)
        elif isinstance(cause, OSError):
            reason = f"cannot be read: {cause.strerror or cause}"
        elif isinstance(cause, MemoryError):
            reason = NO_MEMORY
        elif options.strict:
            raise
        else:
            reason = f"could not be analysed ({type(cause).__name__}: {cause}); please report this"
        error = CaptureError(called(path), reason)
        error.__cause__ = cause
        return let_go(error)


def let_go(error: CaptureError) -> CaptureError:
    """Drop what the calls that an error came through held: it is kept for longer than its capture."""
    link: BaseException | None = error
    while link is not None:
        clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    return error
