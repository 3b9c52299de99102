"""The signatures in the order of their stages: id, how the paper writes it, and nothing that they weigh."""

from netinterf.analyzers.vocabulary import Family

__all__ = ["RULES", "SIGNATURES"]

CLOUDFLARE = "Sundara Raman et al., Global, Passive Detection of Connection Tampering, SIGCOMM 2023"

SIGNATURES: dict[str, str] = {
    "syn_none": "SYN → ∅",
    "syn_rst": "SYN → RST",
    "syn_rstack": "SYN → RST+ACK",
    "syn_both": "SYN → RST; RST+ACK",
    "ack_none": "SYN; ACK → ∅",
    "ack_rst": "SYN; ACK → RST",
    "ack_rsts": "SYN; ACK → RST; RST",
    "ack_rstack": "SYN; ACK → RST+ACK",
    "ack_rstacks": "SYN; ACK → RST+ACK; RST+ACK",
    "psh_none": "PSH+ACK → ∅",
    "psh_rst": "PSH+ACK → RST",
    "psh_rstack": "PSH+ACK → RST+ACK",
    "psh_both": "PSH+ACK → RST; RST+ACK",
    "psh_rstacks": "PSH+ACK → RST+ACK; RST+ACK",
    "psh_equal": "PSH+ACK → RST = RST",
    "psh_unequal": "PSH+ACK → RST ≠ RST",
    "psh_zero": "PSH+ACK → RST; RST₀",
    "data_rst": "PSH+ACK; Data → RST",
    "data_rstack": "PSH+ACK; Data → RST+ACK",
}

DROPS = {"syn_none": "tcp.connect.drop", "ack_none": "tcp.drop", "psh_none": "tcp.drop"}
"""Silences; the others are resets, of the opening or later."""

signatures, of_openings = (Family("signature.", "tcp.reset", exposed=exposed) for exposed in ("tcp", "opened"))

RULES = tuple(
    (of_openings if name.startswith("syn") else signatures).rule(
        name,
        "",
        0.0,
        f"what arrived from the client reads ⟨{written}⟩, by {{packets}} packets: a published signature of connections "
        "that may have been tampered with, and of many that were not",
        "packets",
        source=CLOUDFLARE,
        mechanism=DROPS.get(name, "tcp.connect.reset" if name.startswith("syn") else "tcp.reset"),
    )
    for name, written in SIGNATURES.items()
)
