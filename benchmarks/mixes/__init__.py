"""Traffic of many kinds, about as many packets of each: where the library is slow shows only on what makes it work.

`catalogue.MIXES` lists them; `measure` times them, and `touched` counts what they make the library do, without a clock.
"""
