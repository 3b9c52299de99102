"""OONI measurements as one more place: what a probe tried and what came of it, in the terms of a comparison.

A probe tells by its sockets what a capture tells by packets. So its operations become attempts with the states and
transports of `netinterf.observations.attempts`, and what the test helper saw of the same name from a place where nobody
interferes stands beside them. Nobody judges here: the measurement's own verdict is kept as it is, and no more.
"""

from netinterf.ooni.reading import is_ooni, read_measurements, read_parts
from netinterf.ooni.tables import Measured, Measurements, Tries

__all__ = ["Measured", "Measurements", "Tries", "is_ooni", "read_measurements", "read_parts"]
