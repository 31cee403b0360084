package import Cryptography

/// What a target said, made fit to be kept: no secret that was sent to it, nothing that looks like a hash, no control characters.
package struct TargetWords: Sendable {
    private var bytes: [UInt8]

    /// More than this is cut before it is looked at.
    private static let longestInput = RemoteWords.limit * 8
    private static let longest = RemoteWords.limit
    /// Runs of this many characters of base64 or hex are not words: verifiers, tokens.
    private static let longestRun = 32

    package init(_ words: String) {
        bytes = Array(words.utf8.prefix(Self.longestInput))
    }

    /// Without the secret, wherever a part of it stands in the words.
    package func hiding(_ secret: borrowing Secret) -> TargetWords {
        var copy = self
        secret.withBytes { RemoteWords.mask($0, in: &copy.bytes) }
        return copy
    }

    /// At most 500 characters, all of them printable.
    package var text: String {
        var output = ""
        var count = 0
        var run = ""
        func isRunning(_ scalar: Unicode.Scalar) -> Bool {
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "+/=$:*#".unicodeScalars.contains(scalar))
        }
        func flush() {
            let isWord = run.unicodeScalars.count < Self.longestRun
            output += isWord ? run : "…"
            count += isWord ? run.unicodeScalars.count : 1
            run = ""
        }
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            guard count < Self.longest else { break }
            if isRunning(scalar) {
                run.unicodeScalars.append(scalar)
                continue
            }
            flush()
            output.unicodeScalars.append(Self.isPrintable(scalar) ? scalar : " ")
            count += 1
        }
        flush()
        let words = output.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        return String(words.prefix(Self.longest))
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
