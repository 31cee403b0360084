#!/usr/bin/env python3
"""Starts a server and prints how many milliseconds pass until the first secret has arrived.

    first-secret.py APPLICATIONS ACCOUNTS HOST PORT -- COMMAND…

The command is stopped afterwards. Each attempt is signed anew: requests dated before the start are refused.
"""

import base64
import email.utils
import hashlib
import hmac
import pathlib
import socket
import ssl
import subprocess
import sys
import time

PATH = "/api/v1/accounts/integration-applications/account-secret/"
ORGANIZATION = "00000000-0000-0000-0000-000000000002"


def request(key, secret, asset, account, host, number):
    target = f"{PATH}?asset={asset}&account={account}&n={number}"
    date = email.utils.formatdate(usegmt=True)
    text = f"(request-target): get {target}\naccept: application/json\ndate: {date}\nx-jms-org: {ORGANIZATION}"
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nDate: {date}\r\nX-JMS-ORG: {ORGANIZATION}\r\n"
        f'X-Source: jms-pam\r\nAuthorization: Signature keyId="{key}",algorithm="hmac-sha256",'
        f'headers="(request-target) accept date x-jms-org",signature="{signature}"\r\n\r\n'
    ).encode()


def main():
    applications, accounts, host, port = sys.argv[1:5]
    command = sys.argv[sys.argv.index("--") + 1 :]
    key, secret = pathlib.Path(applications).read_text().splitlines()[0].split("\t")
    asset, account = pathlib.Path(accounts).read_text().splitlines()[0].split("\t")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    start = time.monotonic()
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for number in range(100_000):
            if server.poll() is not None:
                sys.exit(f"the server ended with status {server.returncode}")
            if time.monotonic() - start > 120:
                sys.exit("no secret after two minutes")
            try:
                with context.wrap_socket(socket.create_connection((host, int(port)), timeout=5)) as connection:
                    connection.sendall(request(key, secret, asset, account, f"{host}:{port}", number))
                    if b" 200 " in connection.recv(4096)[:16]:
                        print(round((time.monotonic() - start) * 1000))
                        return
            except OSError:
                pass
            time.sleep(0.002)
    finally:
        server.terminate()
        server.wait()


main()
