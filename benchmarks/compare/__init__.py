"""Comparisons of two places with known truth: simulated pairs, and the shared captures."""
