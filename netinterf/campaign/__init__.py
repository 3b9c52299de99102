"""Campaigns: many captures, kept as observations that add up over captures, places and days."""

from netinterf.campaign.batch import Entry
from netinterf.campaign.campaign import Campaign
from netinterf.campaign.collect import Collected
from netinterf.campaign.compact import Compacted
from netinterf.campaign.executors import Processes
from netinterf.campaign.place import Place

__all__ = ["Campaign", "Collected", "Compacted", "Entry", "Place", "Processes"]
