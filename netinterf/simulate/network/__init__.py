"""The simulated network: packets, legs of path, queues, and boxes that translate or balance."""
