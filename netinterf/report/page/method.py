"""What stands at the end of a page: how it is to be read, which files and versions it is about, how to cite."""

from collections.abc import Sequence

from netinterf.report.page.markup import Markup, definitions, name, packaged, raw, table, tag
from netinterf.report.page.proof import Proof
from netinterf.version import __version__

__all__ = ["AUTHORS", "TITLE", "cite", "files", "method"]

TITLE = "netinterf: evidence of interference in packet captures"
AUTHORS = "The netinterf authors"
"""As in ``CITATION.cff``."""

COMMAND = "netinterf scan{} --format html --out report.html PATH"


def method() -> Markup:
    """Explain grades, probabilities, weights and limits."""
    return tag("section", raw(packaged("method.html")), id="method")


def files(proofs: Sequence[Proof], models: Sequence[str]) -> Markup:
    """List the captures with their fingerprints, and what they were judged with.

    Args:
        proofs: One per file; more than captures where files are joined.
        models: What the verdicts were reached with, one per capture.
    """
    rows = [
        (name(proof.capture), "?" if proof.size is None else f"{proof.size:,}", fingerprint(proof)) for proof in proofs
    ]
    about = [
        ("Program", f"netinterf {__version__}"),
        ("Model", ", ".join(dict.fromkeys(models))),
        ("To repeat", tag("code", COMMAND.format(" --join" * (len(proofs) > len(models))), class_="copy")),
    ]
    listed = table("Captures, as they were when this page was written", ("File", "Bytes", "SHA-256"), rows)
    return tag("section", tag("h2", "Files and versions"), definitions(about), listed if rows else "", id="files")


def fingerprint(proof: Proof) -> Markup:
    """Write what identifies a file, or that it could not be read again."""
    return tag("code", proof.sha256) if proof.sha256 else tag("span", proof.missing)


def cite() -> Markup:
    """Say how to cite."""
    fields = {"author": f"{{{AUTHORS}}}", "title": TITLE, "version": __version__}
    entry = "@software{netinterf, " + ", ".join(f"{key} = {{{value}}}" for key, value in fields.items()) + "}"
    return tag(
        "section",
        tag("h2", "How to cite"),
        tag("p", f"{AUTHORS}. {TITLE}. Version {__version__}, software."),
        tag("p", tag("code", entry, class_="copy")),
        tag("p", "Name the model and the fingerprints of the captures beside it, and whoever took the captures."),
        id="cite",
    )
