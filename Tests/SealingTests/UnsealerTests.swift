import Cryptography
import Glibc
import Sealing
import TestSupport
import Testing

@Suite("Key file")
struct KeyFileTests {
    let directory: TemporaryDirectory
    let keyFile: KeyFileUnsealer
    var path: String { directory.file("keys/keyturn.key") }

    init() throws {
        directory = try TemporaryDirectory()
        keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        mkdir(directory.file("keys"), 0o700)
    }

    @Test("a fresh key file is private and gives back the key")
    func create() throws {
        let made = try keyFile.create()
        let read = try keyFile.wrappingKey(parameters: [])
        #expect(made.withBytes { Array($0) } == read.withBytes { Array($0) })
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(throws: SealingFault.self, "it is never replaced") { _ = try keyFile.create() }
    }

    @Test("no key file is made where others may write", arguments: [0o777, 0o770, 0o701] as [mode_t])
    func openDirectory(mode: mode_t) throws {
        chmod(directory.file("keys"), mode)
        #expect(throws: SealingFault.self) { _ = try keyFile.create() }
        #expect(access(path, F_OK) != 0)
    }

    @Test(
        "a key file that others can read is refused with the command that repairs it",
        arguments: [0o640, 0o604, 0o660] as [mode_t])
    func modes(mode: mode_t) throws {
        _ = try keyFile.create()
        chmod(path, mode)
        let error = #expect(throws: SealingFault.self) { _ = try keyFile.wrappingKey(parameters: []) }
        guard case .keyFile(_, let remedy)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(remedy == "chmod 600 \(path)")
    }

    @Test("a missing key file, a link, a directory and a pipe are refused at once")
    func otherThings() throws {
        #expect(throws: SealingFault.self) { _ = try keyFile.wrappingKey(parameters: []) }
        mkdir(path, 0o700)
        #expect(throws: SealingFault.self) { _ = try keyFile.wrappingKey(parameters: []) }
        rmdir(path)
        mkfifo(path, 0o600)
        #expect(throws: SealingFault.self) { _ = try keyFile.wrappingKey(parameters: []) }
        unlink(path)
        _ = try keyFile.create()
        rename(path, path + ".real")
        symlink(path + ".real", path)
        #expect(throws: SealingFault.self) { _ = try keyFile.wrappingKey(parameters: []) }
    }

    @Test(
        "what is not a key is refused",
        arguments: [
            "", "\n", String(repeating: "a", count: 63), String(repeating: "a", count: 65), String(repeating: "g", count: 64),
            String(repeating: "a", count: 64) + " b", String(repeating: "é", count: 32),
        ])
    func garbage(text: String) throws {
        try directory.write(text, to: "keys/keyturn.key")
        #expect(throws: SealingFault.self) { _ = try keyFile.wrappingKey(parameters: []) }
    }
}

@Suite("Recovery code")
struct RecoveryCodeTests {
    static let code = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ"

    func unsealer(_ text: String) -> RecoveryCodeUnsealer? { RecoveryCodeUnsealer(typed: secret(text)) }

    @Test(
        "it is read however a person writes it down",
        arguments: [
            code.lowercased(), code.split(separator: "-").joined(), code.split(separator: "-").joined(separator: "  "),
            " \(code)\r\n",
            "O1L3-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ".replacing("L", with: "2"), "oi23-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ",
        ])
    func lenient(text: String) throws {
        let (typed, original) = (try #require(unsealer(text)), try #require(unsealer(Self.code)))
        #expect(typed.isSame(as: original))
    }

    @Test(
        "what is no code is none",
        arguments: [
            "", "0123", code + "0", String(code.dropLast()), code.replacing("Z", with: "U"), code + code,
            code.replacing("Z", with: "é"), String(repeating: " ", count: 300),
        ])
    func none(text: String) {
        #expect(unsealer(text) == nil)
    }

    @Test("another code, also by one character, is another key; so is another salt")
    func keys() throws {
        func key(_ text: String, _ salt: [UInt8]) throws -> [UInt8] {
            try #require(unsealer(text)).wrappingKey(parameters: salt).withBytes { Array($0) }
        }
        #expect(try key(Self.code, [1]) == key(Self.code.lowercased(), [1]))
        #expect(try key(Self.code, [1]) != key(Self.code.replacing("Z", with: "Y"), [1]))
        #expect(try key(Self.code, [1]) != key(Self.code, [2]))
    }

    @Test("fresh codes have the printed form and are all different")
    func generated() throws {
        let codes = try (0..<50).map { _ in try text(of: RecoveryCodeUnsealer.generate()) }
        #expect(Set(codes).count == codes.count)
        for code in codes {
            #expect(code.split(separator: "-").map(\.count) == Array(repeating: 4, count: 8))
            #expect(unsealer(code) != nil)
        }
    }

    @Test("whatever is typed, reading it ends with a code or with nothing")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 5, samples: [Self.code, Self.code.lowercased(), "0O1lI"])
        for _ in 0..<Fuzzer.rounds(5_000) {
            var bytes = fuzzer.next()
            let hasAll = bytes.filter { $0 != 45 && $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 }.count == 32
            if RecoveryCodeUnsealer(typed: Secret(moving: &bytes)) != nil { #expect(hasAll) }
        }
    }
}
