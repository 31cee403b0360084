internal import Domain
internal import Storage

/// Accounts that one loop has read and verified, kept for exactly one state of the database and one set of keys. Confined to the loop.
///
/// They are known by the bytes of the query that asked for them: an application that asks again in the same words costs no parsing, no
/// read and no check of rows. One commit anywhere makes all of it void.
struct FetchCache {
    private final class Answer {
        let organization: OrganizationID
        let query: [UInt8]
        let accounts: [FetchableAccount]

        init(_ organization: OrganizationID, _ query: [UInt8], _ accounts: [FetchableAccount]) {
            self.organization = organization
            self.query = query
            self.accounts = accounts
        }

        func isOf(_ other: UnsafeRawBufferPointer, in organization: OrganizationID) -> Bool {
            organization == self.organization && query.count == other.count && query.elementsEqual(other)
        }
    }

    private static let capacity = 8192
    /// Longer queries are read anew each time.
    private static let queryLimit = 512
    /// By the hash of organization and query. Of two that share one, the later is kept.
    private var answers: [UInt64: Answer] = [:]
    private var state: FetchReader.State?
    /// So that nobody can choose queries that share a hash.
    private let seed = UInt64.random(in: 0 ... .max)

    mutating func removeAll() {
        answers.removeAll(keepingCapacity: true)
        state = nil
    }

    /// What was found for the query in this state; nil if it has to be read.
    mutating func accounts(
        _ query: UnsafeRawBufferPointer, in organization: OrganizationID, at state: FetchReader.State
    ) -> [FetchableAccount]? {
        if self.state != state {
            answers.removeAll(keepingCapacity: true)
            self.state = state
            return nil
        }
        guard query.count <= Self.queryLimit, let answer = answers[hash(query, organization)] else { return nil }
        return answer.isOf(query, in: organization) ? answer.accounts : nil
    }

    mutating func keep(_ found: [FetchableAccount], for query: UnsafeRawBufferPointer, in organization: OrganizationID) {
        // What is not there is not kept: strangers' guesses would push out what is asked for.
        guard !found.isEmpty, query.count <= Self.queryLimit else { return }
        if answers.count >= Self.capacity { answers.removeAll(keepingCapacity: true) }
        answers[hash(query, organization)] = Answer(organization, Array(query), found)
    }

    /// Eight bytes at a time, multiplied and folded. It spreads and need not be more: what it finds is compared.
    private func hash(_ query: UnsafeRawBufferPointer, _ organization: OrganizationID) -> UInt64 {
        var hash = seed ^ UInt64(query.count)
        func mix(_ word: UInt64) {
            let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            hash = product.high ^ product.low
        }
        mix(organization.high)
        mix(organization.low)
        var position = 0
        while query.count - position >= 8 {
            mix(query.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        var rest: UInt64 = 0
        while position < query.count {
            rest = rest << 8 | UInt64(query[position])
            position += 1
        }
        mix(rest)
        return hash
    }
}
