import Domain
import TestSupport
import Testing

@testable import Storage

@Suite("Lists")
struct ListTests {
    let vault: Vault

    init() throws {
        vault = try Vault()
        let tenant = vault.ours
        try vault.write { connection in
            for number in 0..<25 {
                try Accounts.insert(
                    tenant.further("app-\(number / 10)\(number % 10)", privileged: number % 5 == 0), on: connection)
            }
            for name in ["100%", "a_b", "axb", "back\\slash", "quo'te", "UPPER", "日本語"] {
                try Accounts.insert(tenant.further(name), on: connection)
            }
            let other = Asset(
                id: AssetID(high: 1, low: 1), organization: tenant.id, name: "db-1", address: "db.example",
                platform: Platform.ID(rawValue: 19),
                isActive: false, dateCreated: day, dateUpdated: day)
            try Assets.insert(authenticated(other), on: connection)
            let account = Account(
                id: AccountID(high: 1, low: 1), organization: tenant.id, asset: other.id, name: "postgres", username: "postgres",
                secretType: .sshKey, isActive: false, dateCreated: day, dateUpdated: day)
            try Accounts.insert(authenticated(account), on: connection)
        }
    }

    func names(_ request: ListRequest<AccountField>) throws -> [String] {
        try vault.read { try Accounts.list(request, in: .default, on: $0).rows.map(\.account.value.name) }
    }

    func names(_ parameter: String, _ value: String) throws -> [String] {
        let filter = try #require(try ListFilter<AccountField>(parameter: parameter, value: value))
        return try names(ListRequest(filters: [filter]))
    }

    @Test("a page is cut from the whole, which is counted")
    func paging() throws {
        let page = try vault.read { try Accounts.list(ListRequest(offset: 30, limit: 10), in: .default, on: $0) }
        #expect(page.total == 34)
        #expect(page.rows.map(\.account.value.name) == ["postgres", "quo'te", "root", "日本語"])
        #expect(try names(ListRequest(offset: 1000)) == [])
        #expect(try names(ListRequest(limit: 0)) == [])
        #expect(try names(ListRequest(offset: -1, limit: -1)) == [])
        #expect(try names(ListRequest(offset: .max, limit: .max)) == [])
    }

    static let filters: [(String, String, [String])] = [
        ("name", "root", ["root"]),
        ("name__exact", "root", ["root"]),
        ("name__in", "root,axb,none", ["axb", "root"]),
        ("name__in", "", []),
        ("name__icontains", "ROO", ["root"]),
        ("name__icontains", "%", ["100%"]),
        ("name__icontains", "_", ["a_b"]),
        ("name__icontains", "\\", ["back\\slash"]),
        ("name__icontains", "'", ["quo'te"]),
        ("name__icontains", "' OR 1=1 --", []),
        ("name__icontains", "本", ["日本語"]),
        ("name__icontains", "root\0", []),
        ("name__startswith", "up", []),
        ("name__startswith", "UP", ["UPPER"]),
        ("name__startswith", "%", []),
        ("name__startswith", "日", ["日本語"]),
        ("username", "root@x", ["root"]),
        ("address", "db.example", ["postgres"]),
        ("address__startswith", "db", ["postgres"]),
        ("asset_name", "db-1", ["postgres"]),
        ("asset_id", "00000000-0000-0001-0000-000000000001", ["postgres"]),
        ("id", "00000000000000010000000000000001", ["postgres"]),
        ("secret_type", "ssh_key", ["postgres"]),
        ("category", "database", ["postgres"]),
        ("type", "postgresql", ["postgres"]),
        ("platform", "PostgreSQL", ["postgres"]),
        ("is_active", "false", ["postgres"]),
        ("has_secret", "true", ["root"]),
        ("source", "template", ["root"]),
        ("source_id", "t-1", ["root"]),
        ("connectivity", "ok", ["root"]),
    ]

    @Test("each filter finds what it names", arguments: filters)
    func filter(parameter: String, value: String, expected: [String]) throws {
        #expect(try names(parameter, value) == expected)
    }

    @Test("filters by node and label go through the links")
    func links() throws {
        let tenant = vault.ours
        let byNode = try names(ListRequest(filters: [ListFilter(.node, anyOf: [tenant.child.value.id])], limit: 1000))
        #expect(byNode.count == 33 && !byNode.contains("postgres"))
        #expect(try names(ListRequest(filters: [ListFilter(.label, anyOf: [tenant.label.value.id])])) == ["root"])
        #expect(try names(ListRequest(filters: [ListFilter(.label, anyOf: [LabelID]())])) == [])
        #expect(try names(ListRequest(filters: [ListFilter(.label, .contains("x"))])) == [])
        let assets = try vault.read {
            try Assets.list(ListRequest(filters: [ListFilter(.category, .exact(.text("database")))]), in: .default, on: $0)
        }
        #expect(assets.rows.map(\.value.name) == ["db-1"] && assets.total == 1)
    }

    @Test("an order is by the field asked for, with the list's own behind it")
    func order() throws {
        let descending = try #require(ListOrder<AccountField>(parameter: "-name"))
        #expect(try names(ListRequest(order: [descending], limit: 2)) == ["日本語", "root"])
        let byAsset = try #require(ListOrder<AccountField>(parameter: "asset_name"))
        #expect(try names(ListRequest(order: [byAsset], limit: 2)) == ["postgres", "100%"])
        #expect(
            try names(ListRequest(order: [ListOrder(.privileged, descending: true)], limit: 3)) == ["app-00", "app-05", "app-10"])
    }

    @Test(
        "a field or operator that there is not is none",
        arguments: [
            "secret", "name__regex", "name__", "__exact", "is_active__icontains", "node_id__startswith", "name;DROP", "", "mac",
            "org_id",
        ])
    func unknown(parameter: String) throws {
        #expect(try ListFilter<AccountField>(parameter: parameter, value: "1") == nil)
        #expect(ListOrder<AccountField>(parameter: "-" + parameter) == nil)
    }

    @Test(
        "a value that is none of its field's kind is refused",
        arguments: [
            ("id", "x"), ("is_active", "maybe"), ("node_id__in", "1,2"), ("date_created", "today"), ("asset_id", ""),
        ])
    func unreadable(parameter: String, value: String) {
        #expect(throws: ListParameterError.unreadable) { try ListFilter<AccountField>(parameter: parameter, value: value) }
    }

    @Test(
        "search text is only ever text",
        arguments: [
            ("postgres", 1), ("DB.EXAMPLE", 1), ("db-1", 1), ("%", 1), ("_", 1), ("'", 1), ("\"", 0), ("\0", 0), ("a\0", 0),
            ("';--", 0),
            ("\\", 1), ("", 34), (String(repeating: "%", count: 500), 0), (String(repeating: "x", count: 100_000), 0),
        ])
    func search(text: String, total: Int) throws {
        #expect(try vault.read { try Accounts.list(ListRequest(search: text), in: .default, on: $0).total } == Int64(total))
    }

    @Test("every field of every list can be filtered and ordered by")
    func everyField() throws {
        try vault.read { connection throws in
            for field in AccountField.allCases { _ = try Accounts.list(Self.request(field), in: .default, on: connection) }
            for field in AssetField.allCases { _ = try Assets.list(Self.request(field), in: .default, on: connection) }
            for field in NodeField.allCases { _ = try Nodes.list(Self.request(field), in: .default, on: connection) }
            for field in LabelField.allCases { _ = try Labels.list(Self.request(field), in: .default, on: connection) }
            for field in ApplicationField.allCases {
                _ = try Applications.list(Self.request(field), in: .default, on: connection)
            }
            for field in OrganizationField.allCases { _ = try Organizations.list(Self.request(field), on: connection) }
            for field in UserField.allCases { _ = try Users.list(Self.request(field), on: connection) }
        }
    }

    private static func request<Field: ListField>(_ field: Field) -> ListRequest<Field> {
        ListRequest(
            filters: [
                ListFilter(field, .exact(.text("x"))), ListFilter(field, .anyOf([.text("x"), .null])),
                ListFilter(field, .contains("x")),
                ListFilter(field, .startsWith("x")),
            ],
            search: "x", order: [ListOrder(field), ListOrder(field, descending: true)])
    }

    @Test("whatever parameters come, they are refused or run, and never become SQL")
    func fuzz() throws {
        var generator = SeededGenerator(seed: 0xDEAD_BEEF)
        let names = AccountField.allCases.map(\.rawValue) + ["", "__", "x"]
        let relations = ["", "__exact", "__in", "__icontains", "__startswith", "__", "__lt"]
        let pieces = [
            "'", "\"", "%", "_", "\\", ";", "--", "\0", ",", "1", "true", "root", "日", "00000000-0000-0001-0000-000000000001",
            ")",
        ]
        var ran = 0
        for _ in 0..<Fuzzer.rounds(300) {
            let parameter =
                names.randomElement(using: &generator).unsafelyUnwrapped
                + relations.randomElement(using: &generator).unsafelyUnwrapped
            let value = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                pieces.randomElement(using: &generator).unsafelyUnwrapped
            }.joined()
            guard let filter = try? ListFilter<AccountField>(parameter: parameter, value: value) else { continue }
            ran += 1
            let request = ListRequest(filters: [filter], search: value, limit: 1)
            #expect(throws: Never.self) { try vault.read { try Accounts.list(request, in: .default, on: $0).total } }
        }
        #expect(ran > 50)
    }

    @Test("the system organization is in no list")
    func system() throws {
        let names = try vault.write { connection in
            let system = Organization(id: .system, name: "System", dateCreated: day)
            try Organizations.insert(authenticated(system), on: connection)
            return try Organizations.list(ListRequest(), on: connection).rows.map(\.value.name)
        }
        #expect(names == ["Default", "Other"])
    }
}
