#!/usr/bin/env python3
"""Turns the raw results of fetches.sh into Markdown.

    fetches-report.py RESULTS WORK FILE

Replaces what stands in FILE between the two markers of the part, or writes to standard output alone where FILE is "-".
"""

import os
import pathlib
import statistics
import sys
import time

from document import compiler, first_line, fixed, machine, median, ratios, spread, write
from fetching import Results, latency, mebibytes, thousands, troubles


def fetch_table(results):
    counts = sorted({int(name.split(".")[2]) for name, _ in results.texts("wrk.*.[0-9]*.[0-9]*.txt")})
    lines = ["| connections | nginx, static | keyturn, fetch | ratio | p50 / p99 nginx | p50 / p99 keyturn | refused, errors |",
             "|---|---|---|---|---|---|---|"]
    for count in counts:
        ours, theirs = results.runs("keyturn", count), results.runs("nginx", count)
        ratio = ratios([run.rate for run in ours], [run.rate for run in theirs])
        lines.append(f"| {count} | {spread([run.rate for run in theirs], thousands)}/s | {spread([run.rate for run in ours], thousands)}/s"
                     f" | **{spread(ratio, fixed)}** | {latency(theirs)} | {latency(ours)} | {troubles(ours + theirs)} |")
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
        cells = [spread(mebibytes(results.numbers(f"memory.{side}.{count}.[0-9]*.txt")), lambda n: f"{n:.0f}") for side in ("nginx", "keyturn")]
        lines.append(f"| {'at rest' if count == 'rest' else f'under load, {count} connections'} | {cells[0]} | {cells[1]} |")
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
    parameters = results.parameters()
    lines = [*machine_lines(results, work), "",
             f"Medians [smallest–largest] of {parameters['rounds']} rounds of {parameters['seconds']} s, the sides in turn; ratios round by round. "
             f"{parameters['accounts']:,} accounts, {parameters['applications']:,} applications, every signature a new one.", "",
             *fetch_table(results), "", *connection_table(results), "", *memory_table(results), ""]
    if results.texts("cold.keyturn.*.txt"):
        lines += [f"From the start of the program to the first secret: {spread(results.numbers('cold.keyturn.*.txt'), lambda n: f'{n:.0f}')} ms.", ""]
    write(target, "fetches", lines)


main()
