"""The scoreboard: labels and verdicts of many captures in, rates with their bounds out."""

__all__: list[str] = []
