#!/usr/bin/env python3
"""Turns the raw results of import.sh into Markdown: import-report.py RESULTS FILE."""

import sys

from document import compiler, fixed, machine, median, spread, write
from fetching import Results, Run, latency, thousands, troubles


class Import:
    """One round: the fetches alone, and those that ran from beginning to end while accounts were imported."""

    def __init__(self, results, number):
        steps = [tuple(map(float, line.split())) for line in results.text(f"import.{number}.txt").splitlines()]
        (self.alone,) = results.runs("keyturn", 64, f"alone-{number}")
        self.seconds = steps[-1][0] - steps[0][0]
        self.accounts = steps[-1][1]
        self.beside, self.speeds = [], []
        for name, text in results.texts(f"wrk.keyturn.64.beside-{number}-*.txt"):
            begin, end = map(float, results.text(name.replace("wrk.", "time.", 1)).split())
            if steps[0][0] <= begin and end <= steps[-1][0]:
                self.beside.append(Run(text))
                self.speeds.append((at(steps, end) - at(steps, begin)) / (end - begin))
        if not self.beside:
            sys.exit("the import was over before the fetches were: give more accounts with IMPORT")
        self.rate = median([run.rate for run in self.beside])


def at(steps, moment):
    """Accounts that were there at a moment, as if those of one request came one after the other."""
    for (start, before), (end, after) in zip(steps, steps[1:]):
        if start <= moment <= end:
            return before + (after - before) * (moment - start) / max(end - start, 1e-9)
    return steps[-1][1]


def main():
    results = Results(sys.argv[1])
    parameters = results.parameters()
    rounds = [Import(results, number) for number in range(1, parameters["rounds"] + 1)]
    alone, beside = [one.alone for one in rounds], [run for one in rounds for run in one.beside]
    ratio = [one.rate / one.alone.rate for one in rounds]
    kept = median(ratio)
    write(sys.argv[2], "import", [
        "`PART=import make bench` repeats it.", "", machine(), f"- {compiler()}; load of the machine before {results.text('load-before.txt', '?')}", "",
        f"Medians [smallest–largest] of {parameters['rounds']} rounds, each with an import of {parameters['import']:,} accounts; fetches of "
        f"{parameters['seconds']} s at 64 connections, again and again while it ran ({len(beside)} in all); ratios round by round.", "",
        "| | alone | during an import | ratio |", "|---|---|---|---|",
        f"| fetches a second | {spread([run.rate for run in alone], thousands)} | {spread([one.rate for one in rounds], thousands)} "
        f"| **{spread(ratio, fixed)}** |",
        f"| p50 / p99 | {latency(alone)} | {latency(beside)} | |", f"| refused, errors | {troubles(alone)} | {troubles(beside)} | |",
        f"| accounts imported a second | – | {spread([speed for one in rounds for speed in one.speeds], lambda n: f'{n:.0f}')} | |",
        f"| the whole import | – | {spread([one.seconds for one in rounds], lambda n: f'{n:.0f} s')} | |", "",
        f"Aim: at least 0.80 of the rate without an import: {'met' if kept >= 0.8 else 'missed'}, {kept:.2f}.", ""])


main()
