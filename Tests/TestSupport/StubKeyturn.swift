/// A stand-in for a Keyturn server, for tests of its clients: it checks signatures on the raw request line as servers of this API
/// do, and keeps assets, accounts and applications in memory.
package enum StubKeyturn {
    package static let keyID = "72b0b0aa-ad82-4182-a631-ae4865e8ae0e"
    package static let keySecret = "6fuSO7P1m4cj8SSlgaYdblOjNAmnxDVD7tr8"
    package static let username = "admin"
    package static let password = "open \"sesame\""
    /// The secret of account `root` on asset `web 1/ü`.
    package static let accountSecret = "pässwörd \"1\"\n"

    package static func start() throws -> StubServer {
        try StubServer(handler: handler)
    }

    private static let handler = #"""
        import urllib.parse, uuid

        KEYS = {"72b0b0aa-ad82-4182-a631-ae4865e8ae0e": b"6fuSO7P1m4cj8SSlgaYdblOjNAmnxDVD7tr8"}
        TOKENS, CONFIRMED, PREFIX = set(), set(), "/api/v1/"
        ROWS = {"assets/assets": [], "accounts/accounts": [], "accounts/integration-applications": [], "credentials": [],
            "assets/platforms": [{"id": 1, "name": "Linux", "category": {"value": "host"}},
                {"id": 17, "name": "PostgreSQL", "category": {"value": "database"}}]}
        SECRETS, TRUST = {}, {}
        ODD = {"sealed": (503, {"detail": "The vault is sealed.", "code": "sealed", "request_id": "r-1"}, {"Retry-After": "30"}),
            "down": (503, {"detail": "later", "code": "unavailable"}, {}), "busy": (429, {"code": "throttled"}, {"Retry-After": "7"}),
            "twice": (409, {"detail": "2 accounts match", "code": "ambiguous"}, {}), "garbage": (200, b"{", {}),
            "null": (200, {"id": "x", "secret": None}, {}), "number": (200, {"id": "x", "secret": 5}, {}),
            "forbidden": (403, {"detail": "no", "code": "permission_denied"}, {}), "html": (500, b"<h1>Oh\x1b[31m", {}),
            "wrong": (400, {"error": {"non_field_errors": ["At least one"]}}, {}), "old": (200, {"id": "x", "secret": "s"}, {})}

        class Handler(StubHandler):
            def signed(self):
                fields = dict(f.split("=", 1) for f in self.headers.get("Authorization", "")[10:].split(",") if "=" in f)
                fields = {name: value.strip('"') for name, value in fields.items()}
                key = KEYS.get(fields.get("keyId"))
                if not key or self.headers.get("X-Source") != "jms-pam" or fields.get("algorithm") != "hmac-sha256": return False
                target = "%s %s" % (self.command.lower(), self.path)
                lines = ["%s: %s" % (n, target if n == "(request-target)" else self.headers.get(n)) for n in fields["headers"].split()]
                code = base64.b64encode(hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).digest()).decode()
                return hmac.compare_digest(code, fields["signature"]) and "date" in fields["headers"]

            def fetch(self, args):
                if not self.signed(): return self.reply(401, {"detail": "Invalid signature.", "code": "authentication_failed"})
                asset = args.get("asset", "")
                if asset in ODD:
                    status, body, headers = ODD[asset]
                    return self.reply(status, body, headers)
                if asset == "slow": time.sleep(300)
                if args.get("account_id") == "7" or (asset, args.get("account")) == ("web 1/ü", "root"):
                    return self.reply(200, {"id": "app", "secret": "pässwörd \"1\"\n", "account_id": "7", "username": "root",
                        "asset": "web 1/ü", "secret_type": "password", "version": 3, "date_changed": "2026/11/20 21:24:38 +0000"})
                self.reply(400, {"detail": "Account not found", "code": "Not found", "request_id": "r-2"})

            def logged_in(self):
                kind, _, token = self.headers.get("Authorization", "").partition(" ")
                return kind == "Bearer" and token in TOKENS and token

            def admin(self, name, args):
                token = self.logged_in()
                if not token: return self.reply(401, {"detail": "Authentication credentials were not provided.", "code": "not_authenticated"})
                data = json.loads(self.body() or b"null")
                if name == "authentication/confirm":
                    if data != {"confirm_type": "password", "secret_key": 'open "sesame"'}: return self.reply(400, {"error": "Wrong password"})
                    CONFIRMED.add(token)
                    return self.reply(200, "ok")
                head, _, last = name.rpartition("/")
                if head == "accounts/account-secrets":
                    if token not in CONFIRMED:
                        return self.reply(412, {"type": "user_confirm_required", "code": "password", "detail": "confirm"})
                    return self.reply(200, {"id": last, "secret": SECRETS.get(last)}) if last in SECRETS else self.reply(404, {"detail": "Not found."})
                if name.startswith("assets/assets/") and "/trust" in name:
                    row = TRUST.setdefault(name.split("/")[2], {"policy": "accept-new", "systems": ["ssh-host-key:SHA256:old"], "is_paused": True})
                    if name.endswith("/confirm"):
                        if token not in CONFIRMED: return self.reply(412, {"type": "user_confirm_required", "code": "password", "detail": "confirm"})
                        row["is_paused"] = False
                    elif self.command == "PUT": row.update(data)
                    return self.reply(200, row)
                if name.endswith("/rotate"):
                    old = [r for r in ROWS["credentials"] if r["id"] == name.split("/")[-2]][0]
                    old["date_expires"] = "in %d seconds" % (data or {}).get("overlap", 3600)
                    new = {"name": old["name"], "id": str(uuid.uuid4())}
                    ROWS["credentials"].append(new)
                    return self.reply(201, dict(new, secret="R" * 36, replaces={"id": old["id"], "date_expires": old["date_expires"]}))
                if name.endswith("/credentials") or head.endswith("/credentials"):
                    name = "credentials" if name.endswith("/credentials") else "credentials/" + last
                    head, _, last = name.rpartition("/")
                name, head = (n.replace("hosts", "assets").replace("databases", "assets") for n in (name, head))
                if name in ROWS and self.command == "GET":
                    rows = [r for r in ROWS[name] if args.get("name") in (None, r["name"]) and args.get("asset_id") in (None, r.get("asset"))]
                    return self.reply(200, {"count": len(rows), "next": None, "previous": None, "results": rows})
                if name in ROWS and self.command == "POST":
                    if not data.get("name"): return self.reply(400, {"name": ["This field is required."], "protocols": [{"port": ["Bad."]}]})
                    row = dict(data, id=str(uuid.uuid4()))
                    if "secret" in row: SECRETS[row["id"]] = row.pop("secret")
                    ROWS[name].append(row)
                    once = {"secret": "S" * 36} if name.startswith("accounts/i") or name == "credentials" else {}
                    return self.reply(201, dict(row, **once))
                found = [r for r in ROWS.get(head, []) if str(r["id"]) == last]
                if not found: return self.reply(404, {"detail": "Not found.", "code": "not_found"})
                if self.command == "DELETE":
                    ROWS[head].remove(found[0])
                    return self.reply(204)
                if self.command == "PATCH":
                    if "secret" in data: SECRETS[last] = data.pop("secret")
                    found[0].update(data)
                self.reply(200, found[0])

            def do(self):
                path, _, query = self.path.partition("?")
                args = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
                if not path.startswith(PREFIX) or not path.endswith("/"): return self.reply(404, {"detail": "no such route"})
                name = path[len(PREFIX):-1]
                if name.endswith("/account-secret"): return self.fetch(args)
                if name == "authentication/auth" and self.command == "DELETE":
                    TOKENS.discard(self.logged_in())
                    return self.reply(204)
                if name != "authentication/auth": return self.admin(name, args)
                if json.loads(self.body()) != {"username": "admin", "password": 'open "sesame"'}:
                    return self.reply(401, {"detail": "Wrong name or password.", "code": "authentication_failed"})
                token = "T" + uuid.uuid4().hex
                TOKENS.add(token)
                self.reply(200, {"token": token, "keyword": "Bearer", "date_expired": "2026/11/21 21:24:38 +0000"})
            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do
        """#
}
