"""The Admin API, for scripts that fill and drive a server."""

import http.client
import json
import ssl
import sys
import threading
import urllib.parse


class Admin:
    """One connection a thread, kept open. Whatever is refused ends the program."""

    def __init__(self, url, authority, login):
        self.host = urllib.parse.urlsplit(url).netloc
        self.context = ssl.create_default_context(cafile=authority)
        self.local = threading.local()
        self.token = None
        answer = self.call("POST", "/api/v1/authentication/auth/", {"username": login["username"], "password": login["password"]})
        self.token = answer["token"]

    def call(self, method, path, body=None):
        return json.loads(self.send(method, path, json.dumps(body) if body is not None else None))

    def send(self, method, path, text=None):
        """The answer as it came, to a body that is JSON already."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        for attempt in (1, 2):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = self.local.connection = http.client.HTTPSConnection(self.host, context=self.context, timeout=60)
            try:
                connection.request(method, path, text, headers)
                response = connection.getresponse()
                content = response.read()
                break
            except (http.client.HTTPException, OSError):
                self.local.connection = None
                if attempt == 2:
                    raise
        if response.status not in (200, 201):
            sys.exit(f"{method} {path}: {response.status} {content[:500].decode(errors='replace')}")
        return content
