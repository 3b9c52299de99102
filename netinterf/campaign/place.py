"""Where a client is: what a store calls it, and the network that it stands for."""

from urllib.parse import quote

import attrs

from netinterf.context.networks import MAX_ASN
from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["CONTROL", "HERE", "Place", "as_folder"]

HERE = "here"
"""What a place is called where nobody named it. Not after the folder: a folder is what captures happen to lie in, and
moving it would make another place of them."""

CONTROL = "ooni-control"
"""The place of OONI's test helpers: nobody interferes there, so that what fails there is never held to be blocked."""

LONGEST, MOST_BYTES = 64, 200
"""Characters of a place's name at most, and bytes as a part of paths: of such a part most systems take 255."""


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
        fits = isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()
        if not fits or len(as_folder(str(value)).encode()) > MOST_BYTES:
            raise ParameterError("place", value, f"1 to {LONGEST} characters that can be printed, letters for the most")

    @asn.validator
    def _check_asn(self, _: object, value: int | None) -> None:
        if value is not None and not 0 <= value <= MAX_ASN:
            raise ParameterError("asn", value, f"a number up to {MAX_ASN}")

    @country.validator
    def _check_country(self, _: object, value: str) -> None:
        if value and not (len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
            raise ParameterError("country", value, "two capital letters, or nothing")


def as_folder(name: str) -> str:
    """Write a name so that a path can hold it: letters, digits and ``-_.`` stay, others are escaped (RFC 3986 §2.1)."""
    return "".join(sign if sign.isalnum() else quote(sign, safe="-_.") for sign in name)
