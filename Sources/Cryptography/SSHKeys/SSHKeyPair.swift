internal import CCrypto

/// A private SSH key and its public half. The private fields are wiped when the last reference goes; immutable.
package final class SSHKeyPair: Sendable {
    package let kind: SSHKeyKind
    package let publicKey: SSHPublicKey
    /// What stood behind the key in the file that it was read from.
    package let comment: String
    /// The private fields as OpenSSH's files have them, from the algorithm's name to before the comment.
    let fields: Secret

    /// Makes a new one; `SSHKeyKind.generated` lists which. An RSA key takes a second or so.
    package static func generate(_ kind: SSHKeyKind) throws(SSHKeyFault) -> SSHKeyPair {
        let handle = try keyFault { () throws(CryptographyFault) in try PrivateKeyHandle.generated(kind) }
        return try SSHKeyPair(handle, comment: "")
    }

    /// Reads OpenSSH's own form and PEM (PKCS#8, PKCS#1, SEC 1), each also protected by a passphrase.
    ///
    /// The whole key is checked: both halves must belong together. An RSA key takes a good part of a second.
    package static func read(_ text: borrowing Secret, passphrase: borrowing Secret? = nil) throws(SSHKeyFault) -> SSHKeyPair {
        guard text.count <= 64 * 1024 else { throw .notAPrivateKey }
        switch passphrase {
        case .some(let passphrase):
            return try text.withBytes { (text) throws(SSHKeyFault) in
                try passphrase.withBytes { (passphrase) throws(SSHKeyFault) in try read(text, passphrase: passphrase) }
            }
        case .none:
            return try text.withBytes { (text) throws(SSHKeyFault) in try read(text, passphrase: nil) }
        }
    }

    private static func read(
        _ text: UnsafeRawBufferPointer, passphrase: UnsafeRawBufferPointer?
    ) throws(SSHKeyFault) -> SSHKeyPair {
        if OpenSSHKeyFile.looksLikeOne(text) {
            let (handle, comment) = try OpenSSHKeyFile.read(text, passphrase: passphrase)
            guard handle.isSound else { throw .damaged }
            return try SSHKeyPair(handle, comment: comment)
        }
        let handle = try PEMKeyFile.read(text, passphrase: passphrase)
        guard handle.isSound else { throw .damaged }
        return try SSHKeyPair(handle, comment: "")
    }

    /// The private key in OpenSSH's form, without a passphrase.
    package func openSSH(comment: String? = nil) throws(SSHKeyFault) -> Secret {
        try fields.withBytes { (fields) throws(SSHKeyFault) in
            try OpenSSHKeyFile.write(fields, publicKey: publicKey, comment: comment ?? self.comment)
        }
    }

    /// Takes a key's numbers out of libcrypto.
    init(_ handle: PrivateKeyHandle, comment: String) throws(SSHKeyFault) {
        let parts: SSHKeyParts
        switch EVP_PKEY_get_base_id(handle.pointer) {
        case EVP_PKEY_ED25519: parts = try keyFault { () throws(CryptographyFault) in try SSHKeyParts(ed25519: handle) }
        case EVP_PKEY_EC:
            guard let curve = SSHCurve.all.first(where: { $0.group == handle.group }) else { throw .unsupported }
            parts = try keyFault { () throws(CryptographyFault) in try SSHKeyParts(curve, handle) }
        case EVP_PKEY_RSA:
            guard let kind = SSHKeyKind.rsa(bits: Int(EVP_PKEY_get_bits(handle.pointer))) else { throw .tooShort }
            guard (try? handle.number(RSAParameter.factor3)) == nil else { throw .unsupported }
            ERR_clear_error()
            parts = try keyFault { () throws(CryptographyFault) in try SSHKeyParts(kind, handle) }
        default: throw .unsupported
        }
        guard let publicKey = SSHPublicKey(blob: parts.blob) else { throw .damaged }
        self.kind = parts.kind
        self.publicKey = publicKey
        self.comment = comment
        fields = parts.takeFields()
    }
}

/// Both halves of a key in OpenSSH's field order (PROTOCOL.key, and PROTOCOL.agent 4.2 for the private fields).
private struct SSHKeyParts: ~Copyable {
    let kind: SSHKeyKind
    let blob: [UInt8]
    private let fields: Secret

    init(ed25519 handle: PrivateKeyHandle) throws(CryptographyFault) {
        var publicBytes = [UInt8](repeating: 0, count: 32)
        var length = publicBytes.count
        try check(EVP_PKEY_get_raw_public_key(handle.pointer, &publicBytes, &length), "EVP_PKEY_get_raw_public_key")
        let seed = try Secret(capacity: 32) { (place) throws(CryptographyFault) in
            var length = place.count
            let start = place.baseAddress?.assumingMemoryBound(to: UInt8.self)
            try check(EVP_PKEY_get_raw_private_key(handle.pointer, start, &length), "EVP_PKEY_get_raw_private_key")
            return length
        }
        let blob = try wire {
            $0.string(SSHKeyKind.ed25519.algorithm)
            $0.string(publicBytes)
        }.withBytes { Array($0) }
        let fields = try wire { writer in
            writer.string(SSHKeyKind.ed25519.algorithm)
            writer.string(publicBytes)
            writer.word(64)
            seed.withBytes { writer.raw($0) }
            publicBytes.withUnsafeBytes { writer.raw($0) }
        }
        self.init(kind: .ed25519, blob: blob, fields: fields)
    }

    init(_ curve: SSHCurve, _ handle: PrivateKeyHandle) throws(CryptographyFault) {
        let x = try handle.number(OSSL_PKEY_PARAM_EC_PUB_X).bytes(count: curve.coordinateByteCount)
        let y = try handle.number(OSSL_PKEY_PARAM_EC_PUB_Y).bytes(count: curve.coordinateByteCount)
        let scalar = try handle.number(OSSL_PKEY_PARAM_PRIV_KEY).bytes()
        // The form of a point without compression (SEC 1, 2.3.3).
        let point = [4] + x.withBytes { Array($0) } + y.withBytes { Array($0) }
        func writePublic(_ writer: inout SSHWireWriter) {
            writer.string(curve.kind.algorithm)
            writer.string(curve.name)
            writer.string(point)
        }
        let blob = try wire { writePublic(&$0) }.withBytes { Array($0) }
        let fields = try wire { writer in
            writePublic(&writer)
            scalar.withBytes { writer.number($0) }
        }
        self.init(kind: curve.kind, blob: blob, fields: fields)
    }

    /// An RSA key.
    init(_ kind: SSHKeyKind, _ handle: PrivateKeyHandle) throws(CryptographyFault) {
        let modulus = try handle.number(OSSL_PKEY_PARAM_RSA_N).bytes()
        let publicExponent = try handle.number(OSSL_PKEY_PARAM_RSA_E).bytes()
        let privateExponent = try handle.number(OSSL_PKEY_PARAM_RSA_D).bytes()
        let coefficient = try handle.number(RSAParameter.coefficient).bytes()
        let first = try handle.number(RSAParameter.factor1).bytes()
        let second = try handle.number(RSAParameter.factor2).bytes()
        let blob = try wire { writer in
            writer.string(kind.algorithm)
            publicExponent.withBytes { writer.number($0) }
            modulus.withBytes { writer.number($0) }
        }.withBytes { Array($0) }
        let fields = try wire { writer in
            writer.string(kind.algorithm)
            modulus.withBytes { writer.number($0) }
            publicExponent.withBytes { writer.number($0) }
            privateExponent.withBytes { writer.number($0) }
            coefficient.withBytes { writer.number($0) }
            first.withBytes { writer.number($0) }
            second.withBytes { writer.number($0) }
        }
        self.init(kind: kind, blob: blob, fields: fields)
    }

    private init(kind: SSHKeyKind, blob: [UInt8], fields: consuming Secret) {
        self.kind = kind
        self.blob = blob
        self.fields = fields
    }

    consuming func takeFields() -> Secret { fields }
}

/// What a closure writes, in memory that is wiped.
private func wire(_ body: (inout SSHWireWriter) -> Void) throws(CryptographyFault) -> Secret {
    try Secret(capacity: 16 * 1024) { (place) throws(CryptographyFault) in
        var writer = SSHWireWriter(place)
        body(&writer)
        guard !writer.isFull else { throw .badInput("a key of this size") }
        return writer.count
    }
}

/// Faults of the library as faults of a key.
func keyFault<Output: ~Copyable>(_ body: () throws(CryptographyFault) -> Output) throws(SSHKeyFault) -> Output {
    do throws(CryptographyFault) {
        return try body()
    } catch {
        throw SSHKeyFault(error)
    }
}
