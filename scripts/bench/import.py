#!/usr/bin/env python3
"""Imports accounts into a running server as its users would: a thousand in each request, one request after the other.

    import.py URL CA FIRST_LOGIN ACCOUNTS PREFIX HOLD IDLE

The assets, whose names begin with PREFIX, are made first and the requests are written out, so that little is left to do for this program
while others are measured. While there is a file HOLD, no request is begun, and there is a file IDLE once none is under way. Prints, for each
beginning and for each answer, the time in seconds since 1970 and how many accounts are there.
"""

import json
import pathlib
import sys
import time

from admin import Admin

BATCH = 1000


def main():
    url, authority, login, accounts, prefix = sys.argv[1:6]
    hold, idle = map(pathlib.Path, sys.argv[6:])
    accounts = int(accounts)
    admin = Admin(url, authority, json.loads(pathlib.Path(login).read_text()))
    bodies = []
    for start in range(0, accounts, BATCH):
        asset = {"name": f"{prefix}-{start // BATCH}", "address": f"10.99.{start // BATCH >> 8 & 255}.{start // BATCH & 255}",
                 "platform": 1, "protocols": [{"name": "ssh", "port": 22}]}
        made = admin.call("POST", "/api/v1/assets/hosts/", asset)["id"]
        bodies.append(json.dumps([
            {"name": f"svc{number:06}", "username": f"svc{number:06}", "asset": made, "secret_type": "password",
             "secret": f"{start + number:032x}", "privileged": False}
            for number in range(min(BATCH, accounts - start))]))
    count = 0
    for body in bodies:
        if hold.exists():
            idle.touch()
            while hold.exists():
                time.sleep(0.01)
            idle.unlink()
        print(f"{time.time():.3f} {count}", flush=True)
        admin.send("POST", "/api/v1/accounts/accounts/", body)
        count = min(count + BATCH, accounts)
        print(f"{time.time():.3f} {count}", flush=True)


main()
