"""What the ends acknowledge, though the other end never said it."""

from netinterf.analyzers.acknowledgements.analyzer import Acknowledgements

__all__ = ["Acknowledgements"]
