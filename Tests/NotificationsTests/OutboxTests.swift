import Access
import Cryptography
import Domain
import JSON
import Logging
import Outbound
import Sealing
import Synchronization
import TestSupport
import Testing

@testable import Notifications
@testable import Storage

@Suite("Outbox")
struct OutboxTests {
    /// A vault and a clock to be moved by hand.
    final class House: Sendable {
        let directory: TemporaryDirectory
        let database: Database
        let keyring: Keyring
        let time = Atomic<Int64>(1_800_000_000)

        init() throws {
            directory = try TemporaryDirectory()
            database = try Database.open(at: directory.file("keyturn.db"))
            try database.migrate(Migration.main)
            keyring = Keyring(database: database)
            let keyFile = KeyFileUnsealer(directory: directory.file("keys"))
            _ = try keyFile.create()
            let database = database
            try database.writeSync { db in
                let organizations = [OrganizationID.system, .default].map {
                    Organization(id: $0, name: "\($0)", dateCreated: Timestamp(seconds: 1))
                }
                try Keyring.initialize(
                    database, slots: [NewSlot(keyFile, label: "", parameters: [])], organizations: organizations,
                    now: Timestamp(seconds: 1), in: db
                ) { _ in }
            }
            try keyring.unseal(with: keyFile)
        }

        deinit { database.close() }

        var keeper: RowKeeper { RowKeeper(keyring: keyring) }
        var now: Timestamp { Timestamp(seconds: time.load(ordering: .relaxed)) }

        func outbox(_ channels: [any Channel]) -> Outbox {
            Outbox(
                database: database, keeper: keeper, channels: channels, clock: WallClock { self.now },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func put(_ notice: Outbox.Notice, into outbox: Outbox) async throws {
            let (keys, now) = (try keeper.keys(), now)
            try await database.write { db in try outbox.put(notice, with: keys, at: now, on: db) }
        }

        func rows() async throws -> [Delivery] {
            try await database.read { db in
                try Deliveries.page(in: .default, offset: 0, limit: 100, on: db).rows.map(\.value)
            }
        }
    }

    /// A channel that fails as it is told to.
    final class Scripted: Channel {
        let name = "scripted"
        let fault = Mutex<DeliveryFault?>(nil)
        let seen = Mutex<[Delivery]>([])

        func accepts(_ recipient: String) -> Bool { recipient.isEmpty }

        func deliver(_ delivery: Delivery) async throws(DeliveryFault) {
            seen.withLock { $0.append(delivery) }
            if let fault = fault.withLock({ $0 }) { throw fault }
        }
    }

    static func notice(_ recipients: [String] = [], subject: String = "Rotation finished") -> Outbox.Notice {
        Outbox.Notice(
            event: "execution.finished", organization: .default, subject: subject, text: "3 changed, 0 failed — fine",
            facts: [("task", "weekly \"rotation\""), ("failed", "0")], recipients: recipients.compactMap { EmailAddress($0) })
    }

    @Test("what is put in a transaction that fails is never sent")
    func atomic() async throws {
        let house = try House()
        let channel = Scripted()
        let outbox = house.outbox([channel])
        struct Stop: Error {}
        let (keys, now) = (try house.keeper.keys(), house.now)
        await #expect(throws: Stop.self) {
            try await house.database.write { db in
                try outbox.put(Self.notice(), with: keys, at: now, on: db)
                throw Stop()
            }
        }
        #expect(try await outbox.deliverDue() == 0)
        #expect(channel.seen.withLock { $0.isEmpty })
    }

    @Test("a message that fails waits longer each time, arrives once the receiver is back, and has one id")
    func retries() async throws {
        let house = try House()
        let channel = Scripted()
        channel.fault.withLock { $0 = DeliveryFault(isFinal: false, words: "down") }
        let outbox = house.outbox([channel])
        try await house.put(Self.notice(), into: outbox)
        #expect(try await outbox.deliverDue() == 1)
        #expect(try await outbox.deliverDue() == 0)
        #expect(try await house.rows().first?.fault == "down")
        house.time.add(60, ordering: .relaxed)
        #expect(try await outbox.deliverDue() == 1)
        house.time.add(60, ordering: .relaxed)
        #expect(try await outbox.deliverDue() == 0)
        channel.fault.withLock { $0 = nil }
        house.time.add(60, ordering: .relaxed)
        #expect(try await outbox.deliverDue() == 1)
        let row = try #require(try await house.rows().first)
        #expect(row.state == .sent)
        #expect(row.attempts == 3)
        #expect(Set(channel.seen.withLock { $0.map(\.id) }).count == 1)
        #expect(try await outbox.deliverDue() == 0)
    }

    @Test("a message is given up after days, or at once if the receiver says never; both stay visible, then go")
    func givesUp() async throws {
        let house = try House()
        let channel = Scripted()
        channel.fault.withLock { $0 = DeliveryFault(isFinal: true, words: "gone") }
        let outbox = house.outbox([channel])
        try await house.put(Self.notice(), into: outbox)
        try await outbox.deliverDue()
        #expect(try await house.rows().map(\.state) == [.abandoned])
        channel.fault.withLock { $0 = DeliveryFault(isFinal: false, words: "down") }
        try await house.put(Self.notice(), into: outbox)
        for _ in 0..<40 {
            house.time.add(6 * 3600, ordering: .relaxed)
            try await outbox.deliverDue()
        }
        #expect(try await house.rows().map(\.state) == [.abandoned, .abandoned])
        #expect(channel.seen.withLock { $0.count } < 30)
        house.time.add(40 * 86_400, ordering: .relaxed)
        try await outbox.prune()
        #expect(try await house.rows().isEmpty)
    }

    @Test("a message that cannot be read is given up, and those behind it are sent")
    func damaged() async throws {
        let house = try House()
        let channel = Scripted()
        let outbox = house.outbox([channel])
        try await house.put(Self.notice(subject: "first"), into: outbox)
        try await house.database.write { db in _ = try db.execute("UPDATE deliveries SET org_id = x'01'", []) }
        house.time.add(1, ordering: .relaxed)
        try await house.put(Self.notice(subject: "second"), into: outbox)
        #expect(try await outbox.deliverDue() == 2)
        #expect(channel.seen.withLock { $0.map(\.subject) } == ["second"])
        let states = try await house.database.read { db in
            try db.query("SELECT state FROM deliveries ORDER BY date_created", []) { try $0.text(0) }
        }
        #expect(states == ["abandoned", "sent"])
        #expect(try await outbox.deliverDue() == 0)
    }

    @Test("a message that somebody rewrote in the database is not sent")
    func tampered() async throws {
        let house = try House()
        let channel = Scripted()
        let outbox = house.outbox([channel])
        try await house.put(Self.notice(), into: outbox)
        try await house.database.write { db in
            try db.execute("UPDATE deliveries SET subject = 'Click here' WHERE org_id = ?", [.id(OrganizationID.default)])
        }
        try await outbox.deliverDue()
        #expect(channel.seen.withLock { $0.isEmpty })
        #expect(try await house.rows().map(\.state) == [.abandoned])
    }

    @Test("while the vault is sealed messages wait")
    func sealed() async throws {
        let house = try House()
        let channel = Scripted()
        let outbox = house.outbox([channel])
        try await house.put(Self.notice(), into: outbox)
        house.keyring.seal()
        #expect(try await outbox.deliverDue() == 0)
        #expect(try await house.rows().map(\.state) == [.waiting])
    }

    @Test("each recipient gets a mail of their own, readable whatever its letters")
    func mails() async throws {
        let house = try House()
        let sink = try MailSink(mode: "starttls")
        var configuration = SMTPClient.Configuration(host: "localhost", port: sink.port)
        configuration.certificateAuthority = sink.certificateAuthority
        configuration.login = .init(username: MailSink.username, password: WipedBytes(Array(MailSink.password.utf8)))
        let sender = try #require(EmailAddress("keyturn@example.org"))
        let outbox = house.outbox([Email(client: SMTPClient(configuration), sender: sender)])
        let subject = String(repeating: "Änderung fällig ✓ ", count: 8) + "\r\nBcc: evil@example.org"
        try await house.put(
            Self.notice(["a@example.org", "b@example.org", "nobody@example.org"], subject: subject), into: outbox)
        #expect(try await outbox.deliverDue() == 3)
        let mails = try sink.mails()
        #expect(Set(mails.map(\.to)) == [["a@example.org"], ["b@example.org"]])
        #expect(mails.allSatisfy { $0.text.contains("3 changed, 0 failed — fine") })
        #expect(mails.allSatisfy { $0.subject.hasPrefix("Änderung fällig ✓ Änderung") && !$0.raw.contains("\r\nBcc:") })
        let refused = try #require(try await house.rows().first { $0.recipient == "nobody@example.org" })
        #expect(refused.state == .abandoned)
        #expect(refused.fault.contains("no such mailbox"))
    }

    @Test("a webhook is signed so that its receiver can check it with the published scheme")
    func webhook() async throws {
        let house = try House()
        let server = try StubServer(
            handler: #"""
                class Handler(StubHandler):
                    def do_POST(self):
                        body, h = self.body(), self.headers
                        mac = hmac.new(b"k3y of the hook", (h["webhook-id"] + "." + h["webhook-timestamp"] + ".").encode() + body,
                            hashlib.sha256)
                        good = h["webhook-signature"] == "v1," + base64.b64encode(mac.digest()).decode()
                        fields = json.loads(body)
                        named = fields["type"] == "execution.finished" and fields["data"]["task"] == 'weekly "rotation"'
                        self.reply(204 if good and named else 400)
                """#)
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthority = server.certificateAuthority
        var key = Array("k3y of the hook".utf8)
        let hook = Webhook(
            client: HTTPClient(configuration), url: server.endpoint + "/hook", key: Secret(moving: &key),
            clock: WallClock { house.now })
        let outbox = house.outbox([hook])
        try await house.put(Self.notice(["a@example.org"]), into: outbox)
        #expect(try await outbox.deliverDue() == 1)
        #expect(try await house.rows().map(\.state) == [.sent])
    }
}
