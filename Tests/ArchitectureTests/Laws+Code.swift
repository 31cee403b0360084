/// Laws about lines of code: what must not be written, and what must not be written without a reason.
enum CodeLaw {
    /// Where a function may be named `reveal…`: it returns plaintext.
    static let revealing: Set<String> = ["Vault", "API", "Access", "Client", "keyturn"]

    static func violations(in source: SwiftSource) -> [Violation] {
        source.code.indices.flatMap { index -> [Violation] in
            let code = source.code[index]
            var reasons = traps(code) + names(code, in: source)
            if code.contains("public") || code.contains("open "), source.target != "Client", !source.isTest,
                code.contains(
                    /\b(?:public|open)\s+(?:\w+\s+)*(?:func|var|let|struct|class|enum|protocol|init|actor|typealias|import)\b/)
            {
                reasons.append("only Client is public; use package")
            }
            if code.contains("@unchecked Sendable") || code.contains("nonisolated(unsafe)"), !isExplained(source, index) {
                reasons.append("say in a comment why this is safe without the compiler's checks")
            }
            if code.contains("reveal"), code.contains(/\bfunc\s+reveal/), !revealing.contains(source.target) {
                reasons.append("\(source.target) reveals nothing")
            }
            return reasons.map { Violation(path: source.path, line: index + 1, reason: $0) }
        }
    }

    // Looked for first, since a search for text is quick and one for a pattern is not.
    private static let endings = ["fatalError(", "precondition", "assertionFailure("]
    private static let writings = ["print(", "Print(", "dump(", "NSLog("]
    private static let kinds = ["class ", "struct ", "enum ", "actor ", "protocol ", "typealias "]

    /// What ends the process, or skips a check of the language.
    private static func traps(_ code: String) -> [String] {
        var reasons: [String] = []
        if code.contains("try!") { reasons.append("try! ends the server") }
        if code.contains("as!") && code.contains(/\bas!/) { reasons.append("as! ends the server") }
        if endings.contains(where: code.contains),
            code.contains(/\b(?:fatalError|precondition|preconditionFailure|assertionFailure)\(/)
        {
            reasons.append("throw instead of ending the server")
        }
        if writings.contains(where: code.contains), code.contains(/(?:^|[^.\w])(?:print|debugPrint|dump|NSLog)\(/),
            !code.contains(/func\s+(?:print|dump)\(/)
        {
            reasons.append("write to the log, or to a descriptor on purpose; print writes anywhere")
        }
        if isForceUnwrapping(code) { reasons.append("force-unwrap ends the server") }
        return reasons
    }

    /// An exclamation mark right after an expression, which is neither `!=` nor `!==` nor a prefix.
    static func isForceUnwrapping(_ code: String) -> Bool {
        let bytes = Array(code.utf8)
        return bytes.indices.contains { index in
            guard bytes[index] == UInt8(ascii: "!"), index > 0 else { return false }
            let before = bytes[index - 1]
            let isExpression =
                before == UInt8(ascii: ")") || before == UInt8(ascii: "]") || before == UInt8(ascii: "}")
                || before == UInt8(ascii: "?")
                || before == UInt8(ascii: "_") || before == UInt8(ascii: "`") || before == UInt8(ascii: "\"") || before >= 0x80
                || (before | 0x20 >= UInt8(ascii: "a") && before | 0x20 <= UInt8(ascii: "z"))
                || (before >= UInt8(ascii: "0") && before <= UInt8(ascii: "9"))
            guard isExpression else { return false }
            let after = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: " ")
            if after == UInt8(ascii: "=") { return false }
            // `try!` and `as!` have laws of their own.
            let word = bytes[..<index].reversed().prefix { ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")) }
            return !["yrt", "sa"].contains(String(decoding: Array(word), as: UTF8.self))
        }
    }

    private static func names(_ code: String, in source: SwiftSource) -> [String] {
        guard !source.isTest, kinds.contains(where: code.contains),
            let found = code.firstMatch(of: /\b(?:class|struct|enum|actor|protocol|typealias)\s+(\w+)/)
        else {
            return []
        }
        let name = String(found.1)
        var reasons: [String] = []
        // A nested type hides nothing, unless it has the name of its own module.
        let isOutermost = !code.hasPrefix(" ")
        if name == source.target || (isOutermost && SourceTree.targets.contains(name)) {
            reasons.append("no type is named like the target \(name)")
        }
        // Nested errors and results of a type are fine as long as they are not these very words.
        if ["Task", "Result", "Error", "Clock", "Duration"].contains(name) {
            reasons.append("\(name) is a name of the language")
        }
        if name.contains(/(?:Manager|Helper|Helpers|Util|Utils|Utility|Base|Impl)$/) {
            reasons.append("\(name) does not say what it is")
        }
        return reasons
    }

    /// Whether a comment stands on the line or right above it (attributes and modifiers between are fine) and gives a reason.
    private static func isExplained(_ source: SwiftSource, _ index: Int) -> Bool {
        let reason = /(?i)unchecked|safe|thread|lock|mutex|under|confined|immutable|constant|never|only|belongs|owner/
        func comment(_ line: Int) -> Substring? {
            source.lines[line].firstRange(of: "//").map { source.lines[line][$0.upperBound...] }
        }
        if let own = comment(index), own.contains(reason) { return true }
        var line = index - 1
        while line >= 0 {
            let code = source.code[line].filter { !$0.isWhitespace }
            guard let text = comment(line) else {
                guard code.hasPrefix("@") || code.hasSuffix("=") else { return false }
                line -= 1
                continue
            }
            if text.contains(reason) { return true }
            guard code.isEmpty else { return false }
            line -= 1
        }
        return false
    }
}
