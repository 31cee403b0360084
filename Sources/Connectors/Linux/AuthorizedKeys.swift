internal import Cryptography

/// The lines of an `authorized_keys` file (sshd(8)), changed without touching what is not meant.
struct AuthorizedKeys: Sendable {
    struct Line: Sendable {
        let text: [UInt8]
        /// Nil for comments, blank lines and whatever cannot be read.
        let key: SSHPublicKey?
        let comment: String

        init(_ text: [UInt8]) {
            self.text = text
            (key, comment) = Self.parsed(text) ?? (nil, "")
        }

        /// Options may stand before the key, with blanks inside quotes.
        private static func parsed(_ bytes: [UInt8]) -> (SSHPublicKey, String)? {
            let line = String(decoding: bytes, as: UTF8.self)
            var words: [Substring] = []
            var start: String.Index?
            var isQuoted = false
            var last: Character = " "
            for index in line.indices {
                let character = line[index]
                if character == "\"" && last != "\\" { isQuoted.toggle() }
                last = character
                if !isQuoted && (character == " " || character == "\t" || character == "\r") {
                    if let from = start { words.append(line[from..<index]) }
                    start = nil
                } else if start == nil {
                    start = index
                }
            }
            if let from = start { words.append(line[from...]) }
            // The key's name is the first word, or the one behind the options.
            for place in 0..<min(2, words.count) where place + 1 < words.count {
                if let key = SSHPublicKey(algorithm: words[place], base64: words[place + 1]) {
                    return (key, words.dropFirst(place + 2).joined(separator: " "))
                }
            }
            return nil
        }
    }

    private(set) var lines: [Line]

    init(_ bytes: [UInt8]) {
        lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Line(Array($0)) }
        if lines.last?.text.isEmpty == true { lines.removeLast() }
    }

    var bytes: [UInt8] { lines.flatMap { $0.text + [0x0A] } }

    func contains(_ key: SSHPublicKey) -> Bool { lines.contains { $0.key == key } }

    /// Adds a key, once.
    mutating func add(_ key: SSHPublicKey, comment: String) {
        guard !contains(key) else { return }
        lines.append(Line(Array(key.line(comment: comment).utf8)))
    }

    /// Removes every line that the closure names by its key and comment; lines without a key stay.
    mutating func remove(where isUnwanted: (SSHPublicKey, String) -> Bool) {
        lines.removeAll { line in line.key.map { isUnwanted($0, line.comment) } ?? false }
    }

    /// Leaves the lines of one key and nothing else.
    mutating func removeAll(besides key: SSHPublicKey) {
        lines.removeAll { $0.key != key }
    }
}
