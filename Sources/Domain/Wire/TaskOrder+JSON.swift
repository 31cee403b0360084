package import JSON

// The stored form of an order, which is also what the snapshot of an execution shows.

extension TaskOrder {
    /// The same order always has the same text.
    package var text: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads the stored form; nil if it is none.
    package init?(text: String) {
        guard let json = try? JSONDocument.parse(text, limits: JSONLimits(bytes: 16 << 20, values: 1_000_000)) else { return nil }
        do {
            self = try Self.read(json)
        } catch {
            return nil
        }
    }

    package func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object {
            $0.field("type", kind.rawValue)
            $0.field("accounts", accounts)
            $0.field("assets", assets.map(\.description))
            $0.field("nodes", nodes.map(\.description))
            $0.array("selection") { list in
                for selected in selection {
                    list.object {
                        $0.field("account", selected.account)
                        $0.field("version", selected.version)
                    }
                }
            }
            $0.field("secret_type", secretType.rawValue)
            $0.field("secret_strategy", strategy.rawValue)
            $0.field("password_rules", passwordRules)
            $0.field("ssh_key_change_strategy", keyStrategy.rawValue)
            $0.key("params")
            parameters.write(to: &$0)
            $0.field("check_conn_after_change", checksConnection)
            $0.field("on_existing", existing.rawValue)
            $0.field("include_privileged", includesPrivileged)
            $0.field("include_system", includesSystem)
            $0.field("worker", worker)
        }
    }

    private static func read(_ json: JSONValue) throws -> TaskOrder {
        let body = try JSONObjectReader(json)
        let kind = body.required("type", .choice(TaskKind.self))
        let accounts = body.required("accounts", .list(of: .text(max: 256, blank: true, trim: false), max: 100_000))
        let assets = body.required("assets", .list(of: JSONRule<AssetID>.id(), max: 100_000))
        let nodes = body.required("nodes", .list(of: JSONRule<NodeID>.id(), max: 100_000))
        let selection = body.required("selection", .list(of: SelectedAccount.rule, max: 100_000))
        let type = body.required("secret_type", .choice(SecretType.self))
        let strategy = body.required("secret_strategy", .choice(SecretStrategy.self))
        let rules = body.required("password_rules", .text(max: 65_536, blank: true, trim: false))
        let keys = body.required("ssh_key_change_strategy", .choice(KeyChangeStrategy.self))
        let parameters = body.required("params", TaskParameters.rule)
        let checks = body.required("check_conn_after_change", .bool)
        let existing = body.required("on_existing", .choice(ExistingPolicy.self))
        let privileged = body.required("include_privileged", .bool)
        let system = body.required("include_system", .bool)
        let worker = body.nullable("worker", .text(max: 256, trim: false))
        let read = try body.finish(
            kind, accounts, assets, nodes, selection, type, strategy, rules, keys, parameters, checks, existing, privileged,
            system)
        return TaskOrder(
            kind: read.0, accounts: read.1, assets: read.2, nodes: read.3, selection: read.4, secretType: read.5,
            strategy: read.6, passwordRules: read.7, keyStrategy: read.8, parameters: read.9, checksConnection: read.10,
            existing: read.11, includesPrivileged: read.12, includesSystem: read.13, worker: worker)
    }
}

extension SelectedAccount {
    fileprivate static var rule: JSONRule<SelectedAccount> {
        .object { body throws(JSONFieldErrors) in
            let account = body.required("account", JSONRule<AccountID>.id())
            let version = body.nullable("version", .int(0...Int.max))
            return SelectedAccount(account: try body.finish(account), version: version.map { Int64($0) })
        }
    }
}

extension TaskParameters {
    /// An object of objects of plain values, as clients write them: `{"push_account_posix": {"shell": "/bin/sh", "modify_sudo": false}}`.
    package static var rule: JSONRule<TaskParameters> {
        JSONRule { json throws(JSONFieldErrors) in
            guard let members = json.object else { throw .value("Expected an object.") }
            guard json.count <= 50 else { throw .value("Ensure this field has no more than 50 elements.") }
            var parameters = TaskParameters()
            for member in members {
                guard isName(member.name), let inner = member.value.object, member.value.count <= 50 else {
                    throw .value("Expected an object of settings for each platform.")
                }
                var values: [String: String] = [:]
                for setting in inner {
                    guard isName(setting.name), let text = text(of: setting.value), text.utf8.count <= 4096 else {
                        throw .value("A setting is a text, a number or a boolean.")
                    }
                    values[setting.name] = text
                }
                parameters.settings[member.name] = values
            }
            return parameters
        }
    }

    package func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object { writer in
            for (name, values) in settings.sorted(by: { $0.key < $1.key }) {
                writer.object(name) { writer in
                    for (setting, value) in values.sorted(by: { $0.key < $1.key }) { writer.field(setting, value) }
                }
            }
        }
    }

    private static func text(of value: JSONValue) -> String? {
        if let text = value.string { return text.utf8.contains(0) ? nil : text }
        if let flag = value.bool { return flag ? "true" : "false" }
        return value.int.map { String($0) }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}
