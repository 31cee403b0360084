#!/usr/bin/env python3
"""Watches a server's database while its tasks fall due: schedule.py DATABASE TASKS DUE. Prints what it saw as JSON.

An execution is counted once it is committed. All of one look of the scheduler carry the moment at which that look began.
"""

import json
import sqlite3
import sys
import time


def main():
    path, tasks, due = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)

    def count(condition=""):
        return database.execute(f"SELECT count(*) FROM executions {condition}").fetchone()[0]

    if time.time() > due - 1:
        sys.exit("the tasks were due before anybody looked")
    time.sleep(due - time.time() - 0.1)
    first = None
    while count() < tasks:
        if first is None and count():
            first = time.time()
        if time.time() > due + 120:
            sys.exit(f"{count()} of {tasks} tasks were started")
        time.sleep(0.005)
    started = time.time()
    (look,) = database.execute("SELECT min(date_created) / 1000.0 FROM executions").fetchone()
    (last,) = database.execute("SELECT max(date_created) / 1000.0 FROM executions").fetchone()
    while count("WHERE status IN ('pending', 'running')"):
        if time.time() > due + 600:
            sys.exit("the executions do not end")
        time.sleep(0.1)
    print(json.dumps({"look": started - look, "due": started - due, "waited": look - due, "looks": 1 if look == last else 2,
                      "ended": time.time() - look}))


main()
