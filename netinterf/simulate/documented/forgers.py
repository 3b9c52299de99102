"""Documented systems that interfere with TCP and HTTP by packets of their own."""

from netinterf.simulate.documented.base import System

__all__ = ["SYSTEMS"]

SP25 = "Wu et al., A Wall Behind A Wall, IEEE S&P 2025"
IMC17 = "Wang et al., Your State is Not Mine, IMC 2017"
WEAVER = "Weaver, Sommer, Paxson, Detecting Forged TCP Reset Packets, NDSS 2009"
TRIPWIRE = "captures of Tripwire (University of Maryland, 2020-21)"
ECH = "captures of Niere et al., FOCI 2025"
CENTRACE = "captures of CenTrace (Sundara Raman et al., CoNEXT 2022)"
NOURIN23 = "Nourin et al., FOCI 2023"
IMC22 = "Xue et al., TSPU, IMC 2022"
VERKAMP = "Verkamp and Gupta, FOCI 2012"
AMPLIFY = "Bock et al., USENIX Security 2021"
RESETS = ("tcp.reset",)
PAGES = ("http.blockpage",)
OPENING = ("tcp.connect.reset",)


def system(identifier: str, mechanisms: tuple[str, ...], source: str, says: str) -> System:
    """Write one entry in one line."""
    return System(id=identifier, says=says, mechanisms=mechanisms, source=source)


CHINA = (
    system("cn.2006", RESETS, "Clayton, Murdoch, Watson, PET 2006",
           "Three RSTs at X, X+1460 and X+4380 with a TTL of their own, both ends, follow-ups blocked for minutes."),
    system("cn.2012", RESETS, VERKAMP, "Four RSTs with sequential IP IDs, follow-ups to the server blocked for hours."),
    system("cn.2015", RESETS, "Marczak et al., FOCI 2015", "TTL and window rise together over successive RST/ACKs."),
    system("cn.2017-type-1", RESETS, IMC17, "One bare RST with random TTL and window."),
    system("cn.2017-type-2", RESETS, IMC17,
           "Three RST/ACKs at X, X+1460, X+4380 whose TTL and window rise cyclically; 90 s of follow-ups."),
    system("cn.2020", RESETS, TRIPWIRE, "Three RST/ACKs of one number, sometimes a bare RST with IP ID 0 beside them."),
    system("cn.gfw-i", RESETS, SP25, "One bare RST to both ends, TTL 55 to 118, IP ID 0, no DF."),
    system("cn.gfw-i-2025", RESETS, ECH, "One bare RST with random IP ID and window goes before the triple."),
    system("cn.gfw-ii", RESETS, SP25,
           "Three equal RST/ACKs within 0.2 ms, TTL 39 to 238, IP ID shared, window less TTL constant."),
    system("cn.gfw-iii", RESETS, SP25, "One RST/ACK, TTL 248, IP ID 0x9916 to 0x9933, no DF."),
    system("cn.gfw-many", RESETS, WEAVER, "Two or more injectors strike one connection."),
    system("cn.henan", RESETS, SP25,
           "One RST/ACK with ten bytes of payload to the client only, IP ID 1, TTL 58; needs a bare TCP header."),
    system("cn.dns-tcp", RESETS, "practitioner reports", "A query for a listed name over TCP is reset."),
    system("cn.http-keyword", RESETS, "Rambert et al., WWW 2021",
           "Host or URL keywords draw resets in three of four requests, and on follow-ups for 60 to 90 s."),
    system("cn.mb-new", ("tcp.reset", "tcp.drop"), "Niere et al., FOCI 2025",
           "The name of a DoH resolver draws one RST/ACK; later SYNs get no answer for up to 360 s."),
    system("cn.residual", ("tcp.synack", "tcp.reset"), IMC17,
           "After a reset, SYNs draw SYN/ACKs with wrong numbers and other packets RST/ACKs, for 90 to 180 s."),
    system("cn.poison-listener", ("tcp.synack",), "Sheffey et al. 2025",
           "Addresses out of forged DNS answers complete handshakes, then reset on data; IP IDs mirror the client's."),
    system("cn.port-443-2025", OPENING, "GFW Report, August 2025",
           "Every SYN and SYN/ACK on port 443 draws three RST/ACKs to both ends, TTL and window rising by one."),
    system("cn.resolver-2023", OPENING, "net4people/bbs issue 285",
           "Each SYN and SYN/ACK of a public resolver's port 443 draws three RSTs of one number."),
    system("cn.http-80-2023", PAGES, "net4people/bbs issue 285",
           "A forged 301 or 302 races the answer of a public resolver's port 80; the genuine one arrives later."),
    system("cn.great-cannon", PAGES, "Marczak et al., FOCI 2015",
           "In-path: some requests are answered with a script and go no further."),
    system("cn.smtp", ("tcp.data",), TRIPWIRE,
           "After a forbidden MAIL FROM a forged QUIT goes to the server, and RST/ACK triples to both ends."),
    system("cn.seq-1460", RESETS, WEAVER, "Successive RSTs rise by 1460 whatever the MSS."),
    system("cn.rae", RESETS, WEAVER, "RST/ACKs that carry the ECN nonce flag."),
    system("cn.ip-id-64", RESETS, WEAVER, "RSTs whose IP ID is always 64."),
    system("cn.ip-id-minus-26", RESETS, WEAVER, "RSTs whose IP ID is 26 below that of the sender's last packet."),
)  # fmt: skip

IRAN = (
    system("ir.sni", RESETS, "Tai et al., IRBlock, USENIX Security 2025",
           "One RST/ACK to the client with window 0, TTL 54 or 187 whatever the server's."),
    system("ir.mirror", RESETS, "IRBlock; net4people/bbs issue 98", "Older boxes copy the trigger's TTL."),
    system("ir.mirror-push", ("tcp.drop",), "IRBlock; net4people/bbs issue 39",
           "An empty PSH/ACK with the client's own IP ID answers the hello; what the server says is dropped."),
    system("ir.2025-06", RESETS, "Aryapour 2025", "A RST right after the ClientHello from one common hop."),
    system("ir.2026-01", RESETS, "net4people/bbs issue 561",
           "The handshake succeeds, the disconnection comes late, and a minute of punishment follows."),
    system("ir.2026", RESETS, "net4people/bbs issue 630", "Beside an allow-list of addresses, listed names are reset."),
    system("ir.http-2013", PAGES, "Aryan et al., FOCI 2013",
           "403 page to the client; five RSTs to the server, three in sequence and two offset by 30."),
    system("ir.http-2021", PAGES, AMPLIFY, "A 403 page with FIN, then a RST with PSH and ACK."),
    system("ir.http-403", PAGES, ECH,
           "403 page with an iframe of a private address, then a FIN that acknowledges one byte too many; flow dead."),
    system("ir.dns-tcp", ("tcp.data",), "net4people/bbs issue 226", "Forged DNS answers inside TCP."),
)  # fmt: skip

RUSSIA = (
    system("ru.tspu-sni-i", RESETS, IMC22, "In-path: the server's packets are stripped and rewritten into RST/ACKs."),
    system("ru.tspu-ip", OPENING, IMC22, "In-path: SYN/ACKs to listed foreign clients are rewritten into RST/ACKs."),
    system("ru.ecofilter", ("tcp.reset", "http.blockpage"), "EcoFilter documentation",
           "HTTPS: RST to both ends; HTTP: the server's answer is rewritten into a 302 to a stub."),
    system("ru.doh-2021", RESETS, "net4people/bbs issue 81", "RST after the hello to resolvers over TLS and HTTPS."),
    system("ru.rostelecom-2019", RESETS, "practitioner reports, 2019", "RSTs towards one end only."),
    system("ru.isp-stub", PAGES, "Sundara Raman et al., FilterMap, CoNEXT 2020",
           "Operators answer with a page that cites Federal Law 149-FZ, or redirect to one."),
)  # fmt: skip

COUNTRIES = (
    system("tm.resets", RESETS, "Nourin et al., WWW 2023", "HTTP and TLS names draw RSTs, from either direction."),
    system("tj.as51346", RESETS, NOURIN23, "RST/ACK with 22 zero bytes, after two packets with data."),
    system("bn.as10094", RESETS, NOURIN23, "A bare RST with the IP ID of the censored request."),
    system("in.jio", RESETS, "Singh et al., WebSci 2020", "SNI draws a RST."),
    system("in.airtel", ("http.blockpage", "tcp.reset"), TRIPWIRE,
           "RST/ACK with IP ID 242 and window 16 to the server; HTTP clients get a short page and a FIN."),
    system("tr.resets", RESETS, "VanderSloot et al., Quack, USENIX Security 2018",
           "SNI and Host draw RSTs, inbound too."),
    system("kr.sni", RESETS, "reports of February 2019", "SNI draws RSTs."),
    system("kr.warning", PAGES, VERKAMP, "HTTP requests are redirected to warning.or.kr."),
    system("id.positif", PAGES, "net4people/bbs issue 316", "HTTP requests are redirected to Internet Positif."),
    system("id.sni", RESETS, "net4people/bbs issue 316", "SNI draws RSTs."),
    system("pk.netsweeper-2013", PAGES, "Nabi, FOCI 2013", "A 200 page at the exchange."),
    system("geedge", RESETS, "leaked documents, 2025",
           "Boxes exported to Myanmar, Pakistan, Ethiopia and Kazakhstan send RSTs, if so configured."),
    system("sa.iframe", PAGES, VERKAMP, "A 200 page with an iframe, in three segments."),
    system("th.redirect", PAGES, VERKAMP, "An out-of-band 302; the origin's answer follows."),
    system("eg.resets", RESETS, "VanderSloot et al., Quack, USENIX Security 2018",
           "RSTs, inbound too (also Jordan)."),
    system("ae.netsweeper", PAGES, "Citizen Lab, Planet Netsweeper, 2018", "Redirects to a deny page of the operator."),
    system("by.2020", ("tcp.reset", "http.blockpage"), "OONI, September 2020", "TLS is reset, HTTP gets a page."),
    system("uz.sandvine", ("tcp.fin",), "Qurium, February 2020",
           "FIN/ACK with a short text, IP ID 13330 and a TTL of its own."),
    system("uz.middlebox", ("tcp.fin",), "ntc.party, notes on Uzbekistan",
           "FINs that carry a text, sent again every second, and a RST at the end."),
    system("post-handshake", RESETS, "Sundara Raman et al., SIGCOMM 2023",
           "In-path: servers see a handshake and then a RST, never the hello (Iran, Sri Lanka, Turkmenistan)."),
    system("routing-loop", RESETS, AMPLIFY, "One forged RST comes again and again, each time with fewer hops left."),
    system("residual.33-countries", RESETS, "Bock et al., WOOT 2021",
           "For a while after a reset every connection of the client to that port is reset."),
)  # fmt: skip

PRODUCTS = (
    system("sandvine.2007", RESETS, WEAVER,
           "Pairs of RSTs to BitTorrent, the second 12,503 higher, IP IDs 4 and then 1 higher."),
    system("sandvine.redirect", PAGES, "Citizen Lab, Bad Traffic, 2018",
           "307 redirects of plain HTTP with IP ID 13330 (Egypt, Turkey, Syria)."),
    system("perftech", PAGES, "public Snort rule", "Notices of an operator: no DF, window 1."),
    system("quantum-insert", PAGES, "Fox-IT, 2015",
           "One forged answer with IP ID 1, no DF, window 8192 and no options wins the race."),
    system("ad-injection", PAGES, "Nakibly et al., USENIX Security 2016",
           "Answers with foreign content whose header mirrors the request's; the genuine one follows."),
    system("mirror-box", RESETS, CENTRACE, "RSTs made from the trigger's header: its window, its IP ID, its TTL."),
    system("page-fin-reset", PAGES, CENTRACE, "A page with FIN, and a RST with another TTL 0.1 ms later."),
    system("handshake-reset", OPENING, CENTRACE, "RST/ACKs of two makers answer the handshake."),
    system("fortinet", ("http.blockpage", "tcp.reset"), CENTRACE, "FortiGuard page in place of the answer; TLS reset."),
    system("paloalto", ("http.blockpage", "tcp.reset"), CENTRACE, "503 page in place of the answer; TLS reset."),
    system("cisco", ("http.blockpage", "tcp.reset", "tcp.connect.reset"), CENTRACE,
           "Page or reset, and resets of SYNs that a rule forbids."),
    system("kerio", PAGES, CENTRACE, "Page of Kerio Control in place of the answer."),
    system("netsweeper", PAGES, "Citizen Lab, Planet Netsweeper, 2018", "302 to a deny page that names the address."),
)  # fmt: skip

SYSTEMS: tuple[System, ...] = (*CHINA, *IRAN, *RUSSIA, *COUNTRIES, *PRODUCTS)
