#!/usr/bin/env python3
"""Turns the raw results of scripts/bench.sh into Markdown.

    report.py RESULTS WORK FILE

Replaces what stands in FILE between the two markers of the part, or writes to standard output alone where FILE is "-".
"""

import os
import pathlib
import re
import statistics
import sys
import time

from document import compiler, first_line, fixed, machine, median, ratios, spread, write


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


class Run:
    """What wrk printed for one side, one number of connections and one round."""

    def __init__(self, text):
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        self.p50 = milliseconds(re.search(r"\s50%\s+(\S+)", text).group(1))
        self.p99 = milliseconds(re.search(r"\s99%\s+(\S+)", text).group(1))
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        socket_errors = re.search(r"Socket errors: (.*)", text)
        self.refused = int(refused.group(1)) if refused else 0
        self.errors = sum(int(n) for n in re.findall(r"\d+", socket_errors.group(1))) if socket_errors else 0


class Results:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def texts(self, pattern):
        return [(path.name, path.read_text()) for path in sorted(self.directory.glob(pattern))]

    def text(self, name, default=""):
        path = self.directory / name
        return path.read_text().strip() if path.exists() else default

    def runs(self, side, connections, rounds="[0-9]*"):
        return [Run(text) for _, text in self.texts(f"wrk.{side}.{connections}.{rounds}.txt")]

    def numbers(self, pattern, field=0):
        return [float(text.split()[field]) for _, text in self.texts(pattern) if text.split()]


def thousands(number):
    return f"{number / 1000:.1f}k"


def fetch_table(results):
    counts = sorted({int(name.split(".")[2]) for name, _ in results.texts("wrk.*.[0-9]*.[0-9]*.txt")})
    lines = ["| connections | nginx, static | keyturn, fetch | ratio | p50 / p99 nginx | p50 / p99 keyturn | refused, errors |",
             "|---|---|---|---|---|---|---|"]
    for count in counts:
        ours, theirs = results.runs("keyturn", count), results.runs("nginx", count)
        ratio = ratios([run.rate for run in ours], [run.rate for run in theirs])

        def latency(runs):
            return f"{median([run.p50 for run in runs]):.2f} / {median([run.p99 for run in runs]):.2f} ms" if runs else "–"

        troubles = f"{sum(run.refused for run in ours + theirs)}, {sum(run.errors for run in ours + theirs)}"
        lines.append(f"| {count} | {spread([run.rate for run in theirs], thousands)}/s | {spread([run.rate for run in ours], thousands)}/s"
                     f" | **{spread(ratio, fixed)}** | {latency(theirs)} | {latency(ours)} | {troubles} |")
    return lines


def connection_table(results):
    lines = ["| new connections, each with one request | nginx | keyturn | ratio | resumed | failures |", "|---|---|---|---|---|---|"]
    for mode, title in (("full", "full handshakes"), ("resumed", "with the ticket of the connection before")):
        theirs, ours = results.numbers(f"connections.nginx.{mode}.*.txt"), results.numbers(f"connections.keyturn.{mode}.*.txt")
        share = median(results.numbers(f"connections.keyturn.{mode}.*.txt", 1) or results.numbers(f"connections.nginx.{mode}.*.txt", 1))
        failures = sum(results.numbers(f"connections.*.{mode}.*.txt", 2))
        lines.append(f"| {title} | {spread(theirs, lambda n: f'{n:.0f}')}/s | {spread(ours, lambda n: f'{n:.0f}')}/s"
                     f" | **{spread(ratios(ours, theirs), fixed)}** | {share:.0%} | {failures:.0f} |")
    return lines


def memory_table(results):
    lines = ["| memory (PSS, MiB) | nginx | keyturn |", "|---|---|---|"]
    counts = sorted({name.split(".")[2] for name, _ in results.texts("memory.*.txt")}, key=lambda n: (n != "rest", len(n), n))
    for count in counts:
        cells = [spread([n / 1024 for n in results.numbers(f"memory.{side}.{count}.[0-9]*.txt")], lambda n: f"{n:.0f}") for side in ("nginx", "keyturn")]
        lines.append(f"| {'at rest' if count == 'rest' else f'under load, {count} connections'} | {cells[0]} | {cells[1]} |")
    return lines


def large_lines(results, accounts):
    lines = [f"With **{accounts:,} accounts** and as many applications as above, beside the small data set in the same rounds:", "",
             "| connections | small | large | ratio |", "|---|---|---|---|"]
    for count in (64, 256):
        small, big = results.runs("keyturn", count, "beside-*"), results.runs("large", count)
        lines.append(f"| {count} | {spread([r.rate for r in small], thousands)}/s | {spread([r.rate for r in big], thousands)}/s"
                     f" | **{spread(ratios([r.rate for r in big], [r.rate for r in small]), fixed)}** |")
    rest = results.numbers("memory.large.rest.1.txt")
    load = [n / 1024 for n in results.numbers("memory.large.256.*.txt")]
    lines += ["", f"From start to the first secret {median(results.numbers('cold.large.*.txt')):.0f} ms; at rest {median(rest) / 1024:.0f} MiB,"
              f" under load with 256 connections {median(load):.0f} MiB."]
    return lines


def commit_time(directory):
    """Median of 200 times appending 4 KiB and `fdatasync` where the databases were, in milliseconds."""
    path = pathlib.Path(directory) / "commit-time"
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    path.unlink()
    return statistics.median(times) * 1000


def machine_lines(results, work):
    return [
        machine(),
        f"- {compiler()}; {first_line(['nginx', '-v']).replace('nginx version: ', '')}; "
        f"{' '.join(first_line(['wrk', '-v']).split()[:2])}, on the same processors as the servers",
        f"- TLS: nginx {results.text('tls.nginx.txt', '?')}; keyturn {results.text('tls.keyturn.txt', 'not measured')}; one ECDSA P-256 certificate for both",
        f"- answer of {results.text('size.txt', '?')} bytes; `fdatasync` of 4 KiB takes {commit_time(work):.2f} ms here (median of 200); load of the "
        f"machine before {results.text('load-before.txt', '?')}",
    ]


def main():
    results, work, target = Results(sys.argv[1]), sys.argv[2], sys.argv[3]
    parameters = dict(line.split() for line in results.text("parameters.txt").splitlines())
    lines = [*machine_lines(results, work), "",
             f"Medians [smallest–largest] of {parameters['rounds']} rounds of {parameters['seconds']} s, the sides in turn; ratios round by round. "
             f"{int(parameters['accounts']):,} accounts, {int(parameters['applications']):,} applications, every signature a new one.", "",
             *fetch_table(results), "", *connection_table(results), "", *memory_table(results), ""]
    if results.texts("cold.keyturn.*.txt"):
        lines += [f"From the start of the program to the first secret: {spread(results.numbers('cold.keyturn.*.txt'), lambda n: f'{n:.0f}')} ms.", ""]
    if int(parameters["large"]) > 0:
        lines += [*large_lines(results, int(parameters["large"])), ""]
    write(target, "fetches", lines)


main()
