"""Hosts at the ends: TCP stacks, congestion control, resolvers, and their habits."""
