import Foundation
import JSON
import Outbound
import Synchronization
import TestSupport

/// What a server acknowledged to the clients of a crash test, and what it may have done without saying so.
final class Ledger: Sendable {
    /// The secret of an account as far as its only writer knows.
    struct Known: Sendable {
        var secret: String
        var version: Int64
        /// Sent and never answered: it may have been stored.
        var unanswered: String?
    }

    struct Content: Sendable {
        var accounts: [String: Known] = [:]
        /// Answered fetches by account and version.
        var fetches: [Fetch: Int] = [:]
        /// Answers that no server may give, whatever happens to it.
        var wrong: [String] = []
    }

    struct Fetch: Hashable {
        let account: String
        let version: Int64
    }

    private let content = Mutex(Content())

    var current: Content { content.withLock { $0 } }
    func note(_ change: (inout Content) -> Void) { content.withLock { change(&$0) } }
    func ids() -> [String] { content.withLock { Array($0.accounts.keys) } }
}

/// Clients that work until their server is gone, and note what it acknowledged.
struct Workload: Sendable {
    let vault: SmallVault
    let ledger: Ledger

    /// Runs all clients until each has lost the server.
    func run() async {
        await withTaskGroup { group in
            for number in 0..<2 { group.addTask { await write("writer\(number)") } }
            for _ in 0..<2 { group.addTask { await change() } }
            for _ in 0..<3 { group.addTask { await fetch() } }
        }
    }

    private func random(_ prefix: String) -> String { prefix + UUID().uuidString }

    /// Makes accounts with secrets.
    private func write(_ name: String) async {
        let admin = Administrator(vault.admin, at: vault.server, deadline: .seconds(10))
        while true {
            let secret = random("s-")
            let body = #"{"username":"\#(random(name))","asset":"\#(vault.asset)","secret":"\#(secret)"}"#
            guard let answer = try? await admin.call(.post, "/api/v1/accounts/accounts/", body) else { return }
            ledger.note {
                guard answer.status == 201 else { return $0.wrong.append("create: \(answer.status) \(answer.text)") }
                $0.accounts[answer.string("id")] = Ledger.Known(secret: secret, version: 1)
            }
        }
    }

    /// Makes an account of its own and changes its secret again and again.
    private func change() async {
        let admin = Administrator(vault.admin, at: vault.server, deadline: .seconds(10))
        let first = random("c-")
        let body = #"{"username":"\#(random("changer"))","asset":"\#(vault.asset)","secret":"\#(first)"}"#
        guard let made = try? await admin.call(.post, "/api/v1/accounts/accounts/", body), made.status == 201 else { return }
        let id = made.string("id")
        ledger.note { $0.accounts[id] = Ledger.Known(secret: first, version: 1) }
        var version: Int64 = 1
        while true {
            let secret = random("c-")
            ledger.note { $0.accounts[id]?.unanswered = secret }
            let answer = try? await admin.call(.patch, "/api/v1/accounts/accounts/\(id)/", #"{"secret":"\#(secret)"}"#)
            guard let answer else { return }
            version += 1
            ledger.note {
                guard answer.status == 200, answer.int("version") == version else {
                    return $0.wrong.append("change: \(answer.status) \(answer.text)")
                }
                $0.accounts[id] = Ledger.Known(secret: secret, version: version)
            }
        }
    }

    /// Fetches one account after the other.
    private func fetch() async {
        let connection = APIConnection(vault.server, deadline: .seconds(10))
        while true {
            guard let id = ledger.ids().randomElement() else {
                try? await Task.sleep(for: .milliseconds(5))
                if vault.server.program?.poll() != nil { return }
                continue
            }
            guard let answer = try? await vault.key.fetch(over: connection, ApplicationKey.route + "?account_id=\(id)") else {
                return
            }
            // Dated before the start of the server: it may not be sure that it has not seen this before.
            if answer.status == 401 { continue }
            ledger.note {
                guard answer.status == 200, answer.string("account_id") == id, let version = answer.int("version") else {
                    return $0.wrong.append("fetch: \(answer.status) \(answer.text)")
                }
                $0.fetches[.init(account: id, version: version), default: 0] += 1
            }
        }
    }
}
