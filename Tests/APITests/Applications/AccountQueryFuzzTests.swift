internal import Domain
import Testing
internal import TestSupport
internal import Vault

@testable import API

/// The hot path reads its query by itself; the other routes read theirs with `Query`.
@Suite("The query of a secret fetch")
struct AccountQueryFuzzTests {
    private static let id = "00000000-0000-0001-0000-000000000002"
    private static let samples = [
        "asset=web&account=root", "account_id=\(id)", "asset_id=\(id)&account=r%C3%B6%6ft&n=1", "asset=a+b&account=%00&asset=c",
        "account=root&asset=&asset_id=\(id)&x", "asset=%ff&account=a&&=b&account",
    ]

    private static func selector(_ query: [UInt8]) throws -> AccountSelector {
        try query.withUnsafeBytes { try AccountQuery.selector(AccountQuery.words($0)) }
    }

    /// What a plain reading of the query makes of it: a name that comes twice is refused, an empty value counts as none.
    private static func expected(_ query: [UInt8]) -> AccountSelector? {
        var values: [String: [UInt8]] = [:]
        var seen: Set<String> = []
        for pair in query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(decoding: parts[0], as: UTF8.self)
            guard ["asset", "asset_id", "account", "account_id"].contains(name) else { continue }
            guard seen.insert(name).inserted else { return nil }
            guard parts.count == 2, !parts[1].isEmpty else { continue }
            guard let text = PercentCoding.decode(parts[1], plusIsSpace: true) else { return nil }
            values[name] = Array(text.utf8)
        }
        if let text = values["account_id"] { return AccountID(utf8: text).map { .id($0) } }
        guard let account = values["account"] else { return nil }
        if let text = values["asset_id"] { return AssetID(utf8: text).map { .named(asset: .id($0), account: account) } }
        return values["asset"].map { .named(asset: .name($0), account: account) }
    }

    @Test("whatever the query is, it names what a plain reading of it names, or is refused")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 43, samples: Self.samples)
        var (read, refused) = (0, 0)
        for _ in 0..<Fuzzer.rounds(10_000) {
            let query = fuzzer.next()
            let found = try? Self.selector(query)
            #expect(found == Self.expected(query), "\(String(decoding: query, as: UTF8.self))")
            if found == nil { refused += 1 } else { read += 1 }
            // What is put into the audit of a refusal is never longer than an entry may hold.
            for object in query.withUnsafeBytes({ AccountQuery.object($0) }) { #expect(object.name.utf8.count <= 3 * 256) }
        }
        #expect(read > 500 && refused > 500)
    }

    @Test(
        "a parameter that is given twice is refused, also where one of the two is empty",
        arguments: ["asset=&asset=a", "asset=a&asset="])
    func twice(query: String) {
        #expect(throws: Refusal.self) { try Self.selector(Array((query + "&account=b").utf8)) }
    }

    @Test("whatever the query of another route is, it is read or refused")
    func fuzzQueries() {
        var fuzzer = Fuzzer(
            seed: 44, samples: Self.samples + ["limit=10&offset=5&search=a%20b&order=-name", "a__in=1,2&b=true&c=9"])
        var read = 0
        for _ in 0..<Fuzzer.rounds(5_000) {
            guard let query = try? Query(fuzzer.next()) else { continue }
            read += 1
            for name in query.names {
                #expect(query[name].map { !$0.utf8.contains(0) } == true)
                _ = try? (query.flag(name), query.id(name, of: Account.self), query.integer(name, in: 0...1000))
            }
        }
        #expect(read > 500)
    }
}
