import Cryptography
import Domain
import TestSupport
import Testing

@testable import Audit

@Suite("Entry body")
struct EntryBodyTests {
    static func body(_ entry: AuditEntry) -> [UInt8] {
        var bytes: [UInt8] = []
        EntryWriter.write(entry, to: &bytes)
        return bytes
    }

    static func text(_ entry: AuditEntry) -> String { String(decoding: body(entry), as: UTF8.self) }

    static let full = AuditEntry(
        time: Timestamp(milliseconds: -1), phase: .outcome, actor: .user(UserID(high: 0, low: 1), name: "Zoë \"\\\n\u{1}"),
        address: "2001:db8::1", organization: OrganizationID(high: 0, low: 2), action: AuditAction(.revealAccount),
        objects: [AuditObject(kind: "account", id: "a", name: "né"), AuditObject(kind: "asset", id: "b")],
        outcome: .failed, reason: "tab\there", request: RequestID(high: 0, low: 3), latency: 0, version: .max, count: .min)

    static let actors: [Actor] = [
        .user(UserID(high: 1, low: 2), name: "ann"), .user(UserID(high: 1, low: 2), name: ""),
        .application(ApplicationID(high: 3, low: 4), name: "shop", credential: CredentialID(high: 5, low: 6)), .system("audit"),
        .operatorLocal("root"), .anonymous,
    ]

    /// The form is part of every stored hash: it never changes, only later versions are added.
    @Test("the stored form is fixed to the byte")
    func golden() {
        #expect(
            Self.text(Self.full) == #"{"v":1,"time":-1,"phase":"outcome","actor":{"kind":"user","#
                + #""id":"00000000-0000-0000-0000-000000000001","name":"Zoë \"\\\u000a\u0001"},"address":"2001:db8::1","#
                + #""organization":"00000000-0000-0000-0000-000000000002","action":"account.reveal","objects":["#
                + #"{"kind":"account","id":"a","name":"né"},{"kind":"asset","id":"b"}],"outcome":"failed","reason":"tab\u0009here","#
                + #""request":"00000000-0000-0000-0000-000000000003","latency":0,"version":9223372036854775807,"#
                + #""count":-9223372036854775808}"#)
        let least = AuditEntry(
            time: Timestamp(milliseconds: 0), actor: .anonymous, address: "", organization: nil, action: .fetch,
            outcome: .refused,
            request: RequestID(high: 0, low: 3))
        #expect(
            Self.text(least) == #"{"v":1,"time":0,"phase":"single","actor":{"kind":"anonymous"},"action":"secret.fetch","#
                + #""outcome":"refused","request":"00000000-0000-0000-0000-000000000003"}"#)
    }

    @Test("every kind of actor reads back", arguments: actors)
    func actor(_ actor: Actor) throws {
        var entry = AuditEntry.sample(1)
        entry.actor = actor
        #expect(try EntryReader.read(Self.body(entry)) == entry)
    }

    @Test("an entry with every field reads back")
    func roundTrip() throws {
        #expect(try EntryReader.read(Self.body(Self.full)) == Self.full)
        for phase in AuditPhase.allCases {
            for outcome in AuditOutcome.allCases {
                var entry = AuditEntry.sample(2)
                (entry.phase, entry.outcome) = (phase, outcome)
                #expect(try EntryReader.read(Self.body(entry)) == entry)
            }
        }
    }

    @Test("long texts are cut at a character, and many objects are counted")
    func bounds() throws {
        var entry = AuditEntry.sample(1)
        entry.reason = String(repeating: "é", count: 1000)
        entry.actor = .system(String(repeating: "a", count: 255) + "€")
        entry.objects = (0..<100).map { AuditObject(kind: "account", id: "\($0)", name: String(repeating: "\u{1}", count: 1000)) }
        entry.address = String(repeating: "1", count: 65)
        let body = Self.body(entry)
        #expect(body.count < EntryLimits.body)
        #expect(String(decoding: body, as: UTF8.self).contains(#""objects_omitted":36"#))
        let read = try EntryReader.read(body)
        #expect(read.reason == String(repeating: "é", count: 256))
        #expect(read.actor == .system(String(repeating: "a", count: 255)))
        #expect(read.objects.count == 64)
        #expect(read.objects.first?.name.utf8.count == 256)
        #expect(read.address.utf8.count == 64)
    }

    @Test("the largest entry there can be is still read")
    func largest() throws {
        let long = String(repeating: "\u{1}", count: 2000)
        var entry = AuditEntry.sample(1)
        entry.objects = (0..<64).map { _ in AuditObject(kind: long, id: long, name: long) }
        (entry.reason, entry.address, entry.actor) = (long, long, .system(long))
        entry = AuditEntry(
            time: entry.time, actor: entry.actor, address: long, organization: entry.organization,
            action: AuditAction(rawValue: long), objects: entry.objects, outcome: .granted, reason: long, request: entry.request)
        let body = Self.body(entry)
        #expect(body.count <= EntryLimits.body)
        #expect(try EntryReader.read(body).objects.count == 64)
    }

    @Test("fields of a later form are left aside")
    func laterForm() throws {
        let text = String(Self.text(.sample(1)).dropLast()) + #","added":{"x":[1]}}"#
        #expect(try EntryReader.read(Array(text.utf8)) == .sample(1))
    }

    @Test(
        "what is no entry is refused",
        arguments: [
            "", "{}", "[]", "null", "{", #"{"v":1}"#, #"{"v":1,"time":"x"}"#,
            text(.sample(1)).replacing("granted", with: "given"),
            text(.sample(1)).replacing("\"kind\":\"application\"", with: "\"kind\":\"app\""),
            text(.sample(1)).replacing("\"time\":17", with: "\"time\":1.7"), text(.sample(1)) + " x",
        ])
    func refused(_ text: String) {
        #expect(throws: AuditFault.self) { _ = try EntryReader.read(Array(text.utf8)) }
    }

    @Test("no input makes the reader do worse than refuse; what it takes is written and read again the same")
    func fuzz() throws {
        var fuzzer = Fuzzer(
            seed: 0xA0D17,
            samples: Self.actors.map { actor in
                var entry = AuditEntry.sample(1)
                entry.actor = actor
                return Self.text(entry)
            } + [Self.text(Self.full)])
        var taken = 0
        for _ in 0..<Fuzzer.rounds(5000) {
            guard let entry = try? EntryReader.read(fuzzer.next()) else { continue }
            taken += 1
            let body = Self.body(entry)
            let again = try EntryReader.read(body)
            #expect(Self.body(again) == body)
        }
        #expect(taken > 0)
    }

    @Test("no line makes the reader of checkpoint files do worse than refuse")
    func fuzzCheckpoints() throws {
        let key = try Ed25519.SigningKey.random()
        let checkpoint = try Checkpoint.sign(
            ChainHead(seq: 9, hash: [UInt8](repeating: 7, count: 32)), at: Timestamp(milliseconds: 5), key: key)
        let line = CheckpointLine(checkpoint: checkpoint, publicKey: key.publicKey)
        var fuzzer = Fuzzer(seed: 0xC4EC, samples: [String(decoding: line.text, as: UTF8.self)])
        for _ in 0..<Fuzzer.rounds(3000) {
            guard let read = CheckpointLine.parse(fuzzer.next()) else { continue }
            // Changed in what is signed and still signed by the same key: that must not be.
            if read.checkpoint != checkpoint { #expect(!read.checkpoint.isSigned(by: key.publicKey)) }
        }
    }
}

@Suite("Chain")
struct ChainTests {
    /// Computed by another program: sha256 over 00000020 ‖ previous ‖ 00000008 ‖ seq ‖ length ‖ body.
    @Test("the hashes are those of the published form")
    func vectors() throws {
        let hasher = try ChainHasher()
        let first = try Array("{}".utf8).withUnsafeBytes { try hasher.link($0, to: .genesis) }
        #expect(first.seq == 1)
        #expect(Hexadecimal.text(first.hash) == "0b7d878fb6e89ef681dbb3ec6aebc401fb1f918717f1e7f2bb660c1662e4d83c")
        let second = try Array("{\"v\":1}".utf8).withUnsafeBytes { try hasher.link($0, to: first) }
        #expect(second.seq == 2)
        #expect(Hexadecimal.text(second.hash) == "974f5c6da916d9ce68001560849ec12246d79327c372fd8c5b45d87ab03c66fa")
    }

    @Test("nothing can follow the last number there is, or a hash of another length")
    func end() throws {
        let hasher = try ChainHasher()
        for head in [ChainHead(seq: .max, hash: ChainHead.genesis.hash), ChainHead(seq: 1, hash: [1, 2])] {
            #expect(throws: AuditFault.self) { _ = try hasher.link(UnsafeRawBufferPointer(start: nil, count: 0), to: head) }
        }
    }
}
