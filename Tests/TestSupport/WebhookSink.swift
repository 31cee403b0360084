internal import Foundation
package import JSON

/// A receiver of webhooks that checks their signatures by itself, as the Standard Webhooks specification says, and keeps what it got.
package final class WebhookSink: Sendable {
    /// As it is in the file that the server reads.
    package static let key = "a-key-of-the-tests-that-is-long-enough"

    package struct Message: Sendable {
        package let id: String
        package let isSigned: Bool
        package let body: String
        package let content: JSONValue
    }

    private let server: StubServer

    package var url: String { server.endpoint + "/hook" }
    package var certificateAuthority: String { server.certificateAuthority }

    package init() throws { server = try StubServer(handler: Self.source(key: Self.key)) }

    /// Everything that came so far, in order.
    package func messages() throws -> [Message] {
        let seen = try ExternalProgram.run(
            "curl", ["--silent", "--fail", "--cacert", server.certificateAuthority, server.endpoint + "/seen"])
        let list = try JSONDocument.parse([UInt8](seen.text.utf8)).array.map(Array.init) ?? []
        return try list.map { entry in
            let body = entry["body"]?.string ?? ""
            return Message(
                id: entry["id"]?.string ?? "", isSigned: entry["signed"]?.bool ?? false, body: body,
                content: try JSONDocument.parse([UInt8](body.utf8)))
        }
    }

    private static func source(key: String) -> String {
        #"""
        KEY = b"\#(key)"
        SEEN = []

        class Handler(StubHandler):
            def do_GET(self): self.reply(200, SEEN)

            def do_POST(self):
                body = self.body()
                name, moment = self.headers.get("webhook-id") or "", self.headers.get("webhook-timestamp") or ""
                code = hmac.new(KEY, name.encode() + b"." + moment.encode() + b"." + body, hashlib.sha256).digest()
                wanted = "v1," + base64.b64encode(code).decode()
                given = (self.headers.get("webhook-signature") or "").split(" ")
                fresh = moment.isdigit() and abs(time.time() - int(moment)) < 300
                signed = fresh and any(hmac.compare_digest(wanted, one) for one in given)
                SEEN.append({"id": name, "signed": bool(signed), "body": body.decode()})
                self.reply(204 if signed else 401)
        """#
    }
}
