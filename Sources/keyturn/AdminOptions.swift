internal import ArgumentParser
internal import Client
internal import Cryptography
internal import Glibc
internal import JSON

/// What all commands of administrators share.
struct AdminOptions: ParsableArguments {
    @Flag(help: "Print JSON as the server gives it.")
    var json = false

    @Option(help: ArgumentHelp("The organization, by id or name.", valueName: "id"))
    var org: String?

    /// A client with the saved log-in.
    func client() throws -> AdminClient {
        AdminClient(try Session.load(from: try SessionDirectory.path()), organization: org)
    }

    /// Finds the thing, asks, and deletes it.
    func delete(_ resource: Resource, _ nameOrID: String, _ question: String, _ isConfirmed: Bool) async throws {
        let client = try client()
        guard let id = try await client.find(resource, nameOrID).identifier else {
            throw ClientError(.unexpectedAnswer, "the \(resource.noun) has no id")
        }
        try Prompt.confirm(question, isGiven: isConfirmed)
        try await client.delete(resource.item(id))
        sayDeleted(id)
    }

    /// The server answers a deletion with nothing; scripts get an object like everywhere.
    func sayDeleted(_ id: String) {
        guard json else { return }
        Terminal.say {
            $0.field("id", id)
            $0.field("deleted", true)
        }
    }

    /// One thing as JSON or, for people, a line a field.
    func say(_ value: JSONValue) {
        if json { Terminal.say(json: value) } else { Table.say(value) }
    }
}

/// Which page of a list to show.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only those that have this text in a name or comment.", valueName: "text"))
    var search: String?

    @Option(help: ArgumentHelp("How many to show.", valueName: "n"))
    var limit = 100

    @Option(help: ArgumentHelp("How many to skip.", valueName: "n"))
    var offset = 0

    func validate() throws {
        guard (1...1000).contains(limit), offset >= 0 else { throw ValidationError("--limit is 1 to 1000, --offset 0 or more.") }
    }

    /// Fetches the page and prints it, as an array or as a table.
    func say(
        _ resource: Resource, columns: [String], _ options: AdminOptions, query: [(name: String, value: String)] = []
    ) async throws {
        let search = search.map { [(name: "search", value: $0)] } ?? []
        let page = try await options.client().list(resource, limit: limit, offset: offset, query: search + query)
        if page.damaged > 0 { Terminal.complain("\(page.damaged) damaged rows are left out; the audit names them") }
        guard options.json else { return Table(columns: columns).say(page) }
        Terminal.say(array: page.rows)
    }
}

/// Where the log-in is kept: `KEYTURN_CONFIG`, else `~/.config/keyturn`.
enum SessionDirectory {
    static func path() throws -> String {
        if let given = getenv("KEYTURN_CONFIG"), given.pointee != 0 { return String(cString: given) }
        guard let home = getenv("HOME"), home.pointee != 0 else { throw Failure("neither KEYTURN_CONFIG nor HOME is set") }
        return String(cString: home) + "/.config/keyturn"
    }
}

extension AdminClient {
    /// A call that the server may only grant after the password was given again, which is asked for then.
    func getConfirmed(_ path: String) async throws -> JSONValue {
        do throws(ClientError) {
            return try await get(path)
        } catch {
            guard error.reason == .confirmationRequired else { throw error }
            try await confirm(password: Prompt.secret("Password of \(session.username), to confirm"))
            return try await get(path)
        }
    }
}
