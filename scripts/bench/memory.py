#!/usr/bin/env python3
"""Has a running server change the passwords of a database's roles again and again, and looks at its memory; for memory.sh."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import secrets
import sys
import time

from admin import Admin
from processes import cpu, field, memory

ACCOUNTS, RUNS = "/api/v1/accounts/accounts/", "/api/v1/accounts/change-secret-executions/"


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("url", "authority", "login"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("server", "database-port", "changes", "concurrency", "total"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("password", "database-authority", "results"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    return parser.parse_args()


def prepare(admin, options):
    """The database, its superuser, its roles with a password that is not theirs, and the task."""
    asset = admin.call("POST", "/api/v1/assets/databases/", {
        "name": "base", "address": "localhost", "platform": 19, "db_name": "postgres", "pg_ssl_mode": "verify-full", "use_ssl": True,
        "ca_cert": options.database_authority.read_text(), "protocols": [{"name": "postgresql", "port": options.database_port}]})["id"]
    admin.call("POST", ACCOUNTS, {"name": "postgres", "username": "postgres", "asset": asset, "secret_type": "password", "privileged": True,
                                  "secret": options.password.read_text()})
    users = [f"svc{number:06}" for number in range(1, options.changes + 1)]

    def account(user):
        admin.call("POST", ACCOUNTS, {"name": user, "username": user, "asset": asset, "secret_type": "password", "secret": secrets.token_hex(16)})

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(account, users))
    return admin.call("POST", "/api/v1/accounts/change-secret-automations/", {
        "name": "all", "accounts": users, "assets": [asset], "secret_strategy": "random"})["id"]


def change_all(admin, task, changes):
    execution = admin.call("POST", RUNS, {"automation": task})["task"]
    while True:
        answer = admin.call("GET", f"{RUNS}{execution}/")
        if answer["date_finished"]:
            break
        time.sleep(0.2)
    if answer["summary"]["success"] != changes:
        sys.exit(f"not all were changed: {answer['status']} {answer['reason']} {answer['summary']}")


def main():
    options = arguments()
    admin = Admin(options.url, options.authority, json.loads(pathlib.Path(options.login).read_text()))
    print("keyturn: memory: loading the accounts", file=sys.stderr)
    task = prepare(admin, options)
    results = {"options": {name: getattr(options, name) for name in ("changes", "concurrency", "total")},
               "load": os.getloadavg()[0], "runs": []}

    def look(seconds, spent):
        results["runs"].append({
            "seconds": seconds, "cpu": spent, "proportional": memory(options.server), "anonymous": field(options.server, "status", "RssAnon"),
            "threads": field(options.server, "status", "Threads"),
            "database": sum(file.stat().st_size for file in (options.results.parent / "data").glob("keyturn.db*")) // 1024})
        options.results.write_text(json.dumps(results))

    look(0, 0)
    for number in range(1, options.total // options.changes + 1):
        start, before = time.monotonic(), cpu(options.server)
        change_all(admin, task, options.changes)
        seconds, spent = time.monotonic() - start, cpu(options.server) - before
        time.sleep(1)
        look(seconds, spent)
        print(f"keyturn: memory: {number * options.changes} changes, {options.changes / seconds:.0f}/s, "
              f"anonymous {results['runs'][-1]['anonymous'] / 1024:.1f} MiB", file=sys.stderr)


main()
