"""How captures are judged: one after the other, or side by side by an executor."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from functools import partial
from itertools import islice
from queue import SimpleQueue

import attrs

from netinterf.analyzers.base import Analyzer
from netinterf.context.outside import Answers, Networks, Outside
from netinterf.engine.control import known_answers
from netinterf.engine.judged import Judged, judge
from netinterf.errors import CaptureError, NetinterfError, ParameterError
from netinterf.trace import VANTAGES
from netinterf.verdict.model import Model

__all__ = ["IN_FLIGHT", "Options", "Progress", "judge_path", "judged_each", "options_of", "pick_analyzers"]

Progress = Callable[[str, int, int], None]

IN_FLIGHT = 32  # captures that an executor holds at a time


def pick_analyzers(analyzers: Sequence[Analyzer | str] | None) -> tuple[Analyzer, ...] | None:
    """Turn names into analyzers; None stands for all built-in ones.

    Raises:
        ParameterError: A name is unknown, or there is none.
        AnalyzerError: A plugin could not be loaded.
    """
    if analyzers is None:
        return None
    from netinterf.analyzers.registry import pick  # (loads every analyzer)

    if isinstance(analyzers, str) or not analyzers:
        raise ParameterError("analyzers", analyzers, "a list of at least one analyzer or its name")
    return pick(analyzers)


@attrs.frozen(kw_only=True)
class Options:
    """How captures are judged."""

    analyzers: tuple[Analyzer, ...] | None = attrs.field(default=None, converter=pick_analyzers)
    vantage: str = attrs.field(default="auto")
    outside: Outside = attrs.field(factory=Outside)
    model: Model | None = None
    strict: bool = False

    @vantage.validator
    def _check_vantage(self, _: object, value: str) -> None:
        if value not in VANTAGES:
            raise ParameterError("vantage", value, "one of " + ", ".join(VANTAGES))


def options_of(
    analyzers: Sequence[Analyzer | str] | None,
    vantage: str,
    networks: Networks | None,
    answers: Answers | None,
    model: Model | None,
    *,
    strict: bool,
) -> Options:
    """Read what captures are judged with, before any is."""
    outside = Outside.of(networks, known_answers(answers))
    return Options(analyzers=analyzers, vantage=vantage, outside=outside, model=model, strict=strict)


def judged_each(
    captures: Sequence[str], options: Options, executor: Executor | None, progress: Progress | None
) -> Generator[tuple[int, Judged | CaptureError], None, None]:
    """Judge captures, each with its place among them, as they are done."""
    total = len(captures)
    if progress is not None and total:
        progress(captures[0], 0, total)
    one_by_one = ((place, judge_path(capture, options)) for place, capture in enumerate(captures))
    with closing(one_by_one if executor is None else side_by_side(captures, options, executor)) as outcomes:
        for done, (place, outcome) in enumerate(outcomes, 1):
            if progress is not None:
                progress(captures[place], done, total)
            yield place, outcome


def side_by_side(
    captures: Sequence[str], options: Options, executor: Executor
) -> Generator[tuple[int, Judged | CaptureError], None, None]:
    """Have an executor judge captures, a bounded number at a time, and give each when it is done."""
    done = SimpleQueue[tuple[int, Future[Judged | CaptureError]]]()
    left, running = iter(enumerate(captures)), dict[int, Future[Judged | CaptureError]]()

    def tell(place: int, future: Future[Judged | CaptureError]) -> None:
        done.put((place, future))

    def hand_out(count: int) -> None:
        for place, capture in islice(left, count):
            running[place] = executor.submit(judge_path, capture, options)
            running[place].add_done_callback(partial(tell, place))

    try:
        hand_out(IN_FLIGHT)
        while running:
            place, future = done.get()
            del running[place]
            outcome = future.result()
            hand_out(1)
            yield place, outcome
    finally:  # whoever asks for no more wants no more judged
        for future in running.values():
            future.cancel()


def judge_path(
    path: str, options: Options, progress: Callable[[int, int], None] | None = None
) -> Judged | CaptureError:
    """Judge one capture, or return why it cannot be.

    A fault of the library itself is reported like one of the capture, so that one odd file in a folder of thousands
    costs that file only; with ``strict`` it is raised.

    Args:
        path: The capture.
        options: How to judge.
        progress: Called with bytes read and bytes in all.
    """
    try:
        return judge(
            path,
            analyzers=options.analyzers,
            vantage=options.vantage,
            model=options.model,
            outside=options.outside,
            strict=options.strict,
            progress=progress,
        )
    except CaptureError as known:
        return known
    except Exception as cause:
        if isinstance(cause, NetinterfError):
            reason = str(cause)
        elif isinstance(cause, OSError):
            reason = f"cannot be read: {cause.strerror or cause}"
        elif options.strict:
            raise
        else:
            reason = f"could not be analysed ({type(cause).__name__}: {cause}); please report this"
        error = CaptureError(path, reason)
        error.__cause__ = cause
        return error
