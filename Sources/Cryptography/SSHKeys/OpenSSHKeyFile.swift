internal import CCrypto

/// OpenSSH's own form of a private key (PROTOCOL.key of OpenSSH): one key, plain or protected by a passphrase.
enum OpenSSHKeyFile {
    private static let begin = Array("-----BEGIN OPENSSH PRIVATE KEY-----".utf8)
    private static let end = Array("-----END OPENSSH PRIVATE KEY-----".utf8)
    private static let magic = Array("openssh-key-v1\0".utf8)
    private static let lineLength = 70

    static func looksLikeOne(_ text: UnsafeRawBufferPointer) -> Bool { position(of: begin, in: text, from: 0) != nil }

    // MARK: - Reading

    static func read(
        _ text: UnsafeRawBufferPointer, passphrase: UnsafeRawBufferPointer?
    ) throws(SSHKeyFault) -> (PrivateKeyHandle, String) {
        guard let start = position(of: begin, in: text, from: 0),
            let stop = position(of: end, in: text, from: start + begin.count)
        else { throw .notAPrivateKey }
        let armoured = UnsafeRawBufferPointer(rebasing: text[(start + begin.count)..<stop])
        let body = try Secret(capacity: armoured.count) { (place) throws(SSHKeyFault) in
            guard let count = Base64Text.decode(armoured, into: place) else { throw .damaged }
            return count
        }
        return try body.withBytes { (body) throws(SSHKeyFault) in try read(body: body, passphrase: passphrase) }
    }

    private static func read(
        body: UnsafeRawBufferPointer, passphrase: UnsafeRawBufferPointer?
    ) throws(SSHKeyFault) -> (PrivateKeyHandle, String) {
        var reader = SSHWireReader(body)
        guard let head = reader.raw(magic.count), head.elementsEqual(magic), let cipherName = reader.name(),
            let derivation = reader.name(), let options = reader.string(), let number = reader.word(),
            reader.string() != nil, let section = reader.string()
        else { throw .damaged }
        guard number == 1 else { throw .unsupported }
        if cipherName == "none" {
            guard derivation == "none" else { throw .damaged }
            guard let found = try read(section: section) else { throw .damaged }
            return found
        }
        guard let cipher = SSHKeyCipher.named(cipherName), derivation == "bcrypt", reader.isAtEnd else { throw .unsupported }
        guard let passphrase, !passphrase.isEmpty else { throw .passphraseNeeded }
        let opened = try cipher.open(section, options: options, passphrase: passphrase)
        return try opened.withBytes { (section) throws(SSHKeyFault) in
            // The two check words differ when the key was wrong.
            guard let found = try read(section: section) else { throw .wrongPassphrase }
            return found
        }
    }

    /// The private section; nil if its two check words differ.
    private static func read(section: UnsafeRawBufferPointer) throws(SSHKeyFault) -> (PrivateKeyHandle, String)? {
        var reader = SSHWireReader(section)
        guard let first = reader.word(), let second = reader.word() else { throw .damaged }
        guard first == second else { return nil }
        let handle = try key(&reader)
        guard let comment = reader.string(), reader.remaining.count < 256 else { throw .damaged }
        // 1, 2, 3, … up to the cipher's block.
        for (index, byte) in reader.remaining.enumerated() where Int(byte) != index + 1 { throw .damaged }
        let text = String(decoding: comment.prefix(256), as: UTF8.self).unicodeScalars.filter {
            $0.value >= 0x20 && $0.value != 0x7F
        }
        return (handle, String(String.UnicodeScalarView(text)))
    }

    /// A key from its private fields.
    static func key(_ reader: inout SSHWireReader) throws(SSHKeyFault) -> PrivateKeyHandle {
        guard let algorithm = reader.name() else { throw .damaged }
        if algorithm == SSHKeyKind.ed25519.algorithm {
            guard let publicBytes = reader.string(), let both = reader.string(), both.count == 64, publicBytes.count == 32,
                both.dropFirst(32).elementsEqual(publicBytes)
            else { throw .damaged }
            let handle = try keyFault { () throws(CryptographyFault) in
                try PrivateKeyHandle.ed25519(seed: UnsafeRawBufferPointer(rebasing: both.prefix(32)))
            }
            guard handle.hasPublic(publicBytes) else { throw .damaged }
            return handle
        }
        if let curve = SSHCurve.all.first(where: { $0.kind.algorithm == algorithm }) {
            guard let name = reader.name(), name == curve.name, let point = reader.string(),
                point.count == 1 + 2 * curve.coordinateByteCount, point.first == 4, let scalar = reader.string(),
                scalar.count <= curve.coordinateByteCount + 1
            else { throw .damaged }
            return try damaged { () throws(CryptographyFault) in
                try PrivateKeyHandle.elliptic(curve, point: point, scalar: scalar)
            }
        }
        guard algorithm == SSHKeyKind.rsa.algorithm else { throw .unsupported }
        var numbers: [UnsafeRawBufferPointer] = []
        for _ in 0..<6 {
            guard let number = reader.string(), number.count <= SSHKeyKind.moduli.upperBound / 8 + 1, !number.isEmpty else {
                throw .damaged
            }
            numbers.append(number)
        }
        let bits = UnsafeRawBufferPointer(rebasing: numbers[0].drop { $0 == 0 }).count * 8
        guard bits >= SSHKeyKind.moduli.lowerBound else { throw .tooShort }
        return try damaged { () throws(CryptographyFault) in
            try PrivateKeyHandle.rsa(
                RSANumbers(
                    modulus: BigNumber(numbers[0]), publicExponent: BigNumber(numbers[1]), privateExponent: BigNumber(numbers[2]),
                    coefficient: BigNumber(numbers[3]), firstPrime: BigNumber(numbers[4]), secondPrime: BigNumber(numbers[5])))
        }
    }

    /// Numbers that the library does not take are the file's fault.
    private static func damaged<Output>(_ body: () throws(CryptographyFault) -> Output) throws(SSHKeyFault) -> Output {
        do throws(CryptographyFault) {
            return try body()
        } catch {
            throw .damaged
        }
    }

    private static func position(of wanted: [UInt8], in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard text.count >= wanted.count + start else { return nil }
        return (start...(text.count - wanted.count)).first { text[$0] == wanted[0] && text[$0...].starts(with: wanted) }
    }

    // MARK: - Writing

    /// A file without protection: Keyturn seals what it keeps.
    static func write(
        _ fields: UnsafeRawBufferPointer, publicKey: SSHPublicKey, comment: String
    ) throws(SSHKeyFault) -> Secret {
        let checkWord = try keyFault { () throws(CryptographyFault) in
            try SecureRandom.bytes(count: 4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        let comment = Array(comment.utf8.prefix(256))
        let section = Secret(capacity: fields.count + comment.count + 32) { place in
            var writer = SSHWireWriter(place)
            writer.word(checkWord)
            writer.word(checkWord)
            writer.raw(fields)
            writer.string(comment)
            var filling: UInt8 = 1
            while writer.count % 8 != 0 && !writer.isFull {
                writer.byte(filling)
                filling += 1
            }
            return writer.count
        }
        let body = Secret(capacity: section.count + publicKey.blob.count + 128) { place in
            var writer = SSHWireWriter(place)
            magic.withUnsafeBytes { writer.raw($0) }
            writer.string("none")
            writer.string("none")
            writer.string("")
            writer.word(1)
            writer.string(publicKey.blob)
            section.withBytes { writer.string($0) }
            return writer.count
        }
        return Secret(capacity: Base64Text.encodedCount(body.count) * 2 + 128) { place in
            var writer = SSHWireWriter(place)
            begin.withUnsafeBytes { writer.raw($0) }
            var column = 0
            writer.byte(0x0A)
            body.withBytes { body in
                Base64Text.encode(body) { character in
                    if column == lineLength {
                        writer.byte(0x0A)
                        column = 0
                    }
                    writer.byte(character)
                    column += 1
                }
            }
            writer.byte(0x0A)
            end.withUnsafeBytes { writer.raw($0) }
            writer.byte(0x0A)
            return writer.count
        }
    }
}

/// A cipher that protects a private key file: `ssh-keygen -Z`, the default being aes256-ctr.
struct SSHKeyCipher {
    private let name: String
    private let libraryName: String
    private let keyByteCount: Int

    private static let all = [
        SSHKeyCipher(name: "aes256-ctr", libraryName: "AES-256-CTR", keyByteCount: 32),
        SSHKeyCipher(name: "aes192-ctr", libraryName: "AES-192-CTR", keyByteCount: 24),
        SSHKeyCipher(name: "aes128-ctr", libraryName: "AES-128-CTR", keyByteCount: 16),
        SSHKeyCipher(name: "aes256-cbc", libraryName: "AES-256-CBC", keyByteCount: 32),
        SSHKeyCipher(name: "aes192-cbc", libraryName: "AES-192-CBC", keyByteCount: 24),
        SSHKeyCipher(name: "aes128-cbc", libraryName: "AES-128-CBC", keyByteCount: 16),
    ]

    static func named(_ name: String) -> SSHKeyCipher? { all.first { $0.name == name } }

    /// Derives key and vector from the passphrase and decrypts. Whether it was the right one is for the caller to see.
    func open(
        _ section: UnsafeRawBufferPointer, options: UnsafeRawBufferPointer, passphrase: UnsafeRawBufferPointer
    ) throws(SSHKeyFault) -> Secret {
        var reader = SSHWireReader(options)
        guard let salt = reader.string(), !salt.isEmpty, let rounds = reader.word(), rounds > 0, section.count % 16 == 0,
            section.count > 0, salt.count <= 1024
        else { throw .damaged }
        guard rounds <= BcryptPBKDF.mostRounds else { throw .unsupported }
        return try keyFault { () throws(CryptographyFault) in
            let derived = try BcryptPBKDF.derive(from: passphrase, salt: salt, rounds: rounds, count: keyByteCount + 16)
            return try derived.withBytes { (derived) throws(CryptographyFault) in try decrypt(section, derived) }
        }
    }

    private func decrypt(
        _ section: UnsafeRawBufferPointer, _ derived: UnsafeRawBufferPointer
    ) throws(CryptographyFault) -> Secret {
        guard let context = EVP_CIPHER_CTX_new() else { throw libraryFault("EVP_CIPHER_CTX_new") }
        defer { EVP_CIPHER_CTX_free(context) }
        let algorithm = EVP_CIPHER_fetch(nil, libraryName, nil)
        guard let algorithm else { throw libraryFault("EVP_CIPHER_fetch") }
        defer { EVP_CIPHER_free(algorithm) }
        let key = derived.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let vector = key.map { $0 + keyByteCount }
        try check(EVP_DecryptInit_ex(context, algorithm, nil, key, vector), "EVP_DecryptInit_ex")
        try check(EVP_CIPHER_CTX_set_padding(context, 0), "EVP_CIPHER_CTX_set_padding")
        return try Secret(capacity: section.count + 16) { (place) throws(CryptographyFault) in
            var count: Int32 = 0
            try check(
                EVP_DecryptUpdate(
                    context, place.baseAddress?.assumingMemoryBound(to: UInt8.self), &count,
                    section.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(clamping: section.count)),
                "EVP_DecryptUpdate")
            return Int(count)
        }
    }
}
