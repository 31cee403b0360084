import Foundation

/// The help that a program prints for one of its commands.
package struct HelpText: Sendable {
    /// Words behind the program's name; none for the program itself.
    package let command: [String]
    package let text: String

    package init(command: [String], text: String) {
        self.command = command
        self.text = text
    }

    /// The commands that it lists, in its order.
    package var subcommands: [String] {
        guard let list = text.split(separator: "SUBCOMMANDS:\n", maxSplits: 1).dropFirst().first else { return [] }
        return list.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }.compactMap { line in
            // What goes on from the line before is indented further.
            guard line.hasPrefix("  "), !line.hasPrefix("   ") else { return nil }
            return String(line.dropFirst(2).prefix { $0 != " " })
        }
    }

    /// Whether a line of a document names the command behind its program: `keyturn app list | credential list`.
    package func stands(in document: String, program: String) throws -> Bool {
        let group = "\(program) \(command.first ?? "")"
        let rest = command.dropFirst().joined(separator: " ")
        return try String(contentsOfFile: document, encoding: .utf8).split(separator: "\n").contains { line in
            guard let place = line.firstRange(of: group) else { return false }
            return rest.isEmpty || line[place.upperBound...].contains(rest)
        }
    }

    /// The help of a program and of all its commands, those of a group behind it.
    package static func all(
        _ command: [String] = [], _ ask: ([String]) async throws -> String
    ) async throws -> [HelpText] {
        let own = HelpText(command: command, text: try await ask(command + ["--help"]))
        var all = [own]
        for name in own.subcommands { all += try await self.all(command + [name], ask) }
        return all
    }
}
