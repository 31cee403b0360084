internal import Domain
internal import Vault

/// The query of a secret fetch: `account_id`, or `asset` or `asset_id` with `account`. Unknown parameters are ignored.
enum AccountQuery {
    /// What is asked for; `account_id` stands alone, `asset_id` beats `asset`.
    static func selector(_ words: AccountWords) throws(Refusal) -> AccountSelector {
        let asset = try decode(words.asset)
        let assetID = try decode(words.assetID)
        let account = try decode(words.account)
        if let text = try decode(words.accountID) {
            guard let id = AccountID(utf8: text) else { throw .invalid("account_id", "Must be a valid UUID.") }
            return .id(id)
        }
        let selector: AccountSelector.AssetSelector
        if let text = assetID {
            guard let id = AssetID(utf8: text) else { throw .invalid("asset_id", "Must be a valid UUID.") }
            selector = .id(id)
        } else if let name = asset {
            selector = .name(name)
        } else {
            throw missing("asset, asset_id")
        }
        guard let account else { throw missing("account, account_id") }
        return .named(asset: selector, account: account)
    }

    /// What was asked for, as far as it can be read, for the audit of a refusal. Of an id only what is one: what somebody put there by
    /// mistake may be anything.
    static func object(_ query: UnsafeRawBufferPointer) -> [AuditObject] {
        do {
            let words = try words(query)
            let (asset, assetID) = (try decode(words.asset), try decode(words.assetID))
            let (account, accountID) = (try decode(words.account), try decode(words.accountID))
            var objects: [AuditObject] = []
            if account != nil || accountID != nil {
                objects.append(AuditObject(kind: "account", id: id(accountID), name: text(account)))
            }
            if asset != nil || assetID != nil { objects.append(AuditObject(kind: "asset", id: id(assetID), name: text(asset))) }
            return objects
        } catch {
            return []
        }
    }

    private static func id(_ bytes: [UInt8]?) -> String {
        bytes.flatMap { AccountID(utf8: $0) }?.description ?? ""
    }

    private static func text(_ bytes: [UInt8]?) -> String {
        String(decoding: (bytes ?? []).prefix(256), as: UTF8.self)
    }

    private static func missing(_ names: String) -> Refusal {
        .invalid("non_field_errors", "At least one of the following fields must be provided: \(names).")
    }

    /// Finds the parameters that mean something, each at most once, as they stand in the query.
    static func words(_ query: UnsafeRawBufferPointer) throws(Refusal) -> AccountWords {
        var words = AccountWords()
        var seen = Seen()
        var start = 0
        while start < query.count {
            var end = start
            var mark: Int?
            while end < query.count, query[end] != UInt8(ascii: "&") {
                if mark == nil, query[end] == UInt8(ascii: "=") { mark = end }
                end += 1
            }
            let name = UnsafeRawBufferPointer(rebasing: query[start..<(mark ?? end)])
            let value = UnsafeRawBufferPointer(rebasing: query[min((mark ?? end) + 1, end)..<end])
            // An empty parameter counts as not given, as in JumpServer.
            let given = value.isEmpty ? nil : value
            if name.equals("asset") {
                try seen.once(.asset)
                words.asset = given
            } else if name.equals("asset_id") {
                try seen.once(.assetID)
                words.assetID = given
            } else if name.equals("account") {
                try seen.once(.account)
                words.account = given
            } else if name.equals("account_id") {
                try seen.once(.accountID)
                words.accountID = given
            }
            start = end + 1
        }
        return words
    }

    /// Parameters that may stand only once.
    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let asset = Seen(rawValue: 1)
        static let assetID = Seen(rawValue: 2)
        static let account = Seen(rawValue: 4)
        static let accountID = Seen(rawValue: 8)

        mutating func once(_ parameter: Seen) throws(Refusal) {
            guard insert(parameter).inserted else { throw .malformed("A query parameter is given twice.") }
        }
    }

    private static func decode(_ raw: UnsafeRawBufferPointer?) throws(Refusal) -> [UInt8]? {
        guard let raw else { return nil }
        guard let value: [UInt8] = decode(raw) else {
            throw .malformed("A query parameter is not valid percent-encoded UTF-8.")
        }
        return value
    }

    /// Nil if it is not valid UTF-8 or holds NUL. Most names have nothing to decode and are ASCII.
    private static func decode(_ raw: UnsafeRawBufferPointer) -> [UInt8]? {
        let isPlain = raw.allSatisfy { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "+") && (1..<0x80).contains($0) }
        if isPlain { return Array(raw) }
        guard let value = PercentCoding.decodeBytes(raw, plusIsSpace: true), !value.contains(0),
            String(validating: value, as: UTF8.self) != nil
        else { return nil }
        return value
    }
}
