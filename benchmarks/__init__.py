"""Measurements of the library: how well it decides and how fast it runs."""
