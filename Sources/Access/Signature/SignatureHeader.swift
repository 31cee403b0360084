package import Domain

/// `Authorization: Signature keyId="…",algorithm="…",headers="…",signature="…"` (draft-cavage-http-signatures, as JumpServer's clients send it).
///
/// A view into the header's bytes: valid only as long as they are. Parameters come in any order; unknown ones are skipped.
package struct SignatureHeader {
    package static let maximumBytes = 4_096
    package static let maximumNames = 32
    static let maximumParameters = 16

    /// Text of the key id, at most 256 bytes.
    package let keyID: UnsafeRawBufferPointer
    /// The list of signed headers as sent: names with spaces between.
    package let names: SignedNames
    package let mac: SignatureMAC

    package init(_ text: UnsafeRawBufferPointer) throws(SignatureFault) {
        guard text.count <= Self.maximumBytes else { throw .tooLong }
        var scanner = ParameterScanner(text)
        guard scanner.scheme("signature") else { throw .notSignature }
        var known = KnownParameters()
        var count = 0
        while let parameter = try scanner.next() {
            count += 1
            guard count <= Self.maximumParameters else { throw .malformed }
            try known.take(parameter)
        }
        guard let keyID = known.keyID, let algorithm = known.algorithm, let signature = known.signature else {
            throw .missingParameter
        }
        guard algorithm.equalsIgnoringCase("hmac-sha256") else { throw .unsupportedAlgorithm }
        guard (1...256).contains(keyID.count) else { throw .malformed }
        // Without a list only `date` is signed, which is not enough.
        guard let list = known.headers else { throw .requiredHeaderNotSigned }
        let names = SignedNames(list)
        try names.check()
        guard let mac = SignatureMAC(base64: signature) else { throw .badSignature }
        self.keyID = keyID
        self.names = names
        self.mac = mac
    }

    /// The credential that the key id names; nil if it is no id.
    package var credential: CredentialID? { CredentialID(utf8: keyID) }
}

/// The names of the signed headers, in the order in which they are signed.
package struct SignedNames: Sequence {
    private let list: UnsafeRawBufferPointer

    init(_ list: UnsafeRawBufferPointer) {
        self.list = list
    }

    package func makeIterator() -> Iterator { Iterator(list: list) }

    package struct Iterator: IteratorProtocol {
        let list: UnsafeRawBufferPointer
        private var position = 0

        init(list: UnsafeRawBufferPointer) {
            self.list = list
        }

        package mutating func next() -> UnsafeRawBufferPointer? {
            while position < list.count, list[position] == 0x20 { position += 1 }
            let start = position
            while position < list.count, list[position] != 0x20 { position += 1 }
            return position > start ? UnsafeRawBufferPointer(rebasing: list[start..<position]) : nil
        }
    }

    package func contains(_ name: StaticString) -> Bool {
        contains { $0.equalsIgnoringCase(name) }
    }

    func check() throws(SignatureFault) {
        var count = 0
        var hasTarget = false
        var hasDate = false
        for name in self {
            count += 1
            guard count <= SignatureHeader.maximumNames else { throw .tooManyHeaders }
            if name.equalsIgnoringCase("(request-target)") { hasTarget = true }
            if name.equalsIgnoringCase("date") { hasDate = true }
        }
        guard hasTarget, hasDate else { throw .requiredHeaderNotSigned }
    }
}

/// The parameters that mean something, each at most once.
private struct KnownParameters {
    var keyID: UnsafeRawBufferPointer?
    var algorithm: UnsafeRawBufferPointer?
    var headers: UnsafeRawBufferPointer?
    var signature: UnsafeRawBufferPointer?

    mutating func take(_ parameter: ParameterScanner.Parameter) throws(SignatureFault) {
        switch parameter.name {
        case let name where name.equalsIgnoringCase("keyid"): keyID = try value(parameter, instead: keyID)
        case let name where name.equalsIgnoringCase("algorithm"): algorithm = try value(parameter, instead: algorithm)
        case let name where name.equalsIgnoringCase("headers"): headers = try value(parameter, instead: headers)
        case let name where name.equalsIgnoringCase("signature"): signature = try value(parameter, instead: signature)
        default: break
        }
    }

    private func value(
        _ parameter: ParameterScanner.Parameter, instead former: UnsafeRawBufferPointer?
    ) throws(SignatureFault) -> UnsafeRawBufferPointer {
        guard former == nil else { throw .duplicateParameter }
        // None of these values has anything to escape.
        guard parameter.isQuoted, !parameter.isEscaped else { throw .malformed }
        return parameter.value
    }
}
