#!/usr/bin/env python3
"""Turns what schedule.py saw into Markdown: schedule-report.py DIRECTORY TASKS FILE."""

import json
import pathlib
import sys

from document import compiler, machine, median, spread, write


def main():
    rounds = [json.loads(path.read_text()) for path in sorted(pathlib.Path(sys.argv[1]).glob("result.*.json"))]
    tasks = int(sys.argv[2])

    def seconds(name):
        return spread([one[name] for one in rounds], lambda n: f"{n:.2f} s")

    taken = median([one["look"] for one in rounds])
    write(sys.argv[3], "schedule", [
        "`PART=schedule make bench` repeats it.", "", machine(), f"- {compiler()}", "",
        f"{tasks:,} tasks that fall due at the same moment, on a running server; medians [smallest–largest] of {len(rounds)} rounds:", "",
        "| | |", "|---|---|",
        f"| from the scheduler's look until the last of their executions is committed | **{seconds('look')}** |",
        f"| the same from the moment at which they were due | {seconds('due')} |",
        f"| until all executions have ended; there is no account for them | {seconds('ended')} |", "",
        f"Aim: within a second of the look: {'met' if taken < 1 else 'missed'}, {taken:.2f} s.", ""])


main()
