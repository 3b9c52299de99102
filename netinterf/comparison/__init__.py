"""Two places or two times side by side: what fails here and works there, and whether somebody on the path did it.

A comparison is a view of what observations show together (`netinterf.pooling`), with two places: `judge` says what they
show of each unit, `changes` when it began, `words` and `written` write it down.
"""

__all__: list[str] = []
