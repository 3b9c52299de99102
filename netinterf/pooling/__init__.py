"""What observations show together: cells of one name, or server, in one place, each held against all the others.

`tallies` counts what came of each cell, `episodes` lays the failing ones out in time with what others show at the same
time, `ways` finds transports that are shut as a whole, `spans` asks from when to when a cause was at work, `causes`
weighs a block against every harmless cause, `rates` learns how common blocks are in a place, `cells` adds it all up.
Two sides of a comparison are two places.
"""

__all__: list[str] = []
