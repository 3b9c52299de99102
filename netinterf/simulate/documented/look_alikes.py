"""Benign causes that TCP, HTTP, TLS and QUIC connections share with interference, from papers, RFCs and operators.

Rates, DNS and interception have lists of their own.
"""

from netinterf.simulate.documented.base import Confounder

__all__ = ["CONFOUNDERS"]

CLOUDFLARE = "Sundara Raman et al., SIGCOMM 2023"
WEAVER = "Weaver, Sommer, Paxson, NDSS 2009"
GENEVA = "Bock et al., CCS 2019"
CENTRACE = "Sundara Raman et al., CoNEXT 2022"

RESET, DROP, DATA, SYNACK, FIN = "tcp.reset", "tcp.drop", "tcp.data", "tcp.synack", "tcp.fin"
SILENT, REFUSED = "tcp.connect.drop", "tcp.connect.reset"
PAGE, MITM, QUIC, PROTOCOL = "http.blockpage", "tls.interception", "quic.drop", "protocol.filter"

ROWS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    # --- the ends ---
    ("client-abort", "a client closes with unread data: RST/ACK, then bare RSTs", (RESET,),
     "RFC 2525 §2.17; " + CLOUDFLARE),
    ("client-lingers-not", "a program closes without lingering: RST/ACK after a talk that went well", (RESET,),
     "RFC 1122 §4.2.2.13"),
    ("reset-per-segment", "each segment in flight meets its own RST, numbers growing", (RESET,), WEAVER),
    ("server-unread-data", "a server closes with unread data", (RESET,), "RFC 2525 §2.17"),
    ("server-closes-first", "late data meets a server that has closed for good", (RESET,), "RFC 9112 §9.6"),
    ("server-timeout", "browsers preconnect and say nothing; the server closes", (FIN, DROP), CLOUDFLARE),
    ("closed-port", "nobody listens", (REFUSED,), "RFC 9293 §3.10.7.1"),
    ("refused-and-retried", "three SYNs and three refusals on one port pair", (REFUSED,),
     "Windows TcpMaxConnectRetransmissions"),
    ("keepalive-death", "keep-alive probes stay unanswered, then RST", (RESET, DROP), "RFC 9293 §3.8.4"),
    ("keepalive-garbage", "keep-alive probes carry a byte that was never sent", (DATA,), "RFC 1122 §4.2.3.6"),
    ("crash-and-reboot", "a host comes back without memory and resets", (RESET, DROP), "RFC 9293 §3.5.1"),
    ("client-vanishes", "a client is gone in mid transfer", (DROP, "rate.freeze"), CLOUDFLARE),
    ("fin-unanswered", "a FIN is repeated to a client that left", (DROP, FIN), CLOUDFLARE),
    ("client-gives-up", "clients leave a server that is too slow", (RESET, DROP, FIN), CLOUDFLARE),
    ("slow-backend", "a request is acknowledged at once and answered after seconds", (DROP, "rate.handshake"),
     "RFC 9110 §15.6.5"),
    ("silent-service", "a server accepts and never says a word", (DROP, PROTOCOL),
     "VanderSloot et al., USENIX Security 2018"),
    ("sticky-server", "a host greets everybody and takes nothing", (DROP, PROTOCOL), "Liston, LaBrea 2001"),
    ("zero-window-death", "a receiver stops reading until somebody gives up", (RESET, "rate.freeze"),
     "RFC 9293 §3.8.6.1"),
    ("simultaneous-close", "both ends close at once", (FIN, RESET), "RFC 9293 §3.6"),
    ("simultaneous-open", "both ends open at once: two SYNs, two SYN/ACKs", (SYNACK,), "RFC 9293 §3.5"),
    ("reset-with-text", "a reset says why", (RESET,), "RFC 1122 §4.2.2.12"),
    ("left-over-acknowledgement", "a bare RST has a number in its acknowledgement field", (RESET,), "Zalewski, p0f 2"),
    ("doubled-resets", "a host sends each reset more than once", (RESET,), CENTRACE),
    ("server-restart", "a server's connections break at once and new ones are refused", (RESET, REFUSED),
     "RFC 9293 §3.5.1"),
    ("happy-eyeballs", "the loser of a race of address families is reset or closed", (RESET, SILENT, FIN),
     "RFC 8305 §5"),
    ("port-reused", "one pair of ports, many connections", (RESET, SYNACK, DATA), "RFC 6191"),
    # --- boxes that belong there ---
    ("nat-timeout-silence", "a translator forgot an idle connection and drops it", (DROP,), "RFC 5382 §5"),
    ("nat-timeout-reset", "a box forgot an idle connection and resets it, with its own TTL", (RESET,),
     "RFC 5382 §5; " + CLOUDFLARE),
    ("firewall-reboot", "a firewall lost its table", (RESET, DROP), "RFC 2979 §3"),
    ("firewall-unknown-fin", "a firewall resets the FIN of a connection that it has closed for itself", (RESET,),
     CENTRACE),
    ("firewall-reset-ttl", "resets of a server have a hop limit of their own", (RESET,), WEAVER),
    ("connection-limit", "a guard resets what is above a number per minute", (RESET, REFUSED), CLOUDFLARE),
    ("fail-to-ban", "a guard is silent to a client for a while", (DROP, SILENT), "fail2ban manual"),
    ("carrier-nat", "a carrier rewrites ports, TTL, IP ID and timestamps", (RESET, DATA), "RFC 6888"),
    ("stripped-options", "a box takes TCP options away", (RESET, DATA), "Honda et al., IMC 2011"),
    ("levelled-headers", "all packets come with one hop limit", (RESET,),
     "Handley, Paxson, Kreibich, USENIX Security 2001"),
    ("tunnel", "a tunnel changes hop counts, sizes and the DF bit", (RESET,), "RFC 4459"),
    ("balancer-idle-reset", "a balancer resets what was idle, without options", (RESET,), CLOUDFLARE),
    ("balancer-without-backend", "a balancer greets, then resets since no machine answers", (RESET,), "HAProxy manual"),
    ("second-backend", "a repeated SYN reaches another machine: two ISNs", (SYNACK,), "Barbette et al., NSDI 2020"),
    ("anycast-flip", "a connection ends at another site that resets it", (RESET,),
     "RFC 7094 §3; Wei, Heidemann, TMA 2017"),
    ("syn-cookies", "SYN/ACKs without options, numbers that change", (SYNACK,), "RFC 4987 §3.6"),
    ("syn-proxy", "a firewall greets for the server", (SYNACK, RESET), "RFC 4987 §3.8"),
    ("reset-cookies", "a first SYN is answered wrongly on purpose and reset", (SYNACK, RESET),
     "manuals of flood guards (safe reset)"),
    ("full-accept-queue", "handshakes seem done, requests are ignored or reset", (DROP, RESET),
     "Linux tcp(7), tcp_abort_on_overflow"),
    ("missed-greetings", "first SYNs are missed", (SILENT,), "RFC 4987 §2"),
    ("accelerator", "a proxy acknowledges for the far end", (RESET, DATA, PAGE), "RFC 3135 §2"),
    ("user-mode-nat", "a virtual machine's host ends its connections", (RESET, DATA, PAGE),
     "slirp; fox-it/quantuminsert captures"),
    ("miscounting-proxy", "a proxy near the client writes other bytes at a number that it has used", (DATA, PAGE),
     "nDPI captures of a telephone behind a proxy of its own"),
    ("path-mtu-black-hole", "full-size packets vanish", (DROP, "rate.freeze"), "RFC 2923 §2.1"),
    ("packet-too-big", "a router asks for smaller packets", (DROP,), "RFC 1191; RFC 8201"),
    ("route-change", "hop limits and delays jump", (RESET, DATA), "Paxson, SIGCOMM 1996"),
    ("routing-loop", "one packet comes by many times", (RESET, DATA), "Hengartner et al., IMC 2002"),
    ("unequal-ways", "hop limits vary by flow or packet", (RESET,), "Augustin et al., IMC 2006"),
    # --- probes and tools ---
    ("syn-scan", "bare SYNs to many hosts, reset by the scanner's kernel", (RESET, SILENT),
     "Durumeric et al., USENIX Security 2013"),
    ("half-open-scan", "many ports of one host: SYN, SYN/ACK, RST", (RESET, REFUSED, SILENT), "nmap manual"),
    ("opened-and-left", "connections are opened and left without a word", (DROP, RESET),
     "Durumeric et al., USENIX Security 2013; RFC 8305"),
    ("odd-flag-scan", "segments with impossible flags", (RESET, FIN), "nmap manual"),
    ("syn-flood", "SYNs from invented addresses", (SILENT, RESET), "RFC 4987 §2"),
    ("health-check", "connections that are reset as soon as they stand", (RESET,), "Linux Virtual Server manual"),
    ("dead-host", "nobody is there", (SILENT,), "RFC 1122 §4.2.3.5"),
    ("refused-by-icmp", "ICMP says why not", (SILENT, REFUSED), "RFC 5461"),
    ("tcp-traceroute", "SYNs that expire on the way", (SILENT, RESET), "Toren, tcptraceroute 2001"),
    ("circumvention", "a client's own decoys and cut segments", (RESET, DATA), GENEVA),
    # --- time, chance, recorders ---
    ("old-reset-arrives", "a reset of a previous connection comes late", (RESET,), "RFC 1337"),
    ("old-segment-arrives", "data of a previous connection comes late", (DATA,), "RFC 1337; RFC 6191"),
    ("late-duplicate-syn", "a copy of a SYN comes late", (SYNACK, RESET), "RFC 9293 §3.5"),
    ("damaged-segments", "damaged bytes, then whole ones", (DATA,), "Stone, Partridge, SIGCOMM 2000"),
    ("rewritten-retransmission", "a box rewrote only the first copy", (DATA, PAGE), "Honda et al., IMC 2011"),
    ("client-offline", "everything is silent at once", (DROP, SILENT, "reach.isolation"), CLOUDFLARE),
    ("path-failure", "the way to one server fails", (DROP,), "Paxson, SIGCOMM 1996"),
    ("mobile-handover", "an address falls silent since its owner moved", (DROP, "rate.freeze"),
     "Paasch et al., CellNet 2012"),
    ("sleeping-client", "answers come in bunches", (DROP, "rate.handshake"), "IEEE 802.11 power save"),
    ("lossy-radio", "losses in bursts", (DROP, SILENT), "Gilbert, Bell System Technical Journal 1960"),
    ("capture-began-late", "the beginning was not captured", (RESET, DROP), "Paxson, SIGCOMM 1997"),
    ("capture-ended-early", "the end was not captured", (DROP, SILENT), "Paxson, SIGCOMM 1997"),
    ("capture-holes", "the recorder missed parts", (DROP, RESET, DATA), "Paxson, SIGCOMM 1997"),
    # --- HTTP ---
    ("origin-forbidden", "an origin forbids", (PAGE,), "RFC 9110 §15.5.4"),
    ("origin-legal", "an origin withholds content by law or country", (PAGE,), "RFC 7725; McDonald et al., IMC 2018"),
    ("application-firewall", "a site's own firewall objects", (PAGE, RESET), "Sundara Raman et al., CCS 2020"),
    ("delivery-error", "a delivery network's error page", (PAGE,), "Sundara Raman et al., CCS 2020"),
    ("redirect-to-tls", "a short redirect to the TLS port", (PAGE,), "RFC 6797 §7.2"),
    ("redirect-elsewhere", "a redirect to another site", (PAGE,), "RFC 9110 §15.4"),
    ("parked-domain", "a parked or suspended name's page", (PAGE,), "Vissers et al., NDSS 2015"),
    ("page-about-blocking", "a page that quotes block pages", (PAGE,), "Jones et al., IMC 2014"),
    ("answer-in-one-packet", "page and FIN in one segment", (PAGE, FIN), "RFC 9293 §3.6"),
    ("empty-answer", "a server closes or resets without a word", (RESET, FIN), "RFC 9112 §9.6"),
    ("transparent-proxy", "a cache nearby answers", (PAGE, RESET), "RFC 9110 §3.7; Weaver et al., PAM 2014"),
    ("rewriting-proxy", "a proxy changes words", (PAGE, DATA), "Reis et al., NSDI 2008"),
    ("portal-login", "a hotspot before login", (PAGE, REFUSED), "RFC 8952"),
    # --- TLS ---
    ("unknown-name-alert", "alert and FIN for a name that is not served", (RESET, FIN), "RFC 6066 §3"),
    ("unknown-name-reset", "RST for a name that is not served", (RESET,), "RFC 6066 §3"),
    ("unknown-name-close", "FIN for a name that is not served", (FIN,), "RFC 6066 §3"),
    ("unknown-name-silence", "nothing for a name that is not served", (DROP,), "RFC 6066 §3"),
    ("hello-too-large", "a server cannot read hellos of two segments", (RESET, DROP), "Benjamin, tldr.fail 2023"),
    ("old-version", "a server speaks TLS 1.0 only", (RESET, FIN), "RFC 8996"),
    ("certificate-rotation", "a certificate changes", (MITM,), "RFC 8555"),
    ("several-certificates", "many names and certificates at one address", (MITM,), "RFC 6066 §3"),
    ("private-authority", "a server vouches for itself", (MITM,), "Chung et al., IMC 2016"),
    ("client-distrusts", "a client does not accept a certificate", (MITM, RESET), "RFC 8446 §6.2"),
    ("client-certificate-wanted", "a server wants a certificate of the client", (RESET, FIN), "RFC 8446 §4.4.2.4"),
    ("other-protocol", "the wrong protocol for the port", (PROTOCOL, RESET, DROP),
     "Izhikevich et al., USENIX Security 2021"),
    # --- QUIC ---
    ("server-without-quic", "a server drops QUIC", (QUIC,), "Rüth et al., PAM 2018"),
    ("quic-port-closed", "ICMP says that nobody listens", (QUIC,), "RFC 9000 §14.2.1"),
    ("network-without-udp", "a network lets no QUIC out", (QUIC,), "Kakhki et al., IMC 2017"),
    ("version-negotiation", "another version is asked for", (QUIC,), "RFC 9000 §6"),
    ("address-validation", "Retry before the handshake", (QUIC,), "RFC 9000 §8.1"),
    ("lossy-initials", "a poor link loses Initials", (QUIC,), "RFC 9002 §6.2"),
    ("large-datagrams-lost", "Initials are too large for a tunnel", (QUIC,), "RFC 9000 §14.1"),
    ("translator-rebinds", "a quiet connection gets another port", (QUIC,), "RFC 9000 §9; RFC 4787 §4.3"),
    ("server-gone-mid-transfer", "a server fails, for QUIC and TCP alike", (QUIC, DROP), "RFC 9002 §6.2"),
)  # fmt: skip

CONFOUNDERS = tuple(
    Confounder(id=name, says=says, resembles=resembles, source=source) for name, says, resembles, source in ROWS
)
"""All of them."""
