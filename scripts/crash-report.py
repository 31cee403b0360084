#!/usr/bin/env python3
"""Puts a table of `make crash` into its place: crash-report.py PART TABLE SECONDS FILE."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "bench"))
from document import machine, write  # noqa: E402


def main():
    part, table, seconds, file = sys.argv[1:]
    minutes = max(1, round(int(seconds) / 60))
    lines = [f"`PART={part} make crash` repeats it.", "", machine(), f"- debug build; {minutes} minute{'s' if minutes > 1 else ''}", ""]
    if pathlib.Path(table).exists():
        lines += [*pathlib.Path(table).read_text().splitlines(), ""]
    else:
        # Skipped where the machine cannot have it, or broken: what stands there is left.
        print(f"keyturn: crash: {part} has no table", file=sys.stderr)
        return
    write(file, part, lines, "make crash")


main()
