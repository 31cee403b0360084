#!/usr/bin/env python3
"""Turns the raw results of import.sh into Markdown: import-report.py RESULTS FILE."""

import sys

from document import compiler, fixed, machine, median, spread, write
from fetching import Results, Run, latency, thousands, troubles


class Import:
    """One round: pairs of fetches alone and of fetches that ran from beginning to end while accounts were imported."""

    def __init__(self, results, number):
        steps = [tuple(map(float, line.split())) for line in results.text(f"import.{number}.txt").splitlines()]
        self.alone, self.beside, self.speeds = [], [], []
        for name, text in results.texts(f"wrk.keyturn.64.beside-{number}-*.txt"):
            # wrk reads its requests before it sends the first.
            _, end = map(float, results.text(name.replace("wrk.", "time.", 1)).split())
            begin = end - results.parameters()["seconds"]
            alone = results.text(name.replace("beside", "alone", 1), "")
            if alone and end <= steps[-1][0]:
                self.alone.append(Run(alone))
                self.beside.append(Run(text))
                self.speeds.append((at(steps, end) - at(steps, begin)) / (end - begin))
        if not self.beside:
            sys.exit("the import was over before the fetches were: give more accounts with IMPORT")
        self.ratio = median([beside.rate / alone.rate for beside, alone in zip(self.beside, self.alone)])


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
    alone, beside = [run for one in rounds for run in one.alone], [run for one in rounds for run in one.beside]
    kept = median([one.ratio for one in rounds])
    write(sys.argv[2], "import", [
        "`PART=import make bench` repeats it.", "", machine(), f"- {compiler()}; load of the machine before {results.text('load-before.txt', '?')}", "",
        f"{parameters['rounds']} rounds, each with an import of {parameters['import']:,} accounts; fetches of {parameters['seconds']} s at 64 "
        f"connections, in turn while it ran and while it was held ({len(beside)} pairs in all); medians [smallest–largest], of the rounds' "
        "medians for the ratio.", "",
        "| | import held | during the import | ratio |", "|---|---|---|---|",
        f"| fetches a second | {spread([run.rate for run in alone], thousands)} | {spread([run.rate for run in beside], thousands)} "
        f"| **{spread([one.ratio for one in rounds], fixed)}** |",
        f"| p50 / p99 | {latency(alone)} | {latency(beside)} | |", f"| refused, errors | {troubles(alone)} | {troubles(beside)} | |",
        f"| accounts imported a second | – | {spread([speed for one in rounds for speed in one.speeds], lambda n: f'{n:.0f}')} | |", "",
        f"Aim: at least 0.80 of the rate without an import: {'met' if kept >= 0.8 else 'missed'}, {kept:.2f}.", ""])


main()
