/// Why a configuration cannot be used: everything that is wrong with it, each with its place.
package struct ConfigurationFault: Error, Sendable, Equatable, CustomStringConvertible {
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// Counted from 1; nil where there is none (a command-line option, the file as a whole).
        package let line: Int?
        /// The key with those above it, `limits.connections`; empty for the file as a whole.
        package let key: String
        package let message: String

        package init(line: Int?, key: String, _ message: String) {
            self.line = line
            self.key = key
            self.message = message
        }

        package var description: String {
            [line.map { "line \($0)" }, key.isEmpty ? nil : key, message].compactMap { $0 }.joined(separator: ": ")
        }
    }

    /// The file; nil for command-line options.
    package let file: String?
    package let problems: [Problem]

    package init(file: String?, _ problems: [Problem]) {
        self.file = file
        self.problems = problems
    }

    package var description: String {
        problems.map { (file.map { $0 + ": " } ?? "") + $0.description }.joined(separator: "\n")
    }
}
