"""Where a client is: what a store calls it, and the network that it stands for."""

import attrs

from netinterf.context.networks import MAX_ASN
from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["HERE", "Place"]

HERE = "here"
"""What a place is called where nobody named it. Not after the folder: a folder is what captures happen to lie in, and
moving it would make another place of them."""

LONGEST = 64
"""Characters of a place's name at most: it becomes part of paths, of which some systems take 255 bytes."""


@frozen(kw_only=True)
class Place:
    """One place of a campaign.

    Raises:
        ParameterError: The name, the AS or the country cannot be one.
    """

    name: str = attrs.field(default=HERE)
    asn: int | None = attrs.field(default=None)  # of clients that the table of networks does not know
    country: str = attrs.field(default="")  # the same; two letters, empty for unknown

    @name.validator
    def _check_name(self, _: object, value: object) -> None:
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
            raise ParameterError("place", value, f"1 to {LONGEST} characters that can be printed")

    @asn.validator
    def _check_asn(self, _: object, value: int | None) -> None:
        if value is not None and not 0 <= value <= MAX_ASN:
            raise ParameterError("asn", value, f"a number up to {MAX_ASN}")

    @country.validator
    def _check_country(self, _: object, value: str) -> None:
        if value and not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
            raise ParameterError("country", value, "two capital letters, or nothing")
