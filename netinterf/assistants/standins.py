"""What takes the place of names in all that is said, and the text of packets beside it.

A redaction renames every name in the tables that sentences are written from (`netinterf.privacy`), so no writer has to
know of it and none can forget it. Answers to assistants are redacted in this sense always: a name is
``482734987234.invalid`` wherever the library speaks. Where names may be told, each part of an answer says under
``untrusted`` what those stand for that occur in it; where addresses may be, they stay where they are.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from netinterf.arrays import U64
from netinterf.numbering import numbered_text
from netinterf.privacy.redaction import Redaction
from netinterf.table import Text
from netinterf.values import frozen
from netinterf.writing import dump, printable

__all__ = ["LONGEST", "StandIns", "beside", "quoted"]

LONGEST = 255
"""Characters of a text from a packet that are shown: no name in DNS has more octets (RFC 1035 §2.3.4)."""

STAND_IN = re.compile(r"(?:[0-9]{12}\.)?[0-9]{12}\.invalid(?::[0-9]{0,5})?|capture-[0-9]{12}")
"""What `Redaction` writes in the place of a name, of a host with its port, and of a path."""


@frozen(kw_only=True)
class StandIns(Redaction):
    """A redaction after which it may be told beside the answer what was taken out.

    Attributes:
        names: Names are told beside the answer.
        raw: Addresses stay, and names are told beside the answer.
    """

    names_told: bool = False
    raw: bool = False

    def addresses(self, high: U64, low: U64) -> tuple[U64, U64]:
        """Map addresses, unless they stay."""
        return (high, low) if self.raw else super().addresses(high, low)

    def network(self, network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
        """Map a prefix, unless addresses stay."""
        return network if self.raw else super().network(network)

    def told(self, names: Text) -> dict[str, str]:
        """Say what the stand-ins of names stand for, as far as that may be told.

        Where addresses are mapped, a name that spells one is not told.
        """
        if not (self.raw or self.names_told):
            return {}
        different = numbered_text(names)[1]
        shown = different if self.raw else Redaction(key=self.key, keep=frozenset({"names"})).names(different)
        return {name: text for name, text in zip(self.names(different), shown, strict=True) if name != text}


def beside(part: dict[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    """Put beside a part of an answer what the stand-ins in it stand for."""
    met = dict.fromkeys(STAND_IN.findall(dump(part))) if told else {}
    return {**part, "untrusted": {name: quoted(told[name]) for name in met if name in told}}


def quoted(text: str) -> str:
    """Make text of somebody else fit to be shown: no controls, no turned direction, no more than a name's length.

    The middle is not shown of what is longer.
    """
    shown, half = printable(text), LONGEST // 2
    return shown if len(shown) <= LONGEST else f"{shown[:half]}…{shown[-half:]}"
