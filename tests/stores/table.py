#!/usr/bin/env python3
"""table.py FILE: the cases of the conformance suite that FILE tells of, by store."""

import collections
import pathlib
import sys

SHOWN = {"ok": "ok", "n/a": "·", "-": "", "FAILED": "FAILED"}


def table(lines: list[str]) -> str:
    """Rows are cases, columns are stores; of several lines on a case, the last one counts."""
    outcomes: dict[str, dict[str, str]] = collections.defaultdict(dict)
    for line in lines:
        store, case, outcome = line.split("\t")
        outcomes[case][store] = outcome
    stores = sorted({store for row in outcomes.values() for store in row})
    width = max((len(case) for case in outcomes), default=0)
    rows = [" " * width + "  " + "  ".join(stores)]
    for case, row in outcomes.items():
        cells = (SHOWN[row.get(store, "-")].center(len(store)) for store in stores)
        rows.append(f"{case:<{width}}  {'  '.join(cells)}".rstrip())
    return "\n".join(rows)


if __name__ == "__main__":
    print(table(sorted(pathlib.Path(sys.argv[1]).read_text().splitlines(), key=lambda line: line.split("\t")[1])))
    print("\n·: the store has no such thing; empty: its server is not there")
