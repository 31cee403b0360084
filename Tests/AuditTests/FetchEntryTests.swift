import Domain
import Storage
import Synchronization
import Testing

@testable import Audit

@Suite("Fetch entry")
struct FetchEntryTests {
    static let objects = WrittenObjects([
        AuditObject(kind: "account", id: "a", name: "Zoë \"\\\n"), AuditObject(kind: "asset", id: "b"),
    ])

    static func entry(
        name: String = "shop", objects: WrittenObjects = objects, time: Int64 = 1_700_000_000_000,
        address: IPAddress? = IPAddress("192.0.2.7"), reason: String = "", latency: Int64 = 120, version: Int64? = 3
    ) -> FetchEntry {
        let signer = WrittenSigner(
            ApplicationID(high: 0xA1, low: .max), name: name, credential: CredentialID(high: 5, low: 6),
            organization: OrganizationID(high: 0, low: 2))
        return FetchEntry(
            signer: signer, objects: objects, time: Timestamp(milliseconds: time), address: address, reason: reason,
            request: RequestID(high: .max, low: 0), latency: latency, version: version)
    }

    static let entries = [
        entry(), entry(name: ""), entry(name: "\u{1}\"é" + String(repeating: "€", count: 200)),
        entry(objects: WrittenObjects([])),
        entry(objects: WrittenObjects((0..<100).map { AuditObject(kind: "account", id: "\($0)") })),
        entry(time: .min, latency: .min, version: .min), entry(time: .max, latency: .max, version: .max), entry(address: nil),
        entry(address: IPAddress("0.0.0.0")), entry(address: IPAddress("255.255.255.255")),
        entry(address: IPAddress("2001:db8::8:0:0:417a")), entry(reason: "secret withheld by setting"),
        entry(reason: String(repeating: "\u{1}", count: 600)), entry(version: nil),
    ]

    @Test("its stored form is that of the plain entry, byte for byte", arguments: entries.indices)
    func body(_ index: Int) throws {
        let entry = Self.entries[index]
        var plain: [UInt8] = []
        EntryWriter.write(entry.plain, to: &plain)
        var bodies = EntryBodies()
        let place = bodies.append(upTo: entry.bodyRoom) { entry.writeBody(into: $0) }
        let body = bodies.withBytes(place) { Array($0) }
        #expect(String(decoding: body, as: UTF8.self) == String(decoding: plain, as: UTF8.self))
        #expect(try EntryReader.read(body).action == .fetch)
        #expect(entry.columns == AuditColumns(entry.plain))
    }

    @Test("its packed form expands to its body", arguments: entries.indices)
    func packed(_ index: Int) {
        let entry = Self.entries[index]
        guard entry.isPacked else { return #expect(!entry.reason.isEmpty) }
        var bodies = EntryBodies()
        let body = bodies.append(upTo: entry.bodyRoom) { entry.writeBody(into: $0) }
        let stored = bodies.append(upTo: entry.bodyRoom) { entry.writePackedBody(into: $0) }
        let expanded = bodies.withBytes(stored) { PackedBody.expand($0) }
        #expect(expanded == bodies.withBytes(body) { Array($0) })
        #expect(stored.count < body.count)
    }

    private struct Stored: Equatable {
        let columns: AuditColumns
        let body: [UInt8]
    }

    @Test("a batch stores both forms alike")
    func batch() {
        let batch = AuditBatch { _, _ in }
        for entry in Self.entries {
            batch.append(entry)
            batch.append(entry.plain)
        }
        let stored = batch.contents.withLock { contents in
            contents.entries.map { entry in
                Stored(columns: entry.columns, body: contents.bodies.withBytes(entry.body) { Array($0) })
            }
        }
        #expect(stored.count == 2 * Self.entries.count)
        for pair in stride(from: 0, to: stored.count - 1, by: 2) { #expect(stored[pair] == stored[pair + 1]) }
    }
}
