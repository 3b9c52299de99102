"""Running the whole job: over files, over a stream of bytes, over the examples that ship with the library."""

__all__: list[str] = []
