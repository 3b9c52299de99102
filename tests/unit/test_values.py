"""Value classes: completed when first used, and then what attrs makes of them."""

import copy
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import attrs
import pytest

from netinterf import values
from netinterf.values import define, frozen

DECLARED = """
@decorator({options})
class Visit:
    name: str
    bytes: int = attrs.field(default=3)
    seen: list = attrs.field(factory=list, {eq}repr=False)
    twice: int = attrs.field(init=False)

    @twice.default
    def _doubled(self):
        return 2 * self.bytes

    @bytes.validator
    def _positive(self, field, value):
        if value < 0:
            raise ValueError("less than nothing")
"""


def declared(decorator: Callable[..., Any], options: str) -> Any:
    """Declare the same class by either decorator."""
    names: dict[str, Any] = {"decorator": decorator, "attrs": attrs, "__name__": "shop"}
    eq = "" if "eq=False" in options else "eq=False, "
    exec(DECLARED.format(options=options, eq=eq), names)
    return names["Visit"]


def told(kind: Any) -> list[Any]:
    """Ask a class for all that it can."""
    one, same, other = kind(name="a"), kind(name="a"), kind(name="b", bytes=4)
    answers = [repr(one), one == same, one == other, other.twice, attrs.asdict(other), str(inspect.signature(kind))]
    answers += [kind.__match_args__, [field.name for field in attrs.fields(kind)], repr(attrs.evolve(one, bytes=9))]
    answers += [kind.__hash__ is None, kind.__hash__ is not None and hash(one) == hash(same), kind.__doc__]
    for wrong in (kind, lambda: kind(name="a", bytes=-1), lambda: setattr(one, "name", "c")):
        try:
            wrong()
        except (TypeError, ValueError, AttributeError) as error:
            answers.append((type(error), str(error)))
    return answers


@pytest.mark.parametrize("options", ["", "eq=False", "kw_only=True", "eq=False, kw_only=True", "order=True"])
@pytest.mark.parametrize("ours", [frozen, define])
def test_a_class_is_what_attrs_makes_of_it(ours: Callable[..., Any], options: str) -> None:
    """It has the same constructor, fields and errors, is compared and shown alike, and as frozen."""
    twin = attrs.frozen if ours is frozen else attrs.define
    assert told(declared(ours, options)) == told(declared(twin, options))


@pytest.mark.parametrize(
    "ask",
    [
        lambda kind: kind(name="a"),
        attrs.fields,
        inspect.signature,
        lambda kind: kind.__match_args__,
        lambda kind: getattr(kind, "__setstate__", None),
        lambda kind: kind.__setattr__,
    ],
)
def test_a_class_is_completed_when_it_is_asked(ask: Callable[[type], object]) -> None:
    """Nothing is compiled before, whatever is asked first completes all, and nothing is left of what stood for it."""
    kind = declared(frozen, "")
    assert isinstance(vars(kind)["__init__"], values.Unwritten)
    ask(kind)
    assert inspect.isfunction(vars(kind)["__init__"])
    assert not [value for value in vars(kind).values() if isinstance(value, values.Unwritten)]


def test_classes_are_derived_from_classes() -> None:
    """A class completes those it is derived from; one that has a constructor of its own reaches theirs."""

    @frozen
    class Place:
        name: str

    @frozen
    class Server(Place):
        port: int = 443

    class Named(Place):
        def __init__(self, number: int) -> None:
            super().__init__(f"host{number}")

    assert Named(7).name == "host7"
    assert repr(Server("a")).endswith("Server(name='a', port=443)")
    assert [field.name for field in attrs.fields(Server)] == ["name", "port"]


def test_threads_may_use_a_class_first_together() -> None:
    """Whoever comes second waits until the class is complete."""
    for _ in range(20):
        kind, ready = declared(frozen, ""), Barrier(4)

        def made(number: int, kind: Any = kind, ready: Barrier = ready) -> object:
            ready.wait()
            return kind(name=str(number))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(made, range(4))) == [kind(name=str(number)) for number in range(4)]


def test_instances_travel_to_processes_that_have_made_none() -> None:
    """What is restored there is compared and frozen as it was."""
    sent = pickle.dumps([Sent("a"), Sent("a"), Signal(), Signal()])
    code = (
        "import pickle, sys; first, second, *empty = pickle.load(sys.stdin.buffer); assert first == second;"
        " assert len(set(empty)) == 1;"
        " assert repr(first) == \"Sent(name='a')\"; first.name = 'b'"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=False, cwd=root)
    assert b"FrozenInstanceError" in done.stderr


@frozen
class Sent:
    """Something to send."""

    name: str


@frozen
class Signal:
    """Something without fields to send."""


def test_attrs_derives_classes_from_classes_that_nobody_used() -> None:
    """What is derived from a frozen class is frozen, and can be made."""

    @frozen
    class Place:
        name: str

    @attrs.define
    class Server(Place):
        port: int = 443

    server = Server("a")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        server.port = 80  # type: ignore[misc]


def test_a_class_says_some_things_itself() -> None:
    """How it is restored stays as it was declared."""

    @frozen
    class Counter:
        count: int

        def __setstate__(self, state: dict[str, Any]) -> None:
            object.__setattr__(self, "count", state["count"] + 1)

    assert copy.copy(Counter(1)) == Counter(2)


def test_a_class_is_completed_after_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while its methods are compiled leaves it as it was declared."""
    kind = declared(frozen, "")
    with monkeypatch.context() as patch:
        patch.setattr("builtins.compile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kind("a")
    assert kind("a") == kind("a")


def interrupted(*_: object, **__: object) -> None:
    """Stand for a user who wants no more."""
    raise KeyboardInterrupt


FORKING = """
import os, signal, threading, time
from netinterf.values import WRITING, frozen

@frozen
class Visit:
    name: str

held = threading.Event()

def hold():
    with WRITING:
        held.set()
        time.sleep(0.2)

threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(10)
    Visit("a")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are not forked here")
def test_a_process_is_forked_while_a_thread_completes_a_class() -> None:
    """The new process waits for no thread that it does not have."""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, cwd=root)


def test_instances_that_hold_one_another_are_shown() -> None:
    """The second time stands for the whole, as with attrs."""

    @define
    class Peer:
        other: object = None

    peer = Peer()
    peer.other = Peer(peer)
    assert repr(peer).endswith("Peer(other=Peer(other=...))")
