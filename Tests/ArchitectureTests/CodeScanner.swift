/// Tells code from comments and strings: enough of Swift's lexical structure for the laws, and not more.
///
/// Regular expression literals are taken for code; they contain nothing that the laws look for, or the law says so.
struct CodeScanner {
    private let bytes: [UInt8]
    private var output: [UInt8]
    private var position = 0

    /// The same number of bytes and lines, with blanks for comments and for what stands between quotes.
    static func codeAlone(_ bytes: [UInt8]) -> [UInt8] {
        var scanner = CodeScanner(bytes: bytes)
        scanner.code(until: nil)
        return scanner.output
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        output = bytes
    }

    private func byte(_ ahead: Int = 0) -> UInt8? {
        let index = position + ahead
        return index < bytes.count ? bytes[index] : nil
    }

    private func matches(_ text: StaticString, _ ahead: Int = 0) -> Bool {
        text.withUTF8Buffer { wanted in
            wanted.indices.allSatisfy { byte(ahead + $0) == wanted[$0] }
        }
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] != UInt8(ascii: "\n") { output[position] = UInt8(ascii: " ") }
            position += 1
        }
    }

    /// Code up to the end, or up to the parenthesis that ends an interpolation.
    private mutating func code(until closing: UInt8?) {
        var depth = 0
        while let current = byte() {
            if matches("//") {
                while let next = byte(), next != UInt8(ascii: "\n") { blank() }
            } else if matches("/*") {
                blockComment()
            } else if let hashes = stringStart() {
                string(hashes: hashes)
            } else {
                if closing != nil {
                    if current == UInt8(ascii: "(") { depth += 1 }
                    if current == UInt8(ascii: ")") {
                        if depth == 0 { return }
                        depth -= 1
                    }
                }
                position += 1
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if matches("/*") {
                depth += 1
                blank(2)
            } else if matches("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < bytes.count
    }

    /// How many number signs stand before a quote here; nil when no string starts.
    private func stringStart() -> Int? {
        var hashes = 0
        while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
        return byte(hashes) == UInt8(ascii: "\"") ? hashes : nil
    }

    private mutating func string(hashes: Int) {
        position += hashes
        let quotes = matches("\"\"\"") ? 3 : 1
        position += quotes
        while let current = byte() {
            if current == UInt8(ascii: "\\") && follows(1, hashes) {
                if byte(1 + hashes) == UInt8(ascii: "(") {
                    blank(1 + hashes)
                    position += 1
                    code(until: UInt8(ascii: ")"))
                    position += 1
                } else {
                    blank(2 + hashes)
                }
            } else if isEnd(quotes, hashes) {
                position += quotes + hashes
                return
            } else if quotes == 1 && current == UInt8(ascii: "\n") {
                return  // not Swift; a test's bad snippet
            } else {
                blank()
            }
        }
    }

    private func follows(_ ahead: Int, _ hashes: Int) -> Bool {
        (0..<hashes).allSatisfy { byte(ahead + $0) == UInt8(ascii: "#") }
    }

    private func isEnd(_ quotes: Int, _ hashes: Int) -> Bool {
        (0..<quotes).allSatisfy { byte($0) == UInt8(ascii: "\"") } && follows(quotes, hashes)
    }
}
