"""Judge a folder of captures on all cores, and show how far it is: ``python batch.py FOLDER VERDICTS.jsonl``."""

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import netinterf


def show(capture: str, done: int, total: int) -> None:
    """Write how many captures are done; called in this process, in the order of the paths."""
    print(f"{done} of {total}: {capture}", file=sys.stderr)


def main(folder: str, target: str) -> None:
    """Judge every capture below a folder, one task each; write all verdicts, and print what was found how often."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        result = netinterf.scan(folder, executor=pool, progress=show)
    for error in result.errors:  # one file that cannot be read does not stop the others
        print(error, file=sys.stderr)
    netinterf.export.jsonl(result, target, everything=True)
    found = Counter(verdict.mechanism for verdict in result.findings)
    print(f"{len(result.captures)} captures, {len(result.verdicts)} verdicts")
    for mechanism, count in found.most_common():
        print(f"{count:6} {mechanism}")


if __name__ == "__main__":  # without this line, processes that start anew would start the batch anew
    main(*sys.argv[1:])
