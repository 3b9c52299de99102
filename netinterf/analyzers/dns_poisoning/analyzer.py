"""The analyzer: gather replies, find contradictions and false content, compare with each server, write it down."""

from typing import ClassVar

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.aftermath import tls_at_answered, tried_in_vain
from netinterf.analyzers.dns_poisoning.content import read_content
from netinterf.analyzers.dns_poisoning.corroborations import agreeing_servers, transport_contrasts
from netinterf.analyzers.dns_poisoning.known import compare_known
from netinterf.analyzers.dns_poisoning.profile import least_handshake_rtts
from netinterf.analyzers.dns_poisoning.race import compare_races
from netinterf.analyzers.dns_poisoning.replies import gather_udp_replies
from netinterf.analyzers.dns_poisoning.signs import (
    ReplyCases,
    baseline_signs,
    content_signs,
    corroboration_signs,
    declared_filter_signs,
    other_name_signs,
    outlier_signs,
    race_signs,
)
from netinterf.analyzers.dns_poisoning.suspects import find_suspect_replies
from netinterf.analyzers.signs import record
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["DnsPoisoning"]


@frozen(kw_only=True)
class DnsPoisoning:
    """Find forged DNS answers.

    What it looks for: questions that drew contradicting replies, replies that came too fast or from elsewhere, replies
    built unlike their server's others, and answers that cannot be true.

    Why: an injector on the path sees the query and answers in the resolver's name. It cannot take the resolver's own
    reply back, it stands at another distance, and it builds replies from a template (Duan et al., Hold-On, SATIN 2012;
    Anonymous et al., Triplet Censors, FOCI 2020).

    Also looks like this: frames captured twice, queries sent again and answered by two sites of an anycast server,
    rotating addresses, split horizon, captive portals, block lists, fake-address proxies, and address translation that
    rewrites headers.

    References: Duan et al., Hold-On, SATIN 2012; Anonymous et al., Triplet Censors, FOCI 2020; Hoang et al., How Great
    is the Great Firewall?, USENIX Security 2021; Fan et al., Wallbleed, NDSS 2025; Niaki et al., ICLab, IEEE S&P 2020.
    """

    name: ClassVar[str] = "dns_poisoning"
    scope: ClassVar[Scope] = Scope.CAPTURE
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Look at the DNS exchanges of *trace* and write down what is unusual."""
        if len(trace.exchanges) == 0:
            return Evidence.empty(rules=self.rules)
        replies = gather_udp_replies(trace)
        content = read_content(trace, replies)
        races = compare_races(trace, replies, content)
        contradicted_by_tcp = transport_contrasts(trace, replies)
        known = compare_known(trace, replies, content, races)  # by addresses that the user knows names to have
        least_rtts = least_handshake_rtts(trace)  # from the tap to each host
        suspects = find_suspect_replies(trace, replies, content, races, known, contradicted_by_tcp.replies, least_rtts)
        reply_cases = ReplyCases(trace, replies)
        suspected = reply_cases.held_forged(suspects.rows)
        corroborations = [
            contradicted_by_tcp,  # against the reply
            agreeing_servers(trace, replies, content, suspects.rows, suspects.suspect_or_disputed),  # for the reply
            *tls_at_answered(trace, replies, content, suspects.rows),  # for it: TLS for its name was answered there
            tried_in_vain(trace, replies, content, suspects.rows),  # against it: dead, its server's others not
        ]
        case_signs = [
            *race_signs(reply_cases, races, suspects),
            *content_signs(reply_cases, suspected, content, known, races, suspects),
            *baseline_signs(reply_cases, suspected, suspects),
            *outlier_signs(reply_cases, suspects.outliers),
            *other_name_signs(reply_cases, suspected, content, known, suspects),  # share addresses, or are dead
            *corroboration_signs(reply_cases, corroborations),
            *declared_filter_signs(reply_cases, content),  # against interference; and who asks for the filter
        ]
        tables = [table for cases, signs in case_signs for table in record(self, cases, signs)]
        return join([Evidence.empty(rules=self.rules), *sorted(tables, key=lambda table: int(table.rule[0]))])
