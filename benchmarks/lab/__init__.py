"""The lab: labelled captures of real Linux TCP, UDP and DNS stacks, with a middlebox of our own between them."""

from benchmarks.lab.netns import available

__all__ = ["available", "make"]


def __getattr__(name: str) -> object:
    """Load the runner only when asked for: the lab's programs import this package too and must start fast."""
    if name == "make":
        from benchmarks.lab.runner import make

        return make
    raise AttributeError(f"module 'benchmarks.lab' has no attribute {name!r}")
