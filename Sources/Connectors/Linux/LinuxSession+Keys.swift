package import Cryptography
internal import Domain

extension LinuxSession: RemoteStateSaving {
    package func saved(before request: ChangeRequest) throws(ConnectorFault) -> Secret? {
        guard request.secretType == .sshKey, request.keyStrategy == .replaceAll else { return nil }
        let (name, entry) = try existing(request.username)
        guard var bytes = try keyFile(name, entry).read() else { return nil }
        return Secret(moving: &bytes)
    }
}

extension LinuxSession {
    /// Ends the line of every key that this product puts on this asset.
    var keyComment: String { "keyturn-managed:\(target.asset)" }

    private func keyFile(_ name: LinuxName, _ entry: LinuxEntry) -> KeyFile {
        KeyFile(shell: shell, name: name, home: entry.home)
    }

    func prepareKeys(_ name: LinuxName, _ entry: LinuxEntry) throws(ConnectorFault) {
        guard entry.home.hasPrefix("/"), entry.home != "/" else {
            throw ConnectorFault(.unsupported, effect: .none, words: "the account has no home to keep its keys in")
        }
        // The server may look for keys elsewhere; where it does not say, the usual place is taken.
        let answer = try shell.run(
            "sshd -T -C user=\(name.word),host=localhost,addr=127.0.0.1 2>/dev/null | sed -n 's/^authorizedkeysfile //p'; exit 0")
        let places = answer.text.split { $0 == " " || $0 == "\n" }
        let usual: Set<Substring> = [".ssh/authorized_keys", "%h/.ssh/authorized_keys"]
        guard places.isEmpty || places.contains(where: usual.contains) else {
            throw ConnectorFault(
                .unsupported, effect: .none, words: "sshd does not read ~/.ssh/authorized_keys: \(words(answer))")
        }
        try keyFile(name, entry).probe()
    }

    func addKey(of secret: borrowing Secret, _ name: LinuxName, _ entry: LinuxEntry) throws(ConnectorFault) {
        let key = try Self.publicKey(of: secret)
        let comment = keyComment
        try keyFile(name, entry).change { $0.add(key, comment: comment) }
    }

    /// The key that stays is added again if it went missing, so that there is one in any case.
    func removeKeys(
        besides secret: borrowing Secret, old: borrowing Secret?, strategy: ChangeRequest.KeyStrategy, _ name: LinuxName,
        _ entry: LinuxEntry
    ) throws(ConnectorFault) {
        let kept = try Self.publicKey(of: secret)
        let replaced: SSHPublicKey? =
            switch old {
            // What is no key that can be read is recognised by its comment, or stays.
            case .some(let old): try? Self.publicKey(of: old)
            case .none: nil
            }
        let comment = keyComment
        try keyFile(name, entry).change { keys in
            keys.add(kept, comment: comment)
            switch strategy {
            case .append: break
            case .replaceAll: keys.removeAll(besides: kept)
            case .replaceOurs: keys.remove { key, text in key != kept && (key == replaced || text == comment) }
            }
        }
    }

    func compareKeys(with secret: borrowing Secret, _ name: LinuxName, _ entry: LinuxEntry) throws(ConnectorFault) -> StoredMatch
    {
        guard let key = try? Self.publicKey(of: secret) else { return .unknown }
        guard let bytes = try keyFile(name, entry).read() else { return .different }
        return AuthorizedKeys(bytes).contains(key) ? .same : .different
    }

    private static func publicKey(of secret: borrowing Secret) throws(ConnectorFault) -> SSHPublicKey {
        do throws(SSHKeyFault) {
            return try SSHKeyPair.read(secret).publicKey
        } catch {
            throw ConnectorFault(.unsupported, effect: .none, words: error.message)
        }
    }
}
