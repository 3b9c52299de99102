"""Two places or two times side by side: what fails here and works there, and whether somebody on the path did it.

`attempts` lays the verdicts of both sides out as one table, `units` says what is compared with what, `neighbours` what
else happened around each attempt, `causes` what the comparison is worth against every harmless cause, `judge` adds up,
`changes` says when it began, `words` writes it down.
"""

__all__: list[str] = []
