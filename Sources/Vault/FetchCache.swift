internal import Domain
internal import Storage

/// Accounts that one loop has read and verified under one set of keys. Confined to the loop.
///
/// They are known by the words that asked for them, before any decoding: an application that asks again in the same words costs no
/// parsing of names, no read and no check of rows, as long as nothing is committed anywhere. In another state of the database the rows
/// are read anew, and what was found before saves their checks if they are the same.
struct FetchCache {
    private final class Answer {
        /// What was read in `state`.
        var accounts: [FetchableAccount]
        var state: FetchReader.State
        private let organization: OrganizationID
        private let words: [[UInt8]?]

        init(_ words: AccountWords, in organization: OrganizationID, _ accounts: [FetchableAccount], at state: FetchReader.State)
        {
            self.accounts = accounts
            self.state = state
            self.organization = organization
            self.words = [words.asset, words.assetID, words.account, words.accountID].map { $0.map { Array($0) } }
        }

        func isOf(_ other: AccountWords, in organization: OrganizationID) -> Bool {
            organization == self.organization && Self.same(words[0], other.asset) && Self.same(words[1], other.assetID)
                && Self.same(words[2], other.account) && Self.same(words[3], other.accountID)
        }

        private static func same(_ mine: [UInt8]?, _ other: UnsafeRawBufferPointer?) -> Bool {
            guard let mine, let other else { return mine == nil && other == nil }
            return mine.count == other.count && mine.elementsEqual(other)
        }
    }

    private static let capacity = 8192
    /// Longer words, which nobody needs, are read anew each time.
    private static let wordsLimit = 1024
    /// By the hash of organization and words. Of two that share one, the later is kept.
    private var answers: [UInt64: Answer] = [:]
    /// So that nobody can choose words that share a hash.
    private let seed = UInt64.random(in: 0 ... .max)

    mutating func removeAll() { answers.removeAll(keepingCapacity: true) }

    /// What was found for the words in this state; nil if it has to be read.
    func accounts(_ words: AccountWords, in organization: OrganizationID, at state: FetchReader.State) -> [FetchableAccount]? {
        guard let answer = answer(words, organization), answer.state == state else { return nil }
        return answer.accounts
    }

    /// What was found for the words last, in whatever state.
    func earlier(_ words: AccountWords, in organization: OrganizationID) -> [FetchableAccount] {
        answer(words, organization)?.accounts ?? []
    }

    mutating func keep(
        _ found: [FetchableAccount], for words: AccountWords, in organization: OrganizationID, at state: FetchReader.State
    ) {
        if let answer = answer(words, organization), !found.isEmpty {
            answer.accounts = found
            answer.state = state
            return
        }
        let hash = hash(words, organization)
        // What is not there is not kept: strangers' guesses would push out what is asked for.
        guard !found.isEmpty else {
            answers[hash] = nil
            return
        }
        guard words.byteCount <= Self.wordsLimit else { return }
        if answers.count >= Self.capacity { answers.removeAll(keepingCapacity: true) }
        answers[hash] = Answer(words, in: organization, found, at: state)
    }

    private func answer(_ words: AccountWords, _ organization: OrganizationID) -> Answer? {
        guard let answer = answers[hash(words, organization)], answer.isOf(words, in: organization) else { return nil }
        return answer
    }

    private func hash(_ words: AccountWords, _ organization: OrganizationID) -> UInt64 {
        var hash = WordHash(seed: seed)
        hash.mix(organization.high)
        hash.mix(organization.low)
        hash.mix(words.asset)
        hash.mix(words.assetID)
        hash.mix(words.account)
        hash.mix(words.accountID)
        return hash.value
    }
}

extension AccountWords {
    fileprivate var byteCount: Int {
        (asset?.count ?? 0) + (assetID?.count ?? 0) + (account?.count ?? 0) + (accountID?.count ?? 0)
    }
}

/// A quick hash: eight bytes at a time, multiplied and folded. It spreads and need not be more, since what it finds is compared.
private struct WordHash {
    private(set) var value: UInt64

    init(seed: UInt64) { value = seed }

    mutating func mix(_ word: UInt64) {
        let product = (value ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        value = product.high ^ product.low
    }

    mutating func mix(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return mix(.max) }
        mix(UInt64(bytes.count))
        var position = 0
        while bytes.count - position >= 8 {
            mix(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        var rest: UInt64 = 0
        while position < bytes.count {
            rest = rest << 8 | UInt64(bytes[position])
            position += 1
        }
        mix(rest)
    }
}
