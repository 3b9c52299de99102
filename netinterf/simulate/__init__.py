"""Simulated captures with known truth: seeded, deterministic; for tests, examples and measurements.

Hosts have addresses reserved for documentation (RFC 5737, RFC 3849) or private ones; DNS answers are ordinary global
addresses that stand for nobody, since reserved ones would be a sign of forgery by themselves.
"""

from netinterf.simulate.catalogue import run, scenarios
from netinterf.simulate.conditions import Conditions
from netinterf.simulate.folder import write
from netinterf.simulate.labels import Labels, Truth
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Simulated

__all__ = ["Conditions", "Labels", "Scenario", "Simulated", "Truth", "run", "scenarios", "write"]
