"""Campaigns with known truth: what an inference names in them, held against what was blocked."""
