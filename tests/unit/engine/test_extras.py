"""What a result says when an optional package is missing: nothing is left out in silence."""

import subprocess
import sys
from pathlib import Path

import pytest

from netinterf.simulate import Conditions, run, write

WITHOUT = "import sys; sys.modules['cryptography'] = None; import importlib.util as u; found = u.find_spec; "
WITHOUT += "u.find_spec = lambda name, *rest: None if name == 'cryptography' else found(name, *rest); "
SCAN = "import netinterf; print(netinterf.read(sys.argv[1]))"


@pytest.mark.parametrize(
    ("scenario", "said"), [("quic.drop.gfw", "QUIC conversations"), ("tls.interception.gateway", "certificates")]
)
def test_what_needs_an_extra_is_named(tmp_path: Path, scenario: str, said: str) -> None:
    """A scan without cryptography says how much it could not read and what would; with it nothing is said."""
    path = tmp_path / "capture.pcap"
    write(run(scenario, 2, Conditions.clean(vantage="client")), path)
    for before, expected in ((WITHOUT, True), ("import sys; ", False)):
        words = [sys.executable, "-c", before + SCAN, str(path)]
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert ("netinterf[tls]" in shown and said in shown) == expected
