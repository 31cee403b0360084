internal import Domain
internal import Vault

/// The query of a secret fetch: `account_id`, or `asset` or `asset_id` with `account`. Unknown parameters are ignored.
enum AccountQuery {
    private struct Values {
        var asset: [UInt8]?
        var assetID: [UInt8]?
        var account: [UInt8]?
        var accountID: [UInt8]?
    }

    /// What is asked for; `account_id` stands alone, `asset_id` beats `asset`.
    static func selector(_ query: UnsafeRawBufferPointer) throws(Refusal) -> AccountSelector {
        let values = try read(query)
        if let text = values.accountID {
            guard let id = AccountID(utf8: text) else { throw .invalid("account_id", "Must be a valid UUID.") }
            return .id(id)
        }
        let asset: AccountSelector.AssetSelector
        if let text = values.assetID {
            guard let id = AssetID(utf8: text) else { throw .invalid("asset_id", "Must be a valid UUID.") }
            asset = .id(id)
        } else if let name = values.asset {
            asset = .name(name)
        } else {
            throw missing("asset, asset_id")
        }
        guard let account = values.account else { throw missing("account, account_id") }
        return .named(asset: asset, account: account)
    }

    /// What was asked for, as far as it can be read, for the audit of a refusal. Of an id only what is one: what somebody put there by
    /// mistake may be anything.
    static func object(_ query: UnsafeRawBufferPointer) -> [AuditObject] {
        guard let values = try? read(query) else { return [] }
        var objects: [AuditObject] = []
        if values.account != nil || values.accountID != nil {
            objects.append(AuditObject(kind: "account", id: id(values.accountID), name: text(values.account)))
        }
        if values.asset != nil || values.assetID != nil {
            objects.append(AuditObject(kind: "asset", id: id(values.assetID), name: text(values.asset)))
        }
        return objects
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

    private static func read(_ query: UnsafeRawBufferPointer) throws(Refusal) -> Values {
        var values = Values()
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
            if name.equals("asset") {
                try set(&values.asset, value)
            } else if name.equals("asset_id") {
                try set(&values.assetID, value)
            } else if name.equals("account") {
                try set(&values.account, value)
            } else if name.equals("account_id") {
                try set(&values.accountID, value)
            }
            start = end + 1
        }
        return values
    }

    private static func set(_ slot: inout [UInt8]?, _ raw: UnsafeRawBufferPointer) throws(Refusal) {
        guard slot == nil else { throw .malformed("A query parameter is given twice.") }
        guard let value = decode(raw) else { throw .malformed("A query parameter is not valid percent-encoded UTF-8.") }
        // An empty parameter counts as not given, as in JumpServer.
        if !value.isEmpty { slot = value }
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
