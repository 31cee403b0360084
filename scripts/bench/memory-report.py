#!/usr/bin/env python3
"""Turns what memory.py measured into Markdown: memory-report.py RESULTS FILE."""

import json
import pathlib
import sys

from document import compiler, machine, write


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    options, runs = results["options"], results["runs"]
    changes = options["changes"]
    lines = ["| changes so far | PSS | anonymous | threads | database | changes a second | processor time a change |",
             "|---|---|---|---|---|---|---|"]
    for number, run in enumerate(runs):
        speed = f"{changes / run['seconds']:.0f} | {run['cpu'] / changes * 1000:.1f} ms" if run["seconds"] else "– | –"
        lines.append(f"| {number * changes:,} | {run['proportional'] / 1024:.1f} MiB | {run['anonymous'] / 1024:.1f} MiB | {run['threads']} | "
                     f"{run['database'] / 1024:.1f} MiB | {speed} |")
    write(sys.argv[2], "memory", [
        "`PART=memory make bench` repeats it.", "", machine(), f"- {compiler()}; load of the machine before {results['load']:.2f}", "",
        f"Keyturn's memory a second after each {changes:,} password changes of the same accounts on a PostgreSQL over TLS, each verified by a "
        f"login, {options['concurrency']} at the same time, by the same process:", "", *lines, ""])


main()
