"""Systems that slow, freeze or cut off, and benign causes that look like it."""

from netinterf.simulate.documented.base import Confounder, System

__all__ = ["CONFOUNDERS", "SYSTEMS"]

POLICING, SHAPING, FREEZE, HANDSHAKE = "rate.policing", "rate.shaping", "rate.freeze", "rate.handshake"
ISOLATION, ALLOWLIST = "reach.isolation", "reach.isolation.allowlist"

FLACH = "Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016"
XUE = "Xue et al., Throttling Twitter, IMC 2021"
TSPU = "Xue et al., TSPU: Russia's Decentralized Censorship System, IMC 2022"
FROZEN = "net4people/bbs 490; dpi-checkers, ru/dpi-ch; Cloudflare, 2025-06-26"
KAKHKI = "Kakhki et al., Identifying Traffic Differentiation in Mobile Networks, IMC 2015"
TSTAT = "Zhang et al., On the Characteristics and Origins of Internet Flow Rates, SIGCOMM 2002"


def system(name: str, says: str, source: str, *mechanisms: str) -> System:
    """Write one row of the list."""
    return System(id=name, says=says, mechanisms=mechanisms, source=source)


def cause(name: str, says: str, source: str, *resembles: str) -> Confounder:
    """Write one row of the list."""
    return Confounder(id=name, says=says, resembles=resembles, source=source)


SYSTEMS = (
    system("ru.tspu-twitter-2021", "Polices flows with Twitter's names to 130-150 kbit/s each way.", XUE, POLICING),
    system("ru.tspu-sni-iii", "Polices listed names to 600-700 bytes/s, until March 2022.", TSPU, POLICING),
    system("ru.tspu-handshake-2022", "Pieces of a listed name's handshake arrive seconds apart.", "ntc.party 1724",
           HANDSHAKE),
    system("ru.tspu-youtube-2024", "Drops acknowledgements of downloads from listed names; handshakes take seconds.",
           "net4people/bbs 382", POLICING, HANDSHAKE),
    system("ru.ecofilter-degradation", "Loses a set share of a listed service's packets at random.",
           "EcoFilter documentation, tspu-docs", POLICING),
    system("ru.tspu-freeze-packets", "Silence after about 25 packets of both directions abroad, TCP and UDP.",
           FROZEN, FREEZE),
    system("ru.tspu-freeze-bytes", "Silence after about 16 kB from a foreign hoster.", FROZEN, FREEZE),
    system("ru.tspu-freeze-exempt", "The same, but connections with a white-listed name survive.",
           "dpi-checkers, ru/tcp-16-20_dwc", FREEZE),
    system("ru.siberian-2025", "From about the fifth recent handshake with one name on, hellos get no answer.",
           "net4people/bbs 546; dpi-checkers", "tcp.drop"),
    system("ru.mobile-whitelist-2025", "All SYNs are answered; hellos to addresses that are not listed hang.",
           "net4people/bbs 516", ALLOWLIST),
    system("kz.cloudflare-2025", "Downloads from one foreign CDN are slow.", "net4people/bbs 506", POLICING),
    system("kz.shutdown-2022", "Days without foreign internet, with some hours of connection and some ports open.",
           "net4people/bbs 99, 102", ISOLATION, ALLOWLIST),
    system("tr.handshake-2022", "Handshakes with listed names, then all with their addresses, take many seconds.",
           "net4people/bbs 155; OONI 2025", HANDSHAKE),
    system("tr.bandwidth-2024", "Downloads with listed names in TLS or HTTP are slowed; QUIC is not.",
           "net4people/bbs 413", POLICING, SHAPING),
    system("ir.throttling-2013", "All foreign traffic loses three quarters of its rate, with flat round trips.",
           "Anderson, Dimming the Internet, arXiv:1306.4361", POLICING),
    system("ir.slow-abroad-2026", "Foreign traffic is queued to a low rate while domestic traffic is quick.",
           "net4people/bbs 586", SHAPING),
    system("ir.isolation-2019", "Foreign packets are dropped, mobile networks first; domestic services stay.",
           "OONI 2019-11-23", ISOLATION),
    system("ir.curfew-2022", "Mobile networks lose the foreign internet every evening until midnight.",
           "OONI, IODA, M-Lab, Cloudflare, Kentik et al. 2022-11-29; net4people/bbs 125", ISOLATION),
    system("ir.stealth-2025", "Only DNS, HTTP and HTTPS cross the border; UDP, QUIC, IPv6 and the rest vanish.",
           "Aryapour, arXiv:2507.14183; net4people/bbs 484, 489", ALLOWLIST),
    system("ir.listed-2025", "All foreign packets vanish but for a handful of addresses.", "net4people/bbs 489",
           ALLOWLIST),
    system("ir.no-server-hello-2025", "Foreign ClientHellos arrive, ServerHellos do not.", "net4people/bbs 489",
           ALLOWLIST),
    system("ir.isolation-2026", "All foreign packets are dropped.", "Cloudflare 2026-01-13; net4people/bbs 561",
           ISOLATION),
    system("ir.allowlist-2026", "Some addresses are listed; others complete a handshake and then stay silent.",
           "net4people/bbs 626, 630", ALLOWLIST),
    system("mm.curfew-2021", "The internet is off from 1 to 9 at night; by day most of it works.",
           "OONI 2021-03-09", ISOLATION),
    system("pk.slowdown-2024", "Media of a messenger crawl while the rest of its traffic is quick.",
           "Press and IODA, August 2024", SHAPING),
    system("jo.live-2018", "Live video servers of one platform are made useless for some hours; the rest works.",
           "JOSA and OONI, Facebook live-streaming interference, 2019", POLICING),
    system("us.binge-on-2016", "Video is policed to 1.5 Mbit/s whatever its format says.", "EFF 2016-01-04", POLICING),
    system("isp.policer", "A carrier's policer: 0.5 to 10 Mbit/s, bucket of 8 kB to 2 MB.", FLACH, POLICING),
    system("isp.shared-policer", "One policer for all flows of a pair of hosts.", FLACH, POLICING),
    system("isp.burst-shaper", "A queue at a steady rate after a fast start, for some services.", FLACH, SHAPING),
    system("isp.differentiation", "Queues a service to a rate after its first 1 to 10 packets.", KAKHKI, SHAPING),
    system("isp.fixed-rate", "Video services are held to one rate in all sessions.", "Wehe, wehe-py3", POLICING),
    system("isp.delayed-throttling", "A service is slowed after some megabytes or seconds.", "Wehe, wehe-py3", SHAPING),
    system("isp.file-sharing", "BitTorrent is queued to a low rate, a like flow on another port is not.",
           "Dischinger et al., Glasnost, NSDI 2010", SHAPING),
)  # fmt: skip
"""Documented systems whose mechanisms are of rate or reach."""

CONFOUNDERS = (
    cause("queue-or-random-loss", "A bottleneck's queue, or a path that loses at random.", FLACH, POLICING),
    cause("app-limited", "The server has nothing to say for a while, again and again.", TSTAT, POLICING, SHAPING),
    cause("window-limited", "A small receive window: rate is window by round trip.", TSTAT, POLICING, SHAPING),
    cause("slow-reader", "The program reads slowly, the window closes.", TSTAT, SHAPING, FREEZE),
    cause("slow-start-only", "The transfer ends before it leaves slow start.", TSTAT, SHAPING),
    cause("paced-video", "Segments of a bitrate ladder, one every few seconds.", TSTAT, POLICING, SHAPING),
    cause("server-pacing", "A burst, then pacing at a fixed rate by the server.", FLACH, POLICING, SHAPING),
    cause("bbr-probe-rtt", "A model-based sender dips to four packets every ten seconds.",
          "Cardwell et al., BBR, ACM Queue 2016", FREEZE, SHAPING),
    cause("bbr-through-loss", "A model-based sender keeps its rate over a lossy path.",
          "Cardwell et al., BBR, ACM Queue 2016", POLICING),
    cause("plan-policer", "The plan's rate is policed for all traffic alike.", FLACH, POLICING),
    cause("own-uplink", "A server's own line is policed, for all of its names alike.", FLACH, POLICING, SHAPING),
    cause("plan-shaper", "The plan's rate is queued for all traffic alike.", FLACH, SHAPING, POLICING),
    cause("plan-burst", "The plan allows a fast start, then falls to its rate.", "ShaperProbe, IMC 2011",
          SHAPING, POLICING),
    cause("quota-exhausted", "A mobile plan after its quota: 64 or 128 kbit/s for all.", XUE, POLICING, SHAPING),
    cause("upload-shaper", "A network that slows all uploads to about 130 kbit/s.", XUE, POLICING, SHAPING),
    cause("bufferbloat", "Seconds of queue at the access link.", "Gettys, Nichols, ACM Queue 2011", SHAPING,
          HANDSHAKE),
    cause("shared-bottleneck", "Cross traffic takes a changing share of the access link.", FLACH, POLICING, SHAPING),
    cause("short-buffer", "A bottleneck with room for a few packets.", FLACH, POLICING),
    cause("codel-queue", "An access link with CoDel.", "RFC 8289", POLICING),
    cause("red-queue", "A link with RED.", "Floyd, Jacobson, ToN 1993", POLICING),
    cause("pie-queue", "A cable modem with PIE.", "RFC 8033", POLICING),
    cause("random-loss", "A path that loses 0.5 to 5 % independently.", FLACH, POLICING),
    cause("bursty-loss", "Losses come in runs.", "Gilbert, BSTJ 1960", POLICING),
    cause("wifi-loss-runs", "A radio link with retries: runs of loss, long gaps, then all at once.",
          "Aguayo et al., SIGCOMM 2004", POLICING, FREEZE),
    cause("tail-loss", "The last packets of a burst are lost; a timer repairs it.", "RFC 8985 §7", FREEZE, POLICING),
    cause("uplink-loss", "A radio uplink loses acknowledgements of all servers alike.", "net4people/bbs 382", POLICING),
    cause("reordering", "Packets overtake each other; some are repeated.", "Blanton, Allman, CCR 2002", POLICING),
    cause("delayed-acks", "Acknowledgements held back on the path; timers run out for nothing.", "RFC 5682", POLICING,
          HANDSHAKE),
    cause("radio-handover", "Everything of the client is held for a second or more, then delivered.", "RFC 4653",
          FREEZE, SHAPING),
    cause("power-save", "A sleeping client hears at beacons only.", "IEEE 802.11 power save", FREEZE, HANDSHAKE),
    cause("link-outage", "All flows of the client stall together.", "Xue et al. 2021, controls", FREEZE, ISOLATION),
    cause("server-stall", "One server stops in the middle, and goes on later.", TSTAT, FREEZE),
    cause("server-crash", "One server dies in the middle.", "Cloudflare 2024-09-05", FREEZE),
    cause("crash-after-bytes", "A faulty proxy hangs after a buffer's length of every large answer.",
          "Cloudflare 2024-09-05", FREEZE),
    cause("nat-timeout", "A translator forgets a flow that paused.", "RFC 5382 §5", FREEZE),
    cause("mtu-hole", "Full-size packets vanish from the first flight on.", "RFC 2923 §2.1", FREEZE, HANDSHAKE),
    cause("user-left", "The client closes, or vanishes, in the middle.", "Cloudflare 2024-09-05", FREEZE),
    cause("far-server", "A server behind 300 to 700 ms.", "OONI dd-007", HANDSHAKE),
    cause("overloaded-server", "A server that needs seconds for its first flight, for all its names.", "OONI dd-007",
          HANDSHAKE, FREEZE),
    cause("full-backlog", "A server that drops SYNs under load.", "RFC 4987 §2", HANDSHAKE, ISOLATION),
    cause("slow-client", "A client that fetches revocation lists first.", "RFC 5280 §4.2.2.1",
          HANDSHAKE),
    cause("handshake-loss", "A lost SYN or hello is repeated after a second.", "RFC 6298", HANDSHAKE),
    cause("server-rate-limit", "A server that ignores a client's hellos beyond a number a minute.", "dpi-checkers",
          HANDSHAKE, "tcp.drop"),
    cause("dead-destinations", "Some addresses, at home and abroad, answer no more.", "RFC 5461", ISOLATION),
    cause("cable-cut", "Some foreign prefixes vanish; the others take a longer, lossy way.",
          "Cloudflare and Kentik, Red Sea cables 2024", ISOLATION, POLICING),
    cause("upstream-fault", "An exchange point is congested: all foreign traffic is slow, with queues.",
          "Anderson, arXiv:1306.4361", POLICING, ISOLATION),
    cause("local-outage", "The client's line is down for a while: everything is silent.", "OONI 2019-11-23", ISOLATION),
    cause("radio-off", "Only the gateway still answers.", "OONI 2019-11-23", ISOLATION),
    cause("no-ipv6-service", "Names have IPv6 addresses that nobody serves.", "RFC 8305 §1", ISOLATION),
    cause("no-quic-service", "Servers that do not speak QUIC.", "RFC 9312 §4.2", ALLOWLIST, "quic.drop"),
    cause("udp-firewall", "The client's own firewall lets no UDP but DNS out.", "RFC 9312 §4.2", ALLOWLIST),
    cause("tarpit", "Foreign addresses that answer SYNs and then say nothing.", "Liston, LaBrea 2001", ALLOWLIST,
          ISOLATION),
    cause("foreign-sites-down", "One large foreign hoster is down.", "RFC 5461", ISOLATION),
)  # fmt: skip
"""Benign causes that look like limits of rate or reach."""
