"""Anomaly: which conversations differ from their peers of the same capture. Never an accusation, and no evidence."""
