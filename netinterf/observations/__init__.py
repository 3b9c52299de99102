"""What was tried in captures and what came of it, in rows that add up over captures and places.

`attempts` lays verdicts out as one row per attempt, `neighbours` says what else happened around each, `table` adds
attempts up to observations: what one place tried of one name at one server in five minutes.
"""

__all__: list[str] = []
