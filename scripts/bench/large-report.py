#!/usr/bin/env python3
"""Turns the raw results of large.sh into Markdown: large-report.py RESULTS FILE."""

import sys

from document import compiler, fixed, machine, median, ratios, spread, write
from fetching import Results, latency, mebibytes, thousands, troubles


def speed_lines(results, parameters):
    lines = [f"| connections | {parameters['accounts']:,} accounts | {parameters['large']:,} accounts | ratio | p50 / p99 of the large one "
             "| refused, errors |", "|---|---|---|---|---|---|"]
    speeds = []
    for count in (64, 256):
        small, big = results.runs("keyturn", count), results.runs("large", count)
        ratio = ratios([run.rate for run in big], [run.rate for run in small])
        speeds.append(median(ratio))
        lines.append(f"| {count} | {spread([run.rate for run in small], thousands)}/s | {spread([run.rate for run in big], thousands)}/s"
                     f" | **{spread(ratio, fixed)}** | {latency(big)} | {troubles(small + big)} |")
    return lines, min(speeds)


def main():
    results = Results(sys.argv[1])
    parameters = results.parameters()
    lines, speed = speed_lines(results, parameters)

    def cell(pattern, unit, form=lambda number: f"{number:.0f}"):
        numbers = results.numbers(pattern)
        return f"{spread(mebibytes(numbers) if unit == 'MiB' else numbers, form)} {unit}"

    ready = median(results.numbers("cold.large.*.txt"))
    memory = max(mebibytes(results.numbers("memory.large.[0-9]*.[0-9]*.txt")))

    def verdict(is_met):
        return "met" if is_met else "missed"

    write(sys.argv[2], "large", [
        "`PART=large make bench` repeats it.", "", machine(), f"- {compiler()}; load of the machine before {results.text('load-before.txt', '?')}", "",
        f"Medians [smallest–largest] of {parameters['rounds']} rounds of {parameters['seconds']} s, the data sets in turn; ratios round by round. "
        f"{parameters['applications']:,} applications each, with attribute filters; every signature a new one.", "",
        *lines, "",
        "| | small | large |", "|---|---|---|",
        f"| from the start of the program to the first secret | {cell('cold.keyturn.*.txt', 'ms')} | **{cell('cold.large.*.txt', 'ms')}** |",
        f"| memory (PSS) at rest | {cell('memory.keyturn.rest.*.txt', 'MiB')} | {cell('memory.large.rest.*.txt', 'MiB')} |",
        f"| under load, 64 connections | {cell('memory.keyturn.64.[0-9]*.txt', 'MiB')} | {cell('memory.large.64.[0-9]*.txt', 'MiB')} |",
        f"| under load, 256 connections | {cell('memory.keyturn.256.[0-9]*.txt', 'MiB')} | **{cell('memory.large.256.[0-9]*.txt', 'MiB')}** |", "",
        f"Aim: at least 0.90 of the rate of the small data set: {verdict(speed >= 0.9)}, {speed:.2f}; ready in 3 s: {verdict(ready <= 3000)}, "
        f"{ready / 1000:.2f} s; under 400 MiB: {verdict(memory < 400)}, {memory:.0f} MiB at most.", ""])


main()
