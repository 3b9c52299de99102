"""What kind of recording a capture is: where it was taken, what it lacks, and what made it.

An analyzer must know when it is blind. Address translation and virtual-machine networking rewrite header fields,
proxies answer in place of the far end, mirror ports double packets, busy machines lose them, exports leave them out,
and some packets were never sent by anybody. `gather` finds, path by path, what rules must know (`schema.Recording`);
`describe` tells people what was found, kind by kind.
"""

from netinterf.recording.describe import describe, notes
from netinterf.recording.fact import RecordingFact, Scope
from netinterf.recording.gather import gather
from netinterf.recording.vantage import INITIAL_TTLS, PLACES

__all__ = ["INITIAL_TTLS", "PLACES", "RecordingFact", "Scope", "describe", "gather", "notes"]
