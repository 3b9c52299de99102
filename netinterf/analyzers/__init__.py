"""Analyzers: each asks one question of a trace and answers with evidence."""
