import Access
import Domain
import Sealing
import Storage
import Synchronization
import Testing

@Suite("Policy store")
struct PolicyStoreTests {
    static let ours = "x'000000000000000a0000000000000001'"

    @Test(
        "an application, credential or organization row that was tampered with is left out and reported",
        arguments: [
            "UPDATE applications SET ip_group = (SELECT ip_group FROM applications WHERE id <> \(ours)) WHERE id = \(ours)",
            "UPDATE applications SET accounts = '{\"type\":\"all\" }' WHERE id = \(ours)",
            "UPDATE applications SET is_active = 2 WHERE id = \(ours)",
            "UPDATE applications SET name = 'x' WHERE id = \(ours)",
            "UPDATE applications SET rate_limit = 9 WHERE id = \(ours)",
            "UPDATE applications SET mac = zeroblob(36) WHERE id = \(ours)",
            "UPDATE applications SET mac = (SELECT mac FROM applications WHERE id <> \(ours)) WHERE id = \(ours)",
            "UPDATE credentials SET secret = (SELECT secret FROM credentials WHERE id <> \(ours)) WHERE id = \(ours)",
            "UPDATE credentials SET is_strict = 1 WHERE id = \(ours)",
            "UPDATE credentials SET date_expires = 1 WHERE id = \(ours)",
            "UPDATE credentials SET application_id = x'000000000000000a0000000000000002' WHERE id = \(ours)",
            "UPDATE credentials SET mac = x'' WHERE id = \(ours)",
        ])
    func tampered(change: String) async throws {
        let house = try TestHouse()
        var other = SampleApplication(2)
        other.application.ipGroup = ["*"]
        try SampleApplication(1).store(in: house)
        try other.store(in: house)
        let store = house.policies()
        try await store.reload()
        #expect(store.snapshot?.credentialCount == 2)
        #expect(house.faults.withLock { $0.isEmpty })
        try house.run(change)
        // A row of a form that none can have may also stop the reading as a whole; nothing of it is let in either way.
        do {
            try await store.reload()
            #expect(store.snapshot?.credentialCount == 1)
            #expect(!house.faults.withLock { $0.isEmpty })
        } catch {
            #expect(error is StorageFault)
        }
    }

    @Test("an organization whose row was tampered with takes all its applications along")
    func organization() async throws {
        let house = try TestHouse()
        try SampleApplication(1).store(in: house)
        try SampleApplication(2, in: TestHouse.other).store(in: house)
        try house.run("UPDATE organizations SET name = 'Mine' WHERE name = 'Other'")
        let store = house.policies()
        try await store.reload()
        #expect(store.snapshot?.credentialCount == 1)
        #expect(house.faults.withLock { $0.count } == 1)
    }

    @Test(
        "a stored policy that does not compile is left out and reported",
        arguments: [
            #"{"type":"attrs","attrs":[{"name":"name","match":"regex","value":"."}]}"#, #"{"type":"everything"}"#, "{}", "",
            "null", "[",
        ])
    func doesNotCompile(filter: String) async throws {
        let house = try TestHouse()
        var sample = SampleApplication()
        sample.application.accounts = filter
        try sample.store(in: house)
        let store = house.policies()
        try await store.reload()
        #expect(store.snapshot?.credentialCount == 0)
        #expect(!house.faults.withLock { $0.isEmpty })
    }

    @Test("a node row that was tampered with gives nobody more")
    func nodes() async throws {
        let house = try TestHouse()
        let root = Node(id: NodeID(high: 1, low: 1), organization: .default, key: "1", value: "Default", parent: nil)
        let child = Node(id: NodeID(high: 1, low: 2), organization: .default, key: "2", value: "Secret", parent: nil)
        for node in [root, child] { try house.store(node) { try Nodes.insert($0, on: $1) } }
        try house.run("UPDATE nodes SET parent_id = x'00000000000000010000000000000001' WHERE value = 'Secret'")
        let store = house.policies()
        try await store.reload()
        #expect(house.faults.withLock { $0.count } == 1)
    }

    @Test("what was revoked is gone with its reload, and only that")
    func revoked() async throws {
        let house = try TestHouse()
        let (first, second) = (SampleApplication(1), SampleApplication(2))
        try first.store(in: house)
        try second.store(in: house)
        let store = house.policies()
        try await store.reload()
        let id = first.credential.id
        try await house.database.write { db in _ = try Credentials.delete(id, in: .default, on: db) }
        try await store.reload(first.application.id, in: .default)
        #expect(store.snapshot?.credentialCount == 1)
        try await store.reload(ApplicationID(high: 99, low: 99), in: .default)
        #expect(store.snapshot?.credentialCount == 1)
    }

    @Test("reloads that race with changes end with the last change")
    func racing() async throws {
        let house = try TestHouse()
        let store = house.policies()
        try await store.reload()
        for number in 1...8 as ClosedRange<UInt64> {
            let sample = SampleApplication(number)
            try sample.store(in: house)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try? await store.reload() } }
                group.addTask { try? await store.reload(sample.application.id, in: .default) }
            }
            #expect(store.snapshot?.credentialCount == Int(number))
        }
    }

    @Test("nothing is kept while the vault is sealed, whoever is still reloading")
    func sealed() async throws {
        let house = try TestHouse()
        try SampleApplication().store(in: house)
        let store = house.policies()
        for _ in 0..<20 {
            try house.unseal()
            async let reloading: Void? = try? await store.reload()
            house.keyring.seal()
            store.clear()
            _ = await reloading
            #expect(store.snapshot == nil)
        }
        await #expect(throws: (any Error).self) { try await store.reload() }
    }
}
