import Domain
import MariaDBClient
import Streams
import Testing

@testable import Connectors

@Suite("Faults of MariaDB")
struct MariaDBFaultTests {
    private func effect(_ code: Int, accounts: Int = 1) -> ConnectorFault.Effect {
        MariaDB.changeFault(
            MariaDBFault(.refused(code: code), "x"), accounts: accounts,
            hiding: TargetLogin(username: "root", secretType: .password, secret: .of("secret"))
        ).effect
    }

    @Test(
        "what the server refuses before it touches an account has had no effect", arguments: [1044, 1142, 1227, 1290, 1396, 1819])
    func refused(code: Int) {
        #expect(effect(code) == .none)
        #expect(effect(code, accounts: 2) == .unknown)
    }

    /// ER_ERROR_ON_WRITE, ER_LOCK_WAIT_TIMEOUT, ER_QUERY_INTERRUPTED, ER_STATEMENT_TIMEOUT, ER_SERVER_SHUTDOWN, one that nobody knows.
    @Test("what it may say after the account was changed leaves that open", arguments: [1026, 1205, 1317, 1969, 1053, 9999])
    func open(code: Int) {
        #expect(effect(code) == .unknown)
    }
}
