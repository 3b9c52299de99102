"""Campaigns with known truth: captures of many networks and runs, what was blocked in them, and what only looks so."""

from netinterf.simulate.campaign.folder import make
from netinterf.simulate.campaign.parameters import Campaign, Causes

__all__ = ["Campaign", "Causes", "make"]
