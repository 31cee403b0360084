import Access
import Cryptography
import Domain
import Glibc
import HTTPServer
import Logging
import Sealing
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Installation")
struct InstallationTests {
    struct Stopped: Error {}

    let directory: TemporaryDirectory
    var layout: Installation.Layout { Installation.Layout(data: directory.path + "/data") }

    init() throws { directory = try TemporaryDirectory() }

    func install(_ reached: @escaping @Sendable (Installation.Step) throws -> Void = { _ in }) throws -> Installation.Made {
        try Installation(layout: layout, reached: reached).run(
            username: "admin", recoveryCode: RecoveryCodeUnsealer.generate(), hosts: ["localhost", "127.0.0.1"],
            savesRecoveryCode: true)
    }

    func assembly() throws -> Assembly {
        let tls = ListenerConfiguration.TLSFiles(certificate: layout.certificate, key: layout.certificateKey)
        let options = AssemblyOptions(layout: layout, listener: ListenerConfiguration(tls: tls))
        return try Assembly(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func unsealer(_ code: borrowing Secret) throws -> RecoveryCodeUnsealer {
        guard let unsealer = RecoveryCodeUnsealer(typed: code) else { throw Stopped() }
        return unsealer
    }

    func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    @Test(
        "a new vault is whole: it opens with the key file and with the recovery code that was written down, and with nothing else"
    )
    func whole() async throws {
        let made = try install()
        #expect(made.username == "admin" && made.password.count == 24)
        var written = try directory.read("data.recovery-code")
        let code = try unsealer(Secret(moving: &written))
        let other = try unsealer(RecoveryCodeUnsealer.generate())
        for unsealer in [KeyFileUnsealer(directory: layout.keys), code] as [any Unsealer] {
            let assembly = try assembly()
            defer { assembly.close() }
            #expect(assembly.keyring.isSealed)
            await #expect(throws: SealingFault.self) { try await assembly.unseal(with: other, by: .system("test")) }
            #expect(assembly.keyring.isSealed && assembly.policies.snapshot == nil)
            try await assembly.unseal(with: unsealer, by: .system("test"))
            #expect(!assembly.keyring.isSealed && assembly.policies.snapshot != nil)
        }
    }

    @Test("what it makes is its owner's alone, and the keys are not in the data directory")
    func modes() throws {
        _ = try install()
        for path in [layout.data, layout.keys, layout.data + "/tls"] { #expect(mode(path) == 0o700, "\(path)") }
        for path in [
            layout.keys + "/keyturn.key", layout.recovery, layout.certificateKey, layout.certificate, layout.checkpoints,
            layout.data + "/keyturn.db", layout.data + "/audit.db",
        ] {
            #expect(mode(path) == 0o600, "\(path)")
        }
        #expect(mode(layout.data + "/keyturn.db.new") == nil && mode(layout.data + "/keyturn.db.new-wal") == nil)
    }

    @Test(
        "keys and recovery code are beside the data directory, however its path is written",
        arguments: ["/a/b", "/a/b/", "/a/b///"])
    func beside(path: String) {
        let layout = Installation.Layout(data: path)
        #expect(layout.data == "/a/b" && layout.keys == "/a/b-keys" && layout.recovery == "/a/b.recovery-code")
        #expect(Installation.Layout(data: path, keys: "/k/").keys == "/k")
    }

    @Test(
        "ended at whatever step, nothing is usable, and the next init says what is in the way and touches none of it",
        arguments: Installation.Step.allCases)
    func ended(at last: Installation.Step) throws {
        #expect(throws: Stopped.self) { _ = try install { if $0 == last { throw Stopped() } } }
        #expect(throws: (any Error).self) { _ = try assembly() }
        let key = directory.path + "/data-keys/keyturn.key"
        let before = mode(key) == nil ? nil : try directory.read("data-keys/keyturn.key")
        let fault = #expect(throws: InstallationFault.self) { _ = try install() }
        guard case .remains(let paths)? = fault else { return #expect(Bool(false), "\(String(describing: fault))") }
        #expect(try (mode(key) == nil ? nil : directory.read("data-keys/keyturn.key")) == before)
        // Doing what it says is enough.
        for path in paths { #expect(unlink(path) == 0, "\(path)") }
        _ = try install()
        try assembly().close()
    }

    @Test("a vault is never made over another one, nor beside the keys of one whose database was moved away")
    func never() throws {
        _ = try install()
        #expect(throws: InstallationFault.alreadyMade(layout.data)) { _ = try install() }
        let database = directory.path + "/data/keyturn.db"
        rename(database, database + ".away")
        let key = try directory.read("data-keys/keyturn.key")
        #expect(throws: InstallationFault.self) { _ = try install() }
        #expect(try directory.read("data-keys/keyturn.key") == key)
        rename(database + ".away", database)
        try assembly().close()
    }

    @Test("the certificate is good for localhost and 127.0.0.1, and for nothing else")
    func certificate() async throws {
        _ = try install()
        let assembly = try assembly()
        defer { assembly.close() }
        try assembly.listener.start()
        for (host, isGood) in [("localhost", true), ("127.0.0.1", true), ("other.example", false)] {
            let curl = Curl(base: "https://\(host):\(assembly.listener.port)", certificateAuthority: layout.certificateAuthority)
            let more = ["--resolve", "\(host):\(assembly.listener.port):127.0.0.1"]
            if isGood {
                #expect(try await curl.request("GET", "/", more: more).status >= 400)
            } else {
                await #expect(throws: ProgramFault.self) { _ = try await curl.request("GET", "/", more: more) }
            }
        }
    }
}
