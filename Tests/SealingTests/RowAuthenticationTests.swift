import Domain
import Sealing
import Storage
import Testing

/// One stored row and everything about it that an attacker might change.
struct RowCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Throws unless the row as it is verifies, and each changed one does not; returns the changes that went unnoticed.
    let unnoticed: @Sendable (KeySet) throws -> [String]

    init<Row: RowAuthenticated>(_ row: Row, _ changes: [(String, (inout Row) -> Void)], copies: [(String, Row)] = []) {
        testDescription = "\(Row.rowKind)"
        let changed = changes.map { name, change in
            var copy = row
            change(&copy)
            return (name, copy)
        }
        let all = changed + copies
        unnoticed = { keys in
            let workspace = try SealingWorkspace()
            let stored = try keys.authenticated(row, with: workspace)
            _ = try keys.verified(stored, with: workspace)
            return all.compactMap { name, copy in
                do {
                    _ = try keys.verified(Authenticated(value: copy, mac: stored.mac), with: workspace)
                    return name
                } catch {
                    guard case .rowNotAuthentic? = error as? SealingFault else { return "\(name): \(error)" }
                    return nil
                }
            }
        }
    }
}

@Suite("Row authentication")
struct RowAuthenticationTests {
    static let now = FoundVault.now
    static let other = FoundVault.other

    static let cases: [RowCase] = [
        RowCase(
            Organization(id: .default, name: "Default", dateCreated: now),
            [("name", { $0.name = "x" }), ("active", { $0.isActive = false })],
            copies: [("id", Organization(id: other, name: "Default", dateCreated: now))]),
        RowCase(
            node(), [("key", { $0.key = "1:9" }), ("value", { $0.value = "x" }), ("parent", { $0.parent = nil })],
            copies: [("id", node(id: NodeID(high: 1, low: 2))), ("organization", node(in: other))]),
        RowCase(
            label(), [("name", { $0.name = "x" }), ("value", { $0.value = "x" })],
            copies: [("id", label(id: LabelID(high: 1, low: 2))), ("organization", label(in: other))]),
        RowCase(
            asset(),
            [
                ("name", { $0.name = "x" }), ("address", { $0.address = "10.0.0.2" }),
                ("platform", { $0.platform = .init(rawValue: 2) }),
                ("active", { $0.isActive = false }), ("port", { $0.protocols = [.init(name: "ssh", port: 2222)] }),
                ("no protocol", { $0.protocols = [] }), ("nodes", { $0.nodes = [] }), ("labels", { $0.labels = [] }),
                ("specific value", { $0.specific = ["db_name": "y"] }), ("specific key", { $0.specific = ["db": "x"] }),
                ("labels as nodes", { ($0.nodes, $0.labels) = ([], [LabelID(high: 4, low: 4)]) }),
            ], copies: [("id", asset(id: AssetID(high: 1, low: 2))), ("organization", asset(in: other))]),
        RowCase(
            account(),
            [
                ("name", { $0.name = "x" }), ("username", { $0.username = "x" }), ("type", { $0.secretType = .token }),
                ("privileged", { $0.privileged = true }), ("active", { $0.isActive = false }),
                ("reset", { $0.secretReset = false }),
                ("su", { $0.suFrom = AccountID(high: 8, low: 8) }), ("current", { $0.stages.current = 1 }),
                ("no current", { $0.stages.current = nil }), ("pending", { $0.stages.pending = 1 }),
                ("previous", { $0.stages.previous = 2 }),
                ("last", { $0.stages.last = 9 }), ("labels", { $0.labels = [LabelID(high: 5, low: 5)] }),
                ("name and username swapped", { ($0.name, $0.username) = ($0.username, $0.name) }),
                ("a longer name", { ($0.name, $0.username) = ("rootr", "oot2") }),
            ],
            copies: [
                ("id", account(id: AccountID(high: 1, low: 2))), ("organization", account(in: other)),
                ("asset", account(asset: AssetID(high: 6, low: 6))),
            ]),
        RowCase(
            application(),
            [
                ("name", { $0.name = "x" }), ("filter", { $0.accounts = #"{"type":"all"}"# }),
                ("networks", { $0.ipGroup = ["*"] }),
                ("one network more", { $0.ipGroup.append("0.0.0.0/0") }), ("active", { $0.isActive = false }),
                ("rate", { $0.rateLimit = nil }),
            ], copies: [("id", application(id: ApplicationID(high: 1, low: 2))), ("organization", application(in: other))]),
        RowCase(
            credential(),
            [
                ("name", { $0.name = "x" }), ("secret", { $0.secret = Sealed(bytes: [9]) }), ("networks", { $0.ipGroup = ["*"] }),
                ("strict", { $0.isStrict = false }), ("active", { $0.isActive = false }), ("expiry", { $0.dateExpires = nil }),
            ],
            copies: [
                ("id", credential(id: CredentialID(high: 1, low: 2))), ("organization", credential(in: other)),
                ("application", credential(of: ApplicationID(high: 6, low: 6))),
            ]),
        RowCase(
            user(),
            [
                ("username", { $0.username = "root" }), ("role", { $0.role = .administrator }),
                ("active", { $0.isActive = false }),
                ("password", { $0.password = Sealed(bytes: [9]) }),
            ], copies: [("id", user(id: UserID(high: 1, low: 2)))]),
        RowCase(
            session(), [("expiry", { $0.dateExpires = now.adding(seconds: 9) }), ("confirmed", { $0.confirmedUntil = now })],
            copies: [("token", session(token: [8])), ("user", session(of: UserID(high: 1, low: 2)))]),
        RowCase(
            Setting(name: "a", value: "false"), [],
            copies: [("value", .init(name: "a", value: "true")), ("name", .init(name: "b", value: "false"))]),
    ]

    @Test("a row verifies as it was stored, and with no deciding field changed", arguments: cases)
    func fields(_ row: RowCase) throws {
        let vault = try FoundVault()
        #expect(try row.unnoticed(vault.keyring.keys()) == [])
    }

    @Test("each changed bit of a code, a code cut short, and a code under an unknown key number are noticed")
    func codes() throws {
        let vault = try FoundVault()
        let keys = try vault.keyring.keys()
        let workspace = try SealingWorkspace()
        let stored = try keys.authenticated(Self.account(), with: workspace)
        var bad: [[UInt8]] = [[], Array(stored.mac.dropLast()), stored.mac + [0]]
        for index in stored.mac.indices {
            var copy = stored.mac
            copy[index] ^= 1
            bad.append(copy)
        }
        for mac in bad {
            #expect(throws: SealingFault.self) {
                _ = try keys.verified(Authenticated(value: stored.value, mac: mac), with: workspace)
            }
        }
    }

    @Test("the code of one kind of row is not the code of another with the same fields")
    func kinds() throws {
        let vault = try FoundVault()
        let keys = try vault.keyring.keys()
        let workspace = try SealingWorkspace()
        let label = Label(id: LabelID(high: 1, low: 1), organization: .default, name: "1", value: "x", dateCreated: Self.now)
        let code = try keys.authenticationCode(.label, organization: .default, id: label.id.bytes, with: workspace) {
            label.authenticate(into: &$0)
        }
        #expect(throws: SealingFault.self) {
            try keys.verify(code, of: .setting, organization: .default, id: label.id.bytes, with: workspace) {
                label.authenticate(into: &$0)
            }
        }
    }

    // MARK: - Rows

    static func node(id: NodeID = NodeID(high: 1, low: 1), in organization: OrganizationID = .default) -> Node {
        Node(id: id, organization: organization, key: "1:1", value: "Web", parent: NodeID(high: 9, low: 9))
    }

    static func label(id: LabelID = LabelID(high: 1, low: 1), in organization: OrganizationID = .default) -> Label {
        Label(id: id, organization: organization, name: "env", value: "prod", dateCreated: now)
    }

    static func asset(id: AssetID = AssetID(high: 1, low: 1), in organization: OrganizationID = .default) -> Asset {
        Asset(
            id: id, organization: organization, name: "web", address: "10.0.0.1", platform: .init(rawValue: 1),
            protocols: [.init(name: "ssh", port: 22)], nodes: [NodeID(high: 4, low: 4)], labels: [LabelID(high: 3, low: 3)],
            specific: ["db_name": "x"], dateCreated: now, dateUpdated: now)
    }

    static func account(
        id: AccountID = AccountID(high: 1, low: 1), in organization: OrganizationID = .default,
        asset: AssetID = AssetID(high: 1, low: 1)
    ) -> Account {
        Account(
            id: id, organization: organization, asset: asset, name: "root", username: "root2",
            stages: SecretStages(current: 3, pending: nil, previous: 1, last: 4), labels: [LabelID(high: 3, low: 3)],
            dateCreated: now,
            dateUpdated: now)
    }

    static func application(id: ApplicationID = ApplicationID(high: 1, low: 1), in organization: OrganizationID = .default)
        -> Application
    {
        Application(
            id: id, organization: organization, name: "ci", accounts: #"{"type":"ids","ids":[]}"#, ipGroup: ["10.0.0.1"],
            rateLimit: 5,
            dateCreated: now, dateUpdated: now)
    }

    static func credential(
        id: CredentialID = CredentialID(high: 1, low: 1), of application: ApplicationID = ApplicationID(high: 1, low: 1),
        in organization: OrganizationID = .default
    ) -> Credential {
        Credential(
            id: id, application: application, organization: organization, name: "first", secret: Sealed(bytes: [1]),
            ipGroup: ["10.0.0.1"],
            isStrict: true, dateExpires: now, dateCreated: now)
    }

    static func user(id: UserID = UserID(high: 1, low: 1)) -> User {
        User(
            id: id, username: "admin", name: "A", role: .auditor, password: Sealed(bytes: [1]), dateCreated: now,
            datePasswordUpdated: now)
    }

    static func session(token: [UInt8] = [7], of user: UserID = UserID(high: 1, low: 1)) -> Session {
        Session(tokenDigest: token, user: user, dateCreated: now, dateExpires: now, confirmedUntil: nil)
    }
}
