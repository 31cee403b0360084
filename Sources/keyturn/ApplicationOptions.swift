internal import ArgumentParser
internal import Client

/// Where an application's key comes from.
struct ApplicationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A private JSON file with url, key_id, key_secret, ca and org.", valueName: "file"))
    var credentials: String?

    func client() throws -> KeyturnClient {
        KeyturnClient(try credentials.map { path throws(ClientError) in try Credentials.file(path) } ?? .environment())
    }
}
