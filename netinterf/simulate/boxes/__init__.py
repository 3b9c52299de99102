"""Boxes on the path that interfere with what passes."""
