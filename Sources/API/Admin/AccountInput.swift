internal import Cryptography
internal import Domain
internal import JSON

/// What a body says about an account, checked as far as that goes without looking anything up.
struct AccountInput: Sendable {
    let asset: AssetID
    /// Nil: the user name serves.
    let name: String?
    let username: String
    let secretType: SecretType
    /// Still in the body, which is wiped; nil where the secret is not to be changed.
    let secret: JSONValue?
    /// Of a private key that is protected by one; still in the body.
    let passphrase: JSONValue?
    let privileged: Bool
    let isActive: Bool
    let secretReset: Bool
    let suFrom: AccountID?
    /// Nil: as they are.
    let labels: [LabelReference]?
    let comment: String

    /// Characters in JumpServer's default, which would mean something in a shell, a template or a list.
    private static let forbidden = Set("{['\"`;|<>".utf8)

    /// - Parameters:
    ///   - current: the stored account, for a change.
    ///   - keeps: whether absent fields stay as they are (PATCH).
    init(_ body: JSONObjectReader, current: Account?, keeps: Bool) throws {
        let kept = keeps ? current : nil
        let username = body.optional("username", .text(max: 128, blank: true), default: current?.username ?? "")
        let asset: AssetID? = body.required("asset", .related(), current: current?.asset)
        Self.check(username, asset, against: current, body)
        let name = body.optional("name", .text(max: 128, blank: true), default: current?.name ?? "")
        let type = body.optional("secret_type", .choice(SecretType.self), default: kept?.secretType ?? .password)
        let privileged = body.optional("privileged", .bool, default: kept?.privileged ?? false)
        let isActive = body.optional("is_active", .bool, default: kept?.isActive ?? true)
        let secretReset = body.optional("secret_reset", .bool, default: kept?.secretReset ?? true)
        suFrom = body.nullable("su_from", .related(), current: kept?.suFrom)
        labels = body.optional("labels", .labels) ?? (keeps ? nil : [])
        let comment = body.optional("comment", .text(max: 4096, blank: true), default: kept?.comment ?? "")
        secret = Self.secret(body, type, current)
        passphrase = Self.passphrase(body, type, secret)
        Self.refuseUnsupported(body)
        body.ignoreReadOnly(of: AccountsResource.schema)
        (self.asset, self.username, secretType, self.privileged, self.isActive, self.secretReset, self.comment) =
            try body.finish(asset, username, type, privileged, isActive, secretReset, comment)
        self.name = name.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func check(_ username: String?, _ asset: AssetID?, against current: Account?, _ body: JSONObjectReader) {
        if let current {
            if let username, username != current.username {
                body.fail("username", "The user name of an account cannot be changed.")
            }
            if let asset, asset != current.asset { body.fail("asset", "The asset of an account cannot be changed.") }
        } else if let username, username.utf8.contains(where: { forbidden.contains($0) || $0 < 0x20 || $0 == 0x7F }) {
            body.fail("username", "This field may not contain any of { [ ' \" ` ; | < > or control characters.")
        }
    }

    /// An empty or absent secret means none, or no change.
    private static func secret(_ body: JSONObjectReader, _ type: SecretType?, _ current: Account?) -> JSONValue? {
        var secret: JSONValue?
        let rule = JSONRule<JSONValue>.secret(max: PrivateKeyInput.longestKey, blank: true)
        if case .value(let value)? = body.field("secret", rule), value.unescapedCount != 0 { secret = value }
        if let current, let type, type != current.secretType, secret == nil, current.stages.current != nil {
            body.fail("secret_type", "Another type needs its secret in the same change.")
        }
        return secret
    }

    private static func passphrase(_ body: JSONObjectReader, _ type: SecretType?, _ secret: JSONValue?) -> JSONValue? {
        let rule = JSONRule<JSONValue>.secret(max: PrivateKeyInput.longestPassphrase, blank: true)
        guard case .value(let value)? = body.field("passphrase", rule), value.unescapedCount != 0 else { return nil }
        if type.map({ $0 != .sshKey }) ?? false || secret == nil {
            body.fail("passphrase", "A passphrase belongs to a private key that is given with it.")
        }
        return value
    }

    /// Fields of JumpServer's forms that ask for what is not offered; their harmless values are taken.
    private static func refuseUnsupported(_ body: JSONObjectReader) {
        if body.optional("push_now", .bool, default: false) == true {
            body.fail("push_now", "Push the account once it is here: POST /api/v1/accounts/accounts/tasks/ with the action push.")
        }
        if case .value? = body.field("template", .any) { body.fail("template", "There are no account templates yet.") }
        if let handling = body.optional("on_invalid", .text(max: 16), default: "error"), handling != "error" {
            body.fail("on_invalid", "Only \"error\" is offered.")
        }
        body.ignore("params")
    }
}

extension AccountInput {
    /// Unlocks the private key, where it is protected; nil where it is not, or there is none. Not for a transaction.
    func unlocked() async -> PrivateKeyInput.Unlocked? {
        guard let secret, let passphrase else { return nil }
        return await PrivateKeyInput.unlocked(secret, passphrase: passphrase)
    }

    /// The secret out of the body, once it fits its type; nil where the body has none.
    ///
    /// - Parameter key: what `unlocked` said.
    func makeSecret(_ key: PrivateKeyInput.Unlocked?) throws(Refusal) -> Secret? {
        if passphrase != nil {
            guard let unlocked = try key?.get().take() else { throw .unavailable("The secret was taken already.") }
            return unlocked
        }
        guard let secret = try secret?.secret() else { return nil }
        // One that nobody here could use, and whose passphrase nobody would have kept.
        if secretType == .sshKey, PrivateKeyInput.isProtected(secret) { throw PrivateKeyInput.refusal(.passphraseNeeded) }
        if let fault = secret.withBytes({ Self.fault($0, secretType) }) { throw .invalid("secret", fault) }
        return secret
    }

    private static func fault(_ bytes: UnsafeRawBufferPointer, _ type: SecretType) -> String? {
        if bytes.contains(0) { return "Null characters are not allowed." }
        switch type {
        case .password:
            let isTemplate = bytes.count >= 4 && bytes.starts(with: "{{".utf8) && bytes.suffix(2).elementsEqual("}}".utf8)
            return isTemplate ? "A password may not begin with {{ and end with }}." : nil
        case .sshKey:
            return isPrivateKey(bytes) ? nil : "Not a private key in OpenSSH or PEM form."
        case .accessKey, .token, .apiKey:
            return nil
        }
    }

    /// Whether the first line is the head of a private key.
    private static func isPrivateKey(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        return line.count <= 64 && line.starts(with: "-----BEGIN ".utf8) && line.reversed().starts(with: "-----YEK ETAVIRP".utf8)
    }
}
