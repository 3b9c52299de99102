"""Fitting: from labelled captures of simulator and lab to the model that ships with the library.

``corpus`` gathers evidence and truth, ``design`` lays them out as one regression problem, ``weights`` solves it,
``silence`` measures what it means that nothing was seen, ``same_path`` what a certain case says of others on its path,
``folds`` parts systems and look-alikes, ``document`` writes the file. Real captures never enter.
"""

from benchmarks.fit.command import run

__all__ = ["run"]
