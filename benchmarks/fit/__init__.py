"""Fitting: from labelled captures of simulator and lab to the model that ships with the library.

``corpus`` gathers evidence and truth, ``design`` lays them out as one regression problem, ``weights`` solves it,
``worth`` holds scores against what they were worth on systems left out, ``silence`` measures what it means that
nothing was seen, ``folds`` parts systems and look-alikes, ``document`` writes the file. Real captures never enter.
"""

from benchmarks.fit.command import run

__all__ = ["run"]
