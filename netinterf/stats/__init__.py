"""Statistics: arrays in, arrays out. Nothing here knows what a packet is."""
