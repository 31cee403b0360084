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
        for pair in query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let mark = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = pair[..<mark]
            if name.elementsEqual("asset".utf8) {
                try set(&values.asset, pair, mark)
            } else if name.elementsEqual("asset_id".utf8) {
                try set(&values.assetID, pair, mark)
            } else if name.elementsEqual("account".utf8) {
                try set(&values.account, pair, mark)
            } else if name.elementsEqual("account_id".utf8) {
                try set(&values.accountID, pair, mark)
            }
        }
        return values
    }

    private static func set(
        _ slot: inout [UInt8]?, _ pair: Slice<UnsafeRawBufferPointer>, _ mark: Slice<UnsafeRawBufferPointer>.Index
    ) throws(Refusal) {
        guard slot == nil else { throw .malformed("A query parameter is given twice.") }
        let raw = mark == pair.endIndex ? pair[mark...] : pair[pair.index(after: mark)...]
        guard let value = PercentCoding.decodeBytes(raw, plusIsSpace: true), !value.contains(0),
            String(validating: value, as: UTF8.self) != nil
        else { throw .malformed("A query parameter is not valid percent-encoded UTF-8.") }
        // An empty parameter counts as not given, as in JumpServer.
        if !value.isEmpty { slot = value }
    }
}
