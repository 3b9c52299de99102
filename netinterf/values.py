"""Value classes: what attrs makes of a class, made when the class is first used.

attrs writes the methods of a class as text, which Python compiles: a third of a millisecond a class, of which the
library has several hundred. A scan of a small capture makes instances of a few, and spent a quarter of its time on
methods that nobody called. So a class stays as it was declared until something asks for what attrs gives it: its
constructor (without which few methods are called), its fields, its signature, whether it is frozen, how it is
restored, or how an instance without fields, which is restored without asking, is compared.

To whoever reads types, `frozen` and `define` are those of attrs. Two options are settled: instances have no slots,
since a class with slots cannot be completed in place; and one function says what an instance of any class holds, since
that is the dearest method to compile and the one that is called least.
"""

import os
from collections.abc import Callable
from reprlib import recursive_repr
from threading import RLock
from typing import TYPE_CHECKING, Any

import attrs

__all__ = ["define", "frozen"]

WRITTEN = ("__init__", "__attrs_attrs__")
ABSENT = ("__match_args__", "__signature__", "__setstate__", "__setattr__", "__eq__", "__hash__")
"""What may be asked of a class before it is complete: what attrs always writes, and what it adds to or leaves alone."""

WRITING = RLock()  # two threads may be the first to use a class, and a class completes those that it is derived from
if hasattr(os, "register_at_fork"):  # a process that is forked meanwhile would wait for a thread that it does not have
    os.register_at_fork(before=WRITING.acquire, after_in_parent=WRITING.release, after_in_child=WRITING.release)


class Unwritten:
    """Stands for what a class will have, and completes the class when it is asked for."""

    def __init__(self, kind: type, name: str, complete: Callable[[], None]) -> None:
        self.kind, self.name, self.complete = kind, name, complete

    def __get__(self, instance: object, owner: type) -> Any:
        """Give what the complete class has, or those that it is derived from."""
        self.complete()
        if self.name not in vars(self.kind):
            return getattr(super(self.kind, owner if instance is None else instance), self.name)
        given = vars(self.kind)[self.name]
        return given.__get__(instance, owner) if callable(given) else given


def deferred(write: Callable[..., type]) -> Callable[..., Any]:
    """Turn a decorator of attrs into one that acts when the class is first used."""

    def decorator(kind: type | None = None, /, **options: Any) -> Any:
        return (lambda declared: leave(declared, options)) if kind is None else leave(kind, options)

    def leave(kind: type, options: dict[str, Any]) -> type:
        def complete() -> None:
            with WRITING:
                if isinstance(vars(kind)["__init__"], Unwritten):
                    for name in standing & vars(kind).keys():  # all of them, unless this was interrupted before
                        delattr(kind, name)
                    write(kind, **options, slots=False, repr=False, init=True)  # in place of what stands for it

        standing = set(ABSENT) - vars(kind).keys()  # what the class says itself stays
        for name in (*WRITTEN, *standing):
            setattr(kind, name, Unwritten(kind, name, complete))
        own: object = kind.__repr__
        if own is object.__repr__ or own is shown:
            type.__setattr__(kind, "__repr__", shown)
        return kind

    return decorator


@recursive_repr()
def shown(value: Any) -> str:
    """Say what an instance holds, in the words of attrs."""
    names = [field.name for field in attrs.fields(type(value)) if field.repr]
    held = ", ".join(f"{name}={getattr(value, name, attrs.NOTHING)!r}" for name in names)
    return f"{type(value).__qualname__.rsplit('>.', 1)[-1]}({held})"


if TYPE_CHECKING:
    from attrs import define, frozen
else:
    define, frozen = deferred(attrs.define), deferred(attrs.frozen)
