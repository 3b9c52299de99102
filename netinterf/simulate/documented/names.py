"""Systems that interfere with DNS, and benign causes that look like it."""

from netinterf.simulate.documented.base import Confounder, System

__all__ = ["CONFOUNDERS", "SYSTEMS"]

INJECTION, FORGED, DROP = "dns.injection", "dns.forged", "dns.drop"

TRIPLET = "Anonymous et al., Triplet Censors, FOCI 2020"
WALLBLEED = "Fan et al., Wallbleed, NDSS 2025"
GFWATCH = "Hoang et al., How Great is the Great Firewall?, USENIX Security 2021"
HOLD_ON = "Duan et al., Hold-On, SATIN 2012; gr1x/dns-holdon-openwrt"
IRAN = "net4people/bbs 226, 451; OONI spec tq-004, tq-005"
TURKMENISTAN = "Nourin et al., WWW 2023; net4people/bbs 80"
OONI = "ooni/blocking-fingerprints; Citizen Lab, filtering-annotations"
RUSSIA = "OONI spec tq-004, tq-005, tq-011"
NOSYK = "Nosyk et al., Intercept and Inject, PAM 2023"
REFERENCE = "evidence tables of the project's DNS notes"


def system(key: str, says: str, source: str, *mechanisms: str) -> System:
    """Write one row of the list."""
    return System(id=key, says=says, mechanisms=mechanisms, source=source)


def cause(key: str, says: str, *resembles: str, source: str = REFERENCE) -> Confounder:
    """Write one row of the list."""
    return Confounder(id=key, says=says, resembles=resembles, source=source)


CHINA = (
    system("cn.gfw-dns-1", "Injector 1: AA, TTL 60, name written out, four answers, counting IP TTL.", TRIPLET,
           INJECTION),
    system("cn.gfw-dns-2", "Injector 2: DF, random IP TTL, 1,506 answers.", TRIPLET, INJECTION),
    system("cn.gfw-dns-3", "Injector 3: IP ID 0 without DF, IP TTL echoes the query's.", TRIPLET, INJECTION),
    system("cn.gfw-dns-triplet", "Injectors 1 to 3 answer one query within 0.2 ms.", TRIPLET, INJECTION),
    system("cn.gfw-dns-hold-on", "Two answers of a set of nine before the true one, TTLs far off.", HOLD_ON, INJECTION),
    system("cn.gfw-dns-teredo", "AAAA answers within 2001::/32.", GFWATCH, INJECTION),
    system("cn.gfw-dns-wallbleed", "Next of 592 addresses; A for every type but AAAA; OPT dropped.", WALLBLEED,
           INJECTION),
    system("cn.gfw-dns-2025", "A cyclic and another injector, one with DF; 0x8400 when RD=0.", "net4people/bbs 466",
           INJECTION),
    system("cn.gfw-dns-alias", "A forged CNAME before the address.", TRIPLET, INJECTION),
    system("cn.gfw-dns-root", "A root or TLD server that should refer seems to give an address.", NOSYK, INJECTION),
    system("cn.gfw-dns-upstream", "A resolver's own questions to servers abroad are answered.", "net4people/bbs 607",
           INJECTION),
    system("cn.gfw-dns-mx", "An A record answers MX for random labels.", "net4people/bbs 358; Wallbleed, NDSS 2025",
           INJECTION),
    system("cn.gfw-dns-inbound", "Queries from abroad to addresses without resolver are answered.", TRIPLET, FORGED),
)  # fmt: skip

ELSEWHERE = (
    system("ir.dns-2023", "No QCLASS, ARCOUNT 1 without record, flags 0x81a0, TTL 418, early.", IRAN, INJECTION),
    system("ir.dns-race", "10.10.34.34 to .36 and d0::11 before the true answer.", "ooni/backend 543", INJECTION),
    system("ir.dns-in-path", "10.10.34.34 to .36 in place of the resolver's answer.",
           "Farrokhi, RIPE Labs; Brown et al., KDD 2023", FORGED),
    system("ir.dns-doh-names", "Names of DoH services get impossible addresses.", "net4people/bbs 224", FORGED),
    system("ir.dns-mx", "MX questions for listed names are answered by corrupted messages.", "Farrokhi, RIPE Labs",
           FORGED),
    system("ru.er-telecom", "Any resolver over UDP gives 5.3.3.17 with TTL 600; TCP tells the truth.", RUSSIA, FORGED),
    system("ru.er-telecom-resolver", "The ISP's resolver lies with a TTL that ticks.", RUSSIA, FORGED),
    system("ru.isp-stub", "Resolvers of ISPs give the address of a page about the block.",
           "Calle et al., FOCI 2024; OONI", FORGED),
    system("ru.tspu-2021", "All UDP to a public resolver is swallowed.", "net4people/bbs 81", DROP),
    system("ru.tspu-2026", "UDP to a public resolver is answered by another, NXDOMAIN for some names; TCP is clean.",
           "net4people/bbs 657", FORGED),
    system("tm.dns-2021", "127.0.0.1, TTL 300, IP ID 30000; bytes behind the question stay there.", TURKMENISTAN,
           INJECTION),
    system("tm.dns-2023", "127.0.0.1, TTL 300, IP ID 30000; bytes behind the question dropped.", TURKMENISTAN,
           INJECTION),
    system("tr.isp-stub", "Resolvers of ISPs give 195.175.254.2.", "Citizen Lab, filtering-annotations", FORGED),
    system("tr.route-2014", "Routes to public resolvers are taken over, listed names misdirected.",
           "Google's statement of 2014-03-29; securerouting.net 17", FORGED),
    system("in.isp-stub", "Resolvers of ISPs give block pages, some at private addresses.", "CIS, WebSci 2020; OONI",
           FORGED),
    system("id.trustpositif", "Resolvers give a CNAME to a block page.", OONI, FORGED),
    system("id.port-53", "All queries to port 53 reach a filtering resolver, whoever is asked.", OONI, FORGED),
    system("pk.nayatel", "The ISP's resolver gives its block page.", OONI, FORGED),
    system("ve.isp", "Resolvers of ISPs give errors or nothing for listed names.",
           "OONI, IPYS, VEsinFiltro, 2018-08", FORGED, DROP),
    system("by.mts", "The ISP's resolver gives its block page.", OONI, FORGED),
    system("it.adm-agcom", "Resolvers give block pages of gambling and copyright orders.", OONI, FORGED),
    system("de.cuii", "Resolvers give the page of a copyright clearing body.", OONI, FORGED),
    system("cz.gambling", "Resolvers give a block page.", OONI, FORGED),
    system("gb.isp", "Resolvers give a block page.", OONI, FORGED),
    system("pl.gambling", "Resolvers give a block page.", OONI, FORGED),
    system("au.isp", "Resolvers give a block page.", OONI, FORGED),
    system("sg.isp", "Resolvers give a block page, some in shared clouds.", OONI, FORGED),
    system("ca.isp", "Resolvers give a block page.", OONI, FORGED),
    system("th.gambling", "Resolvers give a block page.", OONI, FORGED),
    system("kh.isp", "Resolvers give a block page, some at private addresses.", OONI, FORGED),
    system("vn.isp", "Resolvers give a block page.", OONI, FORGED),
    system("mm.isp", "Resolvers give a block page, some at private addresses.", OONI, FORGED),
    system("my.isp", "Resolvers give a block page.", OONI, FORGED),
    system("mn.isp", "Resolvers give a block page.", OONI, FORGED),
    system("ph.isp", "Resolvers give a block page.", OONI, FORGED),
    system("lab.dnsinject", "0x8500, TTL 330, behind a translator that evens out IP headers.",
           "agarwal1510/dnsinject, test_trace", INJECTION),
)  # fmt: skip

SYSTEMS = (*CHINA, *ELSEWHERE)

CONFOUNDERS = (
    cause("lossy-resolver-path", "Losses, duplicates and reordering on the way to the resolver.", INJECTION, DROP),
    cause("mirrored-twice", "A mirror port delivers queries or answers twice.", INJECTION),
    cause("retransmitted-query", "The stub repeats its query with the same identifier; both are answered.", INJECTION),
    cause("fresh-identifier", "The stub repeats its query with another identifier or port.", INJECTION, DROP),
    cause("stub-asks-twice", "The stub sends each query twice at once.", INJECTION),
    cause("anycast-repeat", "A repeated query reaches another site, which gives disjoint addresses.", INJECTION),
    cause("late-answer", "Answers come after repeats, some to closed ports (ICMP).", INJECTION, DROP),
    cause("forwarder-answers-twice", "A forwarder asks two resolvers and passes both answers on.", INJECTION),
    cause("two-resolvers-at-once", "The stub asks two resolvers and takes the first answer.", INJECTION),
    cause("same-id-pair", "A and AAAA share port and identifier.", INJECTION),
    cause("fixed-port", "A stub asks everything from one port.", INJECTION, DROP),
    cause("port-translation", "A translator gives other ports and one address.", INJECTION, DROP),
    cause("header-evening", "A virtual machine's translator gives all packets one TTL and one counter.", INJECTION,
          FORGED,
          source="agarwal1510/dnsinject, test_trace"),
    cause("anycast-sites", "Sites of one address differ in TTL, IP ID and delay.", INJECTION, FORGED),
    cause("anycast-switch", "Routing moves everybody to another site.", INJECTION, FORGED),
    cause("rotating-cdn", "Every answer shows other addresses with a short TTL.", INJECTION, FORGED),
    cause("geo-dns", "Two resolvers get other addresses for the same name.", INJECTION, FORGED),
    cause("alias-flattening", "One bare address where other names have chains.", FORGED),
    cause("shared-hosting", "Many names share one address.", FORGED),
    cause("short-lived-static", "Answers whose TTL never ticks: no cache, or many behind one address.", FORGED),
    cause("wildcard-names", "Random labels exist, and are answered as fast as cached names.", INJECTION, FORGED),
    cause("aggressive-nsec", "Random labels are denied as fast as cached names (RFC 8198).", FORGED, source="RFC 8198"),
    cause("own-address-in-pool", "A name lives where forgers borrow addresses, and TLS works there.", FORGED),
    cause("slow-resolver", "Recursion takes seconds.", DROP),
    cause("dead-resolver", "A resolver never answers; the stub changes to another.", DROP),
    cause("resolver-outage", "A resolver is silent for a while, then answers again.", DROP),
    cause("lame-delegation", "The servers of one name are dead: SERVFAIL or nothing, late.", DROP, FORGED),
    cause("rate-limit", "Answers beyond a rate are dropped or truncated (RRL slip).", DROP),
    cause("refused", "A resolver refuses strangers.", FORGED, DROP),
    cause("dnssec-failure", "Validation fails: SERVFAIL with a reason (RFC 8914).", FORGED, source="RFC 8914"),
    cause("edns-intolerance", "FORMERR to EDNS; the stub asks again without.", INJECTION, FORGED),
    cause("opt-stripped", "A home router drops OPT from all answers.", INJECTION, FORGED),
    cause("backend-by-name", "Names of one domain go to another backend with another look.", INJECTION, FORGED),
    cause("folded-case", "A forwarder gives the question back in lower case.", INJECTION, FORGED),
    cause("truncation", "Answers too large for UDP; the stub asks over TCP.", FORGED),
    cause("large-answers", "Answers near and above the size of a fragment.", FORGED),
    cause("tcp-only", "The stub asks over TCP.", DROP),
    cause("cpe-cache", "A home router answers what it holds in no time.", INJECTION, FORGED),
    cause("port-53-proxy", "A transparent cache answers for any resolver, truthfully.", INJECTION, FORGED,
          source=NOSYK),
    cause("root-proxy", "A proxy answers what was asked of root servers, truthfully.", INJECTION, source=NOSYK),
    cause("upstream", "A resolver asks authoritative servers: RD=0, AA, referrals, minimised names (RFC 9156).",
          INJECTION,
          FORGED, DROP),
    cause("negative-caching", "Names that do not exist are denied again and again (RFC 2308).", FORGED),
    cause("nxdomain-rewriting", "An ISP's resolver gives its search page for names that do not exist.", FORGED),
    cause("captive-portal", "Before login all names lead to the portal, afterwards to the truth.", FORGED),
    cause("ad-blocker", "A list chosen at home gives 0.0.0.0 and ::.", FORGED),
    cause("hosts-appliance", "A router gives addresses of its own devices with authority.", FORGED),
    cause("fake-ip", "A proxy program answers with 198.18.0.0/15 and resolves later.", FORGED),
    cause("dns64", "AAAA answers are made from A records (RFC 6147).", FORGED, source="RFC 6147"),
    cause("family-filter", "A filter chosen by the household gives its product's page.", FORGED),
    cause("honest-filter", "Blocked with an Extended DNS Error that says so.", FORGED, DROP, source="RFC 8914"),
    cause("policy-zone", "A company's response policy zone answers, its SOA in the additional section.", FORGED),
    cause("sanctions", "Resolvers of an ISP deny names by published order.", FORGED,
          source="Kristoff et al., FOCI 2024"),
    cause("anti-sanction-resolver", "A resolver chosen on purpose leads listed names to its own proxies.", FORGED,
          source="names of Shecan and 403 in a public project thread"),
    cause("split-horizon-private", "A resolver inside gives private addresses for names of the house.", FORGED),
    cause("split-horizon-public", "A resolver at a public address gives private addresses for names of a company.",
          FORGED),
    cause("private-names", "Names below .local, .lan and home.arpa.", FORGED, DROP, source="RFC 6761, RFC 8375"),
    cause("collision-warning", "127.0.53.53 warns of name collisions.", FORGED, source="ICANN, name collisions"),
    cause("broken-cpe", "A home router answers AAAA with an A record.", INJECTION, FORGED),
    cause("link-local-names", "mDNS, LLMNR and NetBIOS names beside DNS.", DROP, INJECTION,
          source="RFC 6762, RFC 4795, RFC 1002"),
    cause("many-types", "Questions of every type; ANY draws HINFO.", INJECTION, FORGED, source="RFC 8482"),
    cause("trailing-bytes", "An old server leaves bytes behind every message.", INJECTION, FORGED),
    cause("joined-late", "Recording began while answers were under way.", FORGED),
)  # fmt: skip
