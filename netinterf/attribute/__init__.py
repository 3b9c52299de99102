"""Who did it: findings held against a catalogue of documented systems, and captures against each other."""

from netinterf.attribute.catalogue import systems
from netinterf.attribute.similarity import Similarity, similarity

__all__ = ["Similarity", "similarity", "systems"]
