#!/usr/bin/env python3
"""Has a running server change the passwords of a host's users, and the `ssh` client make as many logins; for rotation.sh.

Writes WORK/rotation.json: what each run of each side came to, in order.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import resource
import secrets
import signal
import subprocess
import sys
import time

from admin import Admin
from processes import Peaks, cpu, field, memory

ACCOUNTS, RUNS = "/api/v1/accounts/accounts/", "/api/v1/accounts/change-secret-executions/"


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("url", "authority", "login"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("server", "host", "ssh-port", "rounds", "changes", "concurrency", "total"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    return parser.parse_args()


class Host:
    """The host of both sides, seen from outside."""

    def __init__(self, pid, log):
        self.pid, self.log = pid, log

    def logins(self, start):
        """Logins that sshd let in and that it refused, since its log had `start` bytes."""
        with open(self.log, errors="replace") as file:
            file.seek(start)
            lines = file.readlines()
        return {"accepted": sum(line.startswith("Accepted ") for line in lines), "refused": sum(line.startswith("Failed ") for line in lines)}

    def measured(self, client, run, spent):
        """What a run cost: `client` is the first of the side's processes, `spent` tells their processor time until now."""
        start, size, before = time.monotonic(), self.log.stat().st_size, (cpu(self.pid), spent())
        with Peaks(client=client, host=self.pid) as peaks:
            run()
        seconds = time.monotonic() - start
        # Sessions that were closed a moment ago are still being taken down.
        time.sleep(1)
        return {"seconds": seconds, "host_cpu": cpu(self.pid) - before[0], "client_cpu": spent() - before[1], "peaks": peaks.kibibytes,
                **self.logins(size)}


class Keyturn:
    def __init__(self, options, host):
        self.host, self.server, self.changes, self.data = host, options.server, options.changes, options.work / "data"
        self.admin = Admin(options.url, options.authority, json.loads(pathlib.Path(options.login).read_text()))
        self.task = self.prepare(options)

    def prepare(self, options):
        """The host, root with its key, its users with a password that is not theirs, and the task."""
        call = self.admin.call
        asset = call("POST", "/api/v1/assets/hosts/", {
            "name": "target", "address": "127.0.0.1", "platform": 1, "protocols": [{"name": "ssh", "port": options.ssh_port}]})["id"]
        call("POST", ACCOUNTS, {"name": "root", "username": "root", "asset": asset, "secret_type": "ssh_key", "privileged": True,
                                "secret": (options.work / "root").read_text()})

        def account(user):
            call("POST", ACCOUNTS, {"name": user, "username": user, "asset": asset, "secret_type": "password", "secret": secrets.token_hex(16)})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(account, users(options.changes)))
        return call("POST", "/api/v1/accounts/change-secret-automations/", {
            "name": "all", "accounts": users(options.changes), "assets": [asset], "secret_strategy": "random"})["id"]

    def run(self):
        """Every account once, as an administrator would have it done."""
        execution = self.admin.call("POST", RUNS, {"automation": self.task})["task"]
        while True:
            answer = self.admin.call("GET", f"{RUNS}{execution}/")
            if answer["date_finished"]:
                break
            time.sleep(0.2)
        if answer["summary"]["success"] != self.changes:
            sys.exit(f"not all were changed: {answer['status']} {answer['reason']} {answer['summary']}")

    def round(self):
        # From here on the largest resident size counts anew (proc(5)).
        pathlib.Path(f"/proc/{self.server}/clear_refs").write_text("5")
        result = self.host.measured(self.server, self.run, lambda: cpu(self.server))
        result["peaks"]["resident"] = field(self.server, "status", "VmHWM")
        return {"side": "keyturn", **result, "rest": {
            "proportional": memory(self.server), "resident": field(self.server, "status", "VmRSS"),
            "anonymous": field(self.server, "status", "RssAnon"), "threads": field(self.server, "status", "Threads"),
            "database": sum(file.stat().st_size for file in self.data.glob("keyturn.db*")) // 1024}}


class Peer:
    """xargs and the `ssh` client."""

    def __init__(self, options, host):
        self.host, self.options, self.xargs = host, options, None
        bench = pathlib.Path(__file__).parent
        self.program = [str(bench / "peer-change.sh")]
        self.environment = {
            "PATH": os.environ["PATH"], "PEER_PORT": str(options.ssh_port), "PEER_KEY": str(options.work / "root"),
            "PEER_HOSTS": str(options.work / "known_hosts"), "SSH_ASKPASS": str(bench / "peer-askpass.sh"), "SSH_ASKPASS_REQUIRE": "force"}

    def run(self):
        for user in users(self.options.changes):
            self.xargs.stdin.write(f"{user} {secrets.token_hex(16)}\n".encode())
        self.xargs.stdin.close()
        if self.xargs.wait() != 0:
            sys.exit(f"the peer failed: {self.xargs.returncode}")

    def round(self):
        command = ["xargs", "-P", str(self.options.concurrency), "-n", "2", *self.program]
        # A session of its own, so that all of it can be ended at once.
        self.xargs = subprocess.Popen(command, stdin=subprocess.PIPE, env=self.environment, start_new_session=True)
        try:
            return {"side": "peer", **self.host.measured(self.xargs.pid, self.run, self.spent)}
        finally:
            if self.xargs.poll() is None:
                os.killpg(self.xargs.pid, signal.SIGKILL)
                self.xargs.wait()

    @staticmethod
    def spent():
        """Of children that have ended, as xargs has by then, with all that it waited for."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime


def users(count):
    return [f"svc{number:06}" for number in range(1, count + 1)]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    host = Host(options.host, options.work / "host.log")
    print("keyturn: rotation: loading the accounts", file=sys.stderr)
    keyturn, peer = Keyturn(options, host), Peer(options, host)
    results = {"options": {name: getattr(options, name) for name in ("rounds", "changes", "concurrency", "total")},
               "load": os.getloadavg()[0], "runs": []}
    for number in range(1, max(options.rounds, options.total // options.changes) + 1):
        # The sides in turn, and each of them first now and then.
        sides = [keyturn] if number > options.rounds else [peer, keyturn] if number % 2 else [keyturn, peer]
        for side in sides:
            result = side.round()
            results["runs"].append({"round": number, **result})
            print(f"keyturn: rotation: round {number}: {result['side']} {options.changes / result['seconds']:.1f} changes/s", file=sys.stderr)
            (options.work / "rotation.json").write_text(json.dumps(results))


main()
