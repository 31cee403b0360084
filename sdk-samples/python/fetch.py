#!/usr/bin/env python3
"""Fetches a secret from Keyturn with Python's standard library:  fetch.py ASSET ACCOUNT [--show]"""

import base64
import email.utils
import hashlib
import hmac
import http.client
import json
import os
import ssl
import sys
import urllib.parse

ROUTE = "/api/v1/accounts/integration-applications/account-secret/"


class Refused(Exception):
    """The server answered with something else than a secret."""

    def __init__(self, status, code):
        super().__init__(f"status {status}, code {code}")


class Keyturn:
    def __init__(self, environment):
        # 1. Load credentials.
        for name in ("KEYTURN_URL", "KEYTURN_KEY_ID", "KEYTURN_KEY_SECRET"):
            if not environment.get(name):
                raise ValueError(f"{name} is not set")
        url = urllib.parse.urlsplit(environment["KEYTURN_URL"])
        if url.scheme != "https":
            raise ValueError("KEYTURN_URL must begin with https://")
        self.base = url.path.rstrip("/")
        self.key_id = environment["KEYTURN_KEY_ID"]
        self.key = environment["KEYTURN_KEY_SECRET"].encode()
        self.organization = environment.get("KEYTURN_ORG") or "00000000-0000-0000-0000-000000000002"
        context = ssl.create_default_context(cafile=environment.get("KEYTURN_CA") or None)
        self.connection = http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=10, context=context)

    def signed_headers(self, target):
        # 2. Sign the request exactly as it is sent.
        date = email.utils.formatdate(usegmt=True)
        text = "\n".join([
            f"(request-target): get {target}",
            "accept: application/json",
            f"date: {date}",
            f"x-jms-org: {self.organization}",
        ])
        signature = base64.b64encode(hmac.new(self.key, text.encode(), hashlib.sha256).digest()).decode()
        return {
            "Accept": "application/json",
            "Date": date,
            "X-JMS-ORG": self.organization,
            "X-Source": "jms-pam",
            "Authorization": f'Signature keyId="{self.key_id}",algorithm="hmac-sha256",'
            f'headers="(request-target) accept date x-jms-org",signature="{signature}"',
        }

    def fetch(self, asset, account):
        # 3. Fetch one secret.
        query = urllib.parse.urlencode({"asset": asset, "account": account}, quote_via=urllib.parse.quote, safe="")
        target = f"{self.base}{ROUTE}?{query}"
        self.connection.close()  # The server may have closed it while we waited.
        self.connection.request("GET", target, headers=self.signed_headers(target))
        response = self.connection.getresponse()
        body = response.read()
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        if response.status != 200:
            raise Refused(response.status, answer.get("code", "none"))
        return answer


def describe(answer):
    secret = answer["secret"]
    print(f"fetched: version {answer['version']}, {len(secret)} characters,",
          f"sha256 {hashlib.sha256(secret.encode()).hexdigest()[:8]}", flush=True)
    if "--show" in sys.argv[3:]:
        print(secret)


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: fetch.py ASSET ACCOUNT [--show]")
    asset, account = sys.argv[1:3]
    client = Keyturn(os.environ)
    first = client.fetch(asset, account)
    describe(first)

    # 4. A refusal is an answer like any other.
    try:
        client.fetch(asset, "no-such-account")
    except Refused as refusal:
        print("refused:", refusal, flush=True)

    # 5. Nothing is cached: the next fetch sees the new secret.
    print("change the secret now, then press Enter", flush=True)
    sys.stdin.readline()
    second = client.fetch(asset, account)
    describe(second)
    print("changed:", "yes" if second["version"] != first["version"] else "no")


try:
    main()
except Refused as refusal:
    sys.exit(f"failed: {refusal}")
except (OSError, ValueError, http.client.HTTPException) as error:
    sys.exit(f"failed: {error}")
