internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
internal import TestSupport
import Testing

@Suite("Accounts that an application's filter shows")
struct AccountScopeTests {
    @Test("the list and the count show exactly what the filter of the hot path lets through")
    func fuzzParity() async throws {
        let vault = try await TestVault.make()
        let world = try await World(vault)
        var random = SeededGenerator(seed: 11)
        var shown = 0
        for round in 0..<Fuzzer.rounds(60) {
            let filter = world.filter(&random)
            let made = try await vault.makeApplication("a\(round)", accounts: filter)
            #expect(made.status == 201, "\(filter): \(made.text)")
            let compiled = try AccountFilter(text: filter).compiled { Array(world.tree.descendants(of: $0)) }
            let expected = world.facts.filter { compiled.matches($0) }.map(\.account.description).sorted()
            let id = try #require(try made.string("id"))
            let list = try await vault.send(.get, "/api/v1/accounts/accounts/?integrationapplication=" + id)
            #expect(try list.column("id").sorted() == expected, "\(filter)")
            #expect(try made.int("accounts_amount") == Int64(expected.count), "\(filter)")
            shown += expected.count
        }
        #expect(shown > 20)
    }
}

/// A few accounts that differ in everything that filters look at.
private struct World {
    let facts: [AccountFacts]
    let tree: NodeTree
    private let nodes: [NodeID]
    private let labels: [LabelID]

    init(_ vault: TestVault) async throws {
        let root = try #require(try await vault.send(.get, "/api/v1/assets/nodes/").column("id").first)
        var nodes: [NodeID] = []
        for parent in [root, root, nil] {
            let above = parent ?? nodes.first?.description ?? root
            let made = try await vault.send(.post, "/api/v1/assets/nodes/\(above)/children/", #"{"value":"n\#(nodes.count)"}"#)
            nodes.append(try #require(NodeID(made.string("id") ?? "")))
        }
        let labels = [try await vault.makeLabel("env", "prod"), try await vault.makeLabel("env", "test")]
        (self.nodes, self.labels) = (nodes, labels)
        tree = try await vault.backend.database.read { db in NodeTree(try Nodes.all(in: .default, on: db).map(\.value)) }
        let assets = [
            ("web-1", "10.0.0.1", 1, [nodes[0]]), ("Web-2", "10.0.1.2", 5, [nodes[1]]), ("db%_", "192.168.0.9", 17, [nodes[2]]),
            ("schön", "fe80::1", 12, []),
        ]
        for (place, asset) in assets.enumerated() {
            let id = try await vault.makeAsset(asset.0, address: asset.1, platform: asset.2, nodes: asset.3)
            for (number, name) in ["root", "Root", "r", "app_root", "ö"].enumerated() {
                let label = (place + number) % 3
                let attached = label == 2 ? labels.map { "\"\($0)\"" }.joined(separator: ",") : "\"\(labels[label])\""
                let more = #","privileged":\#(number == 0),"is_active":\#(number != 3),"labels":[\#(attached)]"#
                let type = number == 4 ? #","secret_type":"token""# : ""
                try await vault.makeAccount(name, on: id, more: more + type)
            }
        }
        facts = try await vault.backend.database.read { db in
            try Assets.list(ListRequest(), in: .default, on: db).rows.flatMap { asset in
                try Accounts.all(of: asset.value.id, in: .default, on: db).map { AccountFacts($0.value, on: asset.value) }
            }
        }
    }

    func filter(_ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return #"{"type":"all"}"#
        case 1:
            let ids = facts.shuffled(using: &random).prefix(3).map { "\"\($0.account)\"" }
            return #"{"type":"ids","ids":[\#(ids.joined(separator: ","))]}"#
        default:
            let rules = (0..<Int.random(in: 1...2, using: &random)).map { _ in rule(&random) }
            return #"{"type":"attrs","attrs":[\#(rules.joined(separator: ","))]}"#
        }
    }

    private func rule(_ random: inout SeededGenerator) -> String {
        func pick(_ values: [String]) -> String { values.randomElement(using: &random) ?? "" }
        let flag = Bool.random(using: &random)
        let (name, match, value): (String, String, String)
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            name = pick(["name", "username", "asset_name", "address"])
            match = pick(["exact", "not", "contains", "startswith", "endswith"])
            value = "\"" + pick(["root", "Root", "r", "oo", "_", "%", "web", "10.0.", "ö", "sch", "1"]) + "\""
        case 9:
            (name, match) = (pick(["name", "username", "asset_name"]), pick(["gte", "lte", "gt", "lt"]))
            value = "\"" + pick(["root", "Root", "r", "s", "web-1", "ö", "", "ro\u{1F600}"]) + "\""
        case 2: (name, match, value) = (pick(["username", "asset_name"]), "in", #"["root","web-1","ö"]"#)
        case 3: (name, match, value) = (pick(["privileged", "is_active"]), pick(["exact", "not"]), flag ? "true" : "false")
        case 4: (name, match, value) = ("secret_type", pick(["exact", "not"]), pick([#""token""#, #""password""#]))
        case 5:
            (name, match) = (pick(["category", "type"]), pick(["exact", "not"]))
            value = name == "category" ? pick([#""host""#, #""database""#]) : pick([#""linux""#, #""mysql""#])
        case 6: (name, match, value) = ("address", "ip_in", pick([#""10.0.0.0/16""#, #"["10.0.0.1-10.0.0.9","fe80::/10"]"#]))
        case 7:
            let chosen = labels.map { "\"\($0)\"" }.shuffled(using: &random).prefix(flag ? 1 : 2)
            (name, match, value) = ("labels", pick(["m2m", "m2m_all"]), "[\(chosen.joined(separator: ","))]")
        default:
            let chosen = nodes.map { "\"\($0)\"" }.shuffled(using: &random).prefix(flag ? 1 : 2)
            (name, match, value) = ("nodes", pick(["m2m", "m2m_all"]), "[\(chosen.joined(separator: ","))]")
        }
        return #"{"name":"\#(name)","match":"\#(match)","value":\#(value)}"#
    }
}
