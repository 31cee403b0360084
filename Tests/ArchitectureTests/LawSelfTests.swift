import Testing

/// The laws find what they are made for, and leave alone what only looks like it.
@Suite("The laws themselves")
struct LawSelfTests {
    static func source(_ text: String, _ path: String = "Sources/Domain/Sample.swift") -> SwiftSource {
        SwiftSource(path: path, text: text)
    }

    static func isBroken(_ text: String, _ path: String = "Sources/Domain/Sample.swift") -> Bool {
        !CodeLaw.violations(in: source(text, path)).isEmpty
    }

    @Test(
        "bad code is found",
        arguments: [
            "let a = try! b()", "let a = b as! C", "fatalError(\"x\")", "preconditionFailure()", "precondition(a > b)",
            "print(a)",
            "if a { print(a) }", "debugPrint(a)", "let a = b!", "let a = b!.c", "let a = b()!", "let a = b[0]! + 1", "f(a!)",
            "f(a!, b)",
            "var a: Int!", "let a = \"\\(b!)\"", "let a = b?.c!", "return a!", "x! += 1", "public struct A {}",
            "public func a() {}",
            "@usableFromInline public init() {}", "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
            "// text\n\nfinal class A: @unchecked Sendable {}", "func revealAll() {}", "struct Duration {}", "enum Error {}",
            "final class SessionManager {}", "struct Domain {}", "struct Access {}", "    enum Domain {}", "enum CodingUtil {}",
        ])
    func bad(text: String) {
        #expect(Self.isBroken(text))
    }

    @Test(
        "good code is left alone",
        arguments: [
            "let a = b != c", "let a = !b", "f(!a)", "if !a && !b {}", "a !== b", "[!a]", "// try! print(a!) as!",
            "/* b! /* c! */ d! */ let a = 1",
            "let a = \"try! b! print(x)\"", "let a = #\"b! \"c! \"#", "let a = \"\"\"\n  b! \" c!\n  \"\"\"",
            "let a = \"x\\\"y!\"",
            "writer.print(a)", "func print(_ a: Int) {}", "printer(a)", "let a = \"\\(b ? \"c!\" : \"d\")\"",
            "package func a() {}", "let publicKey = a", "package let publicKey: [UInt8]",
            "/// Unchecked, because every access is under the lock.\nfinal class A: @unchecked Sendable {}",
            "// safe: never written after init\n@frozen\nfinal class A: @unchecked Sendable {}",
            "nonisolated(unsafe) let a = b  // immutable", "enum AuditFault: Swift.Error {}", "struct TaskRecord {}",
            "struct Database {}",
        ])
    func good(text: String) {
        #expect(!Self.isBroken(text), "\(CodeLaw.violations(in: Self.source(text)).list)")
    }

    @Test("the scanner keeps lines and length, whatever it reads")
    func scanner() {
        let text = Array("a // b\n/* c\n d */ \"e\\(f(\"g\"))\" \"\"\"\n h\n \"\"\"\n'i\"".utf8)
        let code = CodeScanner.codeAlone(text)
        #expect(code.count == text.count)
        #expect(code.filter { $0 == 10 }.count == text.filter { $0 == 10 }.count)
        #expect(String(decoding: code, as: UTF8.self).contains("f("))
        #expect(!code.contains(UInt8(ascii: "g")))
        for count in text.indices { #expect(CodeScanner.codeAlone(Array(text[..<count])).count == count) }
    }

    static let manifest = Manifest(
        """
        let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
        targets += capability("Domain", ["JSON"])
        targets += capability("JSON", [])
        targets += capability("Cryptography", ["CCrypto"])
        targets += capability("Storage", ["Domain", "CSQLite"])
        targets += capability("Sealing", ["Domain", "Storage"])
        targets += capability("Access", ["Domain", "Sealing", logging])
        targets += capability("Audit", ["Domain"])
        """)

    @Test(
        "an import of something that is somebody else's is found",
        arguments: [
            ("import CSQLite", "Sources/Audit/A.swift"), ("internal import CCrypto", "Sources/Sealing/A.swift"),
            ("package import CSQLite", "Sources/Storage/A.swift"), ("import Sealing", "Sources/API/A.swift"),
            ("package import Sealing", "Tests/EndToEndTests/A.swift"), ("import Foundation", "Sources/Domain/A.swift"),
            ("import FoundationEssentials", "Sources/Access/A.swift"), ("import Cryptography", "Sources/Storage/A.swift"),
            ("import struct Storage.Row", "Sources/Audit/A.swift"), ("import Logging", "Sources/Audit/A.swift"),
            ("@preconcurrency import CCurl", "Sources/Client/A.swift"),
        ])
    func importing(text: String, path: String) {
        #expect(!ImportLaw.violations(in: Self.source(text, path), Self.manifest).isEmpty)
    }

    @Test(
        "an import of something that is listed is left alone",
        arguments: [
            ("import CSQLite", "Sources/Storage/A.swift"), ("import CSQLite", "Tests/StorageTests/A.swift"),
            ("package import Domain", "Sources/Storage/A.swift"), ("import Sealing", "Sources/Access/A.swift"),
            ("import Logging", "Sources/Access/A.swift"), ("import Glibc", "Sources/Domain/A.swift"),
            ("// import CSQLite", "Sources/Audit/A.swift"),
            ("import Foundation", "Sources/Server/A.swift"), ("import Testing", "Tests/DomainTests/A.swift"),
        ])
    func imported(text: String, path: String) {
        let found = ImportLaw.violations(in: Self.source(text, path), Self.manifest)
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("the real manifest is understood")
    func manifestIsRead() {
        let manifest = Manifest(SourceTree.manifest)
        #expect(manifest.dependencies["Storage"] == ["Domain", "CSQLite"])
        #expect(manifest.dependencies["Access"]?.contains("Sealing") == true)
        #expect(manifest.dependencies["Audit"]?.contains("Logging") == true)
        #expect(manifest.dependencies["keyturnd"]?.contains("Server") == true)
        #expect(manifest.dependencies["Storage"]?.contains("Sealing") == false)
    }

    @Test("a fuzz test that `make fuzz` would not find is found")
    func unnamedFuzz() {
        let text = "struct A {\nfunc mutations() {\nfor _ in 0..<Fuzzer.rounds(9) {}\n}\n}"
        #expect(TreeLaw.unnamedFuzz(Self.source(text, "Tests/DomainTests/ATests.swift")).count == 1)
        #expect(TreeLaw.unnamedFuzz(Self.source(text, "Tests/DomainTests/AFuzzTests.swift")).isEmpty)
        let named = text.replacing("mutations", with: "fuzzMutations")
        #expect(TreeLaw.unnamedFuzz(Self.source(named, "Tests/DomainTests/ATests.swift")).isEmpty)
    }

    @Test("long files, promises, stray SQL, waiting and forgotten migrations are found")
    func tree() {
        #expect(TreeLaw.tooLong([Self.source(String(repeating: "\n", count: 500))]).count == 1)
        #expect(TreeLaw.tooLong([Self.source(String(repeating: "\n", count: 499))]).isEmpty)
        #expect(
            TreeLaw.promised("a", "// \(TreeLaw.promises[0]): later\n// mktemp \(TreeLaw.promises[2])\(TreeLaw.promises[2])")
                .count == 1)
        #expect(TreeLaw.statements(Self.source("let a = \"SELECT 1 FROM b\"")).count == 1)
        #expect(TreeLaw.statements(Self.source("let a = \"SELECT 1\"", "Sources/Storage/A.swift")).isEmpty)
        #expect(TreeLaw.statements(Self.source("let a = \"Select one\"")).isEmpty)
        #expect(TreeLaw.waiting(Self.source("let a = await b()", "Sources/API/Applications/A.swift")).count == 1)
        #expect(TreeLaw.waiting(Self.source("Task { b() }", "Sources/API/Applications/A.swift")).count == 1)
        #expect(TreeLaw.waiting(Self.source("let a = await b()", "Sources/API/Admin/A.swift")).isEmpty)
        let step = Self.source("static let m0002 = 1", "Sources/Storage/Migrations/M0002_More.swift")
        let list = Self.source("static let all = [.m0001, .m0002]", "Sources/Storage/Migrations/Migration.swift")
        #expect(TreeLaw.unregisteredMigrations([step]).count == 1)
        #expect(TreeLaw.unregisteredMigrations([step, list]).isEmpty)
    }
}
