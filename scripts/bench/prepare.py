#!/usr/bin/env python3
"""Fills a running server through its Admin API, for the measurements.

    prepare.py URL CA FIRST_LOGIN ACCOUNTS APPLICATIONS OUTPUT

FIRST_LOGIN is what `keyturnd init --json` printed. Makes assets with 1,000 accounts each, and applications with an
address policy of eight networks and an attribute filter of three rules; writes OUTPUT/applications.tsv (key id, secret)
and OUTPUT/accounts.tsv (asset, account; a thousand of them, spread evenly). Names have one length.
"""

import concurrent.futures
import json
import pathlib
import sys

from admin import Admin

WORKERS = 8
PER_ASSET = 1000
NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "203.0.113.0/24", "198.51.100.7", "2001:db8::/32", "::1"]
FILTER = {
    "type": "attrs",
    "attrs": [
        {"name": "username", "match": "startswith", "value": "svc", "rel": "and"},
        {"name": "secret_type", "match": "in", "value": ["password", "token"], "rel": "and"},
        {"name": "privileged", "match": "exact", "value": False, "rel": "and"},
    ],
}


def main():
    url, authority, login, accounts, applications, output = sys.argv[1:]
    accounts, applications, output = int(accounts), int(applications), pathlib.Path(output)
    admin = Admin(url, authority, json.loads(pathlib.Path(login).read_text()))

    def asset(number):
        body = {"name": f"host{number:06}", "address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", "platform": 1,
                "protocols": [{"name": "ssh", "port": 22}]}
        return admin.call("POST", "/api/v1/assets/hosts/", body)["id"]

    def account(number):
        # Eight times ten hexadecimal digits: as long as a generated password may be.
        body = {"name": f"svc{number % PER_ASSET:06}", "username": f"svc{number % PER_ASSET:06}", "asset": assets[number // PER_ASSET],
                "secret_type": "password", "secret": f"{number:032x}", "privileged": False}
        admin.call("POST", "/api/v1/accounts/accounts/", body)

    def application(number):
        body = {"name": f"application{number:06}", "accounts": FILTER, "ip_group": NETWORKS}
        made = admin.call("POST", "/api/v1/accounts/integration-applications/", body)
        return f"{made['id']}\t{made['secret']}\n"

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        assets = list(pool.map(asset, range((accounts + PER_ASSET - 1) // PER_ASSET)))
        # In slices, since a list of a million futures is a burden of its own.
        for start in range(0, accounts, 10_000):
            list(pool.map(account, range(start, min(start + 10_000, accounts))))
        output.joinpath("applications.tsv").write_text("".join(pool.map(application, range(applications))))

    step = max(1, accounts // 1000)
    lines = [f"host{number // PER_ASSET:06}\tsvc{number % PER_ASSET:06}\n" for number in range(0, accounts, step)]
    output.joinpath("accounts.tsv").write_text("".join(lines))


main()
