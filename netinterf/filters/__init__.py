"""Filters that drop what an injector writes and let pass what hosts write, by how its packets look.

`fields` reads what a filter without memory can see of a packet, `collateral` counts how packets of harmless captures
look, `choose` finds the ranges that part the two, and `forms` writes them down for nftables and BPF.
"""
