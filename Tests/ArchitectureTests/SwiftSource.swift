/// One Swift file, with its text and with its code alone.
struct SwiftSource: Sendable {
    /// From the root of the package, for example `Sources/Domain/Account.swift`.
    let path: String
    let text: String
    /// The text with comments and the contents of string literals blanked, line by line as before. Interpolated code stays.
    let code: [String]
    let lines: [String]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = Self.split(Array(text.utf8))
        code = Self.split(CodeScanner.codeAlone(Array(text.utf8)))
    }

    /// `Domain` for `Sources/Domain/…`, `DomainTests` for `Tests/DomainTests/…`.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var isTest: Bool { path.hasPrefix("Tests/") }
    var name: String { path.split(separator: "/").last.map(String.init) ?? "" }

    private static func split(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The modules that it imports, and with which access.
    var imports: [(line: Int, module: String, access: String)] {
        code.indices.compactMap { index in
            guard code[index].contains("import "), let found = code[index].firstMatch(of: Self.importing) else { return nil }
            return (index + 1, String(found.module), found.access.map { $0.trimming(" ") } ?? "")
        }
    }

    nonisolated(unsafe) private static let importing =
        // A regular expression is a constant that is only read.
        /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?<access>(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|let|var|typealias|actor)\s+)?(?<module>\w+)/
}

extension Substring {
    func trimming(_ character: Character) -> String {
        var rest = self
        while rest.last == character { rest.removeLast() }
        while rest.first == character { rest.removeFirst() }
        return String(rest)
    }
}

/// A place where a law is broken.
struct Violation: Sendable, Hashable, CustomStringConvertible {
    let path: String
    let line: Int
    let reason: String

    var description: String { "\(path):\(line): \(reason)" }
}

extension [Violation] {
    var list: String { map(\.description).joined(separator: "\n") }
}
