"""Facts from outside the capture: special address ranges, and answers that censors are known to forge."""

from netinterf.context.forged import ForgedAddresses, ForgedKind, forged_addresses
from netinterf.context.special import Special, special_bits

__all__ = ["ForgedAddresses", "ForgedKind", "Special", "forged_addresses", "special_bits"]
