"""Stores of real captures: what is benign is not accused for being pooled."""

import csv

import netinterf

EVERY = 12
"""Of the benign captures one in so many, to be quick; pooled all together they accused nobody either."""


def collected(folder, rows):
    """Collect captures, each with its place, and judge them together."""
    manifest = folder / "manifest.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "place"), *rows])
    campaign = netinterf.Campaign(folder / "store")
    campaign.collect(manifest=manifest)
    return campaign.report()


def catalogue(captures_dir):
    """Read which captures there are, the reserve left out."""
    with (captures_dir / "CATALOG.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if (captures_dir / row["file"]).exists()]


def test_benign_captures_of_many_recorders_accuse_nobody_together(captures_dir, tmp_path):
    """One-sided, cut, lossy and hand-made ones among them; each repository is a place."""
    benign = [row["file"] for row in catalogue(captures_dir) if row["kind"] == "benign"][::EVERY]
    report = collected(tmp_path, [(captures_dir / file, file.split("/")[1]) for file in benign])
    assert report.summary.captures > 100
    assert [cell.explanation for cell in report.of("blocked")] == []
