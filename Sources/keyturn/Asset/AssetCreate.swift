internal import ArgumentParser
internal import Client
internal import JSON

struct AssetCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Register an asset.")

    @Argument(help: "A name that no other asset has.")
    var name: String

    @Option(help: "Its host name or address.")
    var address: String

    @Option(help: "Its platform, by name or number.")
    var platform = "Linux"

    @Option(
        name: .customLong("protocol"), parsing: .singleValue,
        help: ArgumentHelp("A way in with its port; may be repeated.", valueName: "name:port"))
    var protocols: [ProtocolArgument] = []

    @Option(
        name: .customLong("node"), parsing: .singleValue,
        help: ArgumentHelp("A node to put it in; may be repeated.", valueName: "id"))
    var nodes: [String] = []

    @Option(help: ArgumentHelp("The zone by whose gateways it is reached.", valueName: "name or id"))
    var zone: String?

    @Option(help: "Anything worth knowing.")
    var comment: String?

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let platform = try await client.find(.platforms, platform)
        guard let platformID = platform["id"]?.int else {
            throw ClientError(.unexpectedAnswer, "the platform has no number")
        }
        let zoneID = try await zoneID(client)
        let made = try await client.post(path(of: platform)) { body in
            body.field("name", name)
            body.field("address", address)
            body.field("platform", platformID)
            if !nodes.isEmpty { body.field("nodes", nodes) }
            if let zoneID { body.field("zone", zoneID) }
            if let comment { body.field("comment", comment) }
            // None given means those of the platform, which is not the same as none.
            guard !protocols.isEmpty else { return }
            body.array("protocols") { list in
                for entry in protocols {
                    list.object {
                        $0.field("name", entry.name)
                        $0.field("port", entry.port)
                    }
                }
            }
        }
        options.say(made)
    }

    private func zoneID(_ client: AdminClient) async throws -> String? {
        guard let zone else { return nil }
        guard let id = try await client.find(.zones, zone).identifier else {
            throw ClientError(.unexpectedAnswer, "the zone has no id")
        }
        return id
    }

    /// Assets are made where their category lives.
    private func path(of platform: JSONValue) -> String {
        let category = platform["category"]
        return switch category?["value"]?.string ?? category?.string {
        case "host": "/api/v1/assets/hosts/"
        case "database": "/api/v1/assets/databases/"
        case "device": "/api/v1/assets/devices/"
        default: Resource.assets.path
        }
    }
}

/// `ssh:22`: a protocol and its port.
struct ProtocolArgument: ExpressibleByArgument, Equatable {
    let name: String
    let port: Int

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let port = Int(parts[1]), (1...65_535).contains(port) else { return nil }
        name = String(parts[0])
        self.port = port
    }
}
