internal import Cryptography
package import Domain

/// Kinds of rows that carry an authentication code; the names are part of the code and never change.
package enum RowKind: String, Sendable {
    case organization, node, label, asset, account, application, credential, user, session, setting, delivery
    case task, execution, record, zone
    case openChange = "open-change"
    case assetTrust = "asset-trust"
}

extension KeySet {
    /// 4 bytes of key number and 32 bytes of HMAC over kind, organization, id and the row's deciding fields.
    package func authenticationCode(
        _ kind: RowKind, organization: OrganizationID, id: [UInt8], with workspace: SealingWorkspace,
        fields: (inout CanonicalBytes) -> Void
    ) throws -> [UInt8] {
        begin(kind, organization, id, workspace)
        fields(&workspace.canonical)
        return try [UInt8](unsafeUninitializedCapacity: 4 + HMACSHA256.byteCount) { buffer, count in
            let code = UnsafeMutableRawBufferPointer(buffer)
            code.copyBytes(from: activeRowKey.prefix)
            try workspace.canonical.bytes.withUnsafeBytes { message in
                try activeRowKey.hmac.authenticate(message, into: UnsafeMutableRawBufferPointer(rebasing: code[4...]))
            }
            count = 4 + HMACSHA256.byteCount
        }
    }

    /// Checks a stored row's code; whatever does not match fails closed.
    package func verify(
        _ mac: [UInt8], of kind: RowKind, organization: OrganizationID, id: [UInt8], with workspace: SealingWorkspace,
        fields: (inout CanonicalBytes) -> Void
    ) throws(SealingFault) {
        func fault() -> SealingFault { .rowNotAuthentic(kind: kind.rawValue, id: id.map { hex($0) }.joined()) }
        guard mac.count == 4 + HMACSHA256.byteCount else { throw fault() }
        let keyNumber = mac.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let row = rowKeys[keyNumber] else { throw fault() }
        begin(kind, organization, id, workspace)
        fields(&workspace.canonical)
        let isGood: Bool
        do {
            isGood = try withUnsafeTemporaryAllocation(byteCount: HMACSHA256.byteCount, alignment: 8) { expected in
                try workspace.canonical.bytes.withUnsafeBytes { message in
                    try row.hmac.authenticate(message, into: expected)
                }
                return mac.withUnsafeBytes { stored in
                    ConstantTime.areEqual(UnsafeRawBufferPointer(rebasing: stored[4...]), UnsafeRawBufferPointer(expected))
                }
            }
        } catch {
            throw fault()
        }
        guard isGood else { throw fault() }
    }

    private func begin(_ kind: RowKind, _ organization: OrganizationID, _ id: [UInt8], _ workspace: SealingWorkspace) {
        workspace.canonical.removeAll()
        workspace.canonical.append("keyturn/row/v1")
        workspace.canonical.append(kind.rawValue)
        workspace.canonical.append(organization)
        workspace.canonical.append(id)
    }

    private func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
    }
}
