"""Anomaly scores: what is ordinary counted on benign public captures, and who stands out from it elsewhere."""
