#!/usr/bin/env python3
"""Turns what rotation.py measured into Markdown: rotation-report.py RESULTS FILE."""

import json
import pathlib
import sys

from document import compiler, first_line, fixed, machine, median, ratios, spread, write

COMMAND = "PART=rotation make bench"


def cells(name, theirs, ours, form, ratio=""):
    return f"| {name} | {spread(theirs, form)} | {spread(ours, form)} | {ratio} |"


def speed_table(runs, changes):
    """The rounds in which both sides ran."""
    theirs = [run for run in runs if run["side"] == "peer"]
    rounds = {run["round"] for run in theirs}
    ours = [run for run in runs if run["side"] == "keyturn" and run["round"] in rounds]

    def both(name, value, form, ratio=""):
        return cells(name, [value(run) for run in theirs], [value(run) for run in ours], form, ratio)

    def whole(number):
        return f"{number:.0f}"

    def whole_cpu(run):
        return (run["client_cpu"] + run["host_cpu"]) / changes * 1000

    speed = ratios([changes / run["seconds"] for run in ours], [changes / run["seconds"] for run in theirs])
    shares = [run["client_cpu"] / (run["client_cpu"] + run["host_cpu"]) for run in ours]
    lines = [
        "| | `xargs -P` of `ssh` | Keyturn | ratio |", "|---|---|---|---|",
        both("changes a second", lambda run: changes / run["seconds"], lambda n: f"{n:.1f}", f"**{spread(speed, fixed)}**"),
        both("logins let in, for each change", lambda run: run["accepted"] / changes, lambda n: f"{n:.3f}"),
        both("logins refused, in all", lambda run: run["refused"], whole),
        both("processor time of the side itself, for each change", lambda run: run["client_cpu"] / changes * 1000, lambda n: f"{n:.1f} ms"),
        both("the same with the host's", whole_cpu, lambda n: f"{n:.1f} ms"),
        both("the side's own share of it", lambda run: run["client_cpu"] / (run["client_cpu"] + run["host_cpu"]), lambda n: f"{n:.0%}"),
        both("largest memory (PSS) of the side itself", lambda run: run["peaks"]["client"] / 1024, lambda n: f"{n:.0f} MiB"),
        both("largest memory of all processes, the host's too", lambda run: run["peaks"]["all"] / 1024, lambda n: f"{n:.0f} MiB"),
    ]
    verdict = (f"Aim: at least 1.0 times the client's speed: {'met' if median(speed) >= 1 else 'missed'}, {median(speed):.2f}; Keyturn's own share "
               f"of the processor time under a quarter: {'met' if median(shares) < 0.25 else 'missed'}, {median(shares):.0%}.")
    return [*lines, "", verdict]


def memory_table(runs, changes):
    ours = [run for run in runs if run["side"] == "keyturn"]
    lines = ["| changes so far | PSS | resident | of it anonymous | largest resident meanwhile | threads | database | changes a second |",
             "|---|---|---|---|---|---|---|---|"]
    for number, run in enumerate(ours, 1):
        rest = run["rest"]
        sizes = [rest["proportional"], rest["resident"], rest["anonymous"], run["peaks"]["resident"]]
        lines.append(f"| {number * changes:,} | " + " | ".join(f"{size / 1024:.1f} MiB" for size in sizes)
                     + f" | {rest['threads']} | {rest['database'] / 1024:.1f} MiB | {changes / run['seconds']:.1f} |")
    return lines


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    options, runs = results["options"], results["runs"]
    changes = options["changes"]
    write(sys.argv[2], "rotation", [
        f"`{COMMAND}` repeats it.", "", machine(),
        f"- {compiler()}; {first_line(['/usr/bin/ssh', '-V'])} on both sides; load of the machine before {results['load']:.2f}", "",
        f"Medians [smallest–largest] of {options['rounds']} rounds of {changes:,} changes, {options['concurrency']} at the same time, the sides "
        "in turn; the ratio round by round.", "",
        *speed_table(runs, changes), "",
        f"Keyturn's memory a second after each {changes:,} changes of the same accounts, by the same process:", "",
        *memory_table(runs, changes), ""])


main()
