"""Bridges to other packet libraries; the only room that imports scapy."""
