/// Laws about files and folders.
enum TreeLaw {
    static let longest = 500

    static func tooLong(_ sources: [SwiftSource]) -> [Violation] {
        sources.filter { $0.lines.count > longest }
            .map { Violation(path: $0.path, line: $0.lines.count, reason: "longer than \(longest) lines") }
    }

    /// Words that promise work instead of doing it. Put together, so that this file does not contain them.
    static let promises = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]

    static func promised(_ path: String, _ text: String) -> [Violation] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
            promises.filter { promise in
                line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains { $0 == promise }
            }.map { Violation(path: path, line: number + 1, reason: "'\($0)': do it, or describe it in the limits") }
        }
    }

    /// A migration is a file `M0001_Name.swift` (or `A0001_…`) that declares `m0001`; another file lists it.
    static func unregisteredMigrations(_ sources: [SwiftSource]) -> [Violation] {
        sources.compactMap { source in
            guard source.path.contains("/Migrations/"), let found = source.name.firstMatch(of: /^([A-Z]\d{4})_\w+\.swift$/) else {
                return nil
            }
            let step = found.1.lowercased()
            let isListed = sources.contains { other in
                other.path != source.path && other.code.contains { $0.contains(".\(step)") }
            }
            return isListed ? nil : Violation(path: source.path, line: 1, reason: "no list of migrations names .\(step)")
        }
    }

    /// `make fuzz` finds its tests by name: what counts its rounds by the fuzzer is called so, or its suite is.
    static func unnamedFuzz(_ source: SwiftSource) -> [Violation] {
        guard source.isTest, source.target != "TestSupport", !source.name.contains("Fuzz") else { return [] }
        var test = ""
        return source.code.indices.compactMap { index in
            if let found = source.code[index].firstMatch(of: /\bfunc (\w+)/) { test = String(found.1) }
            guard source.code[index].contains("Fuzzer.rounds("), !test.contains("fuzz") else { return nil }
            return Violation(path: source.path, line: index + 1, reason: "'make fuzz' does not find the test '\(test)'")
        }
    }

    /// SQL is written in Storage, and what is said to databases that Keyturn works on in Connectors.
    static func statements(_ source: SwiftSource) -> [Violation] {
        guard !["Storage", "Connectors"].contains(source.target), !source.isTest else { return [] }
        let statement =
            /"\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(?:TABLE|INDEX)\s|PRAGMA\s|ALTER\s+TABLE\s)/
        return source.lines.indices.filter { source.lines[$0].contains(statement) }
            .map { Violation(path: source.path, line: $0 + 1, reason: "SQL belongs in Storage") }
    }

    /// A fetch has no task of its own and waits for nothing on its thread.
    static func waiting(_ source: SwiftSource) -> [Violation] {
        guard source.path.hasPrefix("Sources/API/Applications/") else { return [] }
        let waits = /\b(?:await|Task\s*[.({]|DispatchQueue|Thread)\b/
        return source.code.indices.filter { source.code[$0].contains(waits) }
            .map { Violation(path: source.path, line: $0 + 1, reason: "the hot path is synchronous") }
    }
}
