#!/usr/bin/env python3
"""Counts the tests of one run and prints `N passed, N failed, N skipped` as its last line.

    count-tests.py DIRECTORY

Reads from the directory what scripts/run-tests.sh left there:
  *.events.jsonl  the event stream of Swift Testing (version 0); a test that takes arguments counts once
  *.tap           TAP lines of a scenario (`ok …`, `not ok …`, `ok … # SKIP why`, `1..N`)
  *.status        the exit status of a program that was not 0
  *.broken        why a suite did not run to its end
The exit status is 0 only when something passed and nothing failed, hung or ended before its end.
"""

import json
import pathlib
import re
import sys


class Count:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []


def read_events(path, count):
    """Every test function ends as passed, failed or skipped; one that started and never ended failed."""
    names, functions, state, ended = {}, set(), {}, False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line at which the program died
        payload = record.get("payload", {})
        kind = payload.get("kind")
        if record.get("kind") == "test":
            names[payload.get("id")] = payload.get("id", "?").split("/")[0] + ": " + payload.get("displayName", payload.get("name", "?"))
            if kind == "function":
                functions.add(payload.get("id"))
            continue
        test = payload.get("testID")
        if kind == "runEnded":
            ended = True
        elif kind == "testStarted":
            state[test] = "started"
        elif kind == "testSkipped":
            state[test] = "skipped"
        elif kind == "issueRecorded" and not payload.get("issue", {}).get("isKnown", False):
            if test is None or (test not in functions and test in names):
                state[test] = "failed"  # an issue of a suite or of no test at all
        elif kind == "testEnded":
            symbols = {message.get("symbol") for message in payload.get("messages", [])}
            state[test] = "failed" if "fail" in symbols else "passed"
    suites_failed = False
    for test, outcome in state.items():
        name = names.get(test, str(test))
        if test not in functions:
            suites_failed = suites_failed or outcome == "failed"
            continue
        bucket = {"passed": count.passed, "skipped": count.skipped}.get(outcome, count.failed)
        bucket.append(name + (" (never ended)" if outcome == "started" else ""))
    if suites_failed and not count.failed:
        count.failed.append(f"{path.name}: an issue outside of any test")
    if not any(test in functions for test in state):
        count.failed.append(f"{path.name}: no test ran")
    elif not ended and not count.failed:
        count.failed.append(f"{path.name}: the run has no end")


def read_tap(path, count):
    planned, seen = None, 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        plan = re.fullmatch(r"1\.\.(\d+)", line.strip())
        if plan:
            planned = int(plan.group(1))
        result = re.match(r"(not )?ok\b(?: \d+)?(?: -)? ?(.*)", line)
        if not result:
            continue
        seen += 1
        name = f"{path.stem}: {result.group(2)}"
        if re.search(r"# ?SKIP\b", line, re.IGNORECASE) and not result.group(1):
            count.skipped.append(name)
        else:
            (count.failed if result.group(1) else count.passed).append(name)
    if planned is None or planned != seen:
        count.failed.append(f"{path.stem}: {seen} results of {planned if planned is not None else 'an unknown number'}")


def main():
    directory = pathlib.Path(sys.argv[1])
    count = Count()
    for path in sorted(directory.glob("*.events.jsonl")):
        read_events(path, count)
    for path in sorted(directory.glob("*.tap")):
        read_tap(path, count)
    for path in sorted(directory.glob("*.broken")):
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        print(text)
        count.failed.append(f"{path.stem}: did not run to its end")
    for path in sorted(directory.glob("*.status")):
        if not count.failed:
            count.failed.append(f"{path.stem}: exit status {path.read_text().strip()} although no test failed")
    if not count.passed and not count.failed:
        count.failed.append("no test ran")
    for title, names in (("skipped", count.skipped), ("failed", count.failed)):
        for name in names:
            print(f"{title}: {name}")
    print(f"{len(count.passed)} passed, {len(count.failed)} failed, {len(count.skipped)} skipped")
    return 1 if count.failed else 0


sys.exit(main())
