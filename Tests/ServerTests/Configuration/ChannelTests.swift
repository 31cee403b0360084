import Notifications
import Cryptography
import Foundation
import TestSupport
import Testing

@testable import Server

@Suite("Channels of the configuration")
struct ChannelTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("channels") }

    private func file(_ text: String, mode: Int = 0o600) throws -> String {
        let path = try directory.write(text, to: "secret")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test("a secret is read from a file of its owner's alone, without the line's end")
    func secret() throws {
        let secret = try PrivateFile.secret(at: file("a b\r\n"))
        #expect(secret.withBytes { Array($0) } == Array("a b".utf8))
    }

    @Test("a file that others may read, an empty one, one too large and a directory are refused")
    func refused() throws {
        for mode in [0o640, 0o604, 0o660] {
            let path = try file("secret", mode: mode)
            #expect(throws: FileFault.self) { _ = try PrivateFile.secret(at: path) }
        }
        for text in ["", "\n", String(repeating: "x", count: 65_537)] {
            let path = try file(text)
            #expect(throws: FileFault.self) { _ = try PrivateFile.secret(at: path) }
        }
        #expect(throws: FileFault.self) { _ = try PrivateFile.secret(at: directory.path) }
        #expect(throws: FileFault.self) { _ = try PrivateFile.secret(at: directory.file("none")) }
    }

    @Test("what is configured is made, and a key that is too short is refused")
    func channels() throws {
        #expect(try Configuration().notifications.channels().isEmpty)
        let path = try file("0123456789abcdefghijklmnopqrstuv")
        let configuration = try Configuration(
            yaml: """
                notifications:
                  email: {server: "localhost:25", security: none, from: a@b.c}
                  webhook: {url: "https://localhost/", secret_file: \(path)}
                """)
        #expect(try configuration.notifications.channels().map(\.name) == ["email", "webhook"])
        _ = try file("too short")
        #expect(throws: FileFault.self) { try configuration.notifications.channels() }
    }
}
