package import Cryptography

/// What a target said, made fit for a log and a screen: no control characters, at most 500 characters, no secret.
package enum RemoteWords {
    package static let limit = 500
    /// So many bytes in a row of a secret are taken for the secret, also where the rest was cut off or folded.
    private static let window = 6

    /// - Parameter secret: what was sent, masked wherever six or more bytes of it in a row come back.
    package static func of(_ bytes: some Collection<UInt8>, hiding secret: borrowing Secret) -> String {
        var text = Array(bytes.prefix(limit * 8))
        secret.withBytes { mask($0, in: &text) }
        return of(text)
    }

    package static func of(_ bytes: some Collection<UInt8>) -> String {
        var words = String.UnicodeScalarView()
        for scalar in String(decoding: bytes.prefix(limit * 8), as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
                if let last = words.last, last != " " { words.append(" ") }
            default: words.append(scalar)
            }
            if words.count > limit { break }
        }
        let kept = words.prefix(limit)
        return String(String.UnicodeScalarView(kept.last == " " ? kept.dropLast() : kept))
    }

    /// Overwrites every part of the text that is also part of the secret.
    static func mask(_ secret: UnsafeRawBufferPointer, in text: inout [UInt8]) {
        let width = min(window, secret.count)
        guard width > 0, text.count >= width else { return }
        var isSecret = [Bool](repeating: false, count: text.count)
        for place in 0...(text.count - width) {
            for start in 0...(secret.count - width) where text[place] == secret[start] {
                if (1..<width).allSatisfy({ text[place + $0] == secret[start + $0] }) {
                    for index in place..<(place + width) { isSecret[index] = true }
                    break
                }
            }
        }
        for index in text.indices where isSecret[index] { text[index] = UInt8(ascii: "*") }
    }
}
