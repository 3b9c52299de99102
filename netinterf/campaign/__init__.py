"""Campaigns: many captures, kept as observations that add up over captures, places and days."""

from netinterf.campaign.campaign import Campaign
from netinterf.campaign.collecting.batch import Entry
from netinterf.campaign.collecting.collect import Collected
from netinterf.campaign.place import Place
from netinterf.campaign.stored.compact import Compacted
from netinterf.engine.processes import Processes

__all__ = ["Campaign", "Collected", "Compacted", "Entry", "Place", "Processes"]
